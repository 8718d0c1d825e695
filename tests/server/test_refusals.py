"""What is asked wrongly, or by whom it may not be, is refused: in words, with the right status."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from monazite.server import asking

Page = dict[str, Any]
Told = Callable[..., str]
JSON = {"content-type": "application/json"}
CSV = {"content-type": "text/csv"}
LARGE = 5_000_001
GALLIUM = {"by": "CHN", "on": ["gallium"]}
ASSESS = "/api/assess?subject=IND&chain=gallium"
pytestmark = pytest.mark.usefixtures("none_begun")


@pytest.fixture
def frank(app: FastAPI, client: TestClient) -> TestClient:
    """A client that is told what a browser is told, whatever happens in the server."""
    return TestClient(app, base_url=str(client.base_url), raise_server_exceptions=False)


@pytest.mark.parametrize(
    ("path", "nearest"),
    [
        ("/api/assess?subject=INDA", "IND"),
        ("/api/assess?subject=QUADD", "QUAD"),
        ("/api/assess?subject=IND&chain=rare_earth", "rare_earths"),
        ("/api/assess?subject=IND&chain=gallium&commodity=galium_4n", "gallium_4n"),
        ("/api/assess?subject=IND&chain=gallium&by=CHNN", "CHN"),
        ("/api/assess?subject=IND&chian=gallium", "chain"),
        (f"{ASSESS.replace('assess', 'assess/views/dependance.csv')}", "dependence"),
        ("/api/assess/table.csv?subject=IDN&chain=galium", "gallium"),
        ("/api/data/facts?commodity=dy_oxid", "dy_oxide"),
        ("/api/data/facts?chain=galium", "gallium"),
        ("/api/data/facts?plaice=CHN", "place"),
        ("/api/data/explain?fact=0&chain=galium", "gallium"),
    ],
)
def test_an_unknown_name_is_told_with_the_nearest(
    client: TestClient, told: Told, path: str, nearest: str
) -> None:
    response = client.get(path)
    message = told(response, 400)
    assert response.json()["error"]["kind"] == "UnknownName"
    assert nearest in response.json()["error"]["nearest"]
    assert "did you mean" in message


@pytest.mark.parametrize(
    ("changes", "nearest"),
    [
        ({"by": "CHNN"}, []),
        ({"on": ["galium"]}, ["gallium"]),
        ({"chain": ["galium"]}, ["gallium"]),
        ({"group": "QUADD"}, ["QUAD"]),
        ({"to": "QUADD"}, ["QUAD"]),
    ],
)
def test_an_unknown_name_in_a_question_begins_no_run(
    client: TestClient, told: Told, none_begun: list[str], changes: Page, nearest: list[str]
) -> None:
    response = client.post("/api/runs", json=GALLIUM | changes)
    told(response, 400)
    assert response.json()["error"]["kind"] == "UnknownName"
    assert set(response.json()["error"]["nearest"]) >= set(nearest)
    assert none_begun == []


@pytest.mark.parametrize(
    ("question", "status", "words"),
    [
        ({"control": "CN-GAGE-2023", "year": 2024}, 422, "already contains"),
        (GALLIUM | {"start": "2020-01"}, 422, "base year"),
        (GALLIUM | {"year": 1999}, 422, "no facts for 1999"),
        (GALLIUM | {"to": "CHN"}, 422, "would change nothing"),
        (GALLIUM | {"by": "CHN,USA"}, 400, "one acting state"),
        (GALLIUM | {"by": "QUAD"}, 400, "'QUAD'"),
        ({"control": "CN-GAGE-2024"}, 400, "CN-GAGE-2023"),
        ({"control": "CN-GAGE-2023", "by": "CHN"}, 400, "goes without by"),
        (GALLIUM | {"path": "observed"}, 400, "control"),
        ({"by": "CHN"}, 400, "by"),
        ({"by": "CHN", "on": []}, 400, "at least one"),
        (GALLIUM | {"chain": []}, 400, "at least one"),
        (GALLIUM | {"months": 0}, 400, "months: at least 1"),
        (GALLIUM | {"months": True}, 400, "whole number"),
        (GALLIUM | {"cut": 1.01}, 400, "cut: at most 1"),
        (GALLIUM | {"cut": "1"}, 400, "cut: a number"),
        (GALLIUM | {"start": "2025-13"}, 400, "a month such as"),
        (GALLIUM | {"start": "٢٠٢٥-01"}, 400, "a month such as"),
        (GALLIUM | {"belief": "hope"}, 400, "foresight"),
        (GALLIUM | {"cutt": 1}, 400, "no such parameter"),
        (GALLIUM | {"kind": "embargo"}, 400, "ban"),
        (GALLIUM | {"samples": 15}, 400, "samples: at least 16"),
        (GALLIUM | {"samples": 2049}, 400, "samples: at most 2048"),
        (GALLIUM | {"samples": True}, 400, "whole number"),
        (GALLIUM | {"samples": 64, "seed": -1}, 400, "seed: at least 0"),
        (GALLIUM | {"samples": 64, "horizon": 37}, 400, "horizon: at most 36"),
        (GALLIUM | {"samples": 64, "headline": "gdp"}, 400, "unserved"),
        (GALLIUM | {"samples": 64, "belief": 2}, 400, "belief: there is no such parameter"),
        (GALLIUM | {"samples": 64, "by": "CHNN"}, 400, "CHNN"),
        (GALLIUM | {"samples": 64, "group": "QUADD"}, 400, "QUAD"),
        (GALLIUM | {"samples": 64, "to": "CHN"}, 422, "would change nothing"),
        ({"control": "CN-GAGE-2023", "year": 2024, "samples": 64}, 422, "already contains"),
        ({"samples": 64}, 400, "by"),
        ({"brief": ["IND", "QUADD"]}, 400, "QUAD"),
        ({"brief": []}, 400, "at least one"),
        ({"brief": "IND"}, 400, "a list"),
        ({"brief": ["IND"], "by": "CHN"}, 400, "by: there is no such parameter"),
    ],
)
def test_a_question_that_must_not_be_run_begins_no_run(
    client: TestClient, told: Told, none_begun: list[str], question: Page, status: int, words: str
) -> None:
    assert words in told(client.post("/api/runs", json=question), status)
    assert none_begun == []


@pytest.mark.parametrize("path", ["/api/runs", "/api/data/check"])
@pytest.mark.parametrize("said", [True, False], ids=["size said", "in pieces"])
def test_too_large_a_body_is_refused_before_it_is_read(
    client: TestClient, told: Told, path: str, said: bool
) -> None:
    def pieces() -> Iterator[bytes]:
        for _ in range(11):
            yield b" " * 1_000_000

    content: Any = b" " * LARGE if said else pieces()
    headers = JSON if path == "/api/runs" else CSV
    assert "5 MB" in told(client.post(path, content=content, headers=headers), 413)


@pytest.mark.parametrize(
    ("path", "sent"),
    [
        ("/api/runs", {"content": b'{"by":"CHN","on":["gallium"]}'}),
        ("/api/runs", {"content": b'{"by":"CHN","on":["gallium"]}', "headers": CSV}),
        ("/api/runs", {"data": {"by": "CHN", "on": "gallium"}}),
        ("/api/runs", {"files": {"by": b"CHN"}}),
        ("/api/data/check", {"content": b"variable\n"}),
        ("/api/data/check", {"json": {"a": 1}}),
        ("/api/data/check", {"files": {"file": b"variable\n"}}),
    ],
)  # fmt: skip
def test_a_wrong_type_of_body_is_refused(client: TestClient, told: Told, path: str, sent: Page) -> None:
    assert "not as" in told(client.post(path, **sent), 415)


def test_facts_that_are_missing_are_told(client: TestClient, told: Told) -> None:
    for path in (
        "/api/assess?subject=IND&chain=gallium&year=1999",
        "/api/data/facts?chain=gallium&year=1999",
    ):
        assert "1999" in told(client.get(path), 422)


NOWHERE = (
    "/api", "/api/", "/api/nope", "/api/Start", "/api/start/", "/api//start", "/api/runs/",
    "/api/runs/..%2f..%2fetc%2fpasswd", "/api/runs/..%2fruns/answer", "/api/assess/views/.csv?subject=IND",
    "/api/assess/views/%2e%2e%2f%2e%2e%2fetc%2fpasswd.csv?subject=IND", "/api/../api/nope", "/api/docs",
    "/api/data/sources/x", "/api/assess/views/x",
)  # fmt: skip


@pytest.mark.parametrize("path", NOWHERE)
def test_a_path_of_the_api_that_is_none_is_not_found(client: TestClient, told: Told, path: str) -> None:
    told(client.get(path), 404)


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "BREW"])
def test_another_method_is_refused_and_the_right_ones_are_named(
    client: TestClient, told: Told, method: str
) -> None:
    paths = {
        "/api/start": "GET", "/api/assess": "GET", "/": "GET, HEAD", "/theme.css": "GET, HEAD",
        "/assess": "GET, HEAD", "/favicon.svg": "GET, HEAD",
    }  # fmt: skip
    if method != "POST":
        paths |= {"/api/runs": "GET, POST", "/api/data/check": "POST"}
    if method != "DELETE":
        paths["/api/runs/x"] = "GET, DELETE"
    for path, allowed in paths.items():
        response = client.request(method, path)
        told(response, 405)
        assert response.headers["allow"] == allowed
    told(client.request(method, "/api/nope"), 404)


def test_head_is_answered_where_the_page_is(client: TestClient) -> None:
    assert client.head("/").status_code == 200
    assert client.head("/api/start").headers["allow"] == "GET"


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.evil.example", "localhost.evil.example:80", "", "127.1", "0.0.0.0"]
)
def test_another_host_is_refused(client: TestClient, told: Told, host: str) -> None:
    for path in ("/", "/api/start", "/assets/x.js"):
        assert "127.0.0.1" in told(client.get(path, headers={"host": host}), 403)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost:8000", "LOCALHOST", "[::1]:80"])
def test_this_machine_is_answered_under_its_names(client: TestClient, host: str) -> None:
    assert client.get("/api/runs", headers={"host": host}).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "http://evil.example"},
        {"origin": "null"},
        {"origin": "http://[::1"},
        {"origin": "http://[x]"},
        {"origin": "http://localhost@evil.example"},
        {"origin": "http://127.0.0.1.evil.example"},
        {"sec-fetch-site": "cross-site"},
        {"origin": "http://127.0.0.1", "sec-fetch-site": "cross-site"},
    ],
)
def test_a_page_of_another_site_changes_nothing(
    client: TestClient, told: Told, none_begun: list[str], headers: dict[str, str]
) -> None:
    told(client.post("/api/runs", json=GALLIUM, headers=headers), 403)
    told(client.delete("/api/runs/x", headers=headers), 403)
    told(client.post("/api/data/check", content=b"variable\n", headers=CSV | headers), 403)
    assert none_begun == []


def test_ones_own_page_may_ask(client: TestClient, none_begun: list[str]) -> None:
    headers = {"origin": "http://127.0.0.1:8765", "sec-fetch-site": "same-origin"}
    assert client.post("/api/runs", json=GALLIUM, headers=headers).status_code == 202
    assert len(none_begun) == 1


def test_what_should_not_happen_is_told_without_a_trace(
    frank: TestClient, told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(_: object) -> None:
        raise ZeroDivisionError("secret 42")

    monkeypatch.setattr(asking, "_assess_page", fails)
    response = frank.get("/api/assess?subject=IND")
    message = told(response, 500)
    assert "secret" not in message
    assert "default-src 'none'" in response.headers["content-security-policy"]
