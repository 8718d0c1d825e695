"""A correction changes exactly the figure it names, and fails loudly once the source has mended itself."""

from __future__ import annotations

from typing import Any

import pytest

from monazite.core.errors import FactsError
from monazite.core.settings import data_folder
from monazite.facts import load
from monazite.facts.corrections import read_corrections

World = Any

ENTRY = """\
[[correction]]
id = "oxide-price"
chain = "little"
select = { variable = "price", commodity = "little_oxide", source = "survey_old" }
expected = 250
correct = 205
what = "two digits changed places"
why = "the quarterly tables of the same survey say 205"
whose = "the survey"
status = "reported"
"""


def write(world: World, text: str = ENTRY) -> None:
    (world.folder / "corrections.toml").write_text(text, encoding="utf-8")


def test_the_right_figure_takes_the_place_of_the_wrong_one(world: World) -> None:
    write(world)
    row = load(path=world.folder).select("price").row(0, named=True)
    assert row["value"] == 205
    assert "oxide-price" in row["correction"]
    assert "250" in row["correction"]
    assert "two digits changed places" in row["correction"]
    others = load(path=world.folder).frame.filter(variable="output")
    assert others["correction"].null_count() == others.height


def test_explain_tells_of_it(world: World) -> None:
    write(world)
    table = load(path=world.folder)
    assert "205" in table.explain(table.select("price")["fact_id"])["correction"].item()


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"value": "205"}, "the source has mended itself"),
        ({"commodity": "little_rest"}, "finds 0"),
        ({"source": "survey_new"}, "finds 0"),
    ],
)
def test_a_correction_that_no_longer_fits_stops_loading(
    world: World, change: dict[str, str], says: str
) -> None:
    write(world)
    world.change("price", **change)
    with pytest.raises(FactsError, match=says) as caught:
        load(path=world.folder)
    assert "oxide-price" in str(caught.value)


def test_a_correction_must_single_out_one_row(world: World) -> None:
    write(world, ENTRY.replace('commodity = "little_oxide", ', ""))
    world.add(variable="price", commodity="little_rest", period="2024", value="2", basis="oxide")
    with pytest.raises(FactsError, match="finds 2"):
        load(path=world.folder)


def test_numbers_are_compared_as_numbers_and_a_blank_can_be_expected(world: World) -> None:
    world.change("price", value="250.0")
    other = ENTRY.replace("oxide-price", "low").replace("correct = 205", "correct = 200")
    write(world, ENTRY + other.replace("expected = 250", 'expected = ""\ncolumn = "low"'))
    row = load(path=world.folder).select("price").row(0, named=True)
    assert (row["value"], row["low"]) == (205, 200)


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ('why = "the quarterly tables of the same survey say 205"\n', "", "no why"),
        ("whose", "who", "no whose"),
        ('status = "reported"', 'status = "reportd"', "reported"),
        ("select = {", 'column = "valu"\nselect = {', "value"),
        ("variable =", "varible =", "variable"),
        ("expected = 250", "expected = 250\nexpcted = 3", "expected"),
    ],
)
def test_a_wrong_entry_is_refused_by_name(world: World, old: str, new: str, says: str) -> None:
    write(world, ENTRY.replace(old, new))
    with pytest.raises(FactsError, match=says):
        load(path=world.folder)


def test_a_correction_of_another_chain_is_left_aside(world: World) -> None:
    write(world, ENTRY.replace('chain = "little"', 'chain = "other"'))
    assert load(path=world.folder).select("price")["value"].item() == 250


def test_the_packaged_corrections_are_well_formed() -> None:
    for entry in read_corrections(data_folder() / "corrections.toml"):
        assert entry.what
        assert entry.why
