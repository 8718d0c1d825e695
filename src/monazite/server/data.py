"""The API of the facts: what is packaged, one by one, and a check of a table of one's own."""

from __future__ import annotations

import tempfile
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, Literal

import polars as pl
from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import Response

from monazite import facts
from monazite.core.errors import ArgumentError, UnknownName
from monazite.core.text import say
from monazite.facts.check import check_file
from monazite.facts.places import resolve
from monazite.report.explained import fact_explained, fact_table
from monazite.server import shapes, wire
from monazite.server.asking import answers, files
from monazite.server.questions import FactsQuestion, Name, WrongType, Year, exact
from monazite.views import words

__all__ = ["router"]

router = APIRouter(prefix="/api/data", default_response_class=wire.Json, dependencies=[Depends(exact)])

_CHOICES = ("variable", "commodity", "activity", "place", "kind", "source")
_LABELS = {
    "variable": words.chain, "commodity": words.commodity, "activity": words.commodity,
    "place": words.place, "kind": words.kind,
}  # fmt: skip
_SEARCHED = ("variable", "commodity", "activity", "place", "partner", "source", "locator", "note")
_FILES = ("text/csv", "application/json")
_MOST_PROBLEMS = 500

Asked = Annotated[FactsQuestion, Query()]


@lru_cache(maxsize=64)
def _table(chain: str | None, year: int | None) -> facts.FactTable:
    return facts.load([chain or _chains()[0]], year)


def _chains() -> list[str]:
    return sorted((name for name in facts.chains() if name != "toy"), key=lambda name: name != "rare_earths")


@router.get("", responses=answers(shapes.DataPage), summary="What is packaged")
def contents() -> Response:
    """List chains with their years and the number of facts by kind."""
    return wire.Json({"chains": [_chain(name) for name in _chains()]})


def _chain(name: str) -> dict[str, Any]:
    frame = _table(name, None).frame
    counts = dict(frame.group_by("kind").len().iter_rows())
    kinds = [
        {"kind": kind, "label": words.kind(kind), "count": counts[kind]}
        for kind in wire.KINDS
        if kind in counts
    ]
    return {
        "name": name, "label": words.chain(name), "years": list(facts.years(name)), "facts": frame.height,
        "kinds": kinds,
    }  # fmt: skip


def _matching(question: FactsQuestion) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the facts that match, and those that the choices are made from."""
    whole = _table(question.chain, question.year).frame
    frame = whole
    for column in _CHOICES:
        name = getattr(question, column)
        if name is None:
            continue
        known = whole[column].drop_nulls().unique().to_list()
        if column == "place" and name not in known:
            name = resolve(name)[0]
        if name not in known:
            raise UnknownName(column, name, known)
        frame = frame.filter(pl.col(column) == name)
    if question.text:
        frame = frame.filter(_holds(question.text.casefold()))
    return frame, whole


def _holds(text: str) -> pl.Expr:
    """Tell which facts hold a text in their words, ids, or the names of their places and things."""
    joined = pl.concat_str([pl.col(c).fill_null("") for c in _SEARCHED], separator=" ")
    named = pl.struct("commodity", "activity", "place", "partner").map_elements(
        lambda row: " ".join(
            (words.place if column in ("place", "partner") else words.commodity)(value)
            for column, value in row.items()
            if value
        ),
        return_dtype=pl.String,
    )
    return pl.concat_str([joined, named], separator=" ").str.to_lowercase().str.contains(text, literal=True)


@router.get("/facts", responses=answers(shapes.FactsPage), summary="The facts that match, page by page")
def listed(question: Asked) -> Response:
    """Return some of the facts that match every choice."""
    table = _table(question.chain, question.year)
    frame, whole = _matching(question)
    some = frame.slice(question.offset, question.limit)
    asked = question.model_dump(exclude_none=True, exclude={"offset", "limit"})
    end = wire.query(asked)
    chain = table.chains[0]
    caption = say("server.facts_caption", chain=words.chain(chain), year=table.year, count=frame.height)
    chosen = {column: getattr(question, column) for column in _CHOICES}
    return wire.Json(
        {
            "count": frame.height,
            "offset": question.offset,
            "limit": question.limit,
            "chain": chain,
            "year": table.year,
            "table": wire.table_page(fact_table(some, caption=caption)),
            "choices": {column: _choices(whole, frame, column, name) for column, name in chosen.items()},
            "links": {
                form: f"/api/data/facts.{form}" + (f"?{end}" if end else "") for form in ("csv", "json")
            },
        }
    )


def _choices(
    whole: pl.DataFrame, frame: pl.DataFrame, column: str, chosen: str | None
) -> list[dict[str, Any]]:
    """Return the values of a column that the other choices leave, with the number of facts of each."""
    source = whole if chosen is not None else frame
    counts = source.drop_nulls(column).group_by(column).len().sort(column)
    name = _LABELS.get(column, str)
    return [{"name": value, "label": name(value), "count": count} for value, count in counts.iter_rows()]


@router.get(
    "/facts.{form}",
    responses=files(*_FILES),
    response_class=Response,
    summary="All facts that match, as a file",
)
def download(form: Literal["csv", "json"], question: Asked) -> Response:
    """Return all facts that match."""
    frame, _ = _matching(question)
    if form == "csv":
        return Response(frame.write_csv(), media_type="text/csv")
    return wire.Json({"facts": frame.to_dicts()})


@router.get(
    "/explain", responses=answers(shapes.Explanation), summary="One fact, its source, what it contradicts"
)
def explain(
    fact: Annotated[int, Query(ge=0, le=10_000_000)], chain: Name | None = None, year: Year | None = None
) -> Response:
    """Explain one fact."""
    return wire.Json(wire.explanation_page(fact_explained(_table(chain, year), fact)))


@router.get("/sources", responses=answers(shapes.Sources), summary="All sources")
def sources() -> Response:
    """List the sources of all chains."""
    return wire.Json({"sources": wire.source_list(_sources())})


def _sources() -> pl.DataFrame:
    frames = [_table(chain, None).sources for chain in _chains()]
    return pl.concat(frames, how="diagonal_relaxed").unique("source", keep="first", maintain_order=True)


@router.get(
    "/sources.{form}", responses=files(*_FILES), response_class=Response, summary="All sources, as a file"
)
def sources_file(form: Literal["csv", "json"]) -> Response:
    """Return all sources."""
    if form == "csv":
        return Response(_sources().write_csv(), media_type="text/csv")
    return wire.Json({"sources": wire.source_list(_sources())})


@router.post(
    "/check",
    responses=answers(shapes.CheckPage, 413, 415),
    summary="Check a facts table of one's own",
    openapi_extra={
        "requestBody": {"required": True, "content": {"text/csv": {"schema": {"type": "string"}}}}
    },
)
async def check(request: Request) -> Response:
    """Check a table; it is looked at here and nowhere kept."""
    media = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media not in ("text/csv", "text/plain"):
        raise WrongType("server.csv_expected", given=media or say("server.nothing"))
    data = await request.body()
    if not data.strip():
        raise ArgumentError("server.empty_file")
    from starlette.concurrency import run_in_threadpool

    return wire.Json(await run_in_threadpool(_check, data))


def _check(data: bytes) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "1" / "2" / "facts.csv"  # so deep that nothing is found beside it or above
        file.parent.mkdir(parents=True)
        file.write_bytes(data)
        problems = check_file(file)
    rows = max(sum(1 for line in data.splitlines() if line.strip()) - 1, 0)
    key = "cli.check_found" if problems else "cli.check_fine"
    return {
        "rows": rows,
        "problems": [
            {"row": item.row, "column": item.column, "message": item.message}
            for item in problems[:_MOST_PROBLEMS]
        ],
        "sentence": say(key, file=say("server.your_table"), rows=rows, count=len(problems)),
    }
