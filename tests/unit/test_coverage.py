"""What is known, counted by hand on a chain of five facts; nothing missing becomes a figure."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from monazite.answer import Answer
from monazite.core.errors import ArgumentError, UnknownName
from monazite.core.settings import data_folder
from monazite.draw import specification, svg
from monazite.facts import counting
from monazite.facts.coverage import Coverage, coverage_of
from monazite.facts.folder import Folder
from monazite.facts.rules import FACT_COLUMNS as HEAD
from monazite.report.twin import twins
from monazite.views import coverage_map

GOODS = """commodity,chain,stage,name,basis,unit,element,hs,help
ore,tiny,mine,ore,contained metal,t,,,
metal,tiny,metal,metal,metal,t,,,
"""
DOINGS = """activity,chain,type,stage,reference,name,form,help
dig,tiny,mine,mine,ore,digging,,
smelt,tiny,process,metal,metal,smelting,,
burn,tiny,use,product,,burning,,
"""
SOURCES = """
[sources.survey]
citation = "A survey"
url = ""
licence = "free"
published = "2025"
retrieved = "2026"
next_version = "none"

[sources.press]
citation = "A newspaper"
url = ""
licence = "free"
published = "2026"
retrieved = "2026"
next_version = "none"
"""


def fact(variable: str, value: Any, **more: str) -> dict[str, Any]:
    row = dict.fromkeys(HEAD) | {"variable": variable, "value": value, "unit": "t/yr", "kind": "reported"}
    row |= {"basis": "contained metal", "status": "ok", "source": "survey", "period": "2024"}
    return row | more


FACTS = [
    fact("output", 60, activity="dig", place="CHN"),
    fact("output", 30, activity="dig", place="PER", kind="estimated"),
    fact("output", 45, activity="dig", place="PER", kind="estimated", source="press"),
    fact("output", None, activity="dig", place="RUS", status="withheld"),
    fact("total_output", 120, activity="dig", place="WLD"),
    fact("price", 2.0, commodity="ore", unit="USD/kg", kind="assumed", low="1", high="3"),
    fact("coefficient", 1, commodity="ore", activity="dig", period="", unit="t/t", kind="derived"),
]

Made = Callable[..., Coverage]


@pytest.fixture
def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Made]:
    """Count a folder of the test's own."""

    def counted(rows: list[dict[str, Any]] = FACTS, **asked: Any) -> Coverage:
        home = tmp_path / "chains" / "tiny"
        home.mkdir(parents=True, exist_ok=True)
        (home / "commodities.csv").write_text(GOODS)
        (home / "activities.csv").write_text(DOINGS)
        (tmp_path / "sources").mkdir(exist_ok=True)
        (tmp_path / "sources" / "own.toml").write_text(SOURCES)
        with (home / "facts.csv").open("w", newline="") as file:
            writer = csv.DictWriter(file, HEAD, lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows)
        folder = Folder.at(tmp_path)
        monkeypatch.setattr(counting, "packaged", lambda: folder)
        counting._kept.cache_clear()
        return coverage_of(**asked)

    yield counted
    counting._kept.cache_clear()


def leading(found: Coverage, stage: str) -> dict[str, Any]:
    return found.table.filter(measure="leading_share", stage=stage).row(0, named=True)


def test_the_leading_kind_and_the_reported_share_are_those_of_the_tonnes(made: Made) -> None:
    found = made()
    # of 120 t that the world makes 60 are reported, 45 estimated (the later source), 15 named by nobody
    row = leading(found, "mine")
    assert (row["known"], row["kind"], row["denominator"]) == ("reported", "reported", "tonnes")
    assert row["value"] == pytest.approx(60 / 120)
    shares = found.table.filter(measure="reported_share", stage="mine").select("commodity", "value").rows()
    assert dict(shares) == pytest.approx({None: 0.5, "ore": 0.5})


def test_a_stage_without_facts_is_hollow_and_one_with_a_price_alone_too(made: Made) -> None:
    price = fact("price", 5.0, commodity="metal", unit="USD/kg", basis="metal", kind="reported")
    found = made([*FACTS, price])
    rows = {stage: leading(found, stage) for stage in ("metal", "product")}
    assert all(
        (row["known"], row["status"], row["value"]) == ("missing", "missing", None) for row in rows.values()
    )
    none = (
        found.table.filter(measure="facts", stage="product").select("value", "known", "status", "kind").rows()
    )
    assert none == [(0.0, "missing", "missing", None)]
    assert "2 have no public figure" in found.summary()


def test_withheld_is_counted_as_withheld_and_never_as_a_figure(made: Made) -> None:
    only = [fact("output", None, activity="dig", place=place, status="withheld") for place in ("RUS", "CHN")]
    found = made([*only, fact("output", 1, activity="smelt", place="CHN", basis="metal")])
    assert leading(found, "mine")["known"] == "withheld"
    assert leading(found, "mine")["kind"] is None
    view = coverage_map(found.table)
    cell = view.data.filter(stage="mine").row(0, named=True)
    assert (cell["quality"], cell["text"]) == ("cross", "withheld")


def test_facts_are_counted_once_each_those_that_lost_too(made: Made) -> None:
    table = made().table
    facts = table.filter(measure="facts")
    assert facts["value"].sum() == len(FACTS)
    outputs = facts.filter(variable="output").select("known", "value").rows()
    assert dict(outputs) == {"reported": 1.0, "estimated": 2.0, "withheld": 1.0}
    assert facts.filter(pl.col("period").is_null())["variable"].to_list() == ["coefficient"]
    total = table.filter(pl.col("chain").is_null(), measure="facts_total")
    assert total["value"].sum() == len(FACTS)


def test_a_published_total_of_a_place_stands_for_the_split_of_its_outputs(made: Made) -> None:
    assumed = {"kind": "assumed", "low": "1", "high": "99"}
    split = [fact("output", 50, activity="dig", place="CHN", **assumed)]
    total = fact("total_output", 50, activity="dig", place="CHN")
    assert leading(made(split), "mine")["known"] == "assumed"
    row = leading(made([*split, total]), "mine")
    assert (row["known"], row["value"]) == ("reported", 1.0)


def test_that_every_fact_names_what_it_must_is_said_field_by_field(made: Made) -> None:
    found = made()
    assert found.complete == 1.0
    whole = found.table.filter(measure="complete_share")
    assert whole["denominator"].unique().sort().to_list() == ["basis", "kind", "source", "unit"]


def test_every_chain_stage_and_year_of_the_package_has_its_row() -> None:
    found = coverage_of()
    for chain in found.manifest.extra["chains"]:
        home = data_folder() / "chains" / chain
        stages: set[str] = set()
        for table in ("commodities", "activities"):
            with (home / f"{table}.csv").open(encoding="utf-8", newline="") as file:
                stages |= {row["stage"] for row in csv.DictReader(file)}
        rows = found.table.filter(measure="leading_share", chain=chain)
        wanted = {(stage, year) for stage in stages for year in found.manifest.extra["years"]}
        assert set(rows.select("stage", "period").iter_rows()) == wanted


def test_the_count_of_a_chain_without_customs_lines_is_that_of_its_file() -> None:
    with (data_folder() / "chains" / "rare_earths" / "facts.csv").open(encoding="utf-8", newline="") as file:
        kinds = Counter(row["kind"] for row in csv.DictReader(file))
    total = coverage_of("rare_earths").table.filter(measure="facts_total", chain="rare_earths")
    assert dict(total.select("known", "value").iter_rows()) == kinds


def test_what_is_asked_is_kept_and_what_nobody_knows_is_refused() -> None:
    found = coverage_of(["gallium"], stage="refine", year=2022)
    cells = found.table.filter(pl.col("stage").is_not_null())
    assert set(cells["stage"]) == {"refine"}
    assert set(cells["period"].drop_nulls()) == {"2022"}
    for wrong in ({"chain": "galium"}, {"stage": "refin"}, {"year": 1950}):
        with pytest.raises(UnknownName):
            coverage_of(**wrong)
    with pytest.raises(UnknownName):
        found.explain(place="IND")
    with pytest.raises(ArgumentError):
        found.explain(chain="gallium", stage="mine")


def test_a_cell_tells_the_facts_and_the_sources_behind_it(made: Made) -> None:
    found = made()
    why = found.explain(measure="leading_share", stage="mine", period="2024")
    assert dict(why["counts"].group_by("variable").agg(pl.col("facts").sum()).iter_rows()) == {
        "output": 4, "price": 1, "total output": 1,
    }  # fmt: skip
    assert why["cited"].rows() == [("A survey", 5), ("A newspaper", 1)]


def test_the_answer_has_the_one_face_and_its_picture(made: Made, tmp_path: Path) -> None:
    answer = Answer(made())
    view = answer.view()
    assert view.encoding["picture"] == "coverage"
    assert specification(view)["description"] == view.sentence
    assert answer.to_file(tmp_path / "known.svg").read_text().startswith("<svg")
    assert answer.to_file(tmp_path / "known.csv").read_text().count("\n") == answer.table.height + 1
    (table,) = twins(view)
    assert table.height == view.data.select("row", "block").unique().height


def test_each_mark_has_a_form_of_its_own() -> None:
    """In grey all of them can be told apart: by what is drawn, not by the colour of it."""
    rows = {
        "reported": "ok",
        "estimated": "ok",
        "assumed": "ok",
        "withheld": "withheld",
        "missing": "missing",
    }
    looks = set()
    for known, status in rows.items():
        table = pl.DataFrame({
            "measure": ["leading_share"], "chain": ["tin"], "stage": ["mine"], "period": ["2024"],
            "value": [None if status != "ok" else 1.0], "known": [known], "status": [status],
        })  # fmt: skip
        layers = [
            layer["mark"] for layer in specification(coverage_map(table))["layer"]
            if layer["data"]["values"] and "cell_id" in layer["data"]["values"][0]
        ]  # fmt: skip
        looks.add(tuple(
            (mark["type"], bool(mark.get("strokeDash")), mark.get("fill") == mark.get("stroke"),
             "A" if "a" in str(mark.get("shape", "")) else str(mark.get("shape", ""))[:9])
            for mark in layers
        ))  # fmt: skip
        assert "<svg" in svg(coverage_map(table))
    assert len(looks) == len(rows)


def test_a_view_without_cells_is_refused() -> None:
    with pytest.raises(ArgumentError):
        coverage_map(pl.DataFrame({"measure": ["facts"]}))
    empty = coverage_of("toy").table.filter(measure="facts")
    with pytest.raises(ArgumentError):
        coverage_map(empty)
