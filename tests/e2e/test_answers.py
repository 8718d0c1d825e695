"""The commands of the issue give one JSON document each; CSV, files and terminals show the same figures."""

from __future__ import annotations

import csv
import io
import json
import re
import subprocess
import sys

import jsonschema
import pytest

from monazite.core.result import TABLE_COLUMNS

NUMBER = {"type": ["number", "null"]}
TEXT = {"type": ["string", "null"]}
SCHEMA = {
    "type": "object",
    "required": ["summary", "table", "sources", "manifest"],
    "additionalProperties": False,
    "properties": {
        "summary": {"type": "string", "minLength": 20},
        "table": {
            "type": "array",
            "minItems": 1,
            "items": {
                "type": "object",
                "required": list(TABLE_COLUMNS),
                "properties": {
                    **dict.fromkeys(("value", "low", "high"), NUMBER),
                    "measure": {"type": "string"},
                    "kind": {"enum": ["reported", "estimated", "derived", "assumed", "modelled", None]},
                    "cell_id": {"type": "string", "pattern": "^[0-9a-f]{12}$"},
                    **dict.fromkeys(
                        ("chain", "stage", "commodity", "place", "by", "period", "unit", "basis"), TEXT
                    ),
                },
            },
        },
        "sources": {
            "type": "array",
            "minItems": 1,
            "items": {"type": "object", "required": ["source", "citation"]},
        },
        "manifest": {"type": "object", "required": ["input_hash", "versions", "method", "base_year"]},
    },
}

QUESTIONS = {
    "assess IND": ("assess", "IND", "--chain", "rare_earths"),
    "assess QUAD": ("assess", "QUAD"),
    "stress dy_oxide": (
        *("stress", "--by", "CHN", "--on", "dy_oxide", "--cut", "1", "--months", "12"),
        *("--group", "QUAD", "--horizon", "6"),
    ),
    "stress control": ("stress", "--control", "CN-REE-APR2025", "--horizon", "4"),
}


@pytest.fixture(scope="module")
def document(call):
    """Ask a question once; what is written to stderr would be no result."""
    found: dict[str, dict] = {}

    def ask(name: str) -> dict:
        if name not in found:
            done = call(*QUESTIONS[name], "--json")
            assert (done.returncode, done.stderr) == (0, "")
            found[name] = json.loads(done.stdout)
        return found[name]

    return ask


@pytest.mark.parametrize("name", QUESTIONS)
def test_one_document(document, name) -> None:
    jsonschema.validate(document(name), SCHEMA)


@pytest.mark.parametrize("name", QUESTIONS)
def test_ranges_are_in_order_and_cells_are_single(document, name) -> None:
    table = document(name)["table"]
    for row in table:
        if None not in (row["low"], row["value"], row["high"]):
            assert row["low"] - 1e-9 <= row["value"] <= row["high"] + 1e-9, row
    assert len({row["cell_id"] for row in table}) == len(table)


@pytest.mark.parametrize("name", ["assess IND", "stress control"])
def test_csv_holds_the_same_cells(call, document, name) -> None:
    done = call(*QUESTIONS[name], "--csv")
    rows = list(csv.DictReader(io.StringIO(done.stdout)))
    table = document(name)["table"]
    assert [row["cell_id"] for row in rows] == [row["cell_id"] for row in table]
    for row, cell in zip(rows, table, strict=True):
        assert (row["value"] == "") == (cell["value"] is None)
        if cell["value"] is not None:
            assert float(row["value"]) == pytest.approx(cell["value"], rel=1e-12)


@pytest.mark.parametrize("name", ["assess IND", "stress control"])
def test_a_process_of_its_own_gives_the_same_answer(monazite, document, name) -> None:
    done = monazite(*QUESTIONS[name], "--json")
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout) == document(name)


def test_a_restriction_in_a_file_is_the_same_as_in_options(call, document, tmp_path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text('by = "CHN"\non = ["dy_oxide"]\ncut = 1.0\nmonths = 12\n')
    done = call("stress", "--file", str(file), "--group", "QUAD", "--horizon", "6", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["table"] == document("stress dy_oxide")["table"]


def test_assumed_and_observed_paths_are_never_one_for_the_other(call, document) -> None:
    done = call(*QUESTIONS["stress control"], "--path", "observed", "--json")
    observed, assumed = json.loads(done.stdout)["table"], document("stress control")["table"]
    assert {row["scenario"] for row in observed} == {"observed"}
    assert {row["scenario"] for row in assumed} == {"assumed"}
    exports = ("exports", "ndfeb_magnet_heavy", 3)
    values = [
        row["value"]
        for table in (observed, assumed)
        for row in table
        if (row["measure"], row["commodity"], row["month"]) == exports
    ]
    assert len(values) == 2
    assert values[0] != values[1]


@pytest.mark.parametrize("suffix", ["json", "csv", "parquet"])
def test_a_file_by_its_suffix(call, document, tmp_path, suffix) -> None:
    import polars as pl

    file = tmp_path / "new" / f"answer.{suffix}"
    done = call(*QUESTIONS["assess IND"], "--to", str(file), "--quiet")
    assert (done.returncode, done.stderr) == (0, "")
    if suffix == "json":
        cells = [row["cell_id"] for row in json.loads(file.read_text())["table"]]
    else:
        frame = pl.read_csv(file, infer_schema_length=None) if suffix == "csv" else pl.read_parquet(file)
        cells = frame["cell_id"].to_list()
    assert cells == [row["cell_id"] for row in document("assess IND")["table"]]


def test_a_file_that_cannot_be_written_is_one_message(call, tmp_path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    done = call(*QUESTIONS["assess IND"], "--to", str(blocked / "answer.csv"))
    assert done.returncode == 1
    assert "cannot write" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("name", ["assess IND", "stress control"])
def test_a_person_reads_headline_units_and_kinds_in_plain_text(call, document, name) -> None:
    done = call(*QUESTIONS[name], env={"NO_COLOR": "1"})
    assert done.returncode == 0
    assert "\x1b" not in done.stdout
    flat = " ".join(done.stdout.split())
    assert flat.startswith(" ".join(document(name)["summary"].split())[:60])
    assert re.search(r"[●◐○]", flat)
    assert "%" in flat
    assert max(map(len, done.stdout.splitlines())) <= 120
    assert "nan" not in flat.lower().split()


def test_a_threshold_of_mine_that_is_crossed_is_exit_3(monazite, call) -> None:
    question = ("assess", "IND", "--chain", "rare_earths", "--measure", "touch_share", "--json")
    crossed = monazite(*question, "--fail-above", "0.5")
    assert crossed.returncode == 3
    assert json.loads(crossed.stdout)["table"]
    assert "touch_share" in crossed.stderr
    assert call(*question, "--fail-above", "1.0").returncode == 0


def test_why_a_cell_is_what_it_is(call, document) -> None:
    cell = next(row for row in document("assess IND")["table"] if row["measure"] == "touch_share")
    done = call(*QUESTIONS["assess IND"], "--explain", cell["cell_id"])
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) > 3


def test_trade_is_one_option_away(call, document) -> None:
    done = call("assess", "IND", "--chain", "rare_earths", "--measure", "trade", "--json")
    assert done.returncode == 0, done.stderr
    table = json.loads(done.stdout)["table"]
    assert {row["measure"] for row in table} == {"trade"}
    assert all(row["partner"] and row["place"] and row["unit"] == "t/yr" for row in table)
    known = {row["cell_id"]: row["value"] for row in document("assess IND")["table"]}
    assert all(known[row["cell_id"]] == row["value"] for row in table)


def test_a_place_of_which_nothing_is_known_is_not_answered_with_the_world(call) -> None:
    done = call("assess", "Luxembourg", "--chain", "rare_earths")
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) <= 6
    assert "Luxembourg" in done.stdout


def test_a_reader_who_leaves_early_breaks_nothing() -> None:
    program = f"{sys.executable} -m monazite data show --chain rare_earths --csv | head -1"
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", program], capture_output=True, text=True, check=False
    )
    assert done.stderr == ""
    assert done.stdout.startswith("variable")


def test_a_brief_is_one_file_that_asks_for_nothing(call, tmp_path) -> None:
    file = tmp_path / "brief.html"
    done = call("brief", "IND", "USA", "--to", str(file))
    assert done.returncode == 0, done.stderr
    html = file.read_text(encoding="utf-8")
    assert "<svg" in html
    assert not re.findall(r"""(?:src|href)\s*=\s*["'](?:https?:)?//[^"']*\.(?:js|css|png|svg|woff2?)""", html)
    assert "<script src" not in html
    assert len(done.stdout.splitlines()) >= 3
    assert "written" in done.stderr
