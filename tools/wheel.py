"""Prove that a package needs no node: build it from the last commit, install it bare, serve from it.

Usage: python tools/wheel.py (with node, which builds the page into the package once)
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tarfile
import tempfile
import urllib.request
import zipfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
UV = ROOT / ".tools" / "bin" / "uv"
WANTED = (
    "server/page/index.html",
    "data/shapes/world.json",
    "data/datapackage.json",
    "core/text/en.toml",
    "py.typed",
)


def main() -> int:
    """Build, look inside, install, ask."""
    with tempfile.TemporaryDirectory() as folder:
        tmp = Path(folder)
        source = tmp / "source"
        source.mkdir()
        archive = subprocess.run(
            ["git", "archive", "HEAD"], cwd=ROOT, stdout=subprocess.PIPE, check=True
        ).stdout
        subprocess.run(["tar", "-x", "-C", source], input=archive, check=True)
        wheel, sdist = build(source, tmp / "dist")
        names = zipfile.ZipFile(wheel).namelist()
        look(wheel.name, [name.removeprefix("monazite/") for name in names], wheel.stat().st_size)
        with tarfile.open(sdist) as packed:
            inside = [name.partition("/src/monazite/")[2] for name in packed.getnames()]
            look(sdist.name, inside, sdist.stat().st_size)
            assert any(name.endswith("/ui/package-lock.json") for name in packed.getnames())
            assert not any("node_modules" in name for name in packed.getnames())
            packed.extractall(tmp / "sdist", filter="data")
        empty = tmp / "path"
        empty.mkdir()
        again, _ = build(next((tmp / "sdist").iterdir()), tmp / "again", path=str(empty))
        look(
            f"{again.name} from the sdist, without node",
            [name.removeprefix("monazite/") for name in zipfile.ZipFile(again).namelist()],
            again.stat().st_size,
        )
        serve(install(wheel, tmp / "venv"), str(empty))
    return 0


def build(source: Path, into: Path, path: str | None = None) -> tuple[Path, Path]:
    """Build wheel and sdist of a source tree, without a network but for what builds the page."""
    environment = {**os.environ, "PATH": path or os.environ["PATH"]}
    command = [sys.executable, "-m", "hatchling", "build", "-d", str(into)]
    subprocess.run(command, cwd=source, env=environment, check=True, capture_output=True)
    return next(into.glob("*.whl")), next(into.glob("*.tar.gz"))


def look(what: str, names: list[str], size: int) -> None:
    """Refuse a package without the page or its data."""
    missing = [name for name in WANTED if name not in names]
    scripts = [name for name in names if name.startswith("server/page/assets/") and name.endswith(".js")]
    assert not missing, f"{what} has no {missing}"
    assert len(scripts) >= 2, f"{what} has no scripts of the page"
    print(f"{what}: holds the page, {size / 1e6:.1f} MB")


def install(wheel: Path, venv: Path) -> Path:
    """Install a wheel with what serves it into an environment of its own."""
    subprocess.run([UV, "venv", "--quiet", "--python", sys.executable, venv], check=True)
    python = venv / "bin" / "python"
    wanted = f"monazite[server,report] @ {wheel.as_uri()}"
    subprocess.run([UV, "pip", "install", "--quiet", "--python", python, wanted], check=True)
    return venv / "bin" / "monazite"


def serve(program: Path, path: str) -> None:
    """Serve from the installed package with nothing else on the path, and ask it what the page asks."""
    with tempfile.TemporaryDirectory() as cache:
        environment = {"PATH": path, "HOME": cache, "MONAZITE_CACHE": cache, "LANG": "C.UTF-8"}
        command = [str(program), "serve", "--port", "0"]
        with subprocess.Popen(
            command, env=environment, cwd=cache, stdout=subprocess.PIPE, text=True
        ) as process:
            assert process.stdout is not None
            try:
                found = re.search(r"http://[\d.:]+", process.stdout.readline())
                assert found, "it does not say where it serves"
                ask(found.group())
            finally:
                process.terminate()
    print("installed wheel: serves page, answer and picture without node")


def ask(url: str) -> None:
    """Ask a server for what the page asks."""

    def get(place: str) -> str:
        with urllib.request.urlopen(url + place, timeout=120) as answer:
            text: str = answer.read().decode()
        return text

    page = get("/")
    for place in re.findall(r'(?:src|href)="(/[^"]+)"', page):
        assert get(place)
    answer: dict[str, Any] = json.loads(get("/api/assess?subject=IND&chain=rare_earths"))
    assert answer["findings"]
    assert json.loads(get("/api/start"))["text"]
    assert "var(--" in get(answer["views"][0]["links"]["vega"])
    assert "<svg" in get(answer["views"][0]["links"]["svg"])


if __name__ == "__main__":
    sys.exit(main())
