"""What a page weighs, and when its parts are asked for."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page

Visit = Callable[..., Page]
Settle = Callable[[Page], None]

FIRST, RUNTIME = 150_000, 250_000


def weights(page: Page, watched: dict[Page, Any]) -> dict[str, int]:
    """Return what was asked for, in order, with its weight over the wire in bytes."""
    page.wait_for_load_state("networkidle")
    return {
        _short(one.url): int(one.sizes()["responseBodySize"])
        for one in watched[page].requests
        if one.response()
    }


def _short(url: str) -> str:
    """Name a part of the page without its hash."""
    path = urlsplit(url).path
    return re.sub(r"^/assets/(\w+)-[\w-]+\.", r"\1.", path)


def test_the_first_load_is_small_and_without_pictures(visit: Visit, watched: dict[Page, Any]) -> None:
    parts = weights(visit("/"), watched)
    assert set(parts) - {"/favicon.svg"} == {"/", "/theme.css", "index.css", "index.js", "/api/start"}
    assert all(parts.values())
    assert sum(parts.values()) <= FIRST, parts


@pytest.mark.parametrize("question", ["assess", "stress", "study"])
def test_the_runtime_of_pictures_comes_after_the_question(
    visit: Visit, settle: Settle, paths: dict[str, str], question: str, watched: dict[Page, Any]
) -> None:
    page = visit(paths[question])
    settle(page)
    parts = weights(page, watched)
    assert 0 < parts["runtime.js"] <= RUNTIME, parts
    asked = list(parts)
    answer = {"assess": "/api/assess"}.get(question, "/api/runs")
    assert asked.index("runtime.js") > asked.index(answer)
    assert sum(parts[name] for name in asked[: asked.index(answer)]) <= FIRST, parts


def test_pages_without_a_picture_never_ask_for_the_runtime(
    visit: Visit, settle: Settle, paths: dict[str, str], watched: dict[Page, Any]
) -> None:
    for name in ("front", "assess-ask", "stress-ask", "study-ask", "data"):
        page = visit(paths[name])
        settle(page)
        assert "runtime.js" not in weights(page, watched), name
