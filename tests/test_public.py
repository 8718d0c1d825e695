"""The public names: those of ``__all__``, each importable, each on the reference page, no others."""

from __future__ import annotations

import re
from pathlib import Path

import monazite

PAGE = Path(__file__).resolve().parent.parent / "docs" / "reference.md"


def test_exported_names_are_sorted_and_lead_somewhere() -> None:
    assert sorted(monazite.__all__) == list(monazite.__all__)
    for name in monazite.__all__:
        assert getattr(monazite, name) is not None


def test_every_public_thing_has_a_docstring() -> None:
    for name in monazite.__all__:
        if name != "__version__":
            assert getattr(monazite, name).__doc__, name


def test_the_reference_page_agrees() -> None:
    told = re.findall(r"^\| `(\w+)", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    assert sorted(told) == sorted(monazite.__all__)


def test_versions_agree() -> None:
    from importlib.metadata import version

    root = PAGE.parent.parent
    assert monazite.__version__ == version("monazite")
    assert f"\nversion: {monazite.__version__}\n" in (root / "CITATION.cff").read_text(encoding="utf-8")
