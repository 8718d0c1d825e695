"""One form of a result table: columns, types, stable cell ids, refusals."""

from __future__ import annotations

import hashlib

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monazite.core.errors import MonaziteError, UnknownName
from monazite.core.result import TABLE_COLUMNS, Result, cell_id, finish_table

ROWS = {
    "measure": ["share", "share", "hhi"],
    "place": ["IND", "USA", "IND"],
    "by": ["CHN", "CHN", None],
    "value": [0.5, 0.25, float("nan")],
    "low": [0.4, None, None],
    "high": [0.6, None, None],
    "unit": ["1", "1", "1"],
    "kind": ["modelled"] * 3,
    "status": ["ok", "ok", "insufficient"],
}


def test_missing_columns_are_null_and_nan_is_missing() -> None:
    table = finish_table(pl.DataFrame(ROWS))
    assert tuple(table.columns) == TABLE_COLUMNS
    assert table["value"].to_list() == [0.5, 0.25, None]
    assert table["chain"].null_count() == 3
    assert table["chain"].dtype == pl.String


def test_an_empty_table_has_the_same_form() -> None:
    for frame in (pl.DataFrame(), pl.DataFrame(ROWS).clear()):
        table = finish_table(frame)
        assert (table.height, tuple(table.columns)) == (0, TABLE_COLUMNS)
        assert table.schema == finish_table(pl.DataFrame(ROWS)).schema


def test_cell_ids_are_the_documented_hash_and_do_not_depend_on_order() -> None:
    table = finish_table(pl.DataFrame(ROWS))
    first = hashlib.sha1(b"share||||IND|CHN|").hexdigest()[:12]
    assert table["cell_id"][0] == first
    turned = finish_table(pl.DataFrame(ROWS).reverse().select(reversed(list(ROWS))))
    assert set(turned["cell_id"]) == set(table["cell_id"])
    assert finish_table(table).equals(table)


def test_extra_key_columns_make_other_cells_and_null_ones_do_not() -> None:
    frame = pl.DataFrame({"measure": ["s"] * 2, "cohort": ["c1", None], "rank": [1, 2]})
    table = finish_table(frame)
    assert table.columns == [*TABLE_COLUMNS, "cohort", "rank"]
    assert table["cell_id"][1] == cell_id("s", *[None] * 6)
    assert table["cell_id"][0] == cell_id("s", *[None] * 6, cohort="c1")


def test_two_rows_of_one_cell_are_refused() -> None:
    with pytest.raises(MonaziteError, match=r"measure share, place IND"):
        finish_table(pl.DataFrame({"measure": ["share"] * 2, "place": ["IND"] * 2, "value": [1.0, 2.0]}))


def test_a_column_that_is_not_listed_is_refused() -> None:
    with pytest.raises(MonaziteError, match="surprise"):
        finish_table(pl.DataFrame({"measure": ["share"], "surprise": [1]}))


@pytest.mark.parametrize(
    ("column", "given_", "near"),
    [("kind", "reportd", "reported"), ("status", "okay", "ok"), ("unit", "t/yrr", "t/yr"),
     ("basis", "oxid", "oxide"), ("stage", "refin", "refine")],
)  # fmt: skip
def test_names_come_from_the_schema(column: str, given_: str, near: str) -> None:
    with pytest.raises(UnknownName) as caught:
        finish_table(pl.DataFrame({"measure": ["share"], column: [given_]}))
    assert caught.value.nearest[0] == near


def test_an_interval_out_of_order_is_refused_and_rounding_is_not() -> None:
    frame = pl.DataFrame({"measure": ["share"], "value": [0.3], "low": [0.4], "high": [0.5]})
    with pytest.raises(MonaziteError, match="measure share"):
        finish_table(frame)
    finish_table(frame.with_columns(value=0.1 + 0.2, low=0.3, high=0.3))


names = st.one_of(st.none(), st.text("abc|", max_size=3))


@given(st.lists(st.tuples(*[names] * 7), max_size=6, unique=True))
def test_the_id_is_a_function_of_the_key_alone(keys: list[tuple[str | None, ...]]) -> None:
    columns = ("measure", "chain", "commodity", "place", "by", "period", "use")
    frame = pl.DataFrame(keys, schema=dict.fromkeys(columns, pl.String), orient="row")
    wanted = [cell_id(m, ch, None, co, p, b, pe, use=u) for m, ch, co, p, b, pe, u in keys]
    if len(set(wanted)) == len(wanted):
        assert finish_table(frame)["cell_id"].to_list() == wanted


def test_anything_with_the_face_is_a_result() -> None:
    class Answer:
        table = sources = manifest = None

        def summary(self) -> str:
            return ""

        def explain(self, **selection: object) -> None:
            return None

    assert isinstance(Answer(), Result)
    assert not isinstance(object(), Result)


def test_a_swing_has_ends_and_a_distance() -> None:
    """Its low and high are the headline at either end of a cause: neither holds the value between them."""
    ends = {"measure": ["headline_swing"], "cause": ["cover"], "value": [0.1], "low": [0.5], "high": [0.4]}
    assert finish_table(pl.DataFrame(ends))["value"].item() == 0.1
    with pytest.raises(MonaziteError):
        finish_table(pl.DataFrame({**ends, "measure": ["headline"]}))
