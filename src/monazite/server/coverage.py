"""The API of coverage: what is known of each stage of each chain, year by year, and how."""

from __future__ import annotations

from functools import lru_cache
from typing import Annotated, Any, Literal

import polars as pl
from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from monazite.answer import Answer
from monazite.core.text import say
from monazite.facts.counting import KNOWN
from monazite.facts.coverage import coverage_of
from monazite.report.twin import Cell, Table
from monazite.server import shapes, wire
from monazite.server.asking import CellId, Form, TableForm, answers, files
from monazite.server.questions import Name, Year, exact
from monazite.views import words

__all__ = ["router"]

router = APIRouter(
    prefix="/api/data/coverage", default_response_class=wire.Json, dependencies=[Depends(exact)]
)

_BASE = "/api/data/coverage"
_MOST = 60
_TABLE = ("text/csv", "application/json")


class CoverageQuestion(BaseModel):
    """Which part of the coverage is asked for; all of it by default."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    chain: Annotated[tuple[Name, ...], Field(max_length=_MOST)] = Field((), description="Chains")
    stage: Annotated[tuple[Name, ...], Field(max_length=_MOST)] = Field((), description="Stages")
    year: Year | None = Field(None, description="Only this year")


class CoverageCell(CoverageQuestion):
    """A cell of the coverage asked for."""

    cell: CellId

    def question(self) -> CoverageQuestion:
        """Return the question that the cell answers."""
        return CoverageQuestion(**self.model_dump(exclude={"cell"}))


class CoveragePage(shapes.Shape):
    """What is known, and how."""

    summary: list[str]
    view: shapes.ViewPage
    counts: shapes.Table
    links: dict[str, str]


Asked = Annotated[CoverageQuestion, Query()]


@lru_cache(maxsize=16)
def _answer(question: CoverageQuestion) -> Answer:
    found = coverage_of(question.chain or None, stage=question.stage or None, year=question.year)
    return Answer(found)


@router.get("", responses=answers(CoveragePage), summary="What is known of each stage, and how")
def coverage(question: Asked) -> Response:
    """Return the map of what is known, with its table and the number of facts."""
    return wire.Json(_page(question))


@lru_cache(maxsize=16)
def _page(question: CoverageQuestion) -> dict[str, Any]:
    answer = _answer(question)
    end = wire.query(question.model_dump(exclude_none=True, exclude_defaults=True))
    end = f"?{end}" if end else ""
    return {
        "summary": answer.result.findings(),  # type: ignore[attr-defined]
        "view": wire.view_page("coverage", answer.view(), _BASE, end),
        "counts": wire.table_page(_counts(answer)),
        "links": {form: f"{_BASE}/table.{form}{end}" for form in ("csv", "json")},
    }


def _counts(answer: Answer) -> Table:
    """Lay out the number of facts of each chain by how they are known."""
    totals = answer.table.filter(measure="facts_total")
    some = set(totals.filter(pl.col("value") > 0)["known"].to_list())
    used = [name for name in KNOWN if name != "not_applicable" or name in some]
    rows: dict[str | None, dict[str, int]] = {}
    for chain, known, value in totals.select("chain", "known", "value").iter_rows():
        rows.setdefault(chain, {})[known] = int(value)
    body = tuple(
        (
            Cell(words.chain(chain) if chain else say("server.coverage_all"), number=False),
            *(Cell(f"{counts.get(name, 0):,}") for name in used),
            Cell(f"{sum(counts.values()):,}"),
        )
        for chain, counts in rows.items()
    )
    heads = (words.column("chain"), *(say(f"coverage.known_{name}") for name in used), words.column("facts"))
    return Table(say("server.coverage_counts"), heads, (("", body),))


@router.get("/explain", responses=answers(shapes.Explanation), summary="The facts behind a cell")
def explain(asked: Annotated[CoverageCell, Query()]) -> Response:
    """Explain one cell."""
    return wire.Json(wire.explain(_answer(asked.question()), asked.cell))


@router.get(
    "/table.{form}", responses=files(*_TABLE), response_class=Response, summary="The whole table of coverage"
)
def table(form: TableForm, question: Asked) -> Response:
    """Return the table."""
    return wire.download(_answer(question), "table", form)


@router.get(
    "/views/{view}.{form}", responses=files(*_TABLE, "image/svg+xml"), summary="The map, as data or drawn"
)
def view(view: Literal["coverage"], form: Form, question: Asked) -> Response:
    """Return the map."""
    return wire.download(_answer(question), view, form)
