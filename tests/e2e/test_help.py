"""The command line introduces itself: quickly, and without loading what it does not need."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

HEAVY = ("numpy", "polars", "scipy", "pydantic", "highspy", "piqp")


def _loaded_by(code: str) -> set[str]:
    program = f"import sys\n{code}\nprint([m for m in {HEAVY!r} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return set(re.findall(r"'(\w+)'", done.stdout.splitlines()[-1]))


def test_import_loads_nothing_heavy() -> None:
    assert _loaded_by("import monazite") == set()


def test_the_command_line_parses_without_anything_heavy() -> None:
    assert _loaded_by("from monazite.cli.app import app") == set()


def test_heavy_modules_would_be_seen() -> None:
    """The two tests above can fail."""
    assert "numpy" in _loaded_by("import numpy")


@pytest.mark.parametrize("words", [("--help",), ("-h",), ()])
def test_help_names_every_command(monazite, words) -> None:
    done = monazite(*words)
    assert done.returncode in (0, 2)
    for command in ("assess", "stress", "study", "brief", "data"):
        assert command in done.stdout + done.stderr


@pytest.mark.parametrize(
    "command",
    [("assess",), ("stress",), ("study",), ("study", "runs"), ("brief",), ("data",), ("data", "check")],
)
def test_each_command_has_help(call, command) -> None:
    done = call(*command, "--help")
    assert done.returncode == 0
    assert "Usage" in done.stdout


def test_version_is_the_packages(monazite) -> None:
    from importlib.metadata import version

    done = monazite("--version")
    assert (done.returncode, done.stdout.strip()) == (0, f"monazite {version('monazite')}")


def test_cite_gives_an_entry_with_the_version(call) -> None:
    from importlib.metadata import version

    done = call("--cite")
    assert done.returncode == 0
    assert "@software{monazite" in done.stdout
    assert f"{{{version('monazite')}}}" in done.stdout
