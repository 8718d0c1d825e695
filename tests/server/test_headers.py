"""Every answer, of whatever kind, carries the headers that keep a page from what is not ours."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from monazite.market.runs import Folder
from monazite.server import asking, page

BRIEF = "0a0a0a"
POLICY = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    "img-src": "'self' data:",
    "connect-src": "'self'",
    "font-src": "'self'",
    "base-uri": "'none'",
    "form-action": "'self'",
    "frame-ancestors": "'none'",
}
EXACT = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "x-frame-options": "DENY",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}
ASK = "subject=IND&chain=gallium"
#: method, path, what is sent, the status
ANSWERS: dict[str, tuple[str, str, dict[str, Any], int]] = {
    "start": ("GET", "/api/start", {}, 200),
    "answer": ("GET", f"/api/assess?{ASK}", {}, 200),
    "table": ("GET", f"/api/assess/table.csv?{ASK}", {}, 200),
    "picture": ("GET", f"/api/assess/views/dependence.svg?{ASK}", {}, 200),
    "specification": ("GET", f"/api/assess/views/dependence.vega?{ASK}", {}, 200),
    "runs": ("GET", "/api/runs", {}, 200),
    "facts": ("GET", "/api/data/facts.csv?chain=gallium", {}, 200),
    "description": ("GET", "/api/openapi.json", {}, 200),
    "colours": ("GET", "/theme.css", {}, 200),
    "argument": ("GET", "/api/assess", {}, 400),
    "name": ("GET", "/api/assess?subject=INDA", {}, 400),
    "json": ("POST", "/api/runs", {"content": b"{", "headers": {"content-type": "application/json"}}, 400),
    "host": ("GET", "/", {"headers": {"host": "evil.example"}}, 403),
    "site": ("POST", "/api/runs", {"json": {}, "headers": {"origin": "http://evil.example"}}, 403),
    "no path of the API": ("GET", "/api/nope", {}, 404),
    "no run": ("GET", "/api/runs/x", {}, 404),
    "no page": ("GET", "/nope", {}, 404),
    "no file": ("GET", "/assets/nope.js", {}, 404),
    "method": ("DELETE", "/api/start", {}, 405),
    "method of the page": ("POST", "/", {}, 405),
    "large": ("POST", "/api/data/check", {"content": b" " * 5_000_001}, 413),
    "type": ("POST", "/api/runs", {"content": b"{}"}, 415),
    "missing": ("GET", "/api/data/facts?chain=gallium&year=1999", {}, 422),
}  # fmt: skip


def policy(response: Any) -> dict[str, str]:
    assert len(response.headers.get_list("content-security-policy")) == 1
    parts = [part.strip().partition(" ") for part in response.headers["content-security-policy"].split(";")]
    return {name: value for name, _, value in parts}


def guarded(response: Any) -> dict[str, str]:
    """Check the headers that every answer has; return its policy."""
    for name, value in EXACT.items():
        assert response.headers.get_list(name) == [value]
    found = policy(response)
    assert found["default-src"] == found["frame-ancestors"] == found["base-uri"] == "'none'"
    assert "unsafe" not in found.get("script-src", "")
    for name in ("server", "x-powered-by", "set-cookie", "access-control-allow-origin"):
        assert name not in response.headers
    assert response.headers["cache-control"]
    return found


@pytest.mark.parametrize("which", ANSWERS)
def test_every_answer_is_guarded(client: TestClient, which: str) -> None:
    method, path, sent, status = ANSWERS[which]
    response = client.request(method, path, **sent)
    assert response.status_code == status
    found = guarded(response)
    assert {name: found[name] for name in POLICY} == POLICY
    assert set(found) - set(POLICY) <= {"manifest-src"}
    assert "unsafe-inline" not in response.headers["content-security-policy"]
    if path.startswith("/api"):
        assert response.headers["cache-control"] == "no-store"


def test_a_failure_is_guarded(app: FastAPI, client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(_: object) -> None:
        raise RuntimeError

    monkeypatch.setattr(asking, "_assess_page", fails)
    frank = TestClient(app, base_url=str(client.base_url), raise_server_exceptions=False)
    response = frank.get(f"/api/assess?{ASK}")
    assert response.status_code == 500
    assert {name: guarded(response)[name] for name in POLICY} == POLICY


@pytest.fixture
def brief(client: TestClient) -> Iterator[str]:
    """A brief that was made earlier."""
    folder = Folder(BRIEF)
    folder.describe({"kind": "brief", "title": "Brief", "question": {"brief": ["IND"]}})
    folder.finish("<!doctype html><style>p{color:#123456}</style><p>made</p>")
    yield f"/api/runs/{BRIEF}/brief.html"
    for file in folder.path.iterdir():
        file.unlink()
    folder.path.rmdir()


def test_a_brief_may_hold_its_styles_and_nothing_else(client: TestClient, brief: str) -> None:
    response = client.get(brief)
    assert response.status_code == 200
    found = guarded(response)
    assert found["style-src"] == "'unsafe-inline'"
    assert "script-src" not in found  # so that the default holds: none
    assert "connect-src" not in found
    assert found["form-action"] == "'none'"
    assert response.text.endswith("<p>made</p>")


def test_the_page_is_asked_for_anew_and_its_files_are_kept(client: TestClient) -> None:
    if not (page.FOLDER / "index.html").is_file():
        pytest.skip("the page is not built: make page")
    for path in ("/", "/assess?subject=IND", "/stress", "/study", "/data"):
        response = client.get(path)
        assert response.status_code == 200
        assert response.headers["content-type"] == "text/html; charset=utf-8"
        assert response.headers["cache-control"] == "no-cache"
        assert guarded(response) == policy(client.get("/api/runs"))
    text = client.get("/").text
    assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son[a-z]+=|javascript:", text)
    assert not re.search(r"(?:src|href)=\"?(?:https?:)?//", text)
    named = re.findall(r"(?:src|href)=\"(/assets/[^\"]+)\"", text)
    files = [f"/assets/{file.name}" for file in (page.FOLDER / "assets").iterdir()]
    assert named
    assert set(named) <= set(files)
    for file in files:
        response = client.get(file)
        assert response.status_code == 200
        assert response.headers["cache-control"] == "public, max-age=31536000, immutable"
        kind = {"js": "text/javascript", "css": "text/css"}.get(file.rpartition(".")[2])
        assert kind is None or response.headers["content-type"] == f"{kind}; charset=utf-8"
        guarded(response)
        assert client.head(file).headers["cache-control"] == response.headers["cache-control"]


def test_a_page_that_is_not_built_says_how(
    client: TestClient, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    monkeypatch.setattr(page, "FOLDER", tmp_path)
    response = client.get("/")
    assert response.status_code == 503
    assert "make page" in response.text
    guarded(response)
    assert client.get("/nope").status_code == 404
    assert client.get("/api/runs").status_code == 200


def test_large_answers_are_sent_compressed(client: TestClient) -> None:
    for path in (f"/api/assess?{ASK}", "/api/start", f"/api/assess/views/chain.svg?{ASK}"):
        response = client.get(path, headers={"accept-encoding": "gzip"})
        assert response.headers["content-encoding"] == "gzip"
        assert int(response.headers["content-length"]) < len(response.content) / 2
        plain = client.get(path, headers={"accept-encoding": "identity"})
        assert "content-encoding" not in plain.headers
        assert plain.content == response.content


def test_what_is_not_the_api_answers_a_browser_with_the_page(client: TestClient) -> None:
    if not (page.FOLDER / "index.html").is_file():
        pytest.skip("the page is not built: make page")
    browser = client.get("/nope", headers={"accept": "text/html,*/*"})
    assert browser.status_code == 404
    assert browser.headers["content-type"].startswith("text/html")
    other = client.get("/nope.png", headers={"accept": "image/png"})
    assert (other.status_code, other.headers["content-type"]) == (404, "text/plain; charset=utf-8")
