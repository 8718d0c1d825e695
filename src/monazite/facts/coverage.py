"""What is known and how: the facts counted by chain, stage, year and by the way they were come by.

Every fact of every year counts, those that another figure outweighs too, and the flows that a chain's customs
lines give. Weighed by tonnes is only what holds (`monazite.facts.table.KIND_ORDER`), and never tonnes on one
basis with those on another: a stage's figure is the mean over its bases.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from monazite.core import schema
from monazite.core.errors import ArgumentError, UnknownName
from monazite.core.manifest import Manifest
from monazite.core.result import finish_table
from monazite.core.text import say
from monazite.facts.counting import KNOWN, QUANTITIES, Counted, count

__all__ = ["METHOD", "Coverage", "coverage_of"]

#: name and version of the method, in every manifest
METHOD = "coverage/1"

#: what every fact must name
FIELDS = ("source", "unit", "basis", "kind")
_YEARS = 4  # years of the grid, up to the latest with outputs
_LISTED = 4  # hollow stages that a summary names
_NONE = "missing"
_KEYS = ("chain", "stage", "period")

Names = str | Iterable[str] | None


@dataclass(frozen=True, eq=False, repr=False)
class Coverage:
    """How the figures of some chains are known.

    Attributes
    ----------
    table : polars.DataFrame
        The columns of every result, then ``denominator, variable, known``:

        - ``facts``: number of facts by chain, stage, year, variable and how they are known; a stage and year
          without any is a row of 0 with status ``missing``. Facts that hold in every year have no period,
          those of no stage (transit times) no stage.
        - ``leading_share``: how most of a stage is known in a year; the value is the part so known, of
          tonnes where outputs (or uses, of end uses) are known, of the number of facts where not.
        - ``reported_share``: part of the world's tonnes that rests on reported figures, of each good and
          (mean of its bases) of each stage.
        - ``facts_total``: number of facts by how they are known, of each chain and (no chain, every way told)
          of all.
        - ``complete_share``: part of all facts that name their source, unit, basis or kind.
    sources : polars.DataFrame
        Every source with what is said of it, the chains that cite it and how many of their facts.
    manifest : Manifest
    year : str
        The year that the summary speaks of.
    """

    table: pl.DataFrame
    sources: pl.DataFrame
    manifest: Manifest
    year: str
    _facts: pl.DataFrame

    @property
    def stages(self) -> pl.DataFrame:
        """The rows ``leading_share`` of the year that the summary speaks of."""
        return self.table.filter(pl.col("measure") == "leading_share", pl.col("period") == self.year)

    @property
    def complete(self) -> float:
        """The part of all facts that name source, unit, basis and kind: the least of the four."""
        rows = self.table.filter(pl.col("measure") == "complete_share", pl.col("chain").is_null())
        return float(min(rows["value"].to_list(), default=0.0))

    def findings(self) -> list[str]:
        """Return the sentences of the summary: what the facts are, then where nothing is known."""
        total = self.table.filter(pl.col("measure") == "facts_total", pl.col("chain").is_null())
        counts = dict(total.select("known", "value").iter_rows())
        every = sum(counts.values())
        chains = self.table["chain"].drop_nulls().n_unique()

        def part(*kinds: str) -> str:
            share = sum(counts.get(kind, 0.0) for kind in kinds) / every if every else 0.0
            return _percent(share)

        first = say(
            "coverage.summary_facts",
            facts=f"{every:,.0f}",
            chains=chains,
            reported=part("reported"),
            estimated=part("estimated", "derived"),
            assumed=part("assumed", "modelled"),
            silent=part("withheld", "missing", "not_applicable"),
            complete=_percent(self.complete),
        )
        stages = self.stages
        hollow = stages.filter(pl.col("known") == _NONE)
        names = [
            say("coverage.stage_of", chain=chain.replace("_", " "), stage=say(f"assess.stage_{stage}"))
            for chain, stage in hollow.select("chain", "stage").iter_rows()
        ]
        more = len(names) - _LISTED
        shown = names if more <= 1 else [*names[:_LISTED], say("coverage.more", count=more)]
        key = "coverage.summary_hollow" if names else "coverage.summary_full"
        second = say(key, count=len(names), stages=stages.height, year=self.year, names=shown)
        return [first, second]

    def summary(self) -> str:
        """Return two sentences that a minister can read.

        Examples
        --------
        >>> coverage_of("toy").summary().count(". ")
        1
        """
        return " ".join(self.findings())

    def explain(self, **selection: Any) -> dict[str, Any]:
        """Return the counts behind one cell of a stage, and what they mean.

        Parameters
        ----------
        **selection
            ``measure, chain, stage, commodity, period, cell_id``.

        Raises
        ------
        UnknownName
            An unknown column.
        ArgumentError
            No cell fits.

        Examples
        --------
        >>> why = coverage_of("toy").explain(chain="toy", stage="metal", period="2024")
        >>> why["counts"]["known"].unique().to_list()
        ['reported']
        """
        columns = ("measure", "chain", "stage", "commodity", "period", "cell_id")
        found = self.table
        for name, value in selection.items():
            if name not in columns:
                raise UnknownName("column", name, columns)
            if value is not None:
                found = found.filter(pl.col(name) == value)
        if not found.height:
            given = ", ".join(f"{name} {value}" for name, value in selection.items() if value is not None)
            raise ArgumentError("coverage.no_cell", given=given)
        cell = found.row(0, named=True)
        same = [pl.col(name).eq_missing(cell[name]) for name in _KEYS]
        counts = self.table.filter(pl.col("measure") == "facts", pl.col("value") > 0, *same)
        cited = self._facts.filter(same).group_by("source").agg(facts=pl.len())
        cited = cited.join(self.sources.select("source", "citation"), on="source", how="left")
        return {
            "formula": say(f"coverage.formula_{cell['measure']}"),
            "counts": counts.select(
                pl.col("variable").str.replace_all("_", " "), "known", facts=pl.col("value").cast(pl.Int64)
            ).sort("variable", "known"),
            "cited": cited.sort("facts", "source", descending=[True, False]).select("citation", "facts"),
        }

    def __repr__(self) -> str:
        """The summary."""
        return self.summary()


def _percent(share: float) -> str:
    """Write a share; what is not nothing never reads as 0, what is not all never as 100."""
    shown = f"{100 * share:.0f}"
    shown = "<1" if shown == "0" and share > 0 else ">99" if shown == "100" and share < 1 else shown
    return f"{shown}\N{NO-BREAK SPACE}%"


def coverage_of(chain: Names = None, *, stage: Names = None, year: int | None = None) -> Coverage:
    """Count what is known of each stage of each chain, year by year, and how it is known.

    Parameters
    ----------
    chain : str or iterable of str, optional
        Chains; all packaged ones but the toy when absent.
    stage : str or iterable of str, optional
        Keep only these stages.
    year : int, optional
        Keep only this year, and what holds in every year; the summary then speaks of it.

    Returns
    -------
    Coverage

    Raises
    ------
    UnknownName
        No such chain, stage or year.
    FactsError
        A table cannot be read.

    Examples
    --------
    >>> found = coverage_of("toy", year=2024).table
    >>> found.filter(measure="reported_share", stage="mine")["value"].unique().to_list()
    [1.0]
    >>> found.filter(measure="complete_share")["value"].unique().to_list()
    [1.0]
    """
    chains = [chain] if isinstance(chain, str) else None if chain is None else list(chain)
    stages = [stage] if isinstance(stage, str) else None if stage is None else list(stage)
    known = schema.names("stages", "stage")
    for name in stages or ():
        if name not in known:
            raise UnknownName("stage", name, known)
    counted = count(None if chains is None else tuple(chains))
    shown, central = _years(counted, year)
    rows = [
        _facts(counted, shown, year),
        _weights(counted, shown),
        _totals(counted.facts),
        _complete(counted.facts),
    ]
    frame = pl.concat(rows, how="diagonal_relaxed")
    if stages is not None:
        whole = pl.col("measure").is_in(["facts_total", "complete_share"])
        frame = frame.filter(pl.col("stage").is_in(stages) | whole)
    table = finish_table(frame.sort(_order(), "period", "variable", "commodity", "known", nulls_last=True))
    asked = {"chains": list(counted.chains), "stages": stages, "year": year}
    manifest = Manifest.create(
        inputs=[counted.content_hash, asked],
        method=METHOD,
        packages=("polars",),
        extra={**asked, "years": shown},
    )
    behind = counted.facts.select("chain", "stage", "source", period="year")
    return Coverage(table, counted.sources, manifest, central, behind)


def _order() -> pl.Expr:
    """Sort by chain, then along the chain; totals of all chains come last."""
    ranks = {row["stage"]: int(row["order"]) for row in schema.table("stages")}
    stage = pl.col("stage").replace_strict(ranks, default=99, return_dtype=pl.Int64)
    return pl.struct(pl.col("chain").fill_null("~"), stage.alias("rank"), "measure")


def _years(counted: Counted, year: int | None) -> tuple[list[str], str]:
    """Return the years of the grid, and the one that the summary speaks of."""
    known = counted.years
    if year is not None:
        everything = sorted(counted.facts["year"].drop_nulls().unique().to_list())
        if str(year) not in everything:
            raise UnknownName("year", year, everything)
        return [str(year)], str(year)
    shown = known[-_YEARS:]
    bases = [found for found in counted.base.values() if found in shown]
    return shown, max(bases, key=lambda found: (bases.count(found), found), default=shown[-1])


def _grid(counted: Counted, shown: Sequence[str]) -> pl.DataFrame:
    return counted.stages.join(pl.DataFrame({"period": shown}, schema={"period": pl.String}), how="cross")


def _held(counted: Counted, shown: Sequence[str]) -> pl.DataFrame:
    """Return the facts of what is made, moved or used; one without a period holds where outputs are."""
    facts = counted.facts.filter(pl.col("variable").is_in(QUANTITIES)).with_columns(period="year")
    made = facts.filter(pl.col("variable") == "output").select("chain", made="period").drop_nulls().unique()
    always = facts.filter(pl.col("period").is_null()).join(made, on="chain").with_columns(period="made")
    both = pl.concat([facts.drop_nulls("period"), always.drop("made")])
    return both.filter(pl.col("period").is_in(list(shown)))


def _facts(counted: Counted, shown: Sequence[str], year: int | None) -> pl.DataFrame:
    """Count the facts; every stage of a chain has a row in every year of the grid."""
    keys = ["chain", "stage", "period", "variable", "known", "kind", "status"]
    facts = counted.facts.with_columns(period="year")
    if year is not None:
        facts = facts.filter(pl.col("period").is_null() | (pl.col("period") == str(year)))
    spoken = ["withheld", "missing", "not_applicable"]
    facts = facts.with_columns(
        kind=pl.when(pl.col("known").is_in(spoken)).then(None).otherwise("kind"),
        status=pl.when(pl.col("known").is_in(spoken)).then("known").otherwise(pl.lit("ok")),
    )
    counts = facts.group_by(keys).agg(value=pl.len().cast(pl.Float64))
    none = _grid(counted, shown).join(counts, on=list(_KEYS), how="anti")
    none = none.join(_held(counted, shown), on=list(_KEYS), how="anti")
    none = none.with_columns(value=pl.lit(0.0), known=pl.lit(_NONE), status=pl.lit(_NONE))
    rows = pl.concat([counts, none], how="diagonal_relaxed")
    return rows.with_columns(measure=pl.lit("facts"), unit=pl.lit("1"), basis=pl.lit("none"))


def _weights(counted: Counted, shown: Sequence[str]) -> pl.DataFrame:
    """How most of each stage is known, and what part of its tonnes is reported."""
    tonnes = counted.tonnes.filter(pl.col("period").is_in(list(shown)))
    basis = tonnes.with_columns(pl.col("tonnes") / pl.col("tonnes").sum().over(*_KEYS, "basis"))
    many = basis.group_by(_KEYS).agg(count=pl.col("basis").n_unique())
    by_stage = basis.group_by(*_KEYS, "known").agg(share=pl.col("tonnes").sum()).join(many, on=list(_KEYS))
    by_stage = by_stage.with_columns(pl.col("share") / pl.col("count")).drop("count")
    goods = tonnes.with_columns(share=pl.col("tonnes") / pl.col("tonnes").sum().over(*_KEYS, "commodity"))
    facts = _held(counted, shown).filter(pl.col("known") != "not_applicable")
    numbers = facts.group_by(*_KEYS, "known").agg(pl.len().alias("share"))
    numbers = numbers.with_columns(pl.col("share") / pl.col("share").sum().over(_KEYS))
    numbers = numbers.join(by_stage, on=list(_KEYS), how="anti")
    both = pl.concat(
        [
            by_stage.with_columns(denominator=pl.lit("tonnes")),
            numbers.with_columns(denominator=pl.lit("facts")),
        ],
        how="diagonal_relaxed",
    )
    weakest = {name: rank for rank, name in enumerate(KNOWN)}
    ranked = both.with_columns(rank=pl.col("known").replace_strict(weakest, return_dtype=pl.Int64))
    ranked = ranked.sort("share", "rank", descending=True).unique(
        list(_KEYS), keep="first", maintain_order=True
    )
    lead = _grid(counted, shown).join(ranked.drop("rank"), on=list(_KEYS), how="left")
    lead = lead.with_columns(
        measure=pl.lit("leading_share"), known=pl.col("known").fill_null(_NONE), value=pl.col("share")
    ).drop("share")
    lead = lead.with_columns(
        kind=pl.when(~pl.col("known").is_in(["withheld", _NONE])).then("known"),
        status=pl.when(pl.col("known").is_in(["withheld", _NONE])).then("known").otherwise(pl.lit("ok")),
    )
    reported = pl.col("share").filter(pl.col("known") == "reported").sum()
    whole = by_stage.group_by(_KEYS).agg(value=reported)
    single = goods.group_by(*_KEYS, "commodity").agg(value=reported)
    shares = pl.concat([whole, single], how="diagonal_relaxed").with_columns(
        measure=pl.lit("reported_share"),
        kind=pl.lit("derived"),
        status=pl.lit("ok"),
        denominator=pl.lit("tonnes"),
    )
    rows = pl.concat([lead, shares], how="diagonal_relaxed")
    return rows.with_columns(pl.col("value").clip(0.0, 1.0), unit=pl.lit("1"), basis=pl.lit("none"))


def _totals(facts: pl.DataFrame) -> pl.DataFrame:
    own = facts.group_by("chain", "known").agg(value=pl.len().cast(pl.Float64))
    every = facts.group_by("known").agg(value=pl.len().cast(pl.Float64))
    every = pl.DataFrame({"known": KNOWN}).join(every, on="known", how="left").fill_null(0.0)
    return pl.concat([own, every], how="diagonal_relaxed").with_columns(
        measure=pl.lit("facts_total"), unit=pl.lit("1"), basis=pl.lit("none"), status=pl.lit("ok")
    )


def _complete(facts: pl.DataFrame) -> pl.DataFrame:
    """The part of the facts that name what every fact must name; a source must be one that is told of."""
    named = {name: pl.col(name).is_not_null() & (pl.col(name) != "") for name in FIELDS}
    named["source"] &= pl.col("cited")
    means = [expression.mean().alias(name) for name, expression in named.items()]
    rows = pl.concat([facts.group_by("chain").agg(means), facts.select(means)], how="diagonal_relaxed")
    long = rows.unpivot(FIELDS, index="chain", variable_name="denominator", value_name="value")
    return long.with_columns(
        measure=pl.lit("complete_share"), unit=pl.lit("1"), basis=pl.lit("none"), status=pl.lit("ok"),
        kind=pl.lit("derived"),
    )  # fmt: skip
