"""Sankey of one chain: tonnes from stage to stage on one mass basis; loss, stock and the unexplained show.

Input: ``flows``, one row a flow
    =========== ====================================================================================
    stage_from  stage that gives; null where material appears that no stage explains
    place_from  place where that stage is
    stage_to    stage that takes; null for what leaves the chain (loss, stock, unexplained)
    place_to    place where that stage is
    value       how much, ≥ 0; null is refused: an unknown flow is not drawn as a flow
    unit        one unit in all rows, such as ``t/yr``
    kind        reported, estimated, derived, assumed, modelled
    role        ``flow``; ``loss`` (does not come back); ``stock`` (put aside or unsold);
                ``unexplained`` (what no fact accounts for)
    basis       one basis in all rows, such as ``oxide``; optional
    cell_id     optional
    =========== ====================================================================================

    Stages stand in the order of ``data/schema/stages.csv``, only those that occur. ``recycle`` is no step of
    its own: scrap leaves beside its source and enters beside the stage that takes it.

What is done to it
    A flow from one plant to another of the same stage is passed on: what feeds the first feeds the second.
    Where the concentrate only repeats the mine, place by place, it is left out, and the notes say so.
    The places with the largest throughput, and those with a fair share of one stage, keep a node in every
    stage; the others are one node. Where a node between the first and the last stage takes more than it
    gives, or gives more than it takes, by more than ``tolerance``, the difference is added as a flow of role
    ``unexplained``: an open end dangles, it never vanishes.

Data of the view
    ``item`` is ``node`` or ``link``. Node: ``node, stage, place, label, side, role, value``; link: ``source,
    target`` (numbers of nodes), ``place`` (where it comes from), ``role, value, kind, quality, cell_id``; all
    with ``unit, basis, share`` (of all that passes the node's, or the link's source, stage).
"""

from __future__ import annotations

from typing import Any

import polars as pl

from monazite.core.errors import ArgumentError
from monazite.core.text import say
from monazite.views import words
from monazite.views.chokepoint import OTHERS
from monazite.views.numbers import percent, quantity
from monazite.views.view import View, optional_columns, quality, require, sources_frame

__all__ = ["ROLES", "sankey"]

#: what may happen to a tonne
ROLES: tuple[str, ...] = ("flow", "stock", "loss", "unexplained")

_NEEDED = ("stage_from", "place_from", "stage_to", "place_to", "value", "unit", "kind", "role")
_TYPES = {
    "stage_from": pl.String, "place_from": pl.String, "stage_to": pl.String, "place_to": pl.String,
    "value": pl.Float64, "unit": pl.String, "kind": pl.String, "role": pl.String, "basis": pl.String,
    "cell_id": pl.String,
}  # fmt: skip
_RECYCLE = "recycle"
_REPEATS = "concentrate"
_WHOLE = 0.99  # from this part on it only repeats the mine


def sankey(
    flows: pl.DataFrame,
    *,
    chain: str | None = None,
    element: str | None = None,
    first: str | None = None,
    sources: pl.DataFrame | None = None,
    top: int = 5,
    least: float = 0.04,
    tolerance: float = 0.01,
) -> View:
    """Make the Sankey of a chain.

    Parameters
    ----------
    flows
        As the head of this module says.
    chain
        Name of the chain, for the title.
    element
        The element that is followed, for the title.
    first
        Stage to begin with: what happens before it is left out. By default the first that occurs.
    sources
        Frame of sources, in the order of their footnotes.
    top
        How many places get a hue: those with the largest throughput over all stages.
    least
        A place with at least this share of a stage keeps a node of its own too, without a hue.
    tolerance
        Differences at a node below this part of its throughput are rounding, not an open end.

    Returns
    -------
    View
        With ``encoding["picture"] == "sankey"``.

    Raises
    ------
    ArgumentError
        A column is missing, no row is left, a value is null or negative, a role is unknown, a flow lacks an
        end or goes back to an earlier stage, or the rows mix units or bases.

    Examples
    --------
    >>> flows = pl.DataFrame({
    ...     "stage_from": ["mine", "refine"], "place_from": ["CHN", "CHN"], "stage_to": ["refine", None],
    ...     "place_to": ["CHN", None], "value": [100.0, 8.0], "unit": ["t/yr"] * 2, "kind": ["reported"] * 2,
    ...     "role": ["flow", "loss"],
    ... })
    >>> view = sankey(flows, chain="toy")
    >>> view.data.filter(pl.col("item") == "link").select("role", "value").rows()
    [('flow', 100.0), ('loss', 8.0)]
    """
    require("sankey", flows, _NEEDED)
    frame = optional_columns(flows, _TYPES).select(list(_TYPES))
    _check(frame)
    if first is not None:
        early = [name for name in _stages(frame) if words.stage_order(name) < words.stage_order(first)]
        gone = pl.col("stage_from").is_in(early) | pl.col("stage_to").is_in(early)
        frame = frame.filter(~gone.fill_null(value=False))
    frame = frame.filter(pl.col("value") > 0)
    scrap = pl.coalesce("stage_from", "stage_to") == _RECYCLE
    lost = frame.filter(scrap & (pl.col("role") != "flow"))
    frame = frame.filter(~scrap | (pl.col("role") == "flow"))
    if frame.is_empty():
        raise ArgumentError("error.view_empty", view="sankey", measure="value")
    frame, folded = _folded(frame)
    kept, named = _largest(frame, top, least)
    links = _group(_passed_on(frame), named)
    links = _open_ends(links, tolerance)
    data, stages = _number(links, named)
    unit, basis = frame["unit"].drop_nulls()[0], frame["basis"][0]
    data = data.with_columns(pl.lit(unit).alias("unit"), pl.lit(basis, dtype=pl.String).alias("basis"))
    return View(
        name="sankey",
        title=say("view.sankey_title_element" if element else "view.sankey_title",
                  chain=words.chain(chain) if chain else say("view.sankey_chain"),
                  element=words.element(element) if element else "",
                  first=words.stage(stages[0]).lower(), last=words.stage(stages[-1]).lower()),
        sentence=_sentence(data, stages),
        data=data,
        encoding={
            "picture": "sankey",
            "stages": [{"stage": name, "label": words.stage(name)} for name in stages],
            "places": [{"place": name, "label": words.place(name)} for name in kept],
            "unit": unit,
            "basis": basis,
            "table": {"layout": "links"},
        },
        notes=_notes(data, frame, named, float(lost["value"].sum()), folded),
        sources=sources_frame(sources),
    )  # fmt: skip


def _check(frame: pl.DataFrame) -> None:
    for column in ("unit", "basis"):
        given = frame[column].drop_nulls().unique().sort().to_list()
        if len(given) > 1:
            raise ArgumentError("error.view_mixed", view="sankey", column=column, given=given)
    for row in frame.iter_rows(named=True):
        where = [str(row[name]) for name in ("stage_from", "place_from", "stage_to", "place_to") if row[name]]
        if row["role"] not in ROLES:
            raise ArgumentError("error.view_choice", name="role", given=row["role"], known=ROLES)
        if row["value"] is None or row["value"] != row["value"] or row["value"] < 0:
            raise ArgumentError("error.view_flow_value", given=row["value"], where=where)
        first, last = row["stage_from"], row["stage_to"]
        whole = first is not None and last is not None
        if (row["role"] == "flow") != whole and not (row["role"] == "unexplained" and (first or last)):
            raise ArgumentError("error.view_flow_ends", role=row["role"], where=where)
        forward = _RECYCLE in (first, last) or words.stage_order(first) <= words.stage_order(last)
        if row["role"] == "flow" and not forward:
            raise ArgumentError("error.view_flow_back", where=where)


def _stages(frame: pl.DataFrame) -> set[str]:
    """Return the stages of the chain that occur; scrap is none."""
    named = [*frame["stage_from"].to_list(), *frame["stage_to"].to_list()]
    return {str(name) for name in named if name is not None} - {_RECYCLE}


def _passed_on(frame: pl.DataFrame) -> pl.DataFrame:
    """Replace a flow within one stage by flows from what feeds its source: a tonne counts once a stage."""
    rows = frame.to_dicts()
    inner = [row for row in rows if row["role"] == "flow" and row["stage_from"] == row["stage_to"]]
    rows = [row for row in rows if not (row["role"] == "flow" and row["stage_from"] == row["stage_to"])]
    for flow in sorted(inner, key=lambda row: str((row["stage_from"], row["place_from"], row["place_to"]))):
        source = (flow["stage_from"], flow["place_from"])
        if flow["place_to"] == flow["place_from"]:
            continue
        feeds = [
            row for row in rows if row["role"] == "flow" and (row["stage_to"], row["place_to"]) == source
        ]
        total = sum(row["value"] for row in feeds)
        for row in feeds:
            part = min(flow["value"] / total, 1.0) * row["value"]
            row["value"] -= part
            rows.append({**row, "place_to": flow["place_to"], "value": part, "cell_id": None})
        if total < flow["value"]:
            rows.append({**flow, "stage_from": None, "place_from": None, "value": flow["value"] - total,
                         "role": "unexplained", "cell_id": None})  # fmt: skip
    return pl.DataFrame(rows, schema=frame.schema)


def _folded(frame: pl.DataFrame) -> tuple[pl.DataFrame, list[str]]:
    """Leave out the concentrate where it only repeats the mine: every tonne was mined at the same place.

    Returns the flows, and the stages left out.
    """
    flow = pl.col("role") == "flow"
    taken = frame.filter(flow & (pl.col("stage_to") == _REPEATS))
    before = taken["stage_from"].unique().to_list()
    if len(before) != 1 or before[0] == _RECYCLE:
        return frame, []
    given = float(frame.filter(pl.col("stage_from") == before[0])["value"].sum())
    passed = float(frame.filter(pl.col("stage_from") == _REPEATS)["value"].sum())
    same = float(taken.filter(pl.col("place_from") == pl.col("place_to"))["value"].sum())
    if same < _WHOLE * max(float(taken["value"].sum()), given, passed):
        return frame, []
    kept = frame.filter(~(flow & (pl.col("stage_to") == _REPEATS))).with_columns(
        pl.col("stage_from").replace(_REPEATS, before[0]), pl.col("stage_to").replace(_REPEATS, before[0])
    )
    return kept, [_REPEATS]


def _largest(frame: pl.DataFrame, top: int, least: float) -> tuple[list[str], list[str]]:
    """Return the places with a hue, and all with a node, by the sum of what they give and take."""
    flows = frame.filter(pl.col("role") == "flow")
    ends = [
        flows.filter(pl.col(f"stage_{end}") != _RECYCLE).select(
            pl.col(f"stage_{end}").alias("stage"),
            pl.col(f"place_{end}").alias("place"),
            "value",
            pl.lit(end).alias("end"),
        )
        for end in ("from", "to")
    ]
    passed = pl.concat(ends).drop_nulls("place")
    shares = passed.group_by("stage", "end", "place").agg(pl.col("value").sum())
    shares = shares.with_columns(pl.col("value") / pl.col("value").sum().over("stage", "end"))
    fair = set(shares.filter(pl.col("value") >= least)["place"].to_list())
    totals = passed.group_by("place").agg(pl.col("value").sum()).filter(pl.col("place") != "ROW")
    ranked = [
        str(name) for name in totals.sort(["value", "place"], descending=[True, False])["place"].to_list()
    ]
    return ranked[:top], [name for place, name in enumerate(ranked) if place < top or name in fair]


def _group(frame: pl.DataFrame, kept: list[str]) -> pl.DataFrame:
    """Sum the flows of places without a node; the kind of a sum is the one that carries most of it."""
    grouped = frame.with_columns(
        pl.when(pl.col(name).is_null() | pl.col(name).is_in(kept))
        .then(pl.col(name))
        .otherwise(pl.lit(OTHERS))
        .alias(name)
        for name in ("place_from", "place_to")
    )  # fmt: skip
    keys = ["role", "stage_from", "place_from", "stage_to", "place_to"]
    by_kind = grouped.group_by([*keys, "kind"], maintain_order=True).agg(
        pl.col("value").sum(), pl.col("cell_id").first(), pl.len()
    )
    return (
        by_kind.sort("value", descending=True, maintain_order=True)
        .group_by(keys, maintain_order=True)
        .agg(
            pl.col("kind").first(),
            pl.when(pl.len() == 1, pl.col("len").first() == 1)
            .then(pl.col("cell_id").first())
            .alias("cell_id"),
            pl.col("value").sum(),
        )
    )


def _open_ends(links: pl.DataFrame, tolerance: float) -> pl.DataFrame:
    """Add what is missing at a node between the first and the last stage as an unexplained flow."""
    given = links.group_by(pl.col("stage_from").alias("stage"), pl.col("place_from").alias("place")).agg(
        pl.col("value").sum().alias("out")
    )
    taken = links.group_by(pl.col("stage_to").alias("stage"), pl.col("place_to").alias("place")).agg(
        pl.col("value").sum().alias("in")
    )
    nodes = given.join(taken, on=["stage", "place"], how="full", coalesce=True).drop_nulls("stage")
    nodes = nodes.with_columns(pl.col("in").fill_null(0.0), pl.col("out").fill_null(0.0))
    orders = [words.stage_order(name) for name in nodes["stage"].to_list() if name != _RECYCLE]
    first, last = min(orders), max(orders)
    rows: list[dict[str, Any]] = []
    for node in nodes.sort(["stage", "place"]).iter_rows(named=True):
        order, gap = words.stage_order(node["stage"]), node["in"] - node["out"]
        size = max(node["in"], node["out"])
        if node["stage"] == _RECYCLE or not first < order < last or abs(gap) <= tolerance * size:
            continue
        ends = ("from", "to") if gap > 0 else ("to", "from")
        rows.append({
            "role": "unexplained", f"stage_{ends[0]}": node["stage"], f"place_{ends[0]}": node["place"],
            f"stage_{ends[1]}": None, f"place_{ends[1]}": None, "kind": "derived", "cell_id": None,
            "value": abs(gap),
        })  # fmt: skip
    return pl.concat([links, pl.DataFrame(rows, schema=links.schema)]) if rows else links


def _number(links: pl.DataFrame, kept: list[str]) -> tuple[pl.DataFrame, list[str]]:
    """Number the nodes; ends outside the chain (loss, stock, scrap, unexplained) get nodes of their own."""
    real = {name for end in ("from", "to") for name in links[f"stage_{end}"].drop_nulls().to_list()} - {
        _RECYCLE
    }
    stages = sorted(real, key=words.stage_order)
    rank = {name: place for place, name in enumerate([*kept, OTHERS])}
    roles = {name: place for place, name in enumerate([*ROLES, _RECYCLE])}
    found: dict[tuple[str, str, str, str], float] = {}
    ends: list[tuple[tuple[str, str, str, str], tuple[str, str, str, str], dict[str, Any]]] = []
    for row in links.iter_rows(named=True):
        keys = [_node(row, end, stages) for end in ("from", "to")]
        ends.append((keys[0], keys[1], row))
        for key in keys:
            found.setdefault(key, 0.0)

    def along(key: tuple[str, str, str, str]) -> tuple[int, int, int, str]:
        return (stages.index(key[0]), roles[key[3]], rank.get(key[1], len(rank)), key[2])

    order = sorted(found, key=along)
    number = {key: position for position, key in enumerate(order)}
    out = dict.fromkeys(order, 0.0)
    into = dict.fromkeys(order, 0.0)
    for source, target, row in ends:
        out[source] += row["value"]
        into[target] += row["value"]
    size = {key: max(out[key], into[key]) for key in order}
    total = {name: sum(size[key] for key in order if key[0] == name and key[3] == "flow") for name in stages}
    rows: list[dict[str, Any]] = [
        {
            "item": "node", "node": number[key], "stage": key[0], "place": key[1] or None, "side": key[2],
            "role": key[3], "label": _label(key), "value": size[key],
            "share": size[key] / total[key[0]] if total[key[0]] else None,
        }
        for key in order
    ]  # fmt: skip
    ends.sort(key=lambda end: (number[end[0]], number[end[1]]))
    rows += [
        {
            "item": "link", "source": number[source], "target": number[target], "stage": source[0],
            "place": source[1] or target[1] or None, "role": row["role"] if row["role"] != "flow" else
            (_RECYCLE if _RECYCLE in (source[3], target[3]) else "flow"), "value": row["value"],
            "kind": row["kind"], "quality": quality(row["kind"], None, row["value"]),
            "cell_id": row["cell_id"],
            "share": row["value"] / total[source[0]] if total[source[0]] else None,
        }
        for source, target, row in ends
    ]  # fmt: skip
    schema = {
        "item": pl.String, "node": pl.Int64, "source": pl.Int64, "target": pl.Int64, "stage": pl.String,
        "place": pl.String, "side": pl.String, "role": pl.String, "label": pl.String, "value": pl.Float64,
        "share": pl.Float64, "kind": pl.String, "quality": pl.String, "cell_id": pl.String,
    }  # fmt: skip
    return pl.DataFrame(rows, schema=schema), stages


def _node(row: dict[str, Any], end: str, stages: list[str]) -> tuple[str, str, str, str]:
    """Return (stage of its column, place, side, role); side is in or out at ends outside the chain."""
    stage, place = row[f"stage_{end}"], row[f"place_{end}"]
    if stage is not None and stage != _RECYCLE:
        return (stage, place or OTHERS, "", "flow")
    other = row["stage_to" if end == "from" else "stage_from"]
    role = _RECYCLE if stage == _RECYCLE else row["role"]
    position = stages.index(other) + (-1 if end == "from" else 1)
    column = stages[min(max(position, 0), len(stages) - 1)]
    return (column, "", "in" if end == "from" else "out", role)


def _label(key: tuple[str, str, str, str]) -> str:
    _, place, side, role = key
    if role == "flow":
        return say("view.others") if place == OTHERS else words.place(place)
    return say(f"view.role_{role}_{side}")


def _sentence(data: pl.DataFrame, stages: list[str]) -> str:
    """Say who is largest at the first and at the last stage, and how much is lost and unexplained."""
    nodes = data.filter((pl.col("item") == "node") & (pl.col("role") == "flow") & (pl.col("place") != OTHERS))
    firsts: list[dict[str, Any]] = []
    for stage in stages:
        part = nodes.filter(pl.col("stage") == stage)
        if part.height:
            firsts.append(part.sort("share", descending=True, maintain_order=True).row(0, named=True))
    if not firsts:
        return ""
    start, end = firsts[0], firsts[-1]
    values = {
        "first": words.place(start["place"]), "share_first": percent(start["share"]),
        "stage_first": words.stage(start["stage"]).lower(), "last": words.place(end["place"]),
        "share_last": percent(end["share"]), "stage_last": words.stage(end["stage"]).lower(),
    }  # fmt: skip
    same = start["place"] == end["place"]
    sentence = say("view.sankey_sentence_same" if same else "view.sankey_sentence", **values)
    into = data.filter(
        (pl.col("item") == "node") & (pl.col("stage") == stages[0]) & (pl.col("role") == "flow")
    )
    total = float(into["value"].sum())
    sums = dict(data.filter(pl.col("item") == "link").group_by("role").agg(pl.col("value").sum()).iter_rows())
    for role in ("loss", "stock", "unexplained"):
        if sums.get(role) and total:
            sentence += " " + say(f"view.sankey_{role}", share=percent(sums[role] / total))
    return sentence


def _notes(
    data: pl.DataFrame, frame: pl.DataFrame, kept: list[str], lost: float, folded: list[str]
) -> tuple[str, ...]:
    links = data.filter(pl.col("item") == "link")
    unit, basis = str(data["unit"][0]), data["basis"][0]
    total = float(links["value"].sum())
    soft = float(links.filter(pl.col("quality") != "solid")["value"].sum())
    notes = [
        say("view.note_basis", unit=unit, basis=basis or say("view.basis_unstated")),
        say("view.note_links", share=percent(soft / total)),
    ]
    places = {name for end in ("from", "to") for name in frame[f"place_{end}"].drop_nulls().to_list()} - set(
        kept
    )
    if places:
        notes.append(say("view.note_others", count=len(places)))
    if folded:
        names = [words.stage(stage).lower() for stage in folded]
        notes.append(say("view.note_folded", stages=names))
    if lost:
        notes.append(say("view.note_scrap", value=quantity(lost, unit)))
    return tuple(notes)
