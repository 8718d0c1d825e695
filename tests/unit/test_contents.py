"""The brief of the two real controls, and the record beside the answers."""

from __future__ import annotations

import re

import polars as pl
import pytest

from monazite.core.errors import Refused, UnknownName
from monazite.market.scenario import ExportControl
from monazite.report import Brief, contents
from monazite.report.contents import CONTROLS, compose
from monazite.stress import Stress, control_by_id, stress, world_for


@pytest.fixture(scope="module")
def gallium() -> Stress:
    control = control_by_id("CN-GAGE-2023", "observed")
    return stress(world_for(control), control, horizon=6, group="QUAD")


@pytest.fixture(scope="module")
def brief() -> Brief:
    """A short brief: four months instead of twenty-four, the same code."""
    before = contents.HORIZON
    contents.HORIZON = 4
    try:
        return compose(["IND", "USA"])
    finally:
        contents.HORIZON = before


def test_imposed_path_keeps_exports_under_the_record(gallium: Stress) -> None:
    rows = gallium.record().filter((pl.col("what") == "exports") & pl.col("modelled").is_not_null())
    assert rows.height
    assert (rows["modelled"] <= rows["observed"] * 1.02 + 0.01).all()


def test_a_point_without_a_figure_of_its_kind_stays_null(gallium: Stress) -> None:
    assert gallium.record().filter(pl.col("what") == "licence_days")["modelled"].null_count() == 1


def test_the_record_never_enters_the_run_without_it() -> None:
    control = control_by_id("CN-GAGE-2023")
    from dataclasses import replace

    bare = replace(control, observed=())
    world = world_for(control)
    one, two = stress(world, control, horizon=3), stress(world, bare, horizon=3)
    assert one.table.equals(two.table)


def test_latest_world_before_the_event_is_taken() -> None:
    assert world_for(control_by_id("CN-GAGE-2023")).year == 2022
    assert world_for(control_by_id("CN-REE-APR2025")).year == 2024
    assert world_for(ExportControl("CHN", "gallium_4n", start="2027-01")).year == 2024


def test_a_world_that_contains_the_control_is_refused_with_the_reason() -> None:
    control = control_by_id("CN-GAGE-2023")
    with pytest.raises(Refused, match="2022"):
        stress(world_for(control, year=2024), control, horizon=2)


def test_no_world_before_the_event_is_refused() -> None:
    with pytest.raises(Refused, match="1999"):
        world_for(ExportControl("CHN", "dy_oxide", start="1999-01"))


def test_brief_names_its_subjects_and_both_controls(brief: Brief) -> None:
    text = brief.html()
    for word in ("India", "United States", "Quad", *(control_by_id(c).title for c in CONTROLS)):
        assert word in text


def test_brief_is_one_file_without_requests(brief: Brief) -> None:
    text = brief.html()
    assert "<script" not in text
    outside = re.findall(r'(?:src|href)="(https?://[^"]+)"', re.sub(r"<a [^>]*>", "", text))
    assert outside == []


def test_brief_says_what_is_not_known(brief: Brief) -> None:
    assert len(brief.unknown) >= 4
    assert any("assumed" in sentence for sentence in brief.unknown)


def test_brief_speaks_neutrally(brief: Brief) -> None:
    own = [brief.title, brief.subtitle, brief.summary(), *brief.unknown, *(s.heading for s in brief.sections)]
    text = " ".join(own).lower()
    for word in ("adversar", "hostile", "enemy", "weapon"):
        assert word not in text


def test_brief_for_nobody_known_is_refused() -> None:
    with pytest.raises(UnknownName, match="IND"):
        compose(["INDD"])
