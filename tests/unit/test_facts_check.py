"""Checking a file: every problem, each with row, column and the nearest right name, and never a traceback."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from monazite.core.errors import ArgumentError
from monazite.core.settings import data_folder
from monazite.facts.check import check_file
from monazite.facts.folder import packaged
from monazite.facts.rules import FACT_COLUMNS

World = Any
HEAD = ",".join(FACT_COLUMNS)
OUTPUT = {"variable": "output", "activity": "little_mine", "place": "IND", "period": "2024", "value": "10"}
TRADE = {
    "variable": "trade",
    "commodity": "little_ore",
    "place": "IND",
    "partner": "USA",
    "period": "2024",
    "value": "10",
}
USE = {
    "variable": "use",
    "commodity": "little_ore",
    "activity": "little_lamp",
    "place": "USA",
    "period": "2024",
    "value": "10",
}
LIMITS = {**OUTPUT, "value": "", "low": "2", "high": "1", "status": "withheld"}

#: the cells of one more fact, the column that is wrong, the rule, words of the message
WRONG: list[tuple[dict[str, str], str | None, str, str]] = [
    ({**OUTPUT, "unit": ""}, "unit", "empty_cell", "the unit is missing"),
    ({**OUTPUT, "basis": ""}, "basis", "empty_cell", "the basis is missing"),
    ({**OUTPUT, "kind": ""}, "kind", "empty_cell", "the kind is missing"),
    ({**OUTPUT, "status": ""}, "status", "empty_cell", "the status is missing"),
    ({**OUTPUT, "source": ""}, "source", "no_source", "has no source"),
    ({**OUTPUT, "variable": ""}, "variable", "empty_cell", "the variable is missing"),
    ({**OUTPUT, "variable": "outptu"}, "variable", "unknown_variable", "did you mean 'output'"),
    ({**OUTPUT, "unit": "t/yrr"}, "unit", "unknown_unit", "did you mean 't/yr'"),
    ({**OUTPUT, "unit": "USD/kg"}, "unit", "unit_wrong", "use 't/yr'"),
    ({**OUTPUT, "basis": "RE0"}, "basis", "unknown_basis", "did you mean 'REO'"),
    ({**OUTPUT, "basis": "oxide"}, "basis", "basis_differs", "counted on basis 'REO'"),
    ({**TRADE, "basis": "gross weight"}, "basis", "basis_differs", "with a cited factor"),
    ({**OUTPUT, "kind": "reportd"}, "kind", "unknown_kind", "did you mean 'reported'"),
    ({**OUTPUT, "status": "widthheld"}, "status", "unknown_status", "did you mean 'withheld'"),
    ({**OUTPUT, "source": "survey_od"}, "source", "unknown_source", "did you mean 'survey_old'"),
    ({**OUTPUT, "place": "India"}, "place", "unknown_place", "did you mean 'IND'"),
    ({**OUTPUT, "place": "WLD"}, "place", "world", "totals only"),
    ({**OUTPUT, "place": ""}, "place", "needed", "output needs a place"),
    ({**OUTPUT, "period": ""}, "period", "needed", "output needs a period"),
    ({**OUTPUT, "commodity": "little_ore"}, "commodity", "unused", "leave the cell empty"),
    ({**OUTPUT, "activity": "litle_mine"}, "activity", "unknown_activity", "did you mean 'little_mine'"),
    ({**OUTPUT, "activity": "little_lamp"}, "activity", "not_a_maker", "is an end use"),
    ({**USE, "activity": "little_mine"}, "activity", "not_a_use", "is no end use"),
    ({**USE, "activity": "little_lmap"}, "activity", "unknown_use", "did you mean 'little_lamp'"),
    ({**TRADE, "commodity": "little_oer"}, "commodity", "unknown_commodity", "did you mean 'little_ore'"),
    ({**TRADE, "partner": "IND"}, "partner", "to_itself", "from IND to itself"),
    ({**OUTPUT, "period": "2024-13"}, "period", "period", "'2024-13' is no period"),
    ({**OUTPUT, "period": "24"}, "period", "period", "'24' is no period"),
    ({**OUTPUT, "value": "many"}, "value", "number", "'many' is not a number"),
    ({**OUTPUT, "value": "1,000"}, "value", "number_comma", "without commas"),
    ({**OUTPUT, "value": "nan"}, "value", "number", "not a number"),
    ({**OUTPUT, "value": "inf"}, "value", "number", "not a number"),
    ({**OUTPUT, "low": "?"}, "low", "number", "'?' is not a number"),
    ({**OUTPUT, "value": ""}, "value", "no_figure", "a status that says why"),
    ({**OUTPUT, "low": "11"}, "low", "disordered", "low 11 is above value 10"),
    ({**OUTPUT, "high": "9"}, "high", "disordered", "value 10 is above high 9"),
    (LIMITS, "low", "disordered", "above high 1"),
    ({**OUTPUT, "value": "-1"}, "value", "sign_nonnegative", "not be below zero"),
    ({"variable": "price", "commodity": "little_ore", "period": "2024", "value": "0"},
     "value", "sign_positive", "above zero"),
    ({"variable": "elasticity_demand", "activity": "little_lamp", "commodity": "little_ore", "value": "0.2",
      "unit": "1", "basis": "none"}, "value", "sign_negative", "below zero"),
    ({"variable": "content", "commodity": "little_ore", "activity": "Dy!", "value": ".1", "unit": "t/t"},
     "activity", "element", "is no element"),
    ({"variable": "cohort_share", "activity": "c5", "value": ".1", "basis": "none"},
     "activity", "unknown_cohort", "known: c1, c2, c3, c4"),
    ({"variable": "total_output", "activity": "little_mine;little_plan", "period": "2024", "value": "9"},
     "activity", "unknown_activity", "did you mean 'little_plant'"),
    ({"variable": "cohort_share", "activity": "c3", "value": "0.4", "basis": "none"},
     "value", "shares_above", "sum to 110 %"),
    ({"variable": "cohort_share", "activity": "c4", "value": "120", "unit": "%", "basis": "none"},
     "value", "share_above", "the share is 120 %"),
    ({"variable": "new_link", "commodity": "little_ore", "value": "1.5", "basis": "none"},
     "value", "share_above", "150 %"),
    ({"variable": "coefficient", "commodity": "little_rest", "activity": "little_plant", "place": "IND",
      "value": "0.8", "unit": "t/t"}, "value", "basket_above", "little_plant at IND gives 110.0 %"),
]  # fmt: skip


def test_a_right_table_has_no_problem(world: World) -> None:
    assert check_file(world.facts) == []


@pytest.mark.parametrize(("cells", "column", "rule", "says"), WRONG)
def test_what_is_wrong_is_named(
    world: World, cells: dict[str, str], column: str | None, rule: str, says: str
) -> None:
    row = world.add(**cells)
    everything = check_file(world.facts)
    found = [item for item in everything if item.key == f"data.{rule}"]
    assert [(item.row, item.column) for item in found] == [(row, column)]
    assert {item.row for item in everything} == {row}
    assert says in found[0].message
    assert str(found[0]).startswith(f"row {row}, column {column}: ")


def test_all_problems_are_named_not_only_the_first(world: World) -> None:
    world.add(**{**OUTPUT, "unit": "", "basis": "oxidd", "place": "XXX", "value": "x", "source": ""})
    assert [item.column for item in check_file(world.facts)] == ["place", "value", "unit", "basis", "source"]


def test_the_nearest_name_is_given_apart(world: World) -> None:
    world.add(**{**OUTPUT, "place": "Germny"})
    assert [item.nearest for item in check_file(world.facts)] == ["DEU"]


def test_a_duplicate_names_the_first_row_and_another_source_is_no_duplicate(world: World) -> None:
    world.add(**{**world.rows[4], "source": "survey_new", "value": "2000"})
    assert check_file(world.facts) == []
    row = world.add(**{**world.rows[4], "value": "2000"})
    (found,) = check_file(world.facts)
    assert (found.row, found.key) == (row, "data.duplicate")
    assert "row 6" in found.message


def test_lists_totals_and_units_of_one_kind_are_fine(world: World) -> None:
    total = {"variable": "total_output", "activity": "little_mine; little_plant", "period": "2024"}
    world.add(**total, value="2", place="WLD", unit="kt/yr")
    total = {"variable": "total_use", "commodity": "little_oxide;little_rest", "period": "2024", "value": "2"}
    world.add(**total, basis="oxide")
    world.add(**{**OUTPUT, "value": "", "low": "50", "status": "withheld"})
    world.add(variable="cohort_share", activity="c3", value="30", unit="%", basis="none")
    assert check_file(world.facts) == []


def lines(world: World) -> list[str]:
    return list(world.facts.read_text(encoding="utf-8").splitlines())


#: what is done to the bytes of a right table, the row, the rule
BROKEN: dict[str, tuple[Callable[[bytes], bytes], int | None, str]] = {
    "empty": (lambda _: b"", None, "empty_file"),
    "blank": (lambda _: b"\xef\xbb\xbf\r\n \n", None, "empty_file"),
    "header only": (lambda data: data.split(b"\n")[0] + b"\n", None, "no_rows"),
    "utf-16": (lambda data: data.decode().encode("utf-16"), 1, "encoding"),
    "latin-1": (lambda data: data.replace(b"IND", "Brésil".encode("latin-1"), 1), 8, "encoding"),
    "NUL": (lambda data: data.replace(b"IND", b"I\0D", 1), 8, "nul"),
    "semicolons": (lambda data: data.replace(b",", b";"), 1, "delimiter"),
    "tabs": (lambda data: data.replace(b",", b"\t"), 1, "delimiter"),
    "a column gone": (lambda data: data.replace(b",unit,", b",", 1), 1, "header_missing"),
    "a column misspelt": (lambda data: data.replace(b",unit,", b",units,", 1), 1, "header_misspelt"),
    "a column more": (lambda data: data.replace(b"note", b"note,extra", 1), 1, "header_unexpected"),
    "a column twice": (lambda data: data.replace(b"note", b"note,note", 1), 1, "header_twice"),
    "a cell more": (lambda data: data.replace(b"IND,", b"IND,,", 1), 8, "cell_count"),
    "a cell less": (lambda data: data.replace(b",IND,", b",", 1), 8, "cell_count"),
    "an open quotation": (lambda data: data + b'output,"', None, "unreadable"),
    "no table at all": (lambda _: b"not,a,table\n1,2,3\n", 1, "header_missing"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_file_is_named(world: World, name: str) -> None:
    spoil, row, rule = BROKEN[name]
    world.facts.write_bytes(spoil(world.facts.read_bytes()))
    found = check_file(world.facts)
    assert (row, f"data.{rule}") in [(item.row, item.key) for item in found]


def test_good_rows_are_checked_beside_broken_ones(world: World) -> None:
    row = world.add(**{**OUTPUT, "unit": ""})
    with world.facts.open("a") as file:
        file.write("one,two\n")
    assert [(item.row, item.key) for item in check_file(world.facts)] == [
        (row, "data.empty_cell"),
        (row + 1, "data.cell_count"),
    ]


def test_byte_order_mark_line_ends_order_of_columns_and_spaces_do_not_matter(world: World) -> None:
    text = world.facts.read_text(encoding="utf-8").replace("output,", " output ,")
    turned = "\r\n".join(",".join(reversed(line.split(","))) for line in text.splitlines())
    world.facts.write_bytes(b"\xef\xbb\xbf" + turned.encode() + b"\r\n\r\n")
    assert check_file(world.facts) == []


def test_a_table_far_from_any_chain_uses_the_packaged_names(tmp_path: Path) -> None:
    file = tmp_path / "own.csv"
    row = "trade,toy_ore,,USA,CHN,2024,1,,,t/yr,gross weight,reported,ok,toy,,"
    file.write_text(f"{HEAD}\n{row}\n{row.replace('toy_ore', 'toy_oer').replace('CHN', 'IND')}\n")
    (found,) = check_file(file)
    assert found.nearest == "toy_ore"


def test_sources_beside_the_table_are_known(tmp_path: Path) -> None:
    file = tmp_path / "own.csv"
    file.write_text(f"{HEAD}\ntrade,toy_ore,,USA,CHN,2024,1,,,t/yr,gross weight,reported,ok,mine,,\n")
    assert [item.column for item in check_file(file)] == ["source"]
    (tmp_path / "sources.toml").write_text('[sources.mine]\ncitation = "c"\n')
    assert check_file(file) == []
    (tmp_path / "sources.toml").write_text("[sources.mine\n")
    assert "data.toml" in [item.key for item in check_file(file)]


def test_commodities_and_activities_are_checked_too(world: World) -> None:
    goods, doings = world.chain / "commodities.csv", world.chain / "activities.csv"
    assert check_file(goods) == check_file(doings) == []
    text = goods.read_text().replace("refine", "refin").replace("253090", "25309").replace(",REO", ",REE")
    goods.write_text(text)
    assert [(item.row, item.column) for item in check_file(goods)] == [
        (2, "basis"), (2, "hs"), (3, "stage"), (4, "stage"),
    ]  # fmt: skip
    doings.write_text(doings.read_text().replace("process", "proces").replace("mine,little_ore", "mine,"))
    assert {(item.row, item.column) for item in check_file(doings)} == {(2, "reference"), (3, "type")}


def test_toml_files_are_checked_too(tmp_path: Path) -> None:
    file = tmp_path / "sources.toml"
    file.write_text('[sources.a]\ncitation = "c"\nlicence = "l"\nretrieved = "2026"\nulr = "u"\n')
    (found,) = check_file(file)
    assert found.nearest == "url"
    file.write_text('[[correction]]\nid = "x"\n')
    assert "no chain" in str(check_file(file)[0])
    file.write_text("=")
    assert [item.key for item in check_file(file)] == ["data.toml"]
    file.write_text('id = "nothing"\n')
    assert check_file(file)


def test_no_file_is_a_wrong_argument(tmp_path: Path) -> None:
    for path in (tmp_path / "none.csv", tmp_path):
        with pytest.raises(ArgumentError):
            check_file(path)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.binary(max_size=300)
    | st.lists(st.lists(st.text(max_size=8), min_size=16, max_size=16), max_size=4).map(
        lambda rows: "\n".join([HEAD, *(",".join(row) for row in rows)]).encode("utf-8", "replace")
    )
)
def test_no_bytes_make_it_fail(tmp_path: Path, data: bytes) -> None:
    for name in ("any.csv", "any.toml"):
        file = tmp_path / name
        file.write_bytes(data)
        for item in check_file(file):
            assert item.message


@pytest.mark.parametrize("chain", packaged().names())
@pytest.mark.parametrize("table", ["commodities", "activities", "facts"])
def test_the_packaged_tables_are_right(chain: str, table: str) -> None:
    assert [str(item) for item in check_file(packaged().chains / chain / f"{table}.csv")] == []


@pytest.mark.parametrize("path", sorted((data_folder()).rglob("*.toml")), ids=lambda path: path.name)
def test_the_packaged_toml_files_are_right(path: Path) -> None:
    if path.name != "corrections.toml":
        assert [str(item) for item in check_file(path)] == []
