"""The server as a browser meets it, in this process; runs go on in a worker process of their own."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from monazite.market.runs import Folder, Runs
from monazite.server import create_app

HOST = "http://127.0.0.1"


@pytest.fixture(scope="session")
def app() -> FastAPI:
    """The application."""
    return create_app()


@pytest.fixture(scope="session")
def client(app: FastAPI) -> Iterator[TestClient]:
    """Ask the application, from its start to its end."""
    with TestClient(app, base_url=HOST) as made:
        yield made


@pytest.fixture(scope="session")
def finish(client: TestClient) -> Callable[..., dict[str, Any]]:
    """Ask for a run and wait until it ends."""

    def wait(question: dict[str, Any], most: float = 120.0) -> dict[str, Any]:
        asked = client.post("/api/runs", json=question)
        assert asked.status_code in (200, 202), asked.text
        return until(asked.json()["id"], most=most)

    def until(name: str, most: float) -> dict[str, Any]:
        end = time.monotonic() + most
        while time.monotonic() < end:
            run: dict[str, Any] = client.get(f"/api/runs/{name}").json()
            if run["state"] not in ("waiting", "running"):
                return run
            time.sleep(0.03)
        raise AssertionError(f"still {run}")

    return wait


@pytest.fixture
def none_begun(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Write runs down, and begin none."""
    begun: list[str] = []

    def submit(_: Runs, name: str, manifest: dict[str, Any], *__: object) -> Folder:
        begun.append(name)
        folder = Folder(name)
        folder.describe(manifest)
        return folder

    monkeypatch.setattr(Runs, "submit", submit)
    return begun


@pytest.fixture
def told() -> Callable[..., str]:
    """Check that an answer is an error in words; return them."""

    def words(response: Any, *status: int) -> str:
        assert response.status_code in status, (response.status_code, response.text[:300])
        assert response.headers["content-type"] == "application/json"
        assert set(response.json()) == {"error"}
        error = response.json()["error"]
        assert set(error) == {"message", "kind", "nearest"}
        message: str = error["message"]
        assert 12 < len(message) < 1500
        assert (
            message[0].isupper() or message[0] == "'" or ": " in message
        )  # a sentence, or name: what is wrong
        for trace in ("Traceback", 'File "', "pydantic", "site-packages", "Error:", "constrained", "{name"):
            assert trace not in message
        return message

    return words
