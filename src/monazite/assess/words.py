"""Two sentences from a table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import polars as pl

from monazite.core import schema
from monazite.core.text import has, say
from monazite.facts.places import inline, name_of

if TYPE_CHECKING:
    from monazite.assess.result import Assessment

__all__ = ["TOLD", "direct_row", "exposures", "findings", "heads", "summary", "told_heads"]

#: chains that a summary tells of: the most exposed, where there are more
TOLD = 3


def summary(answer: Assessment) -> str:
    """Return two sentences: how much of its use depends on a state, and what the others could cover.

    One clause a chain: the headline is the chain's leading element in the end use that lies furthest along
    the chain.
    """
    return " ".join(findings(answer))


def findings(answer: Assessment) -> list[str]:
    """Return the sentences of the summary, one by one: exposure, then what the others could cover."""
    table, found = answer.table.filter(pl.col("value").is_not_null()), heads(answer)
    if not found:
        return _without_head(answer, table)
    told = told_heads(answer)
    first = "; ".join(_exposure(answer, table, head) for head in told)
    second = "; ".join(filter(None, (_cover(answer, table, head) for head in told)))
    if len(told) < len(found):
        first = say("assess.summary_most", count=len(found), clauses=first)
    year = found[0]["period"]
    opening = say("assess.summary_exposure", place=name_of_subject(answer), year=year, clauses=first)
    closing = say("assess.summary_cover", clauses=second) if second else say("assess.summary_no_cover")
    return [opening, f"{closing[:1].upper()}{closing[1:]}"]


def _without_head(answer: Assessment, table: pl.DataFrame) -> list[str]:
    """What can be said where no element can be followed to an end use of the subject."""
    asked = answer.filters
    values = {"place": name_of_subject(answer), "year": answer.manifest.base_year}
    if asked["measure"] and "touch_share" not in asked["measure"]:
        names = [worded("measure", measure) for measure in asked["measure"]]
        return [say("assess.summary_asked", measures=names, **values)]
    goods = asked["commodity"]
    if not goods:
        return [say("assess.summary_nothing", **values)]
    known = answer.names
    products = table.filter(
        (pl.col("measure") == "product_exposure")
        & (pl.col("place") == answer.subject)
        & pl.col("by").is_not_null()
    ).sort("value", descending=True, maintain_order=True)
    if products.height:
        return [
            say("assess.summary_product", use=inline(known.get(row["commodity"], row["commodity"])),
                by=name_of(row["by"]), share=_percent(row["value"]), **values)
            for row in products.iter_rows(named=True)
        ]  # fmt: skip
    told = [say("assess.summary_no_use", goods=[inline(known.get(g, g)) for g in goods], **values)]
    for good in goods:
        made = table.filter((pl.col("commodity") == good) & (pl.col("place") == "WLD"))
        top = made.filter(
            (pl.col("measure") == ("share" if answer.by else "top1")) & pl.col("by").is_not_null()
        )
        if top.is_empty():
            continue
        first = top.row(0, named=True)
        share = say("assess.summary_world", good=inline(known.get(good, good)), by=name_of(first["by"]),
                    share=_percent(first["value"]))  # fmt: skip
        cover = made.filter((pl.col("measure") == "n_minus_1_demand") & (pl.col("by") == first["by"]))
        if cover.height:
            told.append(share + say("assess.summary_world_cover", cover=_percent(cover["value"][0])))
        else:
            told.append(share + say("assess.summary_world_end"))
    return told


def worded(what: str, measure: str) -> str:
    """Return the formula or the name of a measure.

    Examples
    --------
    >>> worded("measure", "trade"), worded("measure", "stock_held")
    ('trade', 'stock held')
    """
    key = f"relief.{what}_{measure}"
    return say(key if has(key) else f"assess.{what}_{measure}")


def heads(answer: Assessment) -> list[dict[str, Any]]:
    """Return the rows that the summary is about: the touch share that stands for each chain."""
    table = answer.table.filter(pl.col("value").is_not_null())
    chains = table["chain"].unique().sort().to_list()
    return [head for chain in chains if (head := _headline(answer, table, chain))]


def told_heads(answer: Assessment) -> list[dict[str, Any]]:
    """Return the heads that the summary tells of: all of a few, the most exposed of many."""
    found = heads(answer)
    return sorted(found, key=lambda head: -float(head["value"]))[:TOLD] if len(found) > TOLD else found


def exposures(answers: Sequence[Assessment]) -> str:
    """Return one sentence on what a subject depends on, over answers of several worlds."""
    clauses, year = [], None
    for answer in answers:
        table = answer.table.filter(pl.col("value").is_not_null())
        for chain in table["chain"].unique().sort().to_list():
            head = _headline(answer, table, chain)
            if head:
                clauses.append(_exposure(answer, table, head))
                year = year or head["period"]
    if not clauses:
        return say("assess.summary_nothing", place=name_of_subject(answers[0]))
    return say(
        "assess.summary_exposure", place=name_of_subject(answers[0]), year=year, clauses="; ".join(clauses)
    )


def name_of_subject(answer: Assessment) -> str:
    """Name of the subject for a reader."""
    if len(answer.members) == 1:
        return name_of(answer.members[0])
    if answer.subject.isalnum() and "+" not in answer.subject:
        return answer.subject
    return ", ".join(name_of(m) for m in answer.members)


def _headline(answer: Assessment, table: pl.DataFrame, chain: str) -> dict[str, Any] | None:
    """Row of the touch share that stands for a chain."""
    rows = table.filter(
        (pl.col("measure") == "touch_share")
        & (pl.col("place") == answer.subject)
        & (pl.col("chain") == chain)
    )
    whole = rows.filter(pl.col("commodity").is_null())
    if whole.height:
        rows = whole
    order = {row["stage"]: int(row["order"]) for row in schema.table("stages")}
    leading = answer.elements.get(chain, ())
    known = [row for row in rows.iter_rows(named=True) if row["element"] in leading and row["by"]]
    own = answer.own_elements
    found = sorted(
        known,
        key=lambda r: (
            -answer.depths.get((chain, r["stage"]), 0),
            -order.get(r["stage"], 0),
            r["commodity"] is not None and r["element"] != own.get(r["commodity"]),
            leading.index(r["element"]),
        ),
    )
    return found[0] if found else None


def direct_row(answer: Assessment, table: pl.DataFrame, head: dict[str, Any]) -> pl.DataFrame:
    """Return the direct share of what a head is about, from the same state; no row where there is none."""
    return table.filter(
        (pl.col("measure") == "direct_share")
        & (pl.col("place") == answer.subject)
        & (pl.col("chain") == head["chain"])
        & (pl.col("stage") == head["stage"])
        & pl.col("commodity").eq_missing(head["commodity"])
        & ((pl.col("element") == head["element"]) | pl.col("element").is_null())
        & (pl.col("by") == head["by"])
    )


def _exposure(answer: Assessment, table: pl.DataFrame, head: dict[str, Any]) -> str:
    by, good = head["by"], head["commodity"]
    direct = direct_row(answer, table, head)
    values = {
        "element": _element(head["element"]),
        "goods": _goods(head["stage"], head["chain"])
        if good is None
        else inline(answer.names.get(good, good)),
        "by": name_of(by) if by else say("assess.nobody"),
        "touch": _percent(head["value"]),
    }
    if not by:
        return say("assess.clause_none", **values)
    if not direct.height:
        return say("assess.clause_touch", **values)
    return say("assess.clause_direct", direct=_percent(direct["value"][0]), **values)


def _cover(answer: Assessment, table: pl.DataFrame, head: dict[str, Any]) -> str | None:
    """What the others could cover: of the world's need outside the state, then of the subject's own."""
    rows = table.filter(
        (pl.col("measure") == "n_minus_1_final")
        & (pl.col("chain") == head["chain"])
        & (pl.col("element") == head["element"])
        & (pl.col("by") == head["by"])
        & pl.col("stage").is_not_null()
    )
    good, keys = head["commodity"], ("clause_cover", "clause_own")
    if good is not None:
        keys = ("clause_cover_good", "clause_own_good")
        rows = table.filter(
            (pl.col("measure") == "n_minus_1_demand")
            & (pl.col("commodity") == good)
            & (pl.col("by") == head["by"])
        )
    clauses = ""
    for key, place in zip(keys, ("WLD", answer.subject), strict=True):
        found = rows.filter(pl.col("place") == place)
        if found.height and (clauses or place == "WLD"):
            least = min(found.iter_rows(named=True), key=lambda r: r["value"])
            clauses += say(
                f"assess.{key}",
                by=name_of(head["by"]),
                place=name_of_subject(answer),
                good=inline(answer.names.get(good, good)) if good else "",
                cover=_percent(least["value"]),
                element=_element(head["element"]),
                stage=say(f"assess.stage_{least['stage']}"),
            )
    return clauses or None


def _element(symbol: str) -> str:
    key = f"assess.element_{symbol}"
    return say(key) if has(key) else symbol


def _goods(stage: str, chain: str) -> str:
    key = f"assess.goods_{stage}_{chain}"
    return say(key if has(key) else f"assess.goods_{stage}")


def _percent(value: float) -> str:
    return f"{100 * value:.0f} %"
