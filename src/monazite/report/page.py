"""The brief as one self-contained HTML document: no script, no request, every text escaped."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from html import escape
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import polars as pl

from monazite.core.errors import MonaziteError
from monazite.core.text import say
from monazite.draw import svg
from monazite.report.brief import Brief, Finding, Section
from monazite.report.sheet import manifest_rows
from monazite.report.twin import Cell, Table, twins
from monazite.views import words
from monazite.views.numbers import percent
from monazite.views.view import SOURCE_COLUMNS, sources_frame

__all__ = ["build", "check_svg"]

_STYLE = Path(__file__).with_name("brief.css")
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'"
_LONG = 30  # a longer table has a place of its own, shorter ones may stand side by side
_DENSE = 5  # a table with more columns sets the range below the figure
_HALF = 0.5
_LINK = re.compile(r"^https?://[^\s\"'<>]+$")
_FORBIDDEN = {"script", "foreignObject", "iframe", "image", "style", "a", "animate", "set", "use"}
_KINDS = ("reported", "estimated", "derived", "modelled", "assumed")


def build(brief: Brief) -> str:
    """Return a brief as HTML.

    Parameters
    ----------
    brief
        What to print.

    Returns
    -------
    str
        A document that asks for nothing outside itself; links lead only from the list of sources. The same
        input gives the same bytes.

    Raises
    ------
    MonaziteError
        A picture holds what must not stand in a document (a script, a link).

    Examples
    --------
    >>> page = build(Brief(title="Magnets & more"))
    >>> "<h1>Magnets &amp; more</h1>" in page, "<script" in page
    (True, False)
    """
    notes = _Notes(brief)
    findings = _findings(brief.findings, notes)
    annex: list[str] = []
    sections = [
        _section(section, number, notes, annex) for number, section in enumerate(brief.sections, start=1)
    ]
    parts = [
        _head(brief),
        "<body>",
        f'<a class="skip" href="#main">{_say("brief.skip")}</a>',
        '<main id="main">',
        _banner(brief),
        _block("findings", say("brief.findings"), findings) if findings else "",
        _unknown(brief.unknown),
        *sections,
        _block("tables", say("brief.tables"), "".join(annex)) if annex else "",
        notes.listing(),
        "</main>",
        _footer(brief),
        "</body>\n</html>\n",
    ]
    return "\n".join(part for part in parts if part)


class _Notes:
    """Numbers of the sources, given out in the order in which they are named."""

    def __init__(self, brief: Brief) -> None:
        frames = [brief.sources, *(section.view.sources for section in brief.sections if section.view)]
        ready = [sources_frame(frame).select(SOURCE_COLUMNS) for frame in frames if frame.height]
        known = pl.concat(ready).unique("source", keep="first", maintain_order=True) if ready else None
        self._known: dict[str, Mapping[str, Any]] = (
            {row["source"]: row for row in known.to_dicts()} if known is not None else {}
        )
        self._numbers: dict[str, int] = {}
        self._listed = [row["source"] for row in sources_frame(brief.sources).to_dicts()]

    def number(self, source: str) -> int:
        return self._numbers.setdefault(source, len(self._numbers) + 1)

    def marks(self, sources: Iterable[str]) -> str:
        """Return the footnote marks of some sources, runs of numbers drawn together."""
        numbers = sorted({self.number(source) for source in sources})
        if not numbers:
            return ""
        runs: list[list[int]] = []
        for item in numbers:
            if runs and item == runs[-1][1] + 1:
                runs[-1][1] = item
            else:
                runs.append([item, item])
        shown = []
        for first, last in runs:
            link = _mark(first)
            if last > first:
                link += ("," if last == first + 1 else "–") + _mark(last)
            shown.append(link)
        return f'<sup class="marks">{",".join(shown)}</sup>'

    def listing(self) -> str:
        """Return the numbered list of all sources named, then those that only the brief lists."""
        for source in self._listed:
            self.number(source)
        if not self._numbers:
            return ""
        items = [
            f'<li id="source-{number}">{self._entry(source)}</li>' for source, number in self._numbers.items()
        ]
        return _block("sources", say("brief.sources"), f'<ol class="sources">{"".join(items)}</ol>')

    def _entry(self, source: str) -> str:
        row = self._known.get(source)
        if row is None:
            return f"{escape(source)}"
        parts = [escape(row["citation"] or source)]
        facts = [
            say(f"brief.source_{name}", value=row[name])
            for name in ("published", "retrieved", "licence")
            if row[name]
        ]
        if facts:
            parts.append(f'<span class="quiet">{escape("; ".join(facts))}.</span>')
        if row["url"] and _LINK.match(row["url"]):
            parts.append(f'<a href="{escape(row["url"])}" rel="noreferrer">{escape(_short(row["url"]))}</a>')
        return " ".join(parts)


def _mark(number: int) -> str:
    return (
        f'<a href="#source-{number}" aria-label="{_say("brief.source_number", number=number)}">{number}</a>'
    )


def _short(url: str, most: int = 60) -> str:
    plain = re.sub(r"^https?://(www\.)?", "", url).rstrip("/")
    return plain if len(plain) <= most else plain[: most - 1] + "…"


def _say(key: str, **values: object) -> str:
    return escape(say(key, **values))


@lru_cache(maxsize=1)
def _style() -> str:
    text = re.sub(r"/\*.*?\*/", "", _STYLE.read_text(encoding="utf-8"), flags=re.DOTALL)
    return re.sub(r"\n\s*\n+", "\n", text).strip()


def _head(brief: Brief) -> str:
    first = brief.findings[0].sentence if brief.findings else brief.title
    return (
        f'<!doctype html>\n<html lang="{escape(brief.language)}">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f'<meta name="description" content="{escape(first)}">\n'
        f"<title>{escape(brief.title)}</title>\n<style>\n{_style()}\n</style>\n</head>"
    )


def _banner(brief: Brief) -> str:
    date = f'<span class="date">{escape(brief.date)}</span>' if brief.date else ""
    subtitle = f'<p class="subtitle">{escape(brief.subtitle)}</p>' if brief.subtitle else ""
    kicker = f'<p class="kicker">{_say("brief.kicker")}{date}</p>'
    return f"<header>{kicker}<h1>{escape(brief.title)}</h1>{subtitle}</header>"


def _block(kind: str, heading: str, body: str, *, name: str = "") -> str:
    """Return a section with its heading; ``name`` is the stem of its ids, by default its kind."""
    name = name or kind
    return (
        f'<section id="{name}" class="{kind}" aria-labelledby="{name}-head">\n'
        f'<h2 id="{name}-head">{escape(heading)}</h2>\n{body}\n</section>'
    )


def _badge(kind: str | None) -> str:
    if kind is None:
        return ""
    return f'<span class="kind kind-{escape(kind)}">{escape(words.kind(kind))}</span>'


def _findings(findings: Sequence[Finding], notes: _Notes) -> str:
    if not findings:
        return ""
    items = []
    for finding in findings:
        soft = ""
        if finding.assumed_share is not None and finding.assumed_share > _HALF:
            soft = f'<p class="soft">{_say("brief.rests", share=percent(finding.assumed_share))}</p>'
        detail = f' <span class="quiet">{escape(finding.detail)}</span>' if finding.detail else ""
        line = f"{escape(finding.sentence)}{notes.marks(finding.sources)} {_badge(finding.kind)}{detail}"
        items.append(f"<li{' class=grey' if soft else ''}><p>{line.strip()}</p>{soft}</li>")
    return f'<ol class="headlines">{"".join(items)}</ol>'


def _unknown(unknown: Sequence[str]) -> str:
    if not unknown:
        return ""
    items = "".join(f"<li>{escape(sentence)}</li>" for sentence in unknown)
    return _block("unknown", say("brief.unknown"), f"<ul>{items}</ul>")


def _section(section: Section, number: int, notes: _Notes, annex: list[str]) -> str:
    name, view = f"s{number}", section.view
    named = [*(view.sources["source"].to_list() if view else []), *section.sources]
    texts = section.text or ((view.sentence,) if view and view.sentence else ())
    body = [
        f"<p>{escape(text)}</p>" if place else f'<p class="lead">{escape(text)}{notes.marks(named)}</p>'
        for place, text in enumerate(texts)
    ]
    if section.findings:
        body.append(_findings(section.findings, notes))
    if view is not None:
        tables = twins(view) if section.table else ()
        body.append(_figure(section, number, tables))
        drawn = [_table(table, f"{name}-t{place}") for place, table in enumerate(tables, start=1)]
        if drawn:
            annex.append(f"<h3>{escape(section.heading)}</h3>{''.join(drawn)}{_kind_key(tables)}")
    body += [f"<p>{escape(text)}</p>" for text in section.after]
    return _block("topic", section.heading, "\n".join(body), name=name)


def _figure(section: Section, number: int, tables: Sequence[Table]) -> str:
    view = section.view
    if view is None:
        return ""
    name = _say("brief.figure", number=number)
    picture = check_svg(svg(view, prefix=f"s{number}-{view.name}"))
    notes = "".join(f"<li>{escape(note)}</li>" for note in view.notes)
    if tables:
        link = f'<a href="#s{number}-t1">{_say("brief.table_annex")}</a>'
        notes += f"<li>{link}</li>"
    return (
        f"<figure><figcaption><b>{name}</b> {escape(view.title)}</figcaption>\n"
        f'<div class="picture" tabindex="0" role="group" aria-label="{name}">{picture}</div>\n'
        f'<ul class="notes">{notes}</ul></figure>'
    )


def _table(table: Table, name: str) -> str:
    heads = "".join(
        f'<th scope="col"{"" if place < table.labels else " class=n"}>{escape(head)}</th>'
        for place, head in enumerate(table.heads)
    )
    slim = " slim" if len(table.heads) <= _DENSE and table.height <= _LONG else ""
    dense = " class=dense" if len(table.heads) > _DENSE and table.labels > 1 else ""
    bodies = []
    for group, rows in table.groups:
        lines = (
            [f'<tr class="group"><th scope="rowgroup" colspan="{len(table.heads)}">{escape(group)}</th></tr>']
            if group
            else []
        )
        before: tuple[str, ...] = ()
        for row in rows:
            cells = []
            for place, cell in enumerate(row):
                if place < table.labels:
                    again = place < table.labels - 1 and before[: place + 1] == tuple(
                        c.text for c in row[: place + 1]
                    )
                    cells.append(f'<th scope="row"{" class=again" if again else ""}>{escape(cell.text)}</th>')
                else:
                    cells.append(_cell(cell))
            before = tuple(cell.text for cell in row)
            lines.append(f"<tr>{''.join(cells)}</tr>")
        bodies.append(f"<tbody>{''.join(lines)}</tbody>")
    return (
        f'<div class="scroll{slim}"><table id="{name}"{dense}><caption>{escape(table.caption)}</caption>'
        f"<thead><tr>{heads}</tr></thead>{''.join(bodies)}</table></div>"
    )


def _cell(cell: Cell) -> str:
    if cell.blank:
        return f'<td class="n"><span class="vh">{_say("brief.blank")}</span></td>'
    text = escape(cell.text)
    if cell.within:
        text += f" <small>{escape(cell.within)}</small>"
    if cell.kind in _KINDS:
        letter = _say(f"brief.letter_{cell.kind}")
        text += f'<abbr class="k k-{cell.kind}" title="{escape(words.kind(cell.kind))}">{letter}</abbr>'
    return f'<td class="n">{text}</td>'


def _kind_key(tables: Sequence[Table]) -> str:
    """Explain the letters beside the figures, only those that occur."""
    used = {cell.kind for table in tables for _, rows in table.groups for row in rows for cell in row}
    items = [
        f'<span><b class="k k-{kind}">{_say(f"brief.letter_{kind}")}</b> {escape(words.kind(kind))}</span>'
        for kind in _KINDS
        if kind in used
    ]
    return f'<p class="key">{" ".join(items)}. {_say("brief.key_range")}</p>' if items else ""


def _footer(brief: Brief) -> str:
    if brief.manifest is None:
        return ""
    items = "".join(
        f"<div><dt>{escape(name)}</dt><dd>{escape(value)}</dd></div>"
        for name, value in manifest_rows(brief.manifest)
    )
    head = f'<h2 id="manifest-head">{_say("brief.manifest")}</h2>'
    return f'<footer aria-labelledby="manifest-head">{head}<dl>{items}</dl></footer>'


def check_svg(text: str) -> str:
    """Return a picture if it holds nothing but shapes and text.

    Raises
    ------
    MonaziteError
        It holds a script, a link, an event handler or a reference outside itself.

    Examples
    --------
    >>> check_svg('<svg xmlns="http://www.w3.org/2000/svg"><path d="M0,0"/></svg>')[:4]
    '<svg'
    """
    root = ET.fromstring(text)  # the text is our own, made by `draw`
    for element in root.iter():
        name = str(element.tag).rpartition("}")[2]
        if name in _FORBIDDEN:
            raise MonaziteError("error.picture_unsafe", what=name)
        for attribute, value in element.attrib.items():
            plain = attribute.rpartition("}")[2]
            outside = plain in ("href", "src") and not value.startswith("#")
            if plain.startswith("on") or outside or ("url(" in value and "url(#" not in value):
                raise MonaziteError("error.picture_unsafe", what=plain)
    return text
