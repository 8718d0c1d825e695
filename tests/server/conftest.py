"""The server as a browser meets it, in this process; runs go on in a worker process of their own."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

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
