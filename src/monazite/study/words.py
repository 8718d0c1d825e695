"""The sentences of a study, each from the table's own cells."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl

from monazite.core.text import has, say
from monazite.facts.places import inline, name_of, places

if TYPE_CHECKING:
    from monazite.study.verb import Study

#: a cause that moves the headline by less than this share of its spread is not worth a sentence
WORTH = 0.05
#: how many causes a summary names
CAUSES = 2
#: how many controls of a catalogue a summary names
CONTROLS = 3
#: an answer that rests on assumed or modelled figures by more than this says so
MOSTLY = 0.5


def findings(answer: Study) -> list[str]:
    """What a study found, what would change it, and how far to trust it; sentences in that order."""
    if answer.catalogue:
        return [*_catalogue(answer), *_trust(answer)]
    return [*_headline(answer), *_causes(answer), *_trust(answer)]


def _share(value: float) -> str:
    return f"{100.0 * value:.0f} %" if value >= 0.095 or value == 0.0 else f"{100.0 * value:.1f} %"


def _figure(of: str, value: float) -> str:
    return _share(value) if of == "unserved" else f"{value:.2g}" if value < 10 else f"{value:.0f}"


def _rows(answer: Study, measure: str) -> pl.DataFrame:
    return answer.table.filter(pl.col("measure") == measure)


def _what(answer: Study, control: Any) -> str:
    facts = answer.network.facts
    names = dict(facts.commodities.select("commodity", "name").iter_rows())
    chains = {
        name: say(f"view.chain_{name}") if has(f"view.chain_{name}") else name.replace("_", " ")
        for name in answer.network.chains
    }
    return ", ".join(inline((names | chains).get(c, c)) for c in control.on)


def _who(answer: Study) -> str:
    name = answer.group
    if name is None:
        return say("study.elsewhere")
    return say("study.inside", place=name_of(name) if name in places() else name)


def _headline(answer: Study) -> list[str]:
    row = _rows(answer, "headline").row(0, named=True)
    control = answer.control
    if row["value"] is None or control is None:
        return [say("study.no_headline")]
    opening = control.title or say("study.opening", state=name_of(control.by), what=_what(answer, control))
    key = f"study.headline_{answer.headline}"
    return [
        say(
            key,
            opening=opening,
            who=_who(answer),
            months=answer.months,
            count=answer.scenarios,
            **{name: _figure(answer.headline, row[name]) for name in ("value", "low", "high")},
        )
    ]


def _causes(answer: Study) -> list[str]:
    head = _rows(answer, "headline").row(0, named=True)
    if head["value"] is None:
        return []
    width = head["high"] - head["low"]
    moved = (
        _rows(answer, "headline_swing")
        .drop_nulls("value")
        .filter(pl.col("value") > WORTH * width)
        .sort(["value", "cause"], descending=[True, False])
        .head(CAUSES)
    )
    if moved.is_empty() or width <= 0.0:
        return [say("study.nothing_moves")]
    told = [
        say(
            "study.cause",
            cause=inline(label(row["cause"])),
            low=_figure(answer.headline, row["low"]),
            high=_figure(answer.headline, row["high"]),
        )
        for row in moved.iter_rows(named=True)
    ]
    return [say(f"study.causes_{len(told)}", **{f"cause_{k}": text for k, text in enumerate(told)})]


def label(cause: str) -> str:
    """Name of a cause for a reader."""
    return say(f"view.cause_{cause}") if has(f"view.cause_{cause}") else cause.replace("_", " ")


def _catalogue(answer: Study) -> list[str]:
    worst = _rows(answer, "headline").drop_nulls("value").sort("rank")
    if worst.is_empty():
        return [say("study.no_headline")]
    goods = dict(answer.network.facts.commodities.select("commodity", "name").iter_rows())
    single = worst.filter(pl.col("commodity").is_not_null())
    whole = worst.filter(pl.col("commodity").is_null())
    found = []
    for kind, rows in (("single", single), ("whole", whole)):
        first = rows.head(CONTROLS).to_dicts()
        if not first:
            continue
        named = [
            say(
                f"study.entry_{kind}",
                state=name_of(row["by"]),
                good=inline(goods.get(row["commodity"] or "", "")),
                chain=row["chain"].replace("_", " "),
                value=_figure(answer.headline, row["value"]),
            )
            for row in first
        ]
        found.append(
            say(
                f"study.worst_{kind}_{answer.headline}",
                who=_who(answer),
                months=answer.months,
                controls="; ".join(named),
            )
        )
    return found


def _trust(answer: Study) -> list[str]:
    found = []
    heads = _rows(answer, "headline")
    soft = heads["assumed_share"].drop_nulls() if "assumed_share" in heads.columns else heads["value"].head(0)
    share = float(soft[0]) if soft.len() else None
    if share is not None and share > MOSTLY:
        found.append(say("study.mostly_assumed", share=_share(share)))
    for measure in ("unconverged", "fell_back"):
        value = float(_rows(answer, measure)["value"][0])
        if value > 0.0:
            count = round(value * answer.scenarios)
            found.append(say(f"study.some_{measure}", count=count, of=answer.scenarios))
    return found
