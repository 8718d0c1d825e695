"""The sentences of a stress answer, each from the table's own cells."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl

from monazite.core.text import say
from monazite.facts.places import inline, name_of, places

if TYPE_CHECKING:
    from monazite.stress.verb import Stress

#: a use whose unmet need stays below this share is not called short
NOTICED = 0.005
#: what a use has at stake
AT_STAKE = ("value_added_lost", "value_added_on_order", "value_added_deferred")
#: a price multiple below this is not worth a sentence
MOVED = 1.2
#: how many prices a summary names
PRICES = 2

#: a sentence and the row that it is about
Told = tuple[str, dict[str, Any] | None]


def findings(answer: Stress, place: str | None = None) -> list[str]:
    """What happens to one place, or to all that were asked for: uses, stops, prices, value added.

    The use named first is the one with the most value added at stake; prices are those of the controlled
    goods that the place buys most of, by value, among those whose price moves, one a stage.
    """
    return [sentence for sentence, _ in told(answer, place)]


def told(answer: Stress, place: str | None = None) -> list[Told]:
    """The sentences of `findings`, each with the row that it is about, None where it has none."""
    table = answer.table.filter(pl.col("place") != answer.control.by)
    if place is not None:
        table = table.filter(pl.col("place") == place)
    return [*_opening(answer, table, place), *_stop(answer, table), *_prices(answer, table), *_money(table)]


def _names(answer: Stress) -> dict[str, str]:
    facts = answer.network.facts
    return {
        **dict(facts.commodities.select("commodity", "name").iter_rows()),
        **dict(facts.activities.select("activity", "name").iter_rows()),
    }


def _stake(table: pl.DataFrame) -> dict[str, Any] | None:
    """The use and place with the most value added deferred and lost; the shortest one where none is known."""
    short = table.filter((pl.col("measure") == "shortage") & (pl.col("value") > NOTICED))
    if not short.height:
        return None
    worst = short.sort(["value", "use", "place"], descending=[True, False, False], nulls_last=True).unique(
        ["use", "place"], keep="first", maintain_order=True
    )
    money = (
        table.filter(pl.col("measure").is_in(list(AT_STAKE)))
        .group_by("use", "place")
        .agg(pl.col("value").sum().alias("stake"))
    )
    ranked = worst.join(money, on=["use", "place"], how="left").sort(
        ["stake", "value", "use"], descending=[True, True, False], nulls_last=True
    )
    return ranked.row(0, named=True)


def _opening(answer: Stress, table: pl.DataFrame, place: str | None) -> list[Told]:
    control, names = answer.control, _names(answer)
    who = name_of(place) if place is not None else answer.group or say("stress.everywhere")
    who = name_of(who) if len(who) == 3 and who in places() else who
    what = ", ".join(inline(names.get(c, c)) for c in control.on)
    opening = (
        say("stress.opening_named", title=control.title, month=control.start)
        if control.title
        else say("stress.opening", state=name_of(control.by), what=what, month=control.start)
    )
    row = _stake(table)
    if row is None:
        return [(say("stress.calm", opening=opening, who=who), None)]
    sentence = say(
        "stress.worst" if place is None else "stress.worst_here",
        opening=opening,
        who=who,
        use=inline(names.get(row["use"], row["use"])),
        place=name_of(row["place"]),
        share=f"{100 * row['value']:.0f}",
        when=row["period"],
    )
    return [(sentence, row)]


def _stop(answer: Stress, table: pl.DataFrame) -> list[Told]:
    row = _stake(table)
    stops = table.filter((pl.col("measure") == "first_stop_week") & pl.col("value").is_not_null())
    if row is not None:
        own = stops.filter((pl.col("use") == row["use"]) & (pl.col("place") == row["place"]))
        stops = own if own.height else stops
    if not stops.height:
        return [(say("stress.no_stop", months=len(answer.run.level)), None)]
    first = stops.sort(["value", "use", "place"]).row(0, named=True)
    half = table.filter(
        (pl.col("measure") == "median_stop_week")
        & (pl.col("use") == first["use"])
        & (pl.col("place") == first["place"])
        & (pl.col("commodity") == first["commodity"])
    )["value"]
    names = _names(answer)
    values = {
        "week": f"{first['value']:.0f}",
        "use": inline(names.get(first["use"], first["use"])),
        "place": name_of(first["place"]),
    }
    if half.len() and half[0] is not None:
        return [(say("stress.first_stop_half", half=f"{half[0]:.0f}", **values), first)]
    return [(say("stress.first_stop", **values), first)]


def _prices(answer: Stress, table: pl.DataFrame) -> list[Told]:
    """Peak price of the goods bought most of, by value, among those whose price moves; one a stage."""
    network, control = answer.network, answer.control
    bought = (
        network.activities.filter(
            (pl.col("type") == "trade")
            & (pl.col("place") == control.by)
            & pl.col("commodity").is_in(list(control.on))
        )
        .select("commodity", pl.col("partner").alias("place"), pl.col("level").alias("tonnes"))
        .join(network.nodes.select("commodity", "place", "price"), on=["commodity", "place"], how="left")
        .with_columns(worth=pl.col("tonnes") * pl.col("price"))
    )
    peaks = (
        table.filter((pl.col("measure") == "price_multiple") & pl.col("commodity").is_in(list(control.on)))
        .drop_nulls("value")
        .sort("value", descending=True)
        .unique(["commodity", "place"], keep="first", maintain_order=True)
        .join(bought.select("commodity", "place", "worth"), on=["commodity", "place"], how="inner")
        .filter(pl.col("value") >= MOVED)
        .sort(["worth", "commodity", "place"], descending=[True, False, False])
        .unique("stage", keep="first", maintain_order=True)
        .head(PRICES)
    )
    names = _names(answer)
    return [
        (
            say(
                "stress.price",
                commodity=inline(names.get(row["commodity"], row["commodity"])),
                place=name_of(row["place"]),
                multiple=f"{row['value']:.1f}",
                when=row["period"],
            ),
            row,
        )
        for row in peaks.iter_rows(named=True)
    ]


def _money(table: pl.DataFrame) -> list[Told]:
    totals = (
        table.filter(pl.col("measure").is_in(list(AT_STAKE)))
        .group_by("measure")
        .agg(pl.col("low").sum(), pl.col("value").sum(), pl.col("high").sum())
    )
    found = {m: (low, value, high) for m, low, value, high in totals.iter_rows()}
    none = (0.0, 0.0, 0.0)
    parts = {name: found.get(f"value_added_{name}", none) for name in ("lost", "on_order", "deferred")}
    if sum(part[1] for part in parts.values()) < 1.0:
        return []
    large = sum(part[2] for part in parts.values()) >= 1000.0
    scale = 1000.0 if large else 1.0
    figures = {
        f"{name}_{k}": _round(v / scale)
        for name, part in parts.items()
        for k, v in zip(("low", "value", "high"), part, strict=True)
    }
    unit = say("stress.unit_bn" if large else "stress.unit_million")
    return [(say("stress.money", unit=unit, **figures), None)]


def _round(value: float) -> str:
    return f"{value:.1f}" if value < 10 else f"{value:.0f}"
