"""The API of products: what is in one, who makes it, who makes what is in it."""

from __future__ import annotations

from functools import lru_cache
from typing import Annotated, Any, Literal

import polars as pl
from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from monazite.core.errors import UnknownName
from monazite.core.text import has, say
from monazite.draw import svg
from monazite.draw.page import page_picture
from monazite.facts.products import load_products, product_sources, product_table, products
from monazite.report.explained import Explained, fact_table, figure, label
from monazite.report.twin import Cell, Table
from monazite.server import shapes, wire
from monazite.server.asking import CellId, Form, TableForm, answers, files
from monazite.server.questions import Name, exact
from monazite.views import View, words
from monazite.views.products import product_content, product_makers

__all__ = ["router"]

_BASE = "/api/data/products"
_TABLE = ("text/csv", "application/json")

router = APIRouter(prefix=_BASE, default_response_class=wire.Json, dependencies=[Depends(exact)])


class ProductQuestion(BaseModel):
    """Which product is meant."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    product: Name = Field(description="A product, such as electric_vehicle")


class ProductCell(ProductQuestion):
    """A cell of what is known of a product."""

    cell: CellId


class ProductListed(shapes.Named):
    """A product: what one unit is, how many chains and materials it needs."""

    counted: str
    chains: list[str]
    commodities: int
    help: str


class ProductList(shapes.Shape):
    """The packaged products."""

    products: list[ProductListed]


class ProductPage(shapes.Shape):
    """What is known of a product."""

    product: ProductListed
    views: list[shapes.ViewPage]
    figures: shapes.Table
    sources: list[shapes.Source]
    links: dict[str, str]


Asked = Annotated[ProductQuestion, Query()]


def _listed() -> list[dict[str, Any]]:
    return [
        {
            "name": row["product"],
            "label": row["name"],
            "counted": row["counted"],
            "chains": [words.chain(name) for name in (row["chains"] or "").split(";") if name],
            "commodities": row["commodities"] or 0,
            "help": row["help"],
        }
        for row in products().iter_rows(named=True)
    ]


@router.get("", responses=answers(ProductList), summary="Products that need several chains")
def listed() -> Response:
    """List the packaged products."""
    return wire.Json({"products": _listed()})


@lru_cache(maxsize=32)
def _table(product: str) -> pl.DataFrame:
    return product_table(product)


@lru_cache(maxsize=32)
def _views(product: str) -> dict[str, View]:
    table = _table(product)
    about = load_products().products.filter(pl.col("product") == product).row(0, named=True)
    sources = product_sources(table)
    measures = set(table["measure"])
    made = {}
    if "content_per_unit" in measures:
        made["product_content"] = product_content(
            table, name=about["name"], counted=about["counted"], sources=sources
        )
    if "maker_share" in measures:
        made["product_makers"] = product_makers(table, name=about["name"], sources=sources)
    return made


@router.get("/one", responses=answers(ProductPage), summary="What one product needs, and who makes it")
def one(question: Asked) -> Response:
    """Return the pictures, the figures and the sources of a product."""
    return wire.Json(_page(question.product))


@lru_cache(maxsize=32)
def _page(product: str) -> dict[str, Any]:
    table = _table(product)
    sources = product_sources(table)
    end = f"?{wire.query({'product': product})}"
    about = next(item for item in _listed() if item["name"] == product)
    return {
        "product": about,
        "views": [wire.view_page(name, view, _BASE, end) for name, view in _views(product).items()],
        "figures": wire.table_page(_figures(table, sources, about["label"])),
        "sources": wire.source_list(sources),
        "links": {form: f"{_BASE}/table.{form}{end}" for form in ("csv", "json")},
    }


def _figures(table: pl.DataFrame, sources: pl.DataFrame, name: str) -> Table:
    """Lay out all figures but the shares that the matrix shows: what, where, when, how much, whence."""
    numbers = {source: n for n, source in enumerate(sources["source"].to_list(), 1)}
    groups: dict[str, list[tuple[Cell, ...]]] = {}
    for row in table.filter(pl.col("measure") != "maker_share").iter_rows(named=True):
        about = (
            words.commodity(row["commodity"]) if row["commodity"] else words.place(row["by"] or row["place"])
        )
        if not (row["commodity"] or row["by"] or row["place"]):
            about = name
        groups.setdefault(words.measure(row["measure"]), []).append(
            (
                Cell(about, number=False),
                figure(row),
                Cell(row["period"] or "", number=False),
                Cell(words.commodity(row["use"]) if row["use"] else "", number=False),
                Cell(_numbered(row["source"], numbers), number=False),
                Cell(row["note"] or "", number=False),
            )
        )
    heads = ("about", "value", "period", "use", "source", "note")
    return Table(
        say("server.product_figures", name=name),
        tuple(say(f"server.head_{head}") for head in heads),
        tuple((measure, tuple(rows)) for measure, rows in groups.items()),
        labels=1,
    )


def _numbered(source: str | None, numbers: dict[str, int]) -> str:
    return " ".join(
        say("explain.number", number=numbers[name]) if name in numbers else name
        for name in (source or "").split(";")
        if name
    )


@router.get("/explain", responses=answers(shapes.Explanation), summary="The facts behind a figure")
def explain(asked: Annotated[ProductCell, Query()]) -> Response:
    """Explain one figure of a product."""
    rows = _table(asked.product).filter(pl.col("cell_id") == asked.cell)
    if not rows.height:
        raise UnknownName("cell", asked.cell, ())
    return wire.Json(wire.explanation_page(_explained(asked.product, rows.row(0, named=True), rows)))


def _explained(product: str, row: dict[str, Any], rows: pl.DataFrame) -> Explained:
    sources = product_sources(rows)
    facts = load_products().facts.filter(pl.col("activity") == product, pl.col("value").is_not_null())
    content = (pl.col("variable") == "content_per_unit") & pl.col("commodity").eq_missing(row["commodity"])
    world = (pl.col("variable") == "made") & (pl.col("place") == "WLD")
    behind = {
        "need": facts.filter(content | world),
        "need_share": facts.filter(content | world),
        "content_per_unit": facts.filter(content),
    }.get(row["measure"])
    if behind is None and row["measure"] != "maker_share":
        place = row["by"] or row["place"]
        behind = facts.filter(
            pl.col("variable") == row["measure"],
            pl.col("place").eq_missing(place),
            pl.col("period").eq_missing(row["period"]),
        )
    key = f"server.formula_{row['measure']}"
    tables: tuple[Table, ...] = ()
    if behind is not None and behind.height:
        shown = behind.with_columns(fact_id=pl.lit(None, pl.Int64))
        tables = (fact_table(shown, sources, caption=say("explain.facts")),)
    return Explained(
        title=label({**row, "activity": None}),
        value=figure(row),
        formula=say(key) if has(key) else "",
        paragraphs=(row["note"],) if row["note"] else (),
        tables=tables,
        sources=sources,
    )


@router.get(
    "/table.{form}", responses=files(*_TABLE), response_class=Response, summary="All figures of a product"
)
def table(form: TableForm, question: Asked) -> Response:
    """Return all figures of a product as a file."""
    found = _table(question.product)
    if form == "csv":
        return Response(found.write_csv(), media_type="text/csv")
    return wire.Json({"product": question.product, "table": found.to_dicts()})


@router.get(
    "/views/{view}.{form}", responses=files(*_TABLE, "image/svg+xml"), summary="One picture, as data or drawn"
)
def view(view: Literal["product_content", "product_makers"], form: Form, question: Asked) -> Response:
    """Return a picture of a product."""
    found = _views(question.product)
    if view not in found:
        raise UnknownName("view", view, found)
    shown = found[view]
    if form == "csv":
        return Response(shown.data.write_csv(), media_type="text/csv")
    if form == "svg":
        return Response(svg(shown).encode(), media_type="image/svg+xml")
    return wire.Json(shown.to_dict() if form == "json" else page_picture(shown))
