"""Facilities: shares stay within 100 %, control follows its rule, what nobody covers stays unknown."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from monazite import facts
from monazite.core.errors import FactsError, UnknownName
from monazite.core.settings import data_folder
from monazite.facts import facilities as module
from monazite.facts.facilities import (
    UNKNOWN,
    capacity,
    capacity_beyond,
    facilities,
    load_facilities,
    owner_shares,
)
from monazite.facts.folder import packaged
from monazite.facts.records import activity_bases

TABLES = ("facilities", "owners", "idle", "control")
Copy = Callable[..., Path]


def _write(path: Path, rows: list[dict[str, str]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)


@pytest.fixture
def copy(tmp_path: Path) -> Copy:
    """Copy the packaged tables with one row of one of them changed, or one added."""

    def make(table: str, row: int = 0, *, more: bool = False, **cells: str) -> Path:
        for name in TABLES:
            with (data_folder() / f"{name}.csv").open(encoding="utf-8", newline="") as file:
                rows = list(csv.DictReader(file))
            if name == table and more:
                rows.append(rows[row] | cells)
            elif name == table:
                rows[row] |= cells
            _write(tmp_path / f"{name}.csv", rows)
        return tmp_path

    return make


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., pl.DataFrame]:
    """Make facilities of the toy's mines and give the shares that follow."""
    plant = dict.fromkeys(load_facilities().facilities.columns, "") | {
        "mineral": "toy", "chain": "toy", "activity": "mine_toy", "stage": "mine", "unit": "t/yr",
        "basis": "contained metal", "measured": "capacity", "year": "2024", "phase": "operating",
        "kind": "reported", "status": "ok", "source": "assumption",
    }  # fmt: skip
    holder = dict.fromkeys(load_facilities().owners.columns, "") | {
        "role": "equity", "kind": "reported", "source": "assumption",
    }  # fmt: skip

    def make(plants: list[tuple[str, str, float]], held: list[dict[str, str]]) -> pl.DataFrame:
        basis = activity_bases()["toy", "mine_toy"][1]
        _write(
            tmp_path / "facilities.csv",
            [plant | {"facility": n, "place": p, "capacity": str(c), "basis": basis} for n, p, c in plants],
        )
        _write(tmp_path / "owners.csv", [holder | {"owner": "x", **row} for row in held])
        for name in ("idle", "control"):
            (tmp_path / f"{name}.csv").write_bytes((data_folder() / f"{name}.csv").read_bytes())
        loaded = load_facilities(tmp_path)
        monkeypatch.setattr(module, "load_facilities", lambda: loaded)
        return owner_shares("toy", "mine_toy")

    return make


def _shares(frame: pl.DataFrame, place: str, role: str) -> dict[str, float]:
    rows = frame.filter(pl.col("place") == place, pl.col("role") == role)
    return dict(rows.select("by", "value").iter_rows())


def test_the_tables_load_and_no_facility_is_held_by_more_than_all() -> None:
    loaded = load_facilities()
    assert loaded.facilities["facility"].n_unique() > 250
    sums = loaded.owners.group_by("facility", "role").agg(pl.col("share").sum())
    assert sums.filter(pl.col("share") > 1 + 1e-9).is_empty()
    assert set(loaded.facilities["facility"]) >= set(loaded.owners["facility"])


def test_every_figure_has_unit_basis_year_kind_and_source() -> None:
    loaded = load_facilities()
    sources = set(packaged().read_sources())
    known = loaded.facilities.filter(pl.col("capacity").is_not_null())
    assert (
        known.select("unit", "basis", "measured", "year", "kind", "source").null_count().sum_horizontal()[0]
        == 0
    )
    for table in (loaded.facilities, loaded.owners, loaded.idle, loaded.control):
        assert set(table["source"]) <= sources


def test_shares_sum_to_one_at_every_place_of_every_chain() -> None:
    chains = sorted(load_facilities().facilities["chain"].drop_nulls().unique())
    assert len(chains) >= 10
    for chain in chains:
        known = owner_shares(chain).filter(pl.col("value").is_not_null())
        sums = known.group_by("activity", "place", "role").agg(pl.col("value").sum())
        assert sums["value"].to_list() == pytest.approx([1.0] * sums.height)
        assert known.filter(pl.col("high") > 1 + 1e-9).is_empty()


def test_equity_is_shared_and_control_goes_to_who_holds_more_than_half(world) -> None:
    """The toy's China makes 80 t: 40 t of them in one mine, held 60 and 40."""
    held = [
        {"facility": "one", "owner": "a", "state": "JPN", "share": "0.6"},
        {"facility": "one", "owner": "b", "state": "CHN", "share": "0.4"},
    ]
    frame = world([("one", "CHN", 40.0)], held)
    assert _shares(frame, "CHN", "equity") == pytest.approx({"JPN": 0.3, "CHN": 0.2, UNKNOWN: 0.5})
    assert _shares(frame, "CHN", "control") == pytest.approx({"JPN": 0.5, UNKNOWN: 0.5})
    row = frame.filter(pl.col("place") == "CHN", pl.col("role") == "equity", pl.col("by") == "JPN")
    assert row["high"].item() == pytest.approx(0.8)  # its own and all that is unknown
    assert _shares(frame, "WLD", "control") == pytest.approx({"JPN": 0.4, UNKNOWN: 0.6})


def test_halves_are_split_and_said(world) -> None:
    held = [
        {"facility": "one", "owner": "a", "state": "JPN", "share": "0.5"},
        {"facility": "one", "owner": "b", "state": "KOR", "share": "0.5"},
    ]
    frame = world([("one", "CHN", 80.0)], held)
    assert _shares(frame, "CHN", "control") == pytest.approx({"JPN": 0.5, "KOR": 0.5})
    assert "split" in frame.filter(pl.col("place") == "CHN", pl.col("role") == "control")["note"][0]


def test_who_operates_counts_where_nobody_holds_half(world) -> None:
    held = [
        {"facility": "one", "owner": "a", "state": "JPN", "share": "0.45"},
        {"facility": "one", "owner": "b", "state": "KOR", "share": "0.35", "operates": "yes"},
    ]
    frame = world([("one", "CHN", 80.0)], held)
    assert _shares(frame, "CHN", "control") == pytest.approx({"KOR": 1.0})
    assert _shares(frame, "CHN", "equity") == pytest.approx({"JPN": 0.45, "KOR": 0.35, UNKNOWN: 0.2})


def test_nobody_known_is_unknown_and_never_spread(world) -> None:
    frame = world([("one", "CHN", 80.0)], [{"facility": "one", "owner": "a", "state": "", "share": "1"}])
    assert _shares(frame, "CHN", "equity") == {UNKNOWN: 1.0}
    assert _shares(frame, "USA", "equity") == {UNKNOWN: 1.0} or _shares(frame, "USA", "equity") == {}


def test_a_contract_that_has_ended_gives_nothing(world) -> None:
    held = [
        {"facility": "one", "owner": "a", "state": "JPN", "share": "1"},
        {"facility": "one", "owner": "b", "state": "KOR", "share": "0.5", "role": "offtake"},
        {"facility": "one", "owner": "c", "state": "IND", "share": "0.4", "role": "offtake", "until": "2023"},
    ]
    frame = world([("one", "CHN", 80.0)], held)
    assert _shares(frame, "CHN", "offtake") == pytest.approx({"KOR": 0.5, UNKNOWN: 0.5})


def test_what_is_too_large_is_scaled_and_what_is_planned_is_left_out() -> None:
    frame = owner_shares("gallium")
    assert frame.filter(pl.col("place") == "AUS", pl.col("value") > 0).is_empty()  # announced, not operating


BAD = {
    "over 100 %": (("owners", 0, {"share": "0.9"}), "above 100 %"),
    "one share over 100 %": (("owners", 0, {"share": "1.2"}), "row 2, column share"),
    "unknown facility": (("owners", 0, {"facility": "Tenke Fungurum (TFM)"}), "row 2, column facility"),
    "unknown state": (("owners", 0, {"state": "CHI"}), "row 2, column state"),
    "unknown role": (("owners", 0, {"role": "equty"}), "equity"),
    "unknown activity": (("facilities", 0, {"activity": "mine_coper"}), "row 2, column activity"),
    "activity of another chain": (("facilities", 0, {"activity": "mine_tungsten"}), "the chain tungsten"),
    "no source": (("facilities", 0, {"source": ""}), "row 2, column source"),
    "no unit": (("facilities", 0, {"unit": ""}), "row 2, column unit"),
    "wrong basis": (("facilities", 0, {"basis": "oxide"}), "row 2, column basis"),
    "no number": (("facilities", 0, {"capacity": "450,000"}), "without commas"),
    "unknown place": (("facilities", 0, {"place": "Congoo"}), "row 2, column place"),
    "unknown phase": (("idle", 0, {"phase": "asleep"}), "row 2, column phase"),
    "year that is none": (("idle", 0, {"start": "2027.5"}), "row 2, column start"),
    "published over 100 %": (("control", 0, {"share": "59"}), "row 2, column share"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_wrong_table_is_refused_with_row_and_column(copy: Copy, name: str) -> None:
    (table, row, cells), says = BAD[name]
    with pytest.raises(FactsError) as told:
        load_facilities(copy(table, row, **cells))
    assert says in str(told.value)
    assert f"{table}.csv" in str(told.value)


def test_a_holder_twice_is_refused(copy: Copy) -> None:
    with pytest.raises(FactsError, match="stands twice as a holder"):
        load_facilities(copy("owners", 0, more=True, share="0"))


def test_an_assumed_capacity_needs_a_range(copy: Copy) -> None:
    with pytest.raises(FactsError, match="range"):
        load_facilities(copy("facilities", 0, kind="assumed", low="", high=""))


def test_facilities_are_chosen_by_chain_place_and_owner() -> None:
    assert set(facilities("gallium")["chain"]) == {"gallium"}
    assert set(facilities(place="COD")["place"]) == {"COD"}
    assert "Grasberg (PT Freeport Indonesia)" in facilities(owner="USA")["facility"].to_list()
    assert "Mt Weld" in facilities(owner="lynas")["facility"].to_list()
    for wrong in ({"chain": "galium"}, {"place": "XXX"}, {"owner": "nobody at all"}):
        with pytest.raises(UnknownName):
            facilities(**wrong)


def test_capacity_beyond_a_chain_is_what_does_not_run_yet() -> None:
    frame = capacity_beyond("gallium")
    assert frame["capacity"].drop_nulls().len() >= 4
    assert not set(frame["phase"]) & {"operating", "ramp_up", "closed"}
    assert set(frame["basis"].drop_nulls()) == {"metal"}
    assert set(capacity("gallium")["phase"]) >= set(frame["phase"])
    with pytest.raises(UnknownName):
        capacity_beyond("galium")


def test_a_restart_price_says_its_unit_basis_and_whose_it_is() -> None:
    priced = capacity().filter(pl.col("restart_price").is_not_null())
    assert priced.height >= 4
    assert priced.select("price_unit", "price_basis", "price_is").null_count().sum_horizontal()[0] == 0


def test_published_shares_compare_with_ours() -> None:
    """China's share of Congo's copper is published as over 70 %: ours must allow it."""
    published = load_facilities().control.filter(pl.col("scope") == "DRC copper production")["share"].item()
    mines = owner_shares("copper").filter(
        pl.col("place") == "COD", pl.col("role") == "control", pl.col("by") == "CHN"
    )
    total = sum(
        facts.load("copper").select("output", activity=name, place="COD")["value"].item()
        for name in mines["activity"].unique()
        if name.startswith("mine")
    )
    weights = {
        name: facts.load("copper").select("output", activity=name, place="COD")["value"].item() / total
        for name in mines["activity"].unique()
        if name.startswith("mine")
    }
    rows = [row for row in mines.iter_rows(named=True) if row["activity"] in weights]
    low = sum(row["low"] * weights[row["activity"]] for row in rows)
    high = sum(row["high"] * weights[row["activity"]] for row in rows)
    assert low <= published <= high
