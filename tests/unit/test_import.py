"""``import monazite`` is light; public names load on first use."""

from __future__ import annotations

import subprocess
import sys

import pytest

import monazite

HEAVY = ("numpy", "polars", "scipy", "pydantic", "typer", "rich", "highspy", "piqp", "altair", "pandas")


def _modules_after(statement: str) -> set[str]:
    code = f"import sys\n{statement}\nprint(*sorted({{name.split('.')[0] for name in sys.modules}}))"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    return set(done.stdout.split())


@pytest.mark.parametrize(
    "statement",
    [
        "import monazite",
        "import monazite; dir(monazite); monazite.__all__; monazite.__version__",
        "from monazite import MonaziteError, UnknownName, Range",
        "import monazite.core.result, monazite.core.units, monazite.core.manifest, monazite.core.settings",
    ],
)
def test_importing_loads_nothing_heavy(statement: str) -> None:
    assert not _modules_after(statement) & set(HEAVY)


def test_public_names_are_sorted_and_once() -> None:
    assert list(monazite.__all__) == sorted(set(monazite.__all__))
    assert set(monazite.__all__) <= set(dir(monazite))


def test_a_wrong_name_is_an_attribute_error_that_names_it() -> None:
    with pytest.raises(AttributeError, match="asses"):
        monazite.asses  # noqa: B018


def test_a_name_is_what_its_module_defines() -> None:
    from monazite.core.errors import FactsError

    assert monazite.FactsError is FactsError
