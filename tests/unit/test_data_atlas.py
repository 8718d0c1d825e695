"""The packaged chains against the rules of the house: sources agree or say why not, nothing over 100 %."""

from __future__ import annotations

import sys
from pathlib import Path

import polars as pl
import pytest

from monazite import facts
from monazite.core import schema
from monazite.core.settings import data_folder
from monazite.facts import FactTable
from monazite.facts.counting import Counted, count
from monazite.facts.places import places

TOOLS = Path(__file__).parents[2] / "tools"
sys.path.insert(0, str(TOOLS))

import atlas_differences as differences  # noqa: E402

CHAINS = facts.chains()
#: how far the shares of a good's end uses may be from all of it: they are published in whole per cents
ROUNDED = 0.03

every_chain = pytest.mark.parametrize("chain", CHAINS)


@pytest.fixture(scope="module")
def counted() -> Counted:
    """Every fact of every chain, in every year."""
    return count(None)


@pytest.fixture(scope="module")
def left() -> pl.DataFrame:
    """What no entry of differences.csv explains."""
    return differences.unexplained()


def told(rows: pl.DataFrame) -> str:
    """One difference a line, as ``tools/atlas.py --pairs`` prints it."""
    return "\n".join(" | ".join(str(cell) for cell in row if cell is not None) for row in rows.rows())


def table(chain: str) -> FactTable:
    return facts.load([chain])


@every_chain
def test_sources_of_one_basis_agree_within_a_tenth_or_an_entry_says_why_not(
    left: pl.DataFrame, chain: str
) -> None:
    rows = left.filter(pl.col("chain") == chain, pl.col("sources").str.contains(";"))
    assert rows.is_empty(), told(rows)


@every_chain
def test_world_totals_are_the_sums_of_their_parts_within_a_tenth_or_an_entry_says_why_not(
    left: pl.DataFrame, chain: str
) -> None:
    rows = left.filter(pl.col("chain") == chain, ~pl.col("sources").str.contains(";"))
    assert rows.is_empty(), told(rows)


def test_every_entry_speaks_of_what_there_is_and_gives_a_reason() -> None:
    entries = differences.entries()
    assert tuple(entries.columns) == differences.COLUMNS
    assert entries.drop("ratio", "reason").is_duplicated().sum() == 0
    known = {
        "chain": set(CHAINS),
        "variable": set(schema.names("variables", "variable")),
        "place": set(places()),
    }
    for column, names in known.items():
        assert set(entries[column].drop_nulls()) <= names, column
    assert entries["reason"].null_count() == 0
    assert entries["reason"].str.len_chars().min() > 10
    made = {name for chain in CHAINS for name in table(chain).activities["activity"]}
    for listed in entries["activity"].drop_nulls().unique():
        assert {name.strip() for name in listed.split(";")} <= made, listed


def test_an_entry_covers_what_it_names_and_no_more() -> None:
    def row(**more: str | None) -> dict[str, str | None]:
        return dict.fromkeys(differences.COLUMNS) | {"chain": "tin", "variable": "output"} | more

    found = pl.DataFrame(
        [row(activity="mine_tin", place="CHN", period="2024", sources="a; b")],
        schema=dict.fromkeys(differences.COLUMNS[:-1], pl.String),
    )
    same = [row(), row(place="CHN"), row(activity="mine_tin", sources="b; a"), row(sources="a; b; c")]
    other = [
        row(place="PER"),
        row(chain="zinc"),
        row(period="2023"),
        row(sources="a; c"),
        row(variable="use"),
    ]
    for entries, covered in ((same, True), (other, False)):
        for entry in entries:
            known = pl.DataFrame(
                [entry | {"reason": "why"}], schema=dict.fromkeys(differences.COLUMNS, pl.String)
            )
            reasons = differences.explained_by(found, known)["reason"].to_list()
            assert reasons == (["why"] if covered else [None]), entry


def test_figures_further_apart_than_a_tenth_are_found(counted: Counted) -> None:
    """The rule itself: of two sources 20 % apart one pair is found, of two 5 % apart none."""
    some = counted.facts.filter(variable="output", kind="reported").drop_nulls("number").head(1)
    for factor, number in ((1.2, 1), (1.05, 0)):
        other = some.with_columns(source=pl.lit("another"), number=pl.col("number") * factor)
        both = Counted(("x",), pl.concat([some, other]), some, some, counted.sources, [], {}, "")
        assert differences.pairs(both).height == number


@every_chain
def test_every_fact_names_its_source_unit_basis_and_kind(counted: Counted, chain: str) -> None:
    rows = counted.facts.filter(chain=chain)
    assert rows.height
    for column in ("source", "unit", "basis", "kind", "status"):
        assert rows[column].null_count() == 0, column
    assert rows["cited"].all()
    guessed = rows.filter((pl.col("kind") == "assumed") & pl.col("value").is_not_null())
    guessed = guessed.filter(~pl.col("variable").is_in(["content", "coefficient"]))
    silent = guessed.filter(pl.col("low").is_null() | pl.col("high").is_null())
    assert silent.is_empty(), silent.select("variable", "activity", "commodity", "place").rows()[:5]


def test_every_source_cited_says_its_licence_and_how_its_next_version_comes(counted: Counted) -> None:
    for column in ("citation", "licence", "published", "retrieved", "next_version"):
        blank = counted.sources.filter(pl.col(column).fill_null("").str.strip_chars() == "")
        assert blank.is_empty(), (column, blank["source"].to_list())


@every_chain
def test_no_shares_are_more_than_all(chain: str) -> None:
    shares = table(chain).select("use_share").drop_nulls("value")
    sums = shares.group_by("commodity", "place", "period").agg(pl.col("value").sum())
    assert sums.filter(pl.col("value") > 1 + 1e-6).is_empty(), sums.rows()
    whole = sums.filter(pl.col("place").is_null())
    assert whole.filter(pl.col("value") < 1 - ROUNDED).is_empty(), whole.rows()
    for variable in ("loss_share", "cohort_share", "new_link"):
        over = table(chain).select(variable).filter(pl.col("value") > 1 + 1e-9)
        assert over.is_empty(), (variable, over.rows()[:3])


@every_chain
def test_every_good_is_made_somehow_and_every_stage_named_is_counted(counted: Counted, chain: str) -> None:
    base = table(chain)
    given = base.select("coefficient").filter(pl.col("value") > 0)["commodity"].to_list()
    made = set(base.activities["reference"].drop_nulls()) | set(given)
    bought = set(base.select("trade")["commodity"])
    assert set(base.commodities["commodity"]) <= made | bought
    stages = set(base.commodities["stage"]) | set(base.activities["stage"])
    assert stages <= set(schema.names("stages", "stage"))
    assert set(counted.stages.filter(chain=chain)["stage"]) == stages
    ids = [*base.commodities["commodity"], *base.activities["activity"]]
    assert len(ids) == len(set(ids))


@every_chain
def test_every_good_has_a_price_in_the_base_year_and_every_activity_its_own_coefficient(chain: str) -> None:
    base = table(chain)
    priced = set(base.select("price").drop_nulls("value")["commodity"])
    assert not set(base.commodities["commodity"]) - priced
    makers = base.activities.filter(pl.col("type") != "use").select("activity", commodity="reference")
    own = (
        base.select("coefficient")
        .filter(pl.col("value").abs() == 1.0)
        .select("activity", "commodity")
        .unique()
    )
    assert makers.join(own, on=["activity", "commodity"], how="anti").is_empty()


def test_the_atlas_and_the_sources_are_all_there() -> None:
    """A table that is packaged is listed, and each chain has its three tables."""
    for chain in CHAINS:
        home = data_folder() / "chains" / chain
        assert {"commodities.csv", "activities.csv", "facts.csv"} <= {path.name for path in home.iterdir()}
