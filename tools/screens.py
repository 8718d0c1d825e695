"""Take pictures of every page, in both themes, wide and narrow, into docs/img/page (``make screens``).

Usage: python tools/screens.py [--png FOLDER] [NAME ...]

WebP, as Chromium writes it, holds a whole page in some tens of kilobytes; ``--png`` writes PNG elsewhere.
"""

from __future__ import annotations

import argparse
import base64
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, ViewportSize, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "docs" / "img" / "page"
THEMES = ("light", "dark")
WIDTHS = {"wide": 1280, "narrow": 360}
MOST = 3_000_000
QUALITY = 26
PATIENCE = 120_000  # of a busy machine, milliseconds
ASSESS = "/assess?subject=IND&chain=rare_earths"
STRESS_PAGE = "/stress?by=CHN&on=dy_oxide&cut=1&months=12&group=QUAD"
JOB = "/stress?by=CHN&on=tb_oxide&cut=1&months=12&horizon=120"
STUDY_PAGE = "/study?by=CHN&on=dy_oxide&cut=1&months=12&samples=256"
STRESS = {"by": "CHN", "on": ["dy_oxide"], "cut": 1, "months": 12}
READY = """() => !document.querySelector('.working, .boot, .job, [aria-busy=true]')
    && [...document.querySelectorAll('.picture')].every((one) => one.classList.contains('drawn'))"""

CLIP = """() => {
  const figure = document.querySelector('.pictures figure').getBoundingClientRect()
  const end = document.querySelector('.pictures figure .take').getBoundingClientRect().top
  return {x: 0, y: figure.top - 16, width: innerWidth, height: end - figure.top + 16}
}"""


def main() -> int:
    """Serve, look, write."""
    parser = argparse.ArgumentParser(description="Take pictures of every page.")
    parser.add_argument("--png", type=Path, help="write PNG into this folder instead")
    parser.add_argument("names", nargs="*", help="only these pages")
    options = parser.parse_args()
    folder = options.png or FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    browser_path = shutil.which("chromium") or shutil.which("chromium-browser")
    with tempfile.TemporaryDirectory() as cache, serve(cache) as url, sync_playwright() as playwright:
        rights = ["--no-sandbox"] if os.geteuid() == 0 else []
        browser = playwright.chromium.launch(executable_path=browser_path, args=rights)
        for name, path in pages(url).items():
            if options.names and name not in options.names:
                continue
            for theme in THEMES:
                for width, pixels in WIDTHS.items():
                    data = shoot(browser, url + path, theme, pixels, "png" if options.png else "webp")
                    file = folder / f"{name}-{theme}-{width}.{'png' if options.png else 'webp'}"
                    file.write_bytes(data)
                    print(f"{file.name:<28} {len(data) / 1000:7.0f} kB")
        browser.close()
    size = sum(file.stat().st_size for file in FOLDER.glob("*.webp"))
    print(f"{size / 1e6:.2f} MB in all")
    return int(size > MOST)


@contextmanager
def serve(cache: str) -> Iterator[str]:
    """Serve the page with a cache of its own."""
    command = [sys.executable, "-m", "monazite", "serve", "--port", "0"]
    environment = {**os.environ, "MONAZITE_CACHE": cache}
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            found = re.search(r"http://[\d.:]+", process.stdout.readline())
            assert found, "it does not say where it serves"
            yield found.group()
        finally:
            process.terminate()


def pages(url: str) -> dict[str, str]:
    """Name every page, its long work done before anyone looks."""
    for question in (STRESS, STRESS | {"samples": 256}):
        run = ask(url, "/api/runs", question)
        while run["state"] in ("waiting", "running"):
            time.sleep(0.5)
            run = ask(url, f"/api/runs/{run['id']}")
        assert run["state"] == "done", run
    cell = ask(url, f"/api{ASSESS}")["why"][0]["cell_id"]
    return {
        "front": "/",
        "assess": ASSESS,
        "explain": f"{ASSESS}&cell={cell}",
        "chokepoint": f"{ASSESS}&view=chokepoint",
        "chain": f"{ASSESS}&view=chain",
        "map": f"{ASSESS}&view=map",
        "job": JOB,
        "stress": STRESS_PAGE,
        "shortage": f"{STRESS_PAGE}&view=shortage",
        "study": STUDY_PAGE,
        "data": "/data?chain=rare_earths&kind=reported&text=mountain+pass",
        "missing": "/nowhere",
    }


def ask(url: str, path: str, body: Any = None) -> Any:
    """Ask the API."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url + path, data, {"content-type": "application/json"})
    with urllib.request.urlopen(request, timeout=120) as answer:
        return json.load(answer)


def shoot(browser: Browser, url: str, theme: Any, width: int, form: str) -> bytes:
    """Return a picture of a page as a whole; of one with a dialogue, what a window shows."""
    size: ViewportSize = {"width": width, "height": 900 if width > 600 else 720}
    context = browser.new_context(color_scheme=theme, viewport=size, reduced_motion="reduce")
    context.set_default_timeout(PATIENCE)
    page = context.new_page()
    page.goto(url)
    page.wait_for_selector("#main h1")
    page.wait_for_load_state("networkidle")
    if url.endswith(JOB):
        page.wait_for_selector(".job progress[value]")
        data = picture(page, form)
        page.click(".job button")
        page.wait_for_selector(".job[role=status]")
        context.close()
        return data
    page.wait_for_function(READY)
    clip = None
    if "cell=" in url:
        page.wait_for_selector("dialog .value strong")
    else:
        height = int(page.evaluate("document.documentElement.scrollHeight"))
        page.set_viewport_size({"width": width, "height": height})
        # of another picture of the same answer only what is another
        clip = page.evaluate(CLIP) if "view=" in url else None
    data = picture(page, form, clip)
    context.close()
    return data


def picture(page: Page, form: str, clip: dict[str, float] | None = None) -> bytes:
    """Take the picture; WebP is known to the browser's own protocol alone."""
    asked: dict[str, Any] = {"format": form} if form == "png" else {"format": form, "quality": QUALITY}
    if clip is not None:
        asked["clip"] = {**clip, "scale": 1}
    return base64.b64decode(page.context.new_cdp_session(page).send("Page.captureScreenshot", asked)["data"])


if __name__ == "__main__":
    sys.exit(main())
