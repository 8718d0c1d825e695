"""From the rows of a run to the table of a study. Every figure is made here, none in the sentences."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

from monazite.market.measures.outcomes import Reader, downstream
from monazite.market.scenario.causes import WORLD
from monazite.market.scenario.design import designed, effects
from monazite.market.scenario.draws import Draws
from monazite.market.scenario.export_control import Control
from monazite.network import Network
from monazite.study.tornado import spearman, swing

__all__ = [
    "MEASURE", "Headline", "Of", "Scope", "assumed_share", "commodities_of", "draws_rows", "headlines",
    "quality_rows", "sound",
]  # fmt: skip

Float = NDArray[np.float64]
Int = NDArray[np.int64]
Of = Literal["unserved", "price"]

#: which measure of a scenario each headline is made of
MEASURE: dict[Of, str] = {"unserved": "unserved", "price": "price_multiple"}
#: a price that is the only one in fewer scenarios than this share has no figure
ENOUGH = 0.5
#: a use of which less than this share goes unserved has no worst month
NOTICED = 0.005
#: what is used at these stages is used for something else than its chain is about
HOSTS = ("mine", "concentrate")
#: figures that rest on these kinds rest on assumption
SOFT = ("assumed", "modelled")


@dataclass(frozen=True)
class Scope:
    """Whose figures the headline is about: the places of a group, or all but the restricting state's."""

    places: tuple[str, ...]
    name: str | None = None

    @property
    def label(self) -> str:
        """The group's name, or ``WLD``."""
        return self.name or "WLD"

    def holds(self, by: str) -> pl.Expr:
        """Which rows count, by their place, when `by` restricts."""
        inside = pl.col("place") != by
        return inside & pl.col("place").is_in(list(self.places)) if self.places else inside


@dataclass(frozen=True)
class Headline:
    """The headline of a study: of which measure, and what each commodity and place weighs in it.

    Attributes
    ----------
    of : {"unserved", "price"}
    weights : DataFrame
        ``commodity, place, weight``: base value of the use, or of what reaches the place, kUSD a month.
    """

    of: Of
    weights: pl.DataFrame

    @classmethod
    def make(cls, reader: Reader, of: Of, commodities: Sequence[str], scope: Scope, by: str) -> Headline:
        """Weigh by base value what a control of `commodities` hits.

        Unserved use is told of the goods named and of all that is made of them, ores and host materials
        (alumina) only where nothing else is hit; the price of those named.
        """
        network = reader.layout.network
        if of == "unserved":
            hit = downstream(network, commodities)
            hosts = network.nodes.filter(pl.col("stage").is_in(list(HOSTS)))["commodity"].unique().to_list()
            goods: Collection[str] = [good for good in hit if good not in hosts] or hit
            worth = reader.users.with_columns(weight=pl.col("level") * pl.col("price"))
        else:
            goods = commodities
            worth = reader.prices.with_columns(weight=pl.col("throughput") * pl.col("price") / 12.0)
        chosen = worth.filter(pl.col("commodity").is_in(list(goods)) & scope.holds(by))
        return cls(of, chosen.select("commodity", "place", "weight"))


def commodities_of(network: Network, control: Control) -> list[str]:
    """Commodities that a control names, a chain standing for all of its own; sorted."""
    nodes = network.nodes
    named = set(control.on)
    chosen = nodes.filter(pl.col("commodity").is_in(list(named)) | pl.col("chain").is_in(list(named)))
    return sorted(set(chosen["commodity"].to_list()))


def headlines(rows: pl.LazyFrame, headline: Headline, count: int) -> Float:
    """The headline of each scenario, ``nan`` where it has none, shape (count,).

    Added up in the order of the rows, so that it is the same to the last digit on any number of threads.
    """
    weights = headline.weights
    if weights.is_empty():
        return np.full(count, np.nan)
    told = (
        rows.filter(
            (pl.col("measure") == MEASURE[headline.of])
            & pl.col("commodity").is_in(weights["commodity"].unique().to_list())
        )
        .join(weights.lazy(), on=["commodity", "place"], how="inner", maintain_order="left")
        .select("scenario", "value", "weight")
        .collect()
    )
    scenario = told["scenario"].to_numpy()
    value, weight = told["value"].to_numpy(), told["weight"].to_numpy()
    total = np.bincount(scenario, weights=weight, minlength=count)
    weighed = np.bincount(scenario, weights=weight * value, minlength=count)
    found: Float = np.where(total > 0.0, weighed / np.where(total > 0.0, total, 1.0), np.nan)
    return found


def sound(rows: pl.LazyFrame, count: int) -> NDArray[np.bool_]:
    """Which scenarios cleared to tolerance, shape (count,)."""
    bad = (
        rows.filter((pl.col("measure") == "unconverged") & (pl.col("value") > 0)).select("scenario").collect()
    )
    good = np.ones(count, dtype=bool)
    good[bad["scenario"].to_numpy()] = False
    return good


def quality_rows(rows: pl.LazyFrame, drawn: int) -> list[dict[str, Any]]:
    """How many scenarios there were, and how well they cleared."""
    whole = (
        rows.filter(pl.col("commodity").is_null() & (pl.col("scenario") < drawn))
        .select("measure", "value")
        .collect()
    )
    figures = {
        name: whole.filter(pl.col("measure") == name)["value"].to_numpy()
        for name in ("fell_back", "unconverged", "balance")
    }
    return [
        {"measure": "scenarios", "value": float(drawn), "unit": "1"},
        {"measure": "fell_back", "value": float(figures["fell_back"].mean()), "unit": "1"},
        {"measure": "unconverged", "value": float(figures["unconverged"].mean()), "unit": "1"},
        {"measure": "worst_balance", "value": float(figures["balance"].max()), "unit": "1"},
    ]


def outcome_rows(rows: pl.LazyFrame, reader: Reader, good: Int, scope: Scope, by: str) -> pl.DataFrame:
    """Median, p10 and p90 of each outcome over the scenarios given, by commodity and place."""
    chosen = rows.filter(
        pl.col("measure").is_in(list(MEASURE.values())) & pl.col("scenario").is_in(good.tolist())
    )
    if scope.places:
        chosen = chosen.filter(pl.col("place").is_in([*scope.places, by]))
    kinds = reader.layout.network.nodes.select("commodity", "chain", "stage").unique()
    found = (
        chosen.group_by("measure", "commodity", "place")
        .agg(
            pl.len().alias("count"),
            value=pl.col("value").median(),
            low=pl.col("value").quantile(0.1, "linear"),
            high=pl.col("value").quantile(0.9, "linear"),
        )
        .collect()
        .join(kinds, on="commodity", how="left")
        .sort("measure", "chain", "stage", "commodity", "place")
    )
    enough = pl.col("count") >= ENOUGH * good.size
    told = found.with_columns(
        *(pl.when(enough).then(pl.col(name)).alias(name) for name in ("value", "low", "high")),
        status=pl.when(enough).then(pl.lit("ok")).otherwise(pl.lit("insufficient")),
        unit=pl.lit("1"),
        by=pl.lit(by),
    ).drop("count")
    return pl.concat([told, _worst_months(chosen, told)], how="diagonal_relaxed")


def _worst_months(rows: pl.LazyFrame, told: pl.DataFrame) -> pl.DataFrame:
    """Month with most unserved use, of what goes short by more than `NOTICED` in half of the scenarios."""
    keys = ["commodity", "place"]
    short = told.filter((pl.col("measure") == "unserved") & (pl.col("value") > NOTICED)).drop(
        "value", "low", "high"
    )
    when = (
        rows.filter((pl.col("measure") == "unserved") & (pl.col("month") >= 0))
        .group_by(keys)
        .agg(
            value=pl.col("month").cast(pl.Float64).median(),
            low=pl.col("month").cast(pl.Float64).quantile(0.1, "linear"),
            high=pl.col("month").cast(pl.Float64).quantile(0.9, "linear"),
        )
        .collect()
    )
    found = short.join(when, on=keys, how="inner", maintain_order="left")
    return found.with_columns(measure=pl.lit("worst_month"), unit=pl.lit("month"))


def assumed_share(network: Network, headline: Headline) -> float | None:
    """Share of the headline's weight whose base figures are assumed or modelled; None without weight."""
    kind = pl.when(pl.col("kind").is_in(list(SOFT))).then(1.0).otherwise(0.0)
    live = network.activities.filter(pl.col("level") > 0)
    if headline.of == "unserved":
        base = live.filter((pl.col("type") == "use") & (pl.col("form") != "unsold")).with_columns(at="place")
    else:
        base = live.filter(pl.col("type") == "trade").with_columns(at="partner")
    soft = base.group_by("commodity", at="at").agg(
        soft=(kind * pl.col("level")).sum() / pl.col("level").sum()
    )
    weighed = headline.weights.join(
        soft, left_on=["commodity", "place"], right_on=["commodity", "at"], how="inner"
    ).sort("commodity", "place")
    total = float(weighed["weight"].sum())
    return float((weighed["weight"] * weighed["soft"]).sum()) / total if total > 0 else None


def draws_rows(
    source: Draws, rows: pl.LazyFrame, network: Network, reader: Reader, headline: Headline, scope: Scope
) -> list[pl.DataFrame]:
    """The table of a study of draws: outcomes, headline, and what moves it."""
    by, drawn = source.control.by, source.drawn
    found, good = headlines(rows, headline, source.count), sound(rows, source.count)
    usable = np.flatnonzero(good[:drawn] & ~np.isnan(found[:drawn]))
    about = _subject(source.control, network, scope)
    common = {
        **about,
        "by": by,
        "unit": "1",
        "denominator": "downstream" if headline.of == "unserved" else None,
    }
    frames = [
        outcome_rows(rows, reader, np.flatnonzero(good[:drawn]), scope, by),
        pl.DataFrame(quality_rows(rows, drawn)).with_columns(by=pl.lit(by)),
    ]
    if usable.size == 0:
        frames.append(pl.DataFrame([{"measure": "headline", **common, "status": "insufficient"}]))
        return frames
    outcome = found[usable]
    middle, low, high = (float(np.quantile(outcome, q)) for q in (0.5, 0.1, 0.9))
    figure = {"value": middle, "low": low, "high": high, "assumed_share": assumed_share(network, headline)}
    lines = [
        {"measure": "headline", **common, **figure},
        # the same once more under its own name, beside the outcomes of single places
        {"measure": MEASURE[headline.of], **common, **figure},
    ]
    values = _cause_values(source, found, usable)
    for name, cause in values.items():
        lines += _cause_rows(name, cause, outcome, common)
    if source.design != "monte_carlo":
        lines += _design_rows(source, found, good, common)
    frames.append(pl.DataFrame(lines, infer_schema_length=None))
    return frames


def _subject(control: Control, network: Network, scope: Scope) -> dict[str, str | None]:
    """What a headline is about: the one good that is named, or the chain."""
    named = commodities_of(network, control)
    chains = network.nodes.filter(pl.col("commodity").is_in(named))["chain"].unique().sort().to_list()
    only = control.on[0] if len(control.on) == 1 and control.on[0] in named else None
    return {"chain": chains[0] if len(chains) == 1 else None, "commodity": only, "place": scope.label}


def _cause_values(source: Draws, found: Float, usable: Int) -> dict[str, Float]:
    """Where each cause stands in each usable scenario.

    A quantile for those that are drawn as one. Worlds have no order of their own: they stand in that of the
    headline at central values of all else.
    """
    values: dict[str, Float] = {}
    drawn = [source.quantiles(int(number)) for number in usable]
    for name in source.continuous:
        values[name] = np.array([one[name] for one in drawn])
    if source.number_of_worlds:
        world = np.array([source.world(int(number)) for number in usable])
        values[WORLD] = found[source.drawn + world]
    return values


def _cause_rows(name: str, cause: Float, outcome: Float, common: dict[str, Any]) -> list[dict[str, Any]]:
    told = ~np.isnan(cause)
    subject = {**common, "cause": name}
    if np.count_nonzero(told) < 2 or np.ptp(cause[told]) == 0.0:
        return [
            {"measure": measure, **subject, "status": "insufficient"}
            for measure in ("headline_swing", "rank_correlation")
        ]
    low, high = swing(cause[told], outcome[told])
    correlation = spearman(cause[told], outcome[told])
    still = np.isnan(correlation)
    return [
        {"measure": "headline_swing", **subject, "value": abs(high - low), "low": low, "high": high},
        {
            "measure": "rank_correlation",
            **subject,
            "value": None if still else correlation,
            "status": "not_applicable" if still else "ok",
        },
    ]


def _design_rows(
    source: Draws, found: Float, good: NDArray[np.bool_], common: dict[str, Any]
) -> list[dict[str, Any]]:
    outcome = found[: source.drawn]
    complete = bool(good[: source.drawn].all()) and not np.isnan(outcome).any()
    names = ("first_order", "total_order") if source.design == "sobol" else ("elementary_effect",)
    if not complete:  # a design with holes cannot be analysed
        return [
            {"measure": measure, **common, "cause": cause, "status": "insufficient"}
            for measure in names
            for cause in source.continuous
        ]
    points = designed(source.design, source.continuous, source.samples, source.seed)
    told = effects(source.design, source.continuous, points, outcome, source.seed)
    return [
        {
            "measure": measure,
            **common,
            "cause": cause,
            "value": float(value),
            "low": float(value - half),
            "high": float(value + half),
        }
        for measure, (values, halves) in told.items()
        for cause, value, half in zip(source.continuous, values, np.abs(halves), strict=True)
    ]
