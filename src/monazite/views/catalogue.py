"""Which pictures an answer has, and which rows of its table each of them shows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any

import polars as pl

from monazite.core import schema
from monazite.core.errors import ArgumentError
from monazite.core.text import say
from monazite.views import words
from monazite.views.chokepoint import chokepoint
from monazite.views.coverage import coverage_map
from monazite.views.dependence import dependence
from monazite.views.ranking import ranking
from monazite.views.relief import relief
from monazite.views.sankey import sankey
from monazite.views.timeline import timeline
from monazite.views.tornado import tornado
from monazite.views.view import View, optional_columns

__all__ = ["flows_of", "mapped", "marks_of", "path_of", "start_of", "steps_of", "views_of"]

_MADE = ("refine", "metal", "component")
_FIRST = 3  # elements whose mining is shown
_GOODS = 2  # commodities whose price is shown
_USES = 2  # end uses whose shortage is shown
_PLACES = 5
#: measures that only the table of a study has
_STUDIED = {"headline", "headline_swing", "unserved"}
#: what tells a headline from the outcomes of single goods and places
_SUBJECT = ("chain", "commodity", "place", "by")
_RECYCLED = 7  # scrap is no step of a chain
_UNTAKEN = 0.5  # a stage that sets more than this aside is no part of the chain drawn


def views_of(result: Any) -> dict[str, Callable[[], View]]:
    """Return the pictures of an answer by name, the first one leading; each is made when called.

    Parameters
    ----------
    result : Result
        A result of floor 3: its table says which pictures it has.

    Raises
    ------
    ArgumentError
        The table holds nothing that a picture shows.

    Examples
    --------
    >>> from monazite.assess import assess
    >>> from monazite.network import toy
    >>> sorted(views_of(assess(toy(), "IND", by="CHN")))
    ['chain', 'chokepoint', 'dependence', 'map', 'relief']
    """
    table, sources = result.table, result.sources
    measures = set(table["measure"].to_list())
    found: dict[str, Callable[[], View]] = _outcomes(table, measures, sources)
    if "leading_share" in measures:
        year = getattr(result, "year", None)
        found["coverage"] = lambda: coverage_map(table, year=year, sources=sources)
    if not found and measures & {"price_multiple", "shortage"}:
        found["timeline"] = lambda: timeline(path_of(table), controls=marks_of(result), sources=sources)
        short = _worst(table)
        if short.height:
            found["shortage"] = lambda: ranking(short, measure="shortage", share=True, sources=sources)
    if "touch_share" in measures:
        touched = table.filter((pl.col("measure") == "touch_share") & pl.col("element").is_not_null())
        touched = touched.drop_nulls("value")
        whole = touched.filter(pl.col("commodity").is_null())
        states = _leading(whole if whole.height else touched)
        if states:
            found["dependence"] = lambda: dependence(table, by=states[0], sources=sources)
    if "share" in measures and (steps := steps_of(table)).height:
        found["chokepoint"] = lambda: chokepoint(steps, sources=sources)
    if not found and "product_exposure" in measures:
        found["exposure"] = lambda: ranking(table, measure="product_exposure", share=True, sources=sources)
    found |= _quantities(result, measures)
    if measures & {"spare_capacity", "other_form"}:
        group = getattr(result, "subject", None) or getattr(result, "group", None)
        found["relief"] = lambda: relief(table, group=group, sources=sources)
    if not found:
        raise ArgumentError("error.view_none", measures=sorted(measures))
    return found


def _leading(touched: pl.DataFrame) -> list[str]:
    """States by how many elements they lead in the use furthest along each chain, the first one first."""
    order = {stage: number for number, stage in enumerate(schema.names("stages", "stage"))}
    rows = touched.drop_nulls("by").with_columns(
        order=pl.col("stage").replace_strict(order, default=-1, return_dtype=pl.Int64)
    )
    last = rows.filter(pl.col("order") == pl.col("order").max().over("chain", "element"))
    led = last.group_by("by").agg(pl.len().alias("count"), pl.col("value").sum())
    return led.sort("count", "value", "by", descending=[True, True, False])["by"].to_list()


def _outcomes(
    table: pl.DataFrame, measures: set[str], sources: pl.DataFrame
) -> dict[str, Callable[[], View]]:
    """Pictures of a study: what moves its headline and how far outcomes spread; of a catalogue its worst."""
    found: dict[str, Callable[[], View]] = {}
    if not measures & _STUDIED:
        return found
    if "headline_swing" in measures:
        found["tornado"] = lambda: tornado(table, sources=sources)
    full = optional_columns(table, dict.fromkeys((*_SUBJECT, "denominator"), pl.String)).drop_nulls("value")
    heads = full.filter(pl.col("measure") == "headline")
    if heads.height > 1:
        return _controls(full, heads, sources)
    own = heads.select(*_SUBJECT, "value")
    for name, measure in (("unserved", "unserved"), ("prices", "price_multiple")):
        rows = full.filter(pl.col("measure") == measure).join(
            own, on=own.columns, how="anti", nulls_equal=True
        )
        if rows.height:
            found[name] = partial(ranking, rows, measure=measure, sources=sources)
    return found


def _controls(
    full: pl.DataFrame, heads: pl.DataFrame, sources: pl.DataFrame
) -> dict[str, Callable[[], View]]:
    """Pictures of a catalogue, each row a control: of one good, or of all that a state exports of a chain."""
    of_use = heads["denominator"].drop_nulls().len() > 0
    name = "controls_use" if of_use else "price_multiple"
    figures = [(heads.with_columns(measure=pl.lit(name)), name, of_use)]
    if of_use:
        figures.append((full.filter(pl.col("measure") == "price_multiple"), "price_multiple", False))
    found: dict[str, Callable[[], View]] = {}
    for rows, measure, share in figures:
        end = "" if measure == name else "_prices"
        for part, whole in (("controls", False), ("states", True)):
            chosen = rows.filter(pl.col("commodity").is_null() == whole)
            if chosen.height:
                found[part + end] = partial(ranking, chosen, measure=measure, share=share, sources=sources)
    return found


def _quantities(result: Any, measures: set[str]) -> dict[str, Callable[[], View]]:
    """Pictures of tonnes: the chain from stage to stage, and who sells to whom."""
    table, sources, members = result.table, result.sources, tuple(getattr(result, "members", ()))
    found: dict[str, Callable[[], View]] = {}
    if "stage_flow" in measures and (flows := flows_of(table)).height:
        chain, element = str(flows["chain"][0]), str(flows["element"][0])
        found["chain"] = lambda: sankey(
            flows, chain=chain, element=element, first=start_of(flows), sources=sources
        )
    good = mapped(table, members) if "trade" in measures else None
    if good is not None:
        found["map"] = lambda: _map(table, good, members, sources)
    return found


def _map(table: pl.DataFrame, good: str, members: tuple[str, ...], sources: pl.DataFrame) -> View:
    from monazite.views.flow_map import flow_map

    return flow_map(table, commodity=good, focus=members, sources=sources)


def flows_of(table: pl.DataFrame, *, chain: str | None = None, element: str | None = None) -> pl.DataFrame:
    """Choose the flows of one element along one chain, in the form that `sankey` takes.

    Parameters
    ----------
    table
        Table of `assess`; used are its rows ``stage_flow``.
    chain, element
        By default the first that occur.

    Examples
    --------
    >>> from monazite.assess import assess
    >>> from monazite.network import toy
    >>> sorted(set(flows_of(assess(toy(), "IND", measure="stage_flow").table)["stage_from"]))
    ['component', 'concentrate', 'metal', 'mine']
    """
    rows = table.filter(pl.col("measure") == "stage_flow")
    for name, wanted in (("chain", chain), ("element", element)):
        if rows.height:
            rows = rows.filter(pl.col(name) == (wanted or rows[name][0]))
    if rows.is_empty():
        return rows
    return rows.rename({"stage": "stage_from", "place": "place_from", "partner": "place_to"})


def start_of(flows: pl.DataFrame) -> str | None:
    """Return the stage at which a picture of a chain begins; None for its first.

    A host material of which most is never taken out (the gallium in alumina liquor) would dwarf all that
    comes after it: the picture begins with the stage that takes it.

    Examples
    --------
    >>> flows = pl.DataFrame({
    ...     "stage_from": ["concentrate", "concentrate", "refine"], "stage_to": [None, "refine", "component"],
    ...     "role": ["stock", "flow", "flow"], "value": [900.0, 100.0, 90.0],
    ... })
    >>> start_of(flows)
    'refine'
    """
    for stage in ("concentrate", "mine"):
        given = flows.filter(pl.col("stage_from") == stage)
        aside = float(given.filter(pl.col("role") == "stock")["value"].sum())
        taken = given.filter(pl.col("role") == "flow")["stage_to"].drop_nulls().unique().to_list()
        if taken and aside > _UNTAKEN * float(given["value"].sum()):
            return str(min(taken, key=words.stage_order))
    return None


def mapped(table: pl.DataFrame, members: Sequence[str] = ()) -> str | None:
    """Return the commodity whose trade is the most telling; None where none is traded.

    Of the first chain: of the goods furthest along it (components before metals), the one that the members
    buy most of from others; where they buy none, the one most traded.

    Examples
    --------
    >>> trade = pl.DataFrame({
    ...     "measure": ["trade"] * 2, "chain": ["c"] * 2, "stage": ["metal", "component"],
    ...     "commodity": ["a", "b"], "place": ["IND"] * 2, "partner": ["CHN"] * 2, "value": [9.0, 1.0],
    ... })
    >>> mapped(trade, ["IND"])
    'b'
    """
    rows = table.filter((pl.col("measure") == "trade") & (pl.col("value") > 0))
    if rows.is_empty():
        return None
    rows = rows.filter(pl.col("chain") == rows["chain"][0])
    furthest = max(rows["stage"].unique().to_list(), key=lambda s: (words.stage_order(s) < _RECYCLED,
                                                                     words.stage_order(s)))  # fmt: skip
    rows = rows.filter(pl.col("stage") == furthest)
    own = pl.col("place").is_in(list(members)) & ~pl.col("partner").is_in(list(members))
    ranked = (
        rows.group_by("commodity")
        .agg(pl.col("value").filter(own).sum().alias("own"), pl.col("value").sum().alias("all"))
        .sort(["own", "all", "commodity"], descending=[True, True, False])
    )
    return str(ranked["commodity"][0])


def marks_of(result: Any) -> list[tuple[str, str]]:
    """Return the upright of a stress on its timeline: the first month of the control and its title."""
    control = getattr(result, "control", None)
    if control is None:
        return []
    return [(str(control.start)[:7], control.title or say("view.control"))]


def _worst(table: pl.DataFrame) -> pl.DataFrame:
    """Return for each end use and place outside the restricting state its worst month."""
    short = table.filter((pl.col("measure") == "shortage") & (pl.col("value") > 0))
    short = short.filter(pl.col("by").is_null() | (pl.col("place") != pl.col("by")))
    keys = [name for name in ("use", "commodity", "place") if name in short.columns]
    ranked = short.sort("value", descending=True, maintain_order=True)
    return ranked.unique(keys, keep="first", maintain_order=True)


def steps_of(
    table: pl.DataFrame,
    *,
    commodities: Iterable[str] | None = None,
    elements: Mapping[str, Sequence[str]] | None = None,
) -> pl.DataFrame:
    """Choose the rows of a matrix of chokepoints from the shares of an assessment.

    Parameters
    ----------
    table
        Table of `assess`; used are its rows ``share`` of the world.
    commodities
        Commodities from refining on; all by default.
    elements
        For each chain the elements whose mining is shown; by default the three of which most is known.

    Returns
    -------
    polars.DataFrame
        Mining by element (an ore comes from one place, its elements from many); from refining on commodity by
        commodity. Where a chain names no element in its mines its host materials stand in their place.
    """
    world = table.filter((pl.col("measure") == "share") & (pl.col("place") == "WLD"))
    made = world.filter(pl.col("commodity").is_not_null() & pl.col("stage").is_in(_MADE))
    if commodities is not None:
        made = made.filter(pl.col("commodity").is_in(list(commodities)))
    mined = world.filter(pl.col("commodity").is_null() & (pl.col("stage") == "mine"))
    hosts = world.filter(pl.col("commodity").is_not_null() & (pl.col("stage") == "concentrate"))
    parts: list[pl.DataFrame] = []
    for chain in world["chain"].unique(maintain_order=True).to_list():
        of_chain = mined.filter(pl.col("chain") == chain)
        first = of_chain["element"].unique(maintain_order=True).to_list()[:_FIRST]
        chosen = list((elements or {}).get(chain, first))
        picked = of_chain.filter(pl.col("element").is_in(chosen))
        own = hosts.filter(pl.col("chain") == chain)
        # concentration is a step of its own where plants do it, such as refineries of alumina
        step = table.filter(pl.col("measure") == "concentrated_share", pl.col("chain") == chain).height > 0
        parts += [picked, own] if picked.height and step else [picked if picked.height else own]
        parts.append(made.filter(pl.col("chain") == chain))
    return pl.concat(parts) if parts else world


def path_of(
    table: pl.DataFrame, *, places: Sequence[str] | None = None, commodities: Sequence[str] | None = None
) -> pl.DataFrame:
    """Choose the rows of a timeline from the table of a stress: what weighs most.

    Parameters
    ----------
    table
        Table of `stress`.
    places
        Places whose prices and shortages are shown; by default those where most happens.
    commodities
        Commodities whose prices and exports are shown. By default those that cost most more: the rise of the
        price in the place where it rises most, times the state's base exports.

    Returns
    -------
    polars.DataFrame
        Exports of the restricting state as multiples of the base, prices of a few commodities, and shortages
        of the end uses with most value added at stake (where none is known, the largest), each in the
        commodity that it lacks most.
    """
    by = table["by"].drop_nulls().first()
    outside = table.filter(pl.col("place") != by) if by is not None else table
    if places is not None:
        outside = outside.filter(pl.col("place").is_in(list(places)))
    price = outside.filter(pl.col("measure") == "price_multiple")
    exports = table.filter(pl.col("measure") == "exports_multiple")
    goods = list(commodities) if commodities is not None else _dearest(table, price)[:_GOODS]
    price = price.filter(pl.col("commodity").is_in(goods))
    short = _at_stake(outside)
    return pl.concat(
        [
            exports.filter(pl.col("commodity").is_in(goods)),
            price.filter(pl.col("place").is_in(_most(price, "place", _PLACES))),
            short.filter(pl.col("place").is_in(_most(short, "place", _PLACES))),
        ]
    )


def _dearest(table: pl.DataFrame, price: pl.DataFrame) -> list[str]:
    """Commodities by what they cost more: the price's largest rise times the state's base exports."""
    keys = ["commodity", "place", "period"]
    paid = table.filter(pl.col("measure") == "price").select(*keys, pl.col("value").alias("paid"))
    rise = (
        price.join(paid, on=keys, how="inner")
        .group_by("commodity")
        .agg((pl.col("paid") * (1 - 1 / pl.col("value"))).max().alias("rise"))
    )
    sent = table.filter(pl.col("measure") == "exports").select(
        "commodity", "period", pl.col("value").alias("sent")
    )
    base = (
        table.filter((pl.col("measure") == "exports_multiple") & (pl.col("value") > 0))
        .join(sent, on=["commodity", "period"], how="inner")
        .group_by("commodity")
        .agg((pl.col("sent") / pl.col("value")).max().alias("base"))
    )
    bill = rise.join(base, on="commodity", how="inner").with_columns(pl.col("rise") * pl.col("base"))
    ranked = bill.drop_nulls("rise").sort(["rise", "commodity"], descending=[True, False])
    return [str(name) for name in ranked["commodity"].to_list()] or _most(price, "commodity", _GOODS)


def _at_stake(outside: pl.DataFrame) -> pl.DataFrame:
    """Shortages of the few end uses that matter most, each in the commodity that it lacks most."""
    short = outside.filter(pl.col("measure") == "shortage")
    if "use" not in short.columns or short.is_empty():
        return short
    money = outside.filter(
        pl.col("measure").is_in(["value_added_lost", "value_added_on_order", "value_added_deferred"])
    )
    stake = money.group_by("use").agg(pl.col("value").sum()).filter(pl.col("value") > 0)
    uses = _most(stake, "use", _USES) if stake.height else _most(short, "use", _USES)
    parts = [short.filter(pl.col("use") == use) for use in uses]
    return pl.concat([part.filter(pl.col("commodity").is_in(_most(part, "commodity", 1))) for part in parts])


def _most(frame: pl.DataFrame, column: str, count: int) -> list[str]:
    """Names whose figure goes highest, the highest first, ties by name."""
    if column not in frame.columns or frame.is_empty():
        return []
    ranked = frame.drop_nulls(column).group_by(column).agg(pl.col("value").max())
    ranked = ranked.sort(["value", column], descending=[True, False], nulls_last=True)
    return [str(name) for name in ranked[column].head(count)]
