"""What all tests share: a cache folder of their own, and the command line as a user meets it."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

#: files whose tests stay on one worker: they share a server and a browser, or watch processes come and go
_TOGETHER = {
    "axe": ("tests/browser/test_axe.py",),  # as long as all others of the browser together
    "browser": ("tests/browser/",),
    "server": ("tests/server/",),
    "processes": (
        "tests/e2e/test_study.py",
        "tests/unit/test_market_ensemble.py",
        "tests/unit/test_market_runs.py",
        "tests/unit/test_study_answer.py",
    ),
}

Run = Callable[..., "subprocess.CompletedProcess[str]"]


def pytest_configure(config: pytest.Config) -> None:
    """Keep the user's cache out of it: what the tests see is made by the code under test.

    One folder a run: the workers of a run inherit it, so that a network is made by one of them for all.
    """
    if hasattr(config, "workerinput"):
        return
    cache = tempfile.TemporaryDirectory(prefix="monazite-tests-", ignore_cleanup_errors=True)
    config.add_cleanup(cache.cleanup)
    os.environ["MONAZITE_CACHE"] = cache.name
    os.environ["MONAZITE_OVERLAY"] = str(Path(cache.name) / "overlay")
    os.environ["HYPOTHESIS_STORAGE_DIRECTORY"] = str(Path(cache.name) / "hypothesis")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Deal files to the workers in the order in which they are collected, those of `_TOGETHER` to one worker.

    Chosen here and not by a mark, so that a test has the same name on one worker and on many.
    """
    from xdist.scheduler import LoadFileScheduling

    class Together(LoadFileScheduling):
        def _split_scope(self, nodeid: str) -> str:
            file = super()._split_scope(nodeid)
            return next((name for name, begins in _TOGETHER.items() if file.startswith(begins)), file)

    return Together(config, log) if config.getoption("dist") == "loadfile" else None


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


@pytest.fixture(scope="session")
def call() -> Run:
    """Run ``monazite WORDS…`` within this process: where what it says matters, and not the process."""
    from monazite import cli

    def run(*words: str, cwd: Path | None = None, env: dict[str, str] | None = None) -> Any:
        with (
            pytest.MonkeyPatch.context() as patch,
            redirect_stdout(StringIO()) as out,
            redirect_stderr(StringIO()) as err,
        ):
            for name, value in (env or {}).items():
                patch.setenv(name, value)
            if cwd is not None:
                patch.chdir(cwd)
            with pytest.raises(SystemExit) as left:
                cli.main(words)
        return subprocess.CompletedProcess(words, left.value.code or 0, out.getvalue(), err.getvalue())

    return run


@pytest.fixture
def empty(tmp_path: Path) -> Iterator[Path]:
    """A folder in which a refused command must leave nothing."""
    folder = tmp_path / "empty"
    folder.mkdir()
    yield folder
    assert not list(folder.iterdir()), "a refused command wrote a file"
