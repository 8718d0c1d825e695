"""What all tests share: a cache folder of their own, and the command line as a user meets it."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

_CACHE = tempfile.TemporaryDirectory(prefix="monazite-tests-")

Run = Callable[..., "subprocess.CompletedProcess[str]"]


def pytest_configure() -> None:
    """Keep the user's cache out of it: what the tests see is made by the code under test."""
    os.environ["MONAZITE_CACHE"] = _CACHE.name
    os.environ["MONAZITE_OVERLAY"] = str(Path(_CACHE.name) / "overlay")
    os.environ["HYPOTHESIS_STORAGE_DIRECTORY"] = str(Path(_CACHE.name) / "hypothesis")


def pytest_unconfigure() -> None:
    """Leave nothing behind."""
    _CACHE.cleanup()


@pytest.fixture(scope="session")
def monazite() -> Run:
    """Run ``monazite WORDS…`` in a process of its own, warnings being errors of ours."""

    def run(*words: str, cwd: Path | None = None, env: dict[str, str] | None = None) -> Any:
        return subprocess.run(
            [sys.executable, "-m", "monazite", *words],
            cwd=cwd,
            env={**os.environ, **(env or {})},
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )

    return run


@pytest.fixture
def empty(tmp_path: Path) -> Iterator[Path]:
    """A folder in which a refused command must leave nothing."""
    folder = tmp_path / "empty"
    folder.mkdir()
    yield folder
    assert not list(folder.iterdir()), "a refused command wrote a file"
