"""The API of facilities: where they are and whose, which states hold what is made, what idles."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Annotated, Any, Literal

import polars as pl
from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from monazite.core.text import say
from monazite.facts.facilities import UNKNOWN, capacity, facilities, load_facilities, owner_shares
from monazite.facts.records import cited
from monazite.report.twin import Cell, Table
from monazite.server import shapes, wire
from monazite.server.asking import answers, files
from monazite.server.questions import Name, exact
from monazite.views import words
from monazite.views.numbers import interval, percent, quantity

__all__ = ["router"]

_TABLE = ("text/csv", "application/json")
_ROLES = ("equity", "control", "offtake")
_SEEN = 0.005

router = APIRouter(prefix="/api/data", default_response_class=wire.Json, dependencies=[Depends(exact)])


class ChainQuestion(BaseModel):
    """Whose facilities or shares are wanted."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    chain: Name = Field(description="Chain")


class FacilitiesQuestion(BaseModel):
    """Which facilities, or which idle and announced capacity, are wanted."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    chain: Name | None = Field(None, description="Only of this chain")
    place: Name | None = Field(None, description="Only at this place")
    owner: Name | None = Field(None, description="Only of this state (code) or holder (part of a name)")


class CapacityQuestion(BaseModel):
    """Which idle, unfinished and announced capacity is wanted."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    chain: Name | None = Field(None, description="Only of this chain")
    place: Name | None = Field(None, description="Only at this place")


class ListPage(shapes.Shape):
    """A table, the chains and places that it can be narrowed to, and its sources."""

    count: int
    table: shapes.Table
    choices: dict[str, list[shapes.Choice]]
    sources: list[shapes.Source]
    links: dict[str, str]


class SharesPage(shapes.Shape):
    """Which states hold what is made in a chain, and what others have published of it."""

    chain: str
    table: shapes.Table
    published: shapes.Table
    sources: list[shapes.Source]
    links: dict[str, str]


def _facilities(question: FacilitiesQuestion) -> pl.DataFrame:
    return facilities(question.chain, place=question.place, owner=question.owner)


def _capacity(question: CapacityQuestion) -> pl.DataFrame:
    return capacity(question.chain, place=question.place)


@router.get("/facilities", responses=answers(ListPage), summary="Facilities and their holders")
def facilities_listed(question: Annotated[FacilitiesQuestion, Query()]) -> Response:
    """Return the facilities that match."""
    frame = _facilities(question)
    sources = cited(frame["source"].to_list())
    columns: dict[str, Callable[[dict[str, Any]], Cell]] = {
        "place": lambda row: _text(words.place(row["place"])),
        "activity": _activity,
        "phase": lambda row: _text(say(f"server.phase_{row['phase']}")),
        "capacity": _capacity_cell,
        "measured": lambda row: _text(say(f"server.measured_{row['measured']}") if row["measured"] else ""),
        "year": lambda row: _text(str(row["year"] or "")),
        "owners": lambda row: _text(row["owners"] or ""),
    }
    table = _laid(frame, "facility", columns, sources, say("server.facilities", count=frame.height))
    return wire.Json(_list_page("facilities", frame, load_facilities().facilities, table, sources, question))


@router.get("/capacity", responses=answers(ListPage), summary="Idle, unfinished and announced capacity")
def capacity_listed(question: Annotated[CapacityQuestion, Query()]) -> Response:
    """Return what stands idle, is being built or is announced."""
    frame = _capacity(question)
    sources = cited(frame["source"].to_list())
    columns: dict[str, Callable[[dict[str, Any]], Cell]] = {
        "place": lambda row: _text(words.place(row["place"])),
        "phase": lambda row: _text(say(f"server.phase_{row['phase']}")),
        "activity": _activity,
        "capacity": _capacity_cell,
        "begins": _begins,
        "restart": _restart,
        "capex": lambda row: (
            Cell(quantity(row["capex"], "MUSD"), kind=row["kind"]) if row["capex"] else _text("")
        ),
    }
    table = _laid(frame, "project", columns, sources, say("server.capacity", count=frame.height))
    return wire.Json(_list_page("capacity", frame, load_facilities().idle, table, sources, question))


def _list_page(
    name: str,
    frame: pl.DataFrame,
    whole: pl.DataFrame,
    table: Table,
    sources: pl.DataFrame,
    question: BaseModel,
) -> dict[str, Any]:
    end = wire.query(question.model_dump(exclude_none=True))
    end = f"?{end}" if end else ""
    return {
        "count": frame.height,
        "table": wire.table_page(table),
        "choices": {
            "chain": _choices(whole, "chain", words.chain),
            "place": _choices(whole, "place", words.place),
        },
        "sources": wire.source_list(sources),
        "links": {form: f"/api/data/{name}.{form}{end}" for form in ("csv", "json")},
    }


def _choices(frame: pl.DataFrame, column: str, name: Callable[[str], str]) -> list[dict[str, Any]]:
    counts = frame.drop_nulls(column).group_by(column).len().sort(column)
    return [{"name": value, "label": name(value), "count": count} for value, count in counts.iter_rows()]


def _laid(
    frame: pl.DataFrame,
    first: str,
    columns: dict[str, Callable[[dict[str, Any]], Cell]],
    sources: pl.DataFrame,
    caption: str,
) -> Table:
    """Lay out records, with the number of the source and the note last."""
    numbers = {source: n for n, source in enumerate(sources["source"].to_list(), 1)}
    rows = []
    for row in frame.iter_rows(named=True):
        source = say("explain.number", number=numbers[row["source"]])
        cells = [_text(row[first]), *(make(row) for make in columns.values())]
        rows.append((*cells, _text(source), _text(row["note"] or "")))
    heads = (first, *columns, "source", "note")
    return Table(caption, tuple(say(f"server.head_{head}") for head in heads), (("", tuple(rows)),), labels=1)


def _text(text: str) -> Cell:
    return Cell(text, number=False)


def _activity(row: dict[str, Any]) -> Cell:
    if row["activity"]:
        return _text(words.commodity(row["activity"]))
    return _text(say("server.of_mineral", mineral=row["mineral"], stage=words.stage(row["stage"]).lower()))


def _capacity_cell(row: dict[str, Any]) -> Cell:
    if row["capacity"] is None:
        return Cell(say("view.no_figure"), number=False)
    text = say("explain.with_basis", figure=quantity(row["capacity"], row["unit"]), basis=row["basis"])
    return Cell(text, within=interval(row["low"], row["high"], None), kind=row["kind"])


def _begins(row: dict[str, Any]) -> Cell:
    parts = [say("server.idle_since", since=row["since"])] if row["since"] else []
    parts += [str(row["start"])] if row["start"] else []
    parts += [say("server.lag", months=row["lag"])] if row["lag"] is not None else []
    return _text("; ".join(parts))


def _restart(row: dict[str, Any]) -> Cell:
    if row["restart_price"] is None:
        return _text(row["condition"] or "")
    told = quantity(row["restart_price"], row["price_unit"], digits=4)
    text = say(f"server.price_{row['price_is']}", price=told, basis=row["price_basis"])
    return Cell(text, within=interval(row["price_low"], row["price_high"], None), kind=row["kind"])


@router.get(
    "/facilities.{form}", responses=files(*_TABLE), response_class=Response, summary="Facilities, as a file"
)
def facilities_file(
    form: Literal["csv", "json"], question: Annotated[FacilitiesQuestion, Query()]
) -> Response:
    """Return the facilities that match."""
    return _file(_facilities(question), form, "facilities")


@router.get(
    "/capacity.{form}", responses=files(*_TABLE), response_class=Response, summary="Capacity, as a file"
)
def capacity_file(form: Literal["csv", "json"], question: Annotated[CapacityQuestion, Query()]) -> Response:
    """Return the idle, unfinished and announced capacity that matches."""
    return _file(_capacity(question), form, "capacity")


def _file(frame: pl.DataFrame, form: str, name: str) -> Response:
    if form == "csv":
        return Response(frame.write_csv(), media_type="text/csv")
    return wire.Json({name: frame.to_dicts()})


@lru_cache(maxsize=64)
def _shares(chain: str) -> pl.DataFrame:
    return owner_shares(chain)


@router.get("/owners", responses=answers(SharesPage), summary="Which states hold what is made")
def owners(question: Annotated[ChainQuestion, Query()]) -> Response:
    """Return the shares of a chain by equity, control and offtake."""
    frame = _shares(question.chain)
    published = load_facilities().control.filter(pl.col("chain") == question.chain)
    named = [name for cell in frame["source"].drop_nulls().to_list() for name in cell.split(";")]
    sources = cited([*named, *published["source"].to_list()])
    end = f"?{wire.query({'chain': question.chain})}"
    return wire.Json(
        {
            "chain": question.chain,
            "table": wire.table_page(_shares_table(frame, sources, question.chain)),
            "published": wire.table_page(_published(published, sources)),
            "sources": wire.source_list(sources),
            "links": {form: f"/api/data/owners.{form}{end}" for form in ("csv", "json")},
        }
    )


@router.get(
    "/owners.{form}", responses=files(*_TABLE), response_class=Response, summary="Shares of states, as a file"
)
def owners_file(form: Literal["csv", "json"], question: Annotated[ChainQuestion, Query()]) -> Response:
    """Return the shares of a chain."""
    return _file(_shares(question.chain), form, "owners")


def _shares_table(frame: pl.DataFrame, sources: pl.DataFrame, chain: str) -> Table:
    """Lay out shares activity by activity: the world and the places where a facility is known."""
    numbers = {source: n for n, source in enumerate(sources["source"].to_list(), 1)}
    known = frame.filter(pl.col("value").is_not_null())
    groups = []
    for (activity,), part in known.group_by(["activity"], maintain_order=True):
        rows = []
        for (place,), here in part.group_by(["place"], maintain_order=True):
            first = here.row(0, named=True)
            if place != "WLD" and not first["covered"]:
                continue
            roles = [_held(here.filter(pl.col("role") == role)) for role in _ROLES]
            seen = percent(min(first["covered"] / first["total"], 1.0))
            names = " ".join(
                say("explain.number", number=numbers[name]) for name in first["source"].split(";") if name
            )
            label = _text(words.place(str(place)))
            rows.append((label, *roles, Cell(seen, kind="derived"), _text(first["period"]), _text(names)))
        groups.append((words.commodity(str(activity)), tuple(rows)))
    heads = ("place", *_ROLES, "covered", "period", "source")
    caption = say("server.shares", chain=words.chain(chain))
    return Table(caption, tuple(say(f"server.head_{head}") for head in heads), tuple(groups), labels=1)


def _held(rows: pl.DataFrame) -> Cell:
    """Put the states' shares in one cell, each with what it could be at most."""
    parts = []
    for state, value, high in rows.select("by", "value", "high").iter_rows():
        name = say("server.share_unknown") if state == UNKNOWN else words.place(state)
        text = f"{name} {percent(value)}"
        if high is not None and high > value + _SEEN:
            text += " " + say("server.at_most", share=percent(high))
        parts.append(text)
    return Cell("; ".join(parts), number=False, kind="derived" if parts else None)


def _published(frame: pl.DataFrame, sources: pl.DataFrame) -> Table:
    """Lay out what others have published of a whole stage."""
    numbers: Sequence[str] = sources["source"].to_list()
    rows = [
        (
            _text(words.stage(row["stage"])),
            _text(row["scope"]),
            _text(words.place(row["state"])),
            Cell(percent(row["share"]), kind=row["kind"]),
            _text(str(row["year"] or "")),
            _text(say("explain.number", number=numbers.index(row["source"]) + 1)),
            _text(row["note"] or ""),
        )
        for row in frame.iter_rows(named=True)
    ]
    heads = ("stage", "scope", "state", "share", "year", "source", "note")
    caption = say("server.published")
    return Table(caption, tuple(say(f"server.head_{head}") for head in heads), (("", tuple(rows)),), labels=2)
