"""Ensembles: each fixed block is kept once finished; the same bytes whoever computes them, however often."""

from __future__ import annotations

import errno
import importlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from monazite.core.errors import ArgumentError, MonaziteError
from monazite.market import cluster
from monazite.market import ensemble as module
from monazite.market.ensemble import BLOCK, ensemble, run_name
from monazite.market.executors import packed
from monazite.market.folder import Cancelled, Folder
from monazite.market.runs import Runs

COUNT = 3 * BLOCK + 8
BLOCKS = 4
LONG = 12 * BLOCK
HERE = Path(__file__).parent


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MONAZITE_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture(scope="module")
def work() -> Iterator[Any]:
    """Functions that a worker process can import too: it is given the path of this one."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(HERE))
        yield importlib.import_module("runs_work")


@pytest.fixture(scope="module")
def one(work: Any) -> Iterator[Runs]:
    """One worker, kept warm."""
    with Runs(1, apart=True) as runs:
        yield runs


@pytest.fixture(scope="module")
def two(work: Any) -> Iterator[Runs]:
    """Two of them."""
    with Runs(2) as runs:
        yield runs


@pytest.fixture
def marks(tmp_path: Path) -> Path:
    """Where each block that is computed leaves a mark."""
    folder = tmp_path / "marks"
    folder.mkdir()
    return folder


def files(folder: Folder) -> list[bytes]:
    return [path.read_bytes() for path in sorted(folder.block(0).parent.glob("*"))]


def until(true: Callable[[], bool], most: float = 60.0) -> None:
    end = time.monotonic() + most
    while not true():
        assert time.monotonic() < end, "it does not happen"
        time.sleep(0.01)


def gone(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


@contextmanager
def apart(name: str, marks: Path, wait: float) -> Iterator[subprocess.Popen[bytes]]:
    """Compute a long ensemble in a process of its own."""
    code = "import sys, runs_work; runs_work.run(*sys.argv[1:])"
    process = subprocess.Popen(
        [sys.executable, "-c", code, name, str(LONG), str(wait), str(marks)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(HERE), *sys.path])},
        stderr=subprocess.DEVNULL,
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def test_all_scenarios_in_order_and_never_computed_twice(work: Any, one: Runs, marks: Path) -> None:
    source = work.Numbers(COUNT, marks=marks)
    steps: list[tuple[int, int, str]] = []
    folder = ensemble(source, work.squares, runs=one, progress=lambda *step: steps.append(step))
    rows = folder.rows().collect()
    assert rows["scenario"].to_list() == [n for n in range(COUNT) for _ in range(2)]
    assert folder.state().name == "done"
    assert steps[0][:2] == (0, COUNT)
    assert steps[-1][:2] == (COUNT, COUNT)
    assert "a second" in steps[-1][2]
    assert len(list(marks.iterdir())) == BLOCKS
    assert ensemble(source, work.squares, runs=one).path == folder.path
    assert len(list(marks.iterdir())) == BLOCKS
    assert folder.name == run_name(source, work.squares)
    manifest = folder.manifest
    asked = {"kind": "ensemble", "count": COUNT, "block": 64, "seed": 7, "title": "Numbers"}
    assert asked.items() <= manifest.items()
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


@pytest.mark.slow
def test_a_run_interrupted_five_times_equals_one_that_was_not(
    work: Any, two: Runs, marks: Path, tmp_path: Path
) -> None:
    def begun() -> set[Path]:
        return set(marks.glob("[0-9]*"))

    for steps in (("worker", signal.SIGKILL), (signal.SIGINT,), ("worker", signal.SIGKILL)):
        with apart("often", marks, 0.02) as process:
            worker = 0
            for step in steps:
                seen = begun()
                until(lambda seen=seen: len(begun() - seen) > 1)  # type: ignore[misc]
                latest = max(begun() - seen, key=lambda mark: int(mark.name.rpartition("-")[2]))
                worker = int(latest.read_text(encoding="ascii"))
                if step == "worker":
                    os.kill(worker, signal.SIGKILL)
                else:
                    process.send_signal(step)
            assert process.wait(30) != 0
            until(lambda worker=worker: gone(worker))  # type: ignore[misc]
    folder = Folder("often")
    kept = len(list(folder.block(0).parent.glob("*.parquet")))
    assert 0 < kept < LONG // BLOCK
    assert folder.state().name == "failed"
    before = len(begun())
    assert ensemble(work.Numbers(LONG, 0.0, marks), work.squares, runs=two, name="often").path == folder.path
    whole = ensemble(work.Numbers(LONG), work.squares, runs=two)
    assert len(begun()) - before == LONG // BLOCK - kept  # only what was missing
    assert files(folder) == files(whole)
    assert folder.rows().collect().equals(whole.rows().collect())


@pytest.mark.slow
def test_two_processes_share_a_run_and_one_may_die(work: Any, two: Runs, marks: Path, tmp_path: Path) -> None:
    theirs = tmp_path / "theirs"
    theirs.mkdir()
    with apart("shared", marks, 600.0) as first:  # it will not get far
        until(lambda: any(marks.glob("[0-9]*")))
        with apart("shared", theirs, 0.0) as second:
            until(lambda: any(theirs.glob("[0-9]*")))
            first.kill()
            assert second.wait(60) == 0
    folder = Folder("shared")
    assert folder.state().name == "done"
    earliest = min(theirs.glob("[0-9]*"), key=lambda mark: int(mark.name.rpartition("-")[2]))
    assert earliest.name.startswith(f"{LONG - BLOCK}-")  # they began at the other end
    assert files(folder) == files(ensemble(work.Numbers(LONG), work.squares, runs=two))


@pytest.mark.parametrize("damage", ["cut", "empty", "text", "rows", "values", "other"])
def test_a_damaged_block_is_made_again(work: Any, one: Runs, marks: Path, damage: str) -> None:
    source = work.Numbers(COUNT, marks=marks)
    folder = ensemble(source, work.squares, runs=one)
    good, path = files(folder), folder.block(1)
    rows = pl.read_parquet(path)
    if damage == "cut":
        path.write_bytes(good[1][:-20])
    elif damage == "empty":
        path.write_bytes(b"")
    elif damage == "text":
        path.write_text("scenario,value", encoding="utf-8")
    elif damage == "rows":
        rows.head(9).write_parquet(path, metadata=pl.read_parquet_metadata(path))
    elif damage == "values":
        changed = rows.with_columns(pl.col("value") * 2)
        changed.write_parquet(path, metadata=pl.read_parquet_metadata(path))
    else:
        path.write_bytes(good[2])
    ensemble(source, work.squares, runs=one)
    assert files(folder) == good
    assert len(list(marks.iterdir())) == BLOCKS + 1


def test_a_full_disk_is_told_and_what_was_finished_stays(
    work: Any, one: Runs, monkeypatch: pytest.MonkeyPatch
) -> None:
    write, room = module.write_atomic, 2

    def full(path: Path, data: bytes) -> None:
        nonlocal room
        if path.suffix == ".parquet":
            room -= 1
            if room < 0:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        write(path, data)

    source = work.Numbers(COUNT)
    monkeypatch.setattr(module, "write_atomic", full)
    with pytest.raises(MonaziteError, match=r"No space left on device\); 128 of 200 scenarios are kept"):
        ensemble(source, work.quick, runs=one)
    folder = Folder(run_name(source, work.quick))
    assert folder.state().name == "failed"
    assert "Make room" in str(folder.state().error)
    assert folder.rows().collect()["scenario"].to_list() == list(range(128))
    monkeypatch.setattr(module, "write_atomic", write)
    assert ensemble(source, work.quick, runs=one).rows().collect().height == COUNT


def test_a_block_that_kills_its_worker_twice_is_named_and_the_rest_kept(work: Any, two: Runs) -> None:
    source = work.Numbers(COUNT)
    with pytest.raises(MonaziteError, match="ended 2 times in the middle of scenarios 64 to 127;"):
        ensemble(source, work.fatal, runs=two, name="fatal")
    folder = Folder("fatal")
    assert folder.state().name == "failed"
    assert sorted(set(folder.rows().collect()["scenario"])) == [n for n in range(COUNT) if n // BLOCK != 1]


@pytest.mark.parametrize(
    ("what", "told"),
    [
        ("divide", "scenarios 64 to 127 could not be computed .ZeroDivisionError"),
        ("short", "rows of scenarios 0 to 63 are not those of each"),
        ("nameless", "rows of scenarios 0 to 63 need a column 'scenario'"),
        ("uneven", "have other columns or types"),
    ],
)
def test_work_that_is_wrong_is_told(work: Any, one: Runs, what: str, told: str) -> None:
    with pytest.raises(MonaziteError, match=told):
        ensemble(work.Numbers(COUNT), getattr(work, what), runs=one, name="wrong")
    assert Folder("wrong").state().name == "failed"


def test_a_run_is_cancelled_in_its_folder_or_by_who_asked(work: Any, one: Runs) -> None:
    source = work.Numbers(LONG)  # however slow this process is, the worker gets ahead by a few blocks

    def by_folder(done: int, of: int, step: str) -> None:
        if done:
            Folder("stopped").cancel()

    def by_asker(done: int, of: int, step: str) -> None:
        if done > BLOCK:
            raise Cancelled("market.run_cancelled")

    for progress in (by_folder, by_asker):
        with pytest.raises(Cancelled):
            ensemble(source, work.quick, runs=one, name="stopped", progress=progress)
        assert Folder("stopped").state().name == "cancelled"
        assert Folder("stopped").rows().collect().height < LONG
    assert ensemble(source, work.quick, runs=one, name="stopped").rows().collect().height == LONG


def test_what_cannot_be_computed_is_refused(work: Any, one: Runs, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ArgumentError, match="no scenario"):
        ensemble(work.Numbers(0), work.quick, runs=one)
    ensemble(work.Numbers(3), work.quick, runs=one, name="taken")
    with pytest.raises(ArgumentError, match="another question"):
        ensemble(work.Numbers(4), work.quick, runs=one, name="taken")
    assert Folder("taken").rows().collect().height == 3
    monkeypatch.setattr(work.quick, "__module__", "__main__")
    with pytest.raises(MonaziteError, match="cannot be sent to another process"):
        ensemble(work.Numbers(3), work.quick, runs=one)
    with pytest.raises(MonaziteError, match="no finished results"):
        Folder("nothing").rows()


@pytest.fixture
def scheduler(tmp_path: Path) -> Iterator[str]:
    """A Dask scheduler and a worker, each a process of its own."""
    file = tmp_path / "scheduler.json"
    common = ["--scheduler-file", str(file), "--host", "127.0.0.1", "--no-dashboard"]
    started = [
        subprocess.Popen(
            [sys.executable, "-m", f"distributed.cli.dask_{what}", *common, *more],
            env={
                **os.environ,
                "PYTHONPATH": os.pathsep.join([str(HERE), *sys.path]),
                "MONAZITE_CACHE": str(tmp_path / "elsewhere"),
            },
            cwd=tmp_path,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        for what, more in (
            ("scheduler", ["--port", "0"]),
            ("worker", ["--no-nanny", "--nthreads", "1", "--local-directory", str(tmp_path)]),
        )
    ]
    try:
        until(file.exists)
        yield json.loads(file.read_text(encoding="utf-8"))["address"]
    finally:
        for process in started:
            process.kill()
            process.wait()


@pytest.mark.slow
def test_a_cluster_gives_the_same_bytes(work: Any, two: Runs, scheduler: str, tmp_path: Path) -> None:
    def there() -> bool:
        return cluster.identity(scheduler)["total_threads"] > 0

    until(there)
    here = ensemble(work.Numbers(COUNT), work.squares, runs=two)
    with Runs(cluster=scheduler) as runs:
        assert runs.start(divmod, 7, 2)() == (3, 1)
        there_too = ensemble(work.Numbers(COUNT), work.squares, runs=runs, name="far")
        with pytest.raises(MonaziteError, match="ZeroDivisionError"):
            ensemble(work.Numbers(COUNT), work.divide, runs=runs, name="far-and-wrong")
    assert files(here) == files(there_too)
    assert not (tmp_path / "elsewhere").exists()


@pytest.mark.parametrize(
    "address", ["tcp://127.0.0.1:1", "tcp://127.0.0.1:99999", "http://x", "nonsense", ""]
)
def test_a_cluster_that_is_not_there_is_told(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster, "_REACH", 0.5)
    with pytest.raises(ArgumentError, match="no Dask scheduler answers"), Runs(cluster=address):
        pass


def test_what_listens_and_says_nothing_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster, "_REACH", 0.5)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"tcp://127.0.0.1:{silent.getsockname()[1]}"
        with pytest.raises(ArgumentError, match=r"no answer within 0\.5 seconds"), Runs(cluster=address):
            pass


def test_a_cluster_needs_an_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(MonaziteError, match=r"monazite\[dask\]"), Runs(cluster="tcp://127.0.0.1:1"):
        pass


def test_a_worker_of_another_version_is_told(work: Any) -> None:
    stamp = {"versions": {"polars": "0"}, "code": "0"}
    with pytest.raises(MonaziteError, match=r"another version than this process of: code, .*polars"):
        module._compute(packed(work.Numbers(3)), work.quick, stamp, "numbers-3", 0, 3)
