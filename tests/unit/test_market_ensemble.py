"""Ensembles: each fixed block is kept once finished; the same bytes whoever computes them, however often."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from monazite.market.ensemble import BLOCK, ensemble, run_name
from monazite.market.folder import Folder
from monazite.market.runs import Runs

COUNT = 3 * BLOCK + 8
BLOCKS = 4


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MONAZITE_CACHE", str(tmp_path))
    return tmp_path


@pytest.fixture
def work(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Functions that a worker process can import too: it is given the path of this one."""
    monkeypatch.syspath_prepend(str(Path(__file__).parent))
    return importlib.import_module("runs_work")


@pytest.fixture
def marks(tmp_path: Path) -> Path:
    """Where each block that is computed leaves a mark."""
    folder = tmp_path / "marks"
    folder.mkdir()
    return folder


def files(folder: Folder) -> list[bytes]:
    return [folder.block(index).read_bytes() for index in range(BLOCKS)]


def test_all_scenarios_in_order_and_never_computed_twice(work: Any, marks: Path) -> None:
    source = work.Numbers(COUNT, marks=marks)
    steps: list[tuple[int, int, str]] = []
    with Runs(1, apart=True) as runs:
        folder = ensemble(source, work.squares, runs=runs, progress=lambda *step: steps.append(step))
        rows = folder.rows().collect()
        assert rows["scenario"].to_list() == [n for n in range(COUNT) for _ in range(2)]
        assert folder.state().name == "done"
        assert steps[0][:2] == (0, COUNT)
        assert steps[-1][:2] == (COUNT, COUNT)
        assert "a second" in steps[-1][2]
        assert len(list(marks.iterdir())) == BLOCKS
        assert ensemble(source, work.squares, runs=runs).path == folder.path
        assert len(list(marks.iterdir())) == BLOCKS
    assert folder.name == run_name(source, work.squares)
    manifest = folder.manifest
    assert (manifest["count"], manifest["block"], manifest["seed"], manifest["title"]) == (
        COUNT,
        64,
        7,
        "Numbers",
    )
    assert manifest["schema"] == {"scenario": "Int64", "measure": "String", "value": "Float64"}
    assert manifest["versions"]["polars"] == pl.__version__
    assert sorted(path.name for path in folder.block(0).parent.iterdir()) == [
        f"{index:08}.parquet" for index in range(BLOCKS)
    ]


def test_one_worker_and_two_give_the_same_bytes(work: Any) -> None:
    made = []
    for count in (1, 2):
        with Runs(count) as runs:
            made.append(files(ensemble(work.Numbers(COUNT), work.squares, runs=runs, name=f"on-{count}")))
    assert made[0] == made[1]
