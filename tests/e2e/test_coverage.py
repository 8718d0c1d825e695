"""``monazite data coverage``: every stage of every chain, counted, in all forms; what is wrong is refused."""

from __future__ import annotations

import csv
import io
import json

from monazite import facts


def test_every_chain_and_stage_is_told_as_json(monazite) -> None:
    done = monazite("data", "coverage", "--json")
    assert (done.returncode, done.stderr) == (0, "")
    document = json.loads(done.stdout)
    assert {"summary", "table", "sources", "manifest"} == set(document)
    cells = [row for row in document["table"] if row["measure"] == "leading_share"]
    assert {row["chain"] for row in cells} == set(facts.chains())
    assert {row["known"] for row in cells} <= {
        "reported", "derived", "estimated", "assumed", "modelled", "withheld", "missing",
    }  # fmt: skip
    whole = [row for row in document["table"] if row["measure"] == "complete_share" and row["chain"] is None]
    assert {row["denominator"]: row["value"] for row in whole} == dict.fromkeys(
        ("source", "unit", "basis", "kind"), 1.0
    )
    counts = {row["known"]: row["value"] for row in document["table"]
              if row["measure"] == "facts_total" and row["chain"] is None}  # fmt: skip
    assert {"reported", "estimated", "derived", "assumed"} <= set(counts)
    assert sum(counts.values()) == sum(r["value"] for r in document["table"] if r["measure"] == "facts")


def test_the_table_is_printed_with_its_counts(monazite) -> None:
    done = monazite("data", "coverage", "--chain", "gallium", "--chain", "rare_earths", "--year", "2024")
    assert done.returncode == 0, done.stderr
    for word in ("Gallium", "Rare earths", "Refining", "Scrap", "reported", "assumed", "2024"):
        assert word in done.stdout
    assert "2022" not in done.stdout


def test_it_comes_as_csv_and_as_a_picture(monazite, tmp_path) -> None:
    done = monazite("data", "coverage", "--chain", "gallium", "--csv")
    rows = list(csv.DictReader(io.StringIO(done.stdout)))
    assert {row["chain"] for row in rows} == {"gallium", ""}
    picture = tmp_path / "known.svg"
    done = monazite("data", "coverage", "--stage", "mine", "--to", str(picture))
    assert done.returncode == 0, done.stderr
    assert picture.read_text().startswith("<svg")


def test_what_nobody_knows_is_refused_with_the_nearest_name(monazite, empty) -> None:
    wrong = {
        ("--chain", "galium"): "gallium",
        ("--stage", "refin"): "refine",
        ("--year", "1950"): "2024",
        ("--to", "known.doc"): "svg",
        ("--json", "--csv"): "--csv",
    }
    for words, says in wrong.items():
        done = monazite("data", "coverage", *words, cwd=empty)
        assert done.returncode == 2, words
        assert says in done.stderr
        assert "Traceback" not in done.stderr
