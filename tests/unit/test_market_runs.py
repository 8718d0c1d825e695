"""Runs: a folder tells how far the work is, whoever looks; it can be stopped and begun anew."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
import time
from concurrent.futures import CancelledError
from pathlib import Path
from typing import Any

import pytest

from monazite.core.errors import ArgumentError, MonaziteError
from monazite.market.executors import Processes, WorkerDied
from monazite.market.runs import Cancelled, Folder, Runs, clean


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MONAZITE_CACHE", str(tmp_path))
    return tmp_path


@pytest.fixture
def work(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Functions that a worker process can import too: it is given the path of this one."""
    monkeypatch.syspath_prepend(str(Path(__file__).parent))
    return importlib.import_module("runs_work")


def until(runs: Runs, folder: Folder, *names: str, most: float = 30.0) -> str:
    end = time.monotonic() + most
    while time.monotonic() < end:
        state = runs.state(folder).name
        if state in names:
            return state
        time.sleep(0.02)
    raise AssertionError(f"still {runs.state(folder)}")


def test_a_run_goes_on_apart_and_its_result_lies_in_its_folder(work: Any) -> None:
    with Runs(1, apart=True) as runs:
        folder = runs.submit("one", {"what": "count"}, work.count, 3, 0.01)
        assert until(runs, folder, "done", "failed") == "done"
        assert folder.result() == 3
        assert folder.manifest == {"what": "count"}
        assert runs.submit("one", {"what": "other"}, work.stumble).result() == 3  # never worked on twice
    assert Folder("one").result() == 3


def test_cancelled_runs_stop_and_can_be_begun_anew(work: Any) -> None:
    with Runs(1, apart=True) as runs:
        folder = runs.submit("long", {}, work.count, 500, 0.02)
        behind = runs.submit("behind", {}, work.count, 500, 0.02)
        until(runs, folder, "running")
        runs.cancel(behind)
        runs.cancel(folder)
        assert runs.state(folder).name == runs.state(behind).name == "cancelled"
        again = runs.submit("long", {}, work.count, 2, 0.0)
        assert until(runs, again, "done", "failed", "cancelled", most=40) == "done"


def test_a_try_that_is_just_ending_does_not_end_the_next(work: Any, tmp_path: Path) -> None:
    noticed, leave = tmp_path / "noticed", tmp_path / "leave"
    with Runs(1, apart=True) as runs:
        folder = runs.submit("same", {}, work.linger, noticed, leave)
        until(runs, folder, "running")
        runs.cancel(folder)
        while not noticed.exists():
            assert runs.state(folder).name == "cancelled"
            time.sleep(0.01)
        again = runs.submit("same", {}, work.count, 2, 0.0)  # the first has heard, and not yet ended
        assert runs.state(again).name == "waiting"
        leave.touch()
        assert until(runs, again, "done", "failed", "cancelled") == "done"


def test_what_another_try_left_counts_for_nothing() -> None:
    folder = Folder("twice")
    first = Folder("twice", attempt=folder.begin())
    first.progress(1, 4)
    first.fail("of the first")
    folder.begin()
    assert folder.state().name == "waiting"
    with pytest.raises(Cancelled):
        first.progress(2, 4)
    first.fail("too late")
    assert folder.state().name == "waiting"
    second = Folder("twice", attempt=folder.latest)
    second.progress(3, 4)
    assert (folder.state().name, folder.state().done) == ("running", 3)
    (folder.path / "progress.json").write_text('{"try": "of another", "done": 1, "of": 2}', encoding="utf-8")
    (folder.path / "error.json").write_text('{"try": "of another", "message": "no"}', encoding="utf-8")
    (folder.path / "cancel").write_text("of another", encoding="utf-8")
    assert folder.state().name == "waiting"


def test_errors_are_told_in_words(work: Any) -> None:
    with Runs(1, apart=True) as runs:
        refused = runs.submit("refused", {}, work.refuse)
        broken = runs.submit("broken", {}, work.stumble)
        assert until(runs, refused, "failed") == until(runs, broken, "failed") == "failed"
        assert runs.state(refused).error == "the group is empty; give at least one place"
        assert "ZeroDivisionError" in str(runs.state(broken).error)
        with pytest.raises(MonaziteError, match="ask for it again"):
            refused.result()


def test_a_worker_that_dies_is_told_and_replaced(work: Any) -> None:
    with Runs(1, apart=True) as runs:
        lost = runs.submit("lost", {}, work.die)
        assert until(runs, lost, "failed") == "failed"
        assert "process was stopped" in str(runs.state(lost).error)
        assert until(runs, runs.submit("next", {}, work.count, 1, 0.0), "done", "failed") == "done"


def test_a_run_that_nobody_works_on_has_failed() -> None:
    folder = Folder("left-behind")
    folder.progress(1, 9, "step")
    with Runs(1, apart=True) as runs:
        assert runs.state(folder).name == "failed"


def test_the_time_left_follows_the_pace() -> None:
    folder = Folder("paced")
    folder.progress(0, 4)
    time.sleep(0.25)
    folder.progress(1, 4)
    left = folder.state().left
    assert left is not None
    assert 0.3 < left < 2.0


def test_the_work_is_told_to_stop() -> None:
    folder = Folder("stopped")
    folder.progress(0, 4)
    folder.cancel()
    with pytest.raises(Cancelled):
        folder.progress(1, 4)


@pytest.mark.parametrize("name", ["", "../etc", "a/b", "A", "x" * 200, "a\0b", "ä"])
def test_names_that_could_leave_the_folder_are_refused(name: str) -> None:
    with pytest.raises(ArgumentError):
        Folder(name)


def test_damaged_files_are_read_as_absent(cache: Path) -> None:
    folder = Folder("damaged")
    folder.path.mkdir(parents=True)
    damage: dict[str, Any] = {"progress.json": b"{", "manifest.json": b"[1]", "error.json": b"\xff"}
    for name, data in damage.items():
        (folder.path / name).write_bytes(data)
    assert folder.state().name == "waiting"
    assert folder.manifest == {}
    (folder.path / "result.pickle").write_bytes(b"no pickle")
    with pytest.raises(MonaziteError, match="ask for it again"):
        folder.result()


def test_the_pace_counts_what_this_try_did(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1000.0
    monkeypatch.setattr(time, "time", lambda: now)
    folder = Folder("resumed")
    folder.progress(60, 100)
    assert (folder.state().rate, folder.state().left) == (None, None)
    now += 5.0
    folder.progress(80, 100)
    assert (folder.state().rate, folder.state().left) == (4.0, 5.0)


def test_another_process_is_seen_to_be_there_or_gone(work: Any) -> None:
    code = "import time; from monazite.market.folder import Folder; Folder('theirs').begin(); time.sleep(600)"
    with Runs(1, apart=True) as runs:
        with subprocess.Popen([sys.executable, "-c", code]) as other:
            folder = Folder("theirs")
            while not folder.latest:
                time.sleep(0.01)
            assert folder.lives
            assert not folder.owned
            first = folder.latest
            assert runs.submit("theirs", {"title": "theirs"}, work.count, 1, 0.0).latest == first
            assert runs.state(folder).name == "waiting"
            assert clean() == []
            other.kill()
        assert runs.state(folder).name == folder.state().name == "failed"
        assert until(runs, runs.submit("theirs", {}, work.count, 1, 0.0), "done", "failed") == "done"


def test_a_try_can_be_left_and_taken_over() -> None:
    folder = Folder("left", attempt=Folder("left").begin())
    folder.progress(1, 2)
    folder.leave()
    assert folder.state().name == "cancelled"
    folder.take_over()
    assert (folder.state().name, folder.attempt) == ("running", folder.latest)
    Folder("left").begin()
    folder.leave()  # no longer its own
    assert Folder("left").state().name == "waiting"


def test_runs_are_listed_and_cleaned(cache: Path) -> None:
    for age, name in enumerate(["new", "old", "oldest"]):
        Folder(name).finish(name)
        for path in (Folder(name).path / "result.pickle", Folder(name).path):
            os.utime(path, (1e9 - age * 86400, 1e9 - age * 86400))
    going = Folder("going")
    going.begin()
    going.progress(1, 2)
    (cache / "runs" / "No run").mkdir()
    assert [folder.name for folder in Folder.all()] == ["going", "new", "old", "oldest"]
    assert going.size > Folder("new").size > 0
    far = (time.time() - 1e9) / 86400
    assert [folder.name for folder in clean(days=far + 0.5)] == ["old", "oldest"]
    assert [folder.name for folder in clean()] == ["new", "old", "oldest"]
    assert len(Folder.all()) == 4  # nothing was removed so far
    clean(days=far + 1.5, dry=False)
    assert [folder.name for folder in Folder.all()] == ["going", "new", "old"]
    clean(dry=False)
    assert [folder.name for folder in Folder.all()] == ["going"]
    assert sorted(path.name for path in (cache / "runs").iterdir()) == ["No run", "going"]
    for days in (-1.0, float("nan"), float("inf")):
        with pytest.raises(ArgumentError, match="zero or more"):
            clean(days=days)


def test_only_the_call_of_a_dead_worker_is_lost(work: Any) -> None:
    pool = Processes(2)
    try:
        waiting = [pool.submit(divmod, n, 2) for n in range(6)]
        lost = pool.submit(os._exit, 7)
        waiting += [pool.submit(divmod, n, 2) for n in range(6, 9)]
        with pytest.raises(WorkerDied, match="exit code 7"):
            lost.result(60)
        assert [one.result(60) for one in waiting] == [divmod(n, 2) for n in range(9)]
        assert pool.submit(os.getenv, "OPENBLAS_NUM_THREADS").result(60) == "1"
        with pytest.raises(ZeroDivisionError):
            pool.submit(divmod, 1, 0).result(60)
        assert pool.submit(print, "not among the replies").result(60) is None
        with pytest.raises(MonaziteError, match="cannot be sent"):
            pool.submit(lambda: None)
    finally:
        pool.close()


def test_ctrl_c_does_not_wait_for_what_goes_on(work: Any) -> None:
    began: list[Any] = []

    def interrupted() -> None:
        with Runs(1, apart=True) as runs:
            began.append(runs.start(time.sleep, 600))
            assert runs.state(runs.submit("behind", {}, work.count, 1, 0.0)).name == "waiting"
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    with pytest.raises((WorkerDied, CancelledError)):
        began[0]()
    assert Folder("behind").state().name == "cancelled"
