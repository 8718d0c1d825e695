"""The page in Debian's Chromium, served by a process of its own, with all that goes wrong written down."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, Request, ViewportSize, expect, sync_playwright

from monazite import server as serving

ROOT = Path(__file__).parents[2]
_SERVING = re.compile(r"http://127\.0\.0\.1:\d+")
#: how long anything may take on a busy machine, milliseconds
PATIENCE = 45_000
#: what this many pixels wide stands for
WIDE, NARROW = 1280, 360
#: told by the page itself, so that a breach of its policy is an error of the test
_TELL = """
document.addEventListener('securitypolicyviolation', (event) =>
  console.error(`policy: ${event.violatedDirective} ${event.blockedURI} ${event.sourceFile}`))
"""
#: every test has it: the question of the front page, and a run that is done
ASSESS = "/assess?subject=IND&chain=rare_earths"
STRESS = "/stress?by=CHN&on=dy_oxide&cut=1&months=12&group=QUAD"
STUDY = "/study?by=CHN&on=gallium_4n&cut=1&months=6&samples=32"

#: asks Linux to end what follows once the worker that began it is gone, however it went
_WITH_ME = """
import ctypes, os, sys
getattr(ctypes.CDLL(None), 'prctl', lambda *_: 0)(1, 15)
os.execv(sys.executable, [sys.executable, *sys.argv[1:]])
"""

Visit = Callable[..., Page]


def _rights() -> list[str]:
    return ["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []


@contextmanager
def serve(port: int = 0) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """Serve the page until the end of the block; give its address and the process."""
    words = ["-m", "monazite", "serve", "--port", str(port)]
    process = subprocess.Popen([sys.executable, "-c", _WITH_ME, *words], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        found = _SERVING.search(process.stdout.readline())
        assert found, "monazite serve did not say where"
        yield found.group(), process
    finally:
        process.terminate()
        process.wait(timeout=30)
        if process.stdout is not None:
            process.stdout.close()


@pytest.fixture(scope="session")
def serve_at() -> Callable[..., Any]:
    """Serve the page a second time, on a port asked for."""
    return serve


@pytest.fixture(scope="session")
def server() -> Iterator[str]:
    """Address of the page."""
    page = Path(serving.__file__).with_name("page") / "index.html"
    if not page.is_file():
        pytest.fail("The page is not built. Build it: make page (or: cd ui && npm ci && npm run build).")
    with serve() as (url, _):
        yield url


@pytest.fixture(scope="session")
def ask(server: str) -> Callable[..., Any]:
    """Ask the API from outside of the browser."""

    def get(path: str, body: Any = None, *, text: bool = False) -> Any:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(server + path, data, {"content-type": "application/json"})
        with urllib.request.urlopen(request, timeout=60) as answer:
            read = answer.read().decode()
        return read if text else json.loads(read)

    return get


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Chromium, as the machine has it."""
    found = shutil.which("chromium") or shutil.which("chromium-browser")
    if found is None:
        pytest.fail("There is no Chromium. Install it: make .stamps/browser (or: apt-get install chromium).")
    with sync_playwright() as playwright:
        made = playwright.chromium.launch(executable_path=found, args=_rights())
        expect.set_options(timeout=PATIENCE)
        yield made
        made.close()


class Watch:
    """What a page asked for, and what went wrong in it."""

    def __init__(self, page: Page, server: str, expected: tuple[str, ...]) -> None:
        self.requests: list[Request] = []
        self.wrong: list[str] = []
        self._host = urlsplit(server).netloc
        self._expected = expected
        page.on("request", self._asks)
        page.on("pageerror", lambda error: self.wrong.append(f"error: {error}"))
        page.on("console", lambda told: self._told(told.type, f"{told.text} {told.location}"))

    def _asks(self, request: Request) -> None:
        self.requests.append(request)

    def _told(self, kind: str, text: str) -> None:
        if kind in ("error", "warning") and not any(part in text for part in self._expected):
            self.wrong.append(f"{kind}: {text}")

    @property
    def asked(self) -> list[str]:
        """Addresses, in the order in which they were asked for."""
        return [request.url for request in self.requests]

    def check(self) -> None:
        """Refuse a page that broke something or asked another host."""
        others = [url for url in self.asked if urlsplit(url).netloc != self._host and url[:5] != "data:"]
        assert not others, f"asked of another host: {others}"
        assert not self.wrong, self.wrong


@pytest.fixture
def watched() -> dict[Page, Watch]:
    """What was seen of each page that a test opened."""
    return {}


@pytest.fixture
def visit(browser: Browser, server: str, watched: dict[Page, Watch]) -> Iterator[Visit]:
    """Open a page; at the end of the test nothing may have gone wrong in it."""
    contexts = []

    def opened(
        path: str,
        *,
        scheme: Any = "light",
        width: int = WIDE,
        height: int = 900,
        expected: tuple[str, ...] = (),
        scripts: tuple[str, ...] = (),
        at: str = "",
    ) -> Page:
        size: ViewportSize = {"width": width, "height": height}
        context = browser.new_context(color_scheme=scheme, viewport=size, accept_downloads=True)
        contexts.append(context)
        context.set_default_timeout(PATIENCE)
        for script in (_TELL, *scripts):
            context.add_init_script(script)
        page = context.new_page()
        watched[page] = Watch(page, at or server, expected)
        page.goto((at or server) + path)
        page.wait_for_selector("#main h1")
        return page

    yield opened
    for context in contexts:
        context.close()
    for watch in watched.values():
        watch.check()


@pytest.fixture(scope="session")
def stressed(ask: Callable[..., Any]) -> str:
    """Id of the run that answers `STRESS`, done."""
    return _done(ask, {"by": "CHN", "on": ["dy_oxide"], "cut": 1, "months": 12})


@pytest.fixture(scope="session")
def studied(ask: Callable[..., Any]) -> str:
    """Id of the run that answers `STUDY`, done."""
    return _done(ask, {"by": "CHN", "on": ["gallium_4n"], "cut": 1, "months": 6, "samples": 32})


def _done(ask: Callable[..., Any], question: dict[str, Any]) -> str:
    run = ask("/api/runs", question)
    while run["state"] in ("waiting", "running"):
        time.sleep(0.1)
        run = ask(f"/api/runs/{run['id']}")
    assert run["state"] == "done", run
    return str(run["id"])


@pytest.fixture(scope="session")
def paths(stressed: str, studied: str) -> dict[str, str]:
    """Every page by name; the stress and the study have their answers."""
    return {
        "front": "/",
        "assess": ASSESS,
        "assess-ask": "/assess",
        "stress": STRESS,
        "stress-ask": "/stress",
        "study": STUDY,
        "study-ask": "/study",
        "data": "/data",
        "coverage": "/data/coverage",
        "products": "/data/products?product=industrial_motor",
        "facilities": "/data/facilities?chain=gallium",
        "import": "/data/import",
        "missing": "/nowhere",
    }


@pytest.fixture(scope="session")
def settle() -> Callable[[Page], None]:
    """Wait until a page shows all that it has: answers, tables, pictures."""

    def wait(page: Page) -> None:
        page.wait_for_function(
            """() => !document.querySelector(
                '.working, .boot, .job, [aria-busy=true], .picture:not(.drawn), ' +
                '.data:not(:has(.chains)), .coverage:not(:has(.view)), ' +
                '.products:not(:has(.view)), .facilities:not(:has(#owners))')"""
        )

    return wait
