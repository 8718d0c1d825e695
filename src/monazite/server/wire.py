"""What goes over the wire: plain JSON values of answers, views, tables, explanations, runs."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

import polars as pl
from starlette.responses import JSONResponse, Response

from monazite.answer import Answer
from monazite.core.errors import ArgumentError, MonaziteError, UnknownName
from monazite.core.text import has, say
from monazite.core.values import plain
from monazite.draw import svg
from monazite.draw.page import page_picture
from monazite.report.brief import Finding
from monazite.report.explained import Explained, explained
from monazite.report.sheet import HELP, Sheet, manifest_rows, sheet
from monazite.report.twin import Cell, Table, twins
from monazite.views import View, words
from monazite.views.numbers import percent
from monazite.views.view import sources_frame

__all__ = [
    "Json",
    "answer_page",
    "cell_page",
    "download",
    "explanation_page",
    "query",
    "sentence",
    "table_page",
]

KINDS = ("reported", "estimated", "derived", "modelled", "assumed")
_HALF = 0.5


class Json(JSONResponse):
    """JSON as this program writes it: UTF-8, missing and non-finite numbers as null, never NaN."""

    media_type = "application/json"

    def render(self, content: Any) -> bytes:
        """Serialise."""
        text = json.dumps(plain(content), ensure_ascii=False, allow_nan=False, separators=(",", ":"))
        return text.encode("utf-8", "replace")


def query(question: Mapping[str, Any]) -> str:
    """Write a question as the query of a URL: what is not asked is left out, lists are repeated.

    Examples
    --------
    >>> query({"subject": "IND", "chain": ["gallium"], "by": None})
    'subject=IND&chain=gallium'
    """
    given = [(name, value) for name, value in question.items() if value not in (None, "", [], ())]
    return urlencode(
        [(name, f"{value:g}" if isinstance(value, float) else value) for name, value in given], doseq=True
    )


def answer_page(
    answer: Answer, question: Mapping[str, Any], *, title: str, base: str, ask: str = ""
) -> dict[str, Any]:
    """Return an answer in reading order.

    Parameters
    ----------
    answer : Answer
    question : mapping
        What was asked, as the page's URL has it.
    title : str
        The question as a sentence.
    base : str
        Path below which the answer's own parts lie, such as ``/api/assess``.
    ask : str
        Query that repeats the question there; empty where the path does.
    """
    made = sheet(answer.result)
    end = f"?{ask}" if ask else ""
    return {
        "question": question,
        "title": title,
        "findings": [_finding(item) for item in made.findings],
        "views": [view_page(name, view(), base, end) for name, view in made.views.items()],
        "why": [{"cell_id": cell, "label": name, "cell": cell_page(value)} for cell, name, value in made.why],
        "help": _help(made, base, end),
        "sources": source_list(made.sources),
        "manifest": [{"name": name, "value": value} for name, value in manifest_rows(made.manifest)],
        "links": {form: f"{base}/table.{form}{end}" for form in ("csv", "json")},
    }


def _help(made: Sheet, base: str, end: str) -> dict[str, Any] | None:
    """Return what would help, None where that is no part of the answer."""
    if not made.helpful:
        return None
    shown = view_page(HELP, made.help, base, end) if made.help else None
    return {"sentences": list(made.more_help), "view": shown}


def _finding(item: Finding) -> dict[str, Any]:
    share = item.assumed_share
    return {
        "sentence": item.sentence,
        "kind": item.kind,
        "kind_label": words.kind(item.kind) if item.kind else None,
        "assumed_share": share,
        "soft": say("brief.rests", share=percent(share)) if share is not None and share > _HALF else None,
        "detail": item.detail,
        "cell_id": item.cell_id,
    }


def view_page(name: str, view: View, base: str, end: str) -> dict[str, Any]:
    """Return a view with its tables; its picture is asked for when it is looked at."""
    return {
        "name": name,
        "tab": say(f"view.tab_{name}"),
        "title": view.title,
        "sentence": view.sentence,
        "notes": list(view.notes),
        "tables": [table_page(table) for table in twins(view)],
        "links": {form: f"{base}/views/{name}.{form}{end}" for form in ("csv", "json", "svg", "vega")},
    }


def table_page(table: Table) -> dict[str, Any]:
    """Return a table with the key of the kinds that occur in it."""
    cells = [cell for _, rows in table.groups for row in rows for cell in row]
    used = {cell.kind for cell in cells}
    return {
        "caption": table.caption,
        "heads": list(table.heads),
        "labels": table.labels,
        "groups": [
            {"label": label, "rows": [[cell_page(cell) for cell in row] for row in rows]}
            for label, rows in table.groups
        ],
        "key": [
            {"kind": kind, "letter": say(f"brief.letter_{kind}"), "label": words.kind(kind)}
            for kind in KINDS
            if kind in used
        ],
    }


def cell_page(cell: Cell) -> dict[str, Any]:
    """Return a cell; what it does not have is left out."""
    found: dict[str, Any] = {"text": cell.text}
    for name in ("within", "kind", "blank", "cell_id"):
        if getattr(cell, name):
            found[name] = getattr(cell, name)
    if cell.fact is not None:
        found["fact"] = cell.fact
    if cell.number and not cell.blank:
        found["number"] = True
    return found


def source_list(sources: pl.DataFrame | None) -> list[dict[str, Any]]:
    """Return numbered sources."""
    names = ("source", "citation", "url", "published", "retrieved", "licence")
    return [
        {"number": number, **{name: row[name] for name in names}}
        for number, row in enumerate(sources_frame(sources).iter_rows(named=True), start=1)
    ]


def explanation_page(found: Explained) -> dict[str, Any]:
    """Return the explanation of a cell or fact."""
    return {
        "title": found.title,
        "value": cell_page(found.value),
        "value_kind": words.kind(found.value.kind) if found.value.kind else None,
        "grey": found.grey or None,
        "formula": found.formula,
        "paragraphs": list(found.paragraphs),
        "tables": [table_page(table) for table in found.tables],
        "sources": source_list(found.sources),
    }


def explain(answer: Answer, cell: str) -> dict[str, Any]:
    """Explain one cell of an answer."""
    return explanation_page(explained(answer.result, cell))


def download(answer: Answer, view_name: str, form: str) -> Response:
    """Return a view, or the whole table under the name ``table``, in the form asked for.

    Raises
    ------
    UnknownName
        No such view, or no such form.
    """
    if view_name == "table":
        forms = ("csv", "json")
        if form == "json":
            return Json(answer.document())
        if form == "csv":
            return _file(
                answer.table.write_csv(), "text/csv", f"{answer.manifest.method.replace('/', '-')}.csv"
            )
        raise UnknownName("form", form, forms)
    view = answer.view(view_name)
    if form == "csv":
        return _file(view.data.write_csv(), "text/csv", f"{view_name}.csv")
    if form == "json":
        return Json({**view.to_dict(), "manifest": answer.manifest.to_dict()})
    if form == "svg":
        return _file(svg(view), "image/svg+xml", f"{view_name}.svg")
    if form == "vega":
        return Json(page_picture(view))
    raise UnknownName("form", form, ("csv", "json", "svg", "vega"))


def _file(text: str, media: str, name: str) -> Response:
    return Response(
        text.encode(), media_type=media, headers={"Content-Disposition": f'inline; filename="{name}"'}
    )


def error_page(error: MonaziteError) -> dict[str, Any]:
    """Return an error as what it says, what kind it is, and the names that may have been meant."""
    message = str(error)
    if isinstance(error, UnknownName) and not error.nearest and not error.known:
        word = f"word.{error.kind}"
        message = say("server.unknown", kind=say(word) if has(word) else error.kind, name=error.name)
    return {
        "error": {
            "message": sentence(message),
            "kind": type(error).__name__,
            "nearest": list(error.nearest) if isinstance(error, UnknownName) else [],
        }
    }


def sentence(text: str) -> str:
    """Begin a text with a capital.

    Examples
    --------
    >>> sentence("the group is empty")
    'The group is empty'
    """
    return text[:1].upper() + text[1:]


def status_of(error: MonaziteError) -> int:
    """Return the HTTP status of an error: 400 a wrong argument, 422 refused or facts missing, else 500.

    Examples
    --------
    >>> status_of(ArgumentError("error.group_empty"))
    400
    """
    if isinstance(error, ArgumentError):
        return 400
    return 422
