"""``monazite data``: bad facts tables are refused row by row; good ones pass; sources can be followed."""

from __future__ import annotations

import csv
import json

import pytest

HEAD = [
    "variable",
    "commodity",
    "activity",
    "place",
    "partner",
    "period",
    "value",
    "low",
    "high",
    "unit",
    "basis",
    "kind",
    "status",
    "source",
    "locator",
    "note",
]

GOOD = {
    "variable": "trade",
    "commodity": "dy_oxide",
    "place": "CHN",
    "partner": "JPN",
    "period": "2024",
    "value": "100",
    "low": "50",
    "high": "150",
    "unit": "t/yr",
    "basis": "oxide",
    "kind": "assumed",
    "status": "ok",
    "source": "assumption",
    "note": "invented for this test",
}


def _write(path, *rows):
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, HEAD)
        writer.writeheader()
        writer.writerows(rows)
    return path


def test_a_good_table_passes(monazite, tmp_path) -> None:
    file = _write(tmp_path / "good.csv", GOOD)
    done = monazite("data", "check", str(file))
    assert (done.returncode, done.stdout) == (0, ""), done.stdout
    assert "nothing wrong" in done.stderr


SHARE = {
    "variable": "cohort_share",
    "basis": "none",
    "unit": "1",
    "kind": "assumed",
    "status": "ok",
    "source": "assumption",
    "note": "invented for this test",
}

BAD = {
    "missing unit": ([{**GOOD, "unit": ""}], "unit"),
    "unknown unit": ([{**GOOD, "unit": "t/yrr"}], "t/yr"),
    "unknown basis": ([{**GOOD, "basis": "oxyde"}], "oxide"),
    "duplicate": ([GOOD, GOOD], "2"),
    "no source": ([{**GOOD, "source": ""}], "source"),
    "unknown source": ([{**GOOD, "source": "assumtion"}], "assumption"),
    "unknown commodity": ([{**GOOD, "commodity": "dy_oxid"}], "dy_oxide"),
    "unknown place": ([{**GOOD, "place": "CHNN"}], "CHN"),
    "unknown variable": ([{**GOOD, "variable": "trad"}], "trade"),
    "disordered range": ([{**GOOD, "low": "120"}], "low"),
    "shares over 100 %": (
        [
            {**SHARE, "activity": "c1", "value": "0.7", "low": "0.6", "high": "0.8"},
            {**SHARE, "activity": "c2", "value": "0.5", "low": "0.4", "high": "0.6"},
        ],
        "100",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_table_is_refused_with_its_row(call, tmp_path, empty, name) -> None:
    rows, says = BAD[name]
    file = _write(tmp_path / "bad.csv", *rows)
    done = call("data", "check", str(file), cwd=empty)
    assert done.returncode == 4, done.stderr
    assert says in done.stdout
    assert "Traceback" not in done.stderr


def test_problems_come_as_json_too(monazite, tmp_path) -> None:
    file = _write(tmp_path / "bad.csv", {**GOOD, "unit": ""})
    done = monazite("data", "check", str(file), "--json")
    assert done.returncode == 4
    assert {"row", "column", "message"} <= set(json.loads(done.stdout)[0])


@pytest.mark.parametrize("text", [b"", b"not,a,table\n1,2,3\n", b"\xff\xfe\x00", b"variable\n"])
def test_what_is_no_facts_table_is_refused(call, tmp_path, text) -> None:
    file = tmp_path / "strange.csv"
    file.write_bytes(text)
    done = call("data", "check", str(file))
    assert done.returncode == 4
    assert "Traceback" not in done.stderr


def test_every_fact_shown_has_a_source_that_is_listed(call) -> None:
    facts = json.loads(call("data", "show", "--chain", "rare_earths", "--json").stdout)
    sources = {row["source"] for row in json.loads(call("data", "sources", "--json").stdout)}
    assert facts
    assert {row["source"] for row in facts} <= sources


def test_list_names_chains_and_years(call) -> None:
    rows = json.loads(call("data", "list", "--json").stdout)
    found = {(row["what"], row["name"]) for row in rows}
    assert {
        ("chain", "rare_earths"),
        ("chain", "gallium"),
        ("group", "QUAD"),
        ("control", "CN-REE-APR2025"),
    } <= found


def test_columns_of_a_facts_table_are_told(call) -> None:
    rows = json.loads(call("data", "list", "--columns", "--json").stdout)
    assert [row["column"] for row in rows] == HEAD
