"""``monazite study`` as a user meets it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

ASKED = ("study", "--by", "CHN", "--on", "toy_metal", "--chain", "toy", "--horizon", "3", "--seed", "7")
FEW = (*ASKED, "--samples", "12", "--worlds", "2", "--group", "IND")
ONE = {"OMP_NUM_THREADS": "1"}


@pytest.fixture(scope="module")
def document(monazite) -> dict:
    done = monazite(*FEW, "--workers", "1", "--json", env=ONE)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_one_document_holds_the_answer(document) -> None:
    assert sorted(document) == ["manifest", "sources", "summary", "table"]
    measures = {row["measure"] for row in document["table"]}
    assert {"headline", "headline_swing", "rank_correlation", "unserved", "price_multiple"} <= measures
    assert {row["cause"] for row in document["table"] if row["measure"] == "headline_swing"} >= {
        "elasticity_demand",
        "base_year",
    }
    assert document["manifest"]["seed"] == 7
    assert document["manifest"]["extra"]["samples"] == 12


def test_a_second_run_is_the_same_on_two_workers(monazite, document, tmp_path) -> None:
    env = {"MONAZITE_CACHE": str(tmp_path)}
    again = monazite(*FEW, "--workers", "2", "--json", env=env)
    assert json.loads(again.stdout) == document


def test_a_reader_sees_what_moves_the_answer(monazite, document) -> None:
    done = monazite(*FEW, env=ONE)
    assert done.returncode == 0, done.stderr
    text = " ".join(done.stdout.split())
    assert text.startswith("China restricts toy metal")
    assert "Elasticity of demand" in text
    assert "12 scenarios" in text
    assert document["manifest"]["extra"]["run"] in text
    assert "in India" in text


def test_a_table_a_cell_and_a_picture(monazite, tmp_path) -> None:
    done = monazite(*FEW, "--measure", "headline_swing", "--csv", env=ONE)
    assert done.stdout.splitlines()[0].startswith("measure,")
    assert "cause" in done.stdout.splitlines()[0]
    why = monazite(*FEW, "--explain", "measure=headline_swing,cause=trader_stock", "--json", env=ONE)
    assert json.loads(why.stdout)["causes"][0]["rests_on"] == "trader_stock"
    drawn = monazite(*FEW, "--view", "tornado", "--to", "tornado.svg", cwd=tmp_path, env=ONE)
    assert drawn.returncode == 0, drawn.stderr
    assert (tmp_path / "tornado.svg").read_text(encoding="utf-8").startswith("<svg")


def test_the_catalogue_ranks_all_controls(monazite) -> None:
    asked = ("study", "--catalogue", "--chain", "toy", "--horizon", "3")
    done = monazite(*asked, env=ONE)
    assert done.returncode == 0, done.stderr
    assert "all exports, Toy" in done.stdout
    several = monazite(*asked, "--cut", "0.5", "--cut", "1", "--json", env=ONE)
    table = json.loads(several.stdout)["table"]
    heads = [row for row in table if row["measure"] == "headline"]
    assert len(heads) == 10
    assert {row["scenario"] for row in heads} == {"0.5/3", "1/3"}


def test_ctrl_c_leaves_what_is_finished_and_the_same_command_goes_on(monazite, tmp_path: Path) -> None:
    asked = [*ASKED, "--samples", "128", "--cause", "trader_stock", "--workers", "1"]
    env = {**os.environ, "MONAZITE_CACHE": str(tmp_path), **ONE}
    process = subprocess.Popen(
        [sys.executable, "-m", "monazite", *asked],
        env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    for _ in range(2400):
        if list(tmp_path.glob("runs/*/blocks/*.parquet")) or process.poll() is not None:
            break
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    if process.returncode == 0:
        pytest.skip("it was quicker than the signal")
    assert process.returncode == 130, said
    assert "the same command goes on" in said
    assert "Traceback" not in said
    (block,) = {path.name for path in tmp_path.glob("runs/*/blocks/*.parquet")} & {"00000000.parquet"}
    before = next(tmp_path.glob(f"runs/*/blocks/{block}")).stat().st_mtime_ns
    done = monazite(*asked, env={"MONAZITE_CACHE": str(tmp_path), **ONE})
    assert done.returncode == 0, done.stderr
    assert next(tmp_path.glob(f"runs/*/blocks/{block}")).stat().st_mtime_ns == before
    assert "0 of 128 scenarios" not in done.stderr


def test_kept_runs_are_listed_and_cleaned_when_asked_twice(monazite, tmp_path: Path) -> None:
    env = {"MONAZITE_CACHE": str(tmp_path), **ONE}
    assert "nothing" in monazite("study", "runs", env=env).stdout.lower()
    monazite(*ASKED, "--samples", "4", "--cause", "trader_stock", "--workers", "1", env=env)
    (run,) = json.loads(monazite("study", "runs", "--json", env=env).stdout)
    assert (run["state"], run["done"]) == ("done", 4)
    assert "China restricts" in run["what"]
    would = monazite("study", "runs", "--clean", env=env)
    assert "--yes" in would.stderr
    assert json.loads(monazite("study", "runs", "--json", env=env).stdout) == [run]
    monazite("study", "runs", "--clean", "--yes", env=env)
    assert json.loads(monazite("study", "runs", "--json", env=env).stdout) == []


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (("study", "--by", "CHN"), 2, "--catalogue"),
        (("study", "--catalogue", "--by", "CHN"), 2, "--by"),
        ((*ASKED, "--samples", "0"), 2, "samples"),
        ((*ASKED, "--design", "sobl"), 2, "sobol"),
        ((*ASKED, "--design", "sobol", "--samples", "4"), 2, "at least"),
        ((*ASKED, "--cut", "0.5", "--cut", "1"), 2, "--cut"),
        ((*ASKED, "--workers", "0"), 2, "--workers"),
        (("study", "--by", "IND", "--on", "toy_widget", "--chain", "toy"), 4, "exports no"),
        (("study", "runs", "--days", "3"), 2, "--clean"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_is_written(call, empty, words, code, told) -> None:
    done = call(*words, cwd=empty)
    assert done.returncode == code, done.stderr
    assert told in done.stderr
    assert "Traceback" not in done.stderr
    assert not done.stdout
