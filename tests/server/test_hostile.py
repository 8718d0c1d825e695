"""Hostile input of every kind is refused in words; nothing of the machine is told."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from monazite.core.settings import cache_folder
from monazite.market.runs import Folder

Page = dict[str, Any]
Told = Callable[..., str]
JSON = {"content-type": "application/json"}
CSV = {"content-type": "text/csv"}
GALLIUM = {"by": "CHN", "on": ["gallium"]}
CELL = "0123456789ab"
pytestmark = pytest.mark.usefixtures("none_begun")


def many(count: int) -> str:
    return json.dumps({f"k{number}": number for number in range(count)})


HOSTILE: dict[str, bytes | str] = {
    **{f"cut {value[:9]}": f'{{"by":"CHN","on":["gallium"],"cut":{value}}}'
       for value in ("NaN", "Infinity", "-Infinity", "1e400", "-1e400", "9" * 4000, "9" * 5000, "1e-400x")},
    "months 1e30": '{"by":"CHN","on":["gallium"],"months":1e30}',
    "months half": '{"by":"CHN","on":["gallium"],"months":1.5}',
    "deep list": "[" * 10_000 + "]" * 10_000,
    "deep object": '{"by":' * 10_000 + "1" + "}" * 10_000,
    "deep value": '{"by":"CHN","on":' + "[" * 10_000 + "]" * 10_000 + "}",
    "deep enough": '{"by":"CHN","on":' + "[" * 900 + "]" * 900 + "}",
    "unclosed": "[" * 100_000,
    "null byte": '{"by":"C\\u0000HN","on":["gallium"]}',
    "raw null byte": b'{"by":"C\x00HN","on":["gallium"]}',
    "half letter": '{"by":"\\ud800","on":["gallium"]}',
    "half letter in a list": '{"by":"CHN","on":["\\udfff"]}',
    "half letter as a name": '{"\\ud800":1}',
    "no UTF-8": b'{"by":"\xff\xfe"}',
    "half of UTF-16": '{"by":"CHN"}'.encode("utf-16")[:-1],
    **{f"only {body}": body for body in ("", "null", "true", "1", '"x"', "[]", "[{}]", "{}", "{", "\x00")},
    "types": '{"by":1,"on":{"a":1},"cut":[],"months":"1"}',
    "names": json.dumps({"by": ",,,", "on": ["gallium"]}),
    "long name": json.dumps({"by": "A" * 1_000_000, "on": ["gallium"]}),
    "long key": json.dumps({"A" * 1_000_000: 1}),
    "many keys": many(50_000),
    "many names": json.dumps({"by": "CHN", "on": ["gallium"] * 50_000}),
    "path for a name": '{"by":"CHN","on":["../../etc/passwd"]}',
    "path for a chain": '{"by":"CHN","on":["gallium"],"chain":["../gallium"]}',
    "path for a control": '{"control":"../controls/CN-GAGE-2023"}',
    "prototype": '{"__proto__":{"by":"CHN"},"by":"CHN","on":["gallium"]}',
    "blank brief": '{"brief":[" "]}',
    "brief of commas": '{"brief":[",,"]}',
    "brief of lists": '{"brief":[["IND"]]}',
    "after the end": '{"by":"CHN","on":["gallium"]} ]',
    "compressed": b"\x1f\x8b\x08\x00",
}  # fmt: skip


@pytest.mark.parametrize("body", HOSTILE.values(), ids=HOSTILE.keys())
def test_a_hostile_body_is_refused(
    client: TestClient, told: Told, none_begun: list[str], body: bytes | str
) -> None:
    told(client.post("/api/runs", content=body, headers=JSON), 400)
    assert none_begun == []


TABLES: dict[str, bytes] = {
    "null bytes": b"\0\0\0\n\0",
    "every byte": bytes(range(256)) * 50,
    "UTF-16": "variable,commodity\ntrade,x\n".encode("utf-16"),
    "open quote": b'variable,"x\n1,2',
    "wide": b"a," * 200_000,
    "heads twice": b"variable,variable\n1,2",
    "old line ends": b"variable\rtrade\r",
    "large field": b'variable\n"' + b"x" * 1_000_000 + b'"',
    "no table": b"<html><script>alert(1)</script></html>",
    "figures": b"variable,commodity,activity,place,partner,period,value,low,high,unit,basis,kind,status,"
    b"source,locator,note\n=cmd(),,,,,99999999999999999999,NaN,-inf,1e400,,,,,,,\n",
}


@pytest.mark.parametrize("table", TABLES.values(), ids=TABLES.keys())
def test_a_hostile_table_is_told_its_problems(client: TestClient, table: bytes) -> None:
    response = client.post("/api/data/check", content=table, headers=CSV)
    assert response.status_code == 200
    assert response.json()["problems"]
    assert all(0 < len(item["message"]) < 1000 for item in response.json()["problems"])


@pytest.mark.parametrize("table", [b"", b" \n\r\n"])
def test_an_empty_table_is_refused(client: TestClient, told: Told, table: bytes) -> None:
    assert "empty" in told(client.post("/api/data/check", content=table, headers=CSV), 400)


HOSTILE_QUERIES = (
    "/api/assess",
    "/api/assess?subject=",
    "/api/assess?subject=%00",
    "/api/assess?subject=IND%0d%0aX:1",
    "/api/assess?subject=%ff%fe",
    "/api/assess?subject=%ed%a0%80",
    "/api/assess?subject=,,&chain=gallium",
    "/api/assess?subject=IND&subject=USA",
    "/api/assess?subject=../../etc/passwd",
    "/api/assess?subject=%3Cscript%3Ealert(1)%3C/script%3E",
    "/api/assess?subject=IND&year=nan",
    "/api/assess?subject=IND&year=1e400",
    "/api/assess?subject=IND&year=" + "9" * 5000,
    "/api/assess?subject=IND&year=-1",
    "/api/assess?subject=IND&year=%D9%A2%D9%A0%D9%A2%D9%A4",
    "/api/assess?subject=IND&chain=",
    "/api/assess?subject=IND" + "&chain=gallium" * 61,
    "/api/assess?subject=" + "A" * 50_000,
    "/api/assess?subject=IND&chain=gallium&by=QUAD",
    "/api/assess?subject=IND&chain=gallium&view=chain",
    "/api/assess/explain?subject=IND&chain=gallium",
    "/api/assess/explain?subject=IND&chain=gallium&cell=" + "f" * 13,
    "/api/assess/explain?subject=IND&chain=gallium&cell=%00",
    f"/api/assess/explain?subject=IND&chain=gallium&cell={CELL}",
    f"/api/assess/explain?subject=IND&chain=gallium&cell={CELL}&cell={CELL}",
    "/api/assess/table.xml?subject=IND&chain=gallium",
    "/api/assess/views/table.svg?subject=IND&chain=gallium",
    "/api/assess/views/dependence.exe?subject=IND&chain=gallium",
    "/api/assess/views/..%00.csv?subject=IND&chain=gallium",
    "/api/assess/views/a%0d%0aSet-Cookie:x.csv?subject=IND&chain=gallium",
    "/api/assess/views/%22.csv?subject=IND&chain=gallium",
    "/api/start?" + "a=1&" * 5000,
    "/api/runs?limit=1",
    "/api/data?chain=gallium",
    "/api/data/facts?offset=-1",
    "/api/data/facts?offset=99999999999999999999",
    "/api/data/facts?limit=0",
    "/api/data/facts?limit=501",
    "/api/data/facts?limit=1e2",
    "/api/data/facts?limit=1&limit=2",
    "/api/data/facts?text=%00",
    "/api/data/facts?text=" + "x" * 201,
    "/api/data/facts?place=",
    "/api/data/facts?chain=../rare_earths",
    "/api/data/facts?kind=%27%20OR%201=1",
    "/api/data/facts.csv?nope=1",
    "/api/data/facts.exe",
    "/api/data/explain",
    "/api/data/explain?fact=-1",
    "/api/data/explain?fact=1.5",
    "/api/data/explain?fact=9999999",
    "/api/data/explain?fact=" + "9" * 5000,
    "/api/data/explain?fact=0&chain=..",
    "/api/data/sources?x=1",
)


@pytest.mark.parametrize("path", HOSTILE_QUERIES, ids=lambda path: path[:80])
def test_a_hostile_query_is_refused(client: TestClient, told: Told, path: str) -> None:
    told(client.get(path), 400)


RUNS = ("x", "..", "%2e%2e", "%00", "A", "%C3%A4", "-", "a" * 5000, "..%5cx", "%252e%252e")
PARTS = (
    "",
    "/answer",
    "/table.csv",
    "/table.json",
    "/views/timeline.svg",
    f"/explain?cell={CELL}",
    "/brief.html",
)


@pytest.mark.parametrize("run", RUNS, ids=lambda run: run[:20])
@pytest.mark.parametrize("part", PARTS)
def test_a_run_that_is_none_is_not_found(client: TestClient, told: Told, run: str, part: str) -> None:
    told(client.get(f"/api/runs/{run}{part}"), 404)


@pytest.fixture
def kept(client: TestClient) -> Iterator[Callable[[str, Page | bytes, object], str]]:
    """Leave a run in the cache as another version, or a fault of the disk, may have left it."""
    made: list[Folder] = []

    def leave(name: str, manifest: Page | bytes, result: object) -> str:
        folder = Folder(name)
        folder.path.mkdir(parents=True, exist_ok=True)
        text = manifest if isinstance(manifest, bytes) else json.dumps(manifest).encode()
        (folder.path / "manifest.json").write_bytes(text)
        if isinstance(result, bytes):
            (folder.path / "result.pickle").write_bytes(result)
        else:
            folder.finish(result)
        made.append(folder)
        return name

    yield leave
    for folder in made:
        for file in folder.path.iterdir():
            file.unlink()
        folder.path.rmdir()


@pytest.mark.parametrize(
    "manifest",
    [
        {"kind": "stress", "title": "Old", "question": GALLIUM},
        {"kind": "stress", "title": "Old", "question": {"who": "CHN"}},
        {"kind": "stress", "title": "Old", "question": []},
        {"kind": "stress"},
    ],
)
def test_a_run_of_an_older_program_is_listed_and_asks_to_be_asked_again(
    client: TestClient, told: Told, kept: Callable[..., str], manifest: Page
) -> None:
    run = kept("0f0f0f", manifest, 42)
    assert run in [item["id"] for item in client.get("/api/runs").json()["runs"]]
    assert client.get(f"/api/runs/{run}").status_code == 200
    for part in PARTS[1:-1]:
        assert "again" in told(client.get(f"/api/runs/{run}{part}"), 409)


def test_what_is_no_run_in_the_cache_is_passed_over(
    client: TestClient, told: Told, kept: Callable[..., str]
) -> None:
    kept("0e0e0e", b"{", b"no pickle")
    odd = cache_folder() / "runs" / "No run of ours"
    odd.mkdir(parents=True)
    (odd / "manifest.json").write_text("{}", encoding="utf-8")
    try:
        listed = client.get("/api/runs")
    finally:
        (odd / "manifest.json").unlink()
        odd.rmdir()
    assert listed.status_code == 200
    assert "0e0e0e" not in [item["id"] for item in listed.json()["runs"]]
    told(client.get("/api/runs/0e0e0e"), 404)


def test_a_damaged_result_asks_to_be_asked_again(
    client: TestClient, told: Told, kept: Callable[..., str]
) -> None:
    brief = kept("0d0d0d", {"kind": "brief", "title": "Brief", "question": {"brief": ["IND"]}}, b"no pickle")
    assert "again" in told(client.get(f"/api/runs/{brief}/brief.html"), 409, 422)


def test_the_page_is_never_left_by_a_path(client: TestClient) -> None:
    outside = (
        "/..%2f..%2fapp.py", "/%2e%2e/%2e%2e/app.py", "/assets/..%2f..%2f..%2fapp.py",
        "/assets/%2e%2e/index.html",
        "/assets/%00", "/%2fetc/passwd", "/assets/%2fetc%2fpasswd", "//etc/passwd", "/..%5c..%5capp.py",
        "/index.html", "/assets/", "/assets", "/" + "a" * 5000, "/__init__.py", "/nope", "/assess/", "/docs",
    )  # fmt: skip
    for path in outside:
        response = client.get(path)
        assert response.status_code == 404, path
        for inside in ("import annotations", "root:", "<!doctype"):
            assert inside not in response.text.lower() or path[1].isalpha(), path


def test_settings_of_the_machine_are_not_told(client: TestClient, told: Told) -> None:
    here = str(Path(__file__).resolve().parents[2])
    for path in (
        "/api/start",
        "/api/assess?subject=IND&chain=gallium",
        "/api/data",
        "/api/runs",
        "/api/nope",
        "/api/openapi.json",
    ):
        text = client.get(path).text
        assert here not in text
        assert str(cache_folder()) not in text
