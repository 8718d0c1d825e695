"""The figures on the page are those of the Python API: in its tables, its pictures and its files."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

import monazite as mz
from monazite.core.text import say
from monazite.core.values import plain
from monazite.report.sheet import Sheet, sheet
from monazite.report.twin import Cell, Table, twins
from monazite.views import View

Visit = Callable[..., Page]
Settle = Callable[[Page], None]

#: a line is one mark, and not each of its months; of a cause only its bar is drawn
FEWER = ("timeline", "tornado")

_TABLES = """figures => figures.map((figure) => [...figure.querySelectorAll('table')].map((table) => ({
  caption: table.caption.textContent.trim(),
  heads: [...table.tHead.rows[0].cells].map((cell) => cell.textContent.trim()),
  rows: [...table.tBodies].map((body) => [...body.rows].map((row) => [...row.cells].map((cell) => {
    const within = cell.querySelector('small')?.textContent ?? ''
    const letter = cell.querySelector('abbr')?.textContent ?? ''
    const cut = cell.cloneNode(true)
    for (const part of cut.querySelectorAll('small, abbr')) part.remove()
    return [cut.textContent.trim(), within, letter]
  }))),
})))"""
_MARKS = """picture => {
  const cells = new Set()
  for (const part of picture.querySelectorAll('svg *')) {
    const cell = part.__data__?.datum?.cell_id
    if (cell) cells.add(cell)
  }
  return [...cells].sort()
}"""


@pytest.fixture(scope="module")
def answers() -> dict[str, mz.Answer]:
    """The same questions, asked of the Python API."""
    net = mz.load(["rare_earths"])
    shock = mz.ExportControl(by="CHN", on=["dy_oxide"], cut=1.0, months=12)
    ban = mz.ExportControl(by="CHN", on=["gallium_4n"], cut=1.0, months=6)
    return {
        "assess": net.assess("IND"),
        "stress": net.stress(shock, group="QUAD"),
        "study": mz.load(["gallium"]).study(ban, samples=32),
    }


def expected(view: View) -> list[dict[str, Any]]:
    """Lay out the tables of a view as the page should show them."""
    return [_table(table) for table in twins(view)]


def _table(table: Table) -> dict[str, Any]:
    groups = []
    for label, rows in table.groups:
        head = [[[label, "", ""]]] if label else []
        groups.append(
            head + [[_cell(cell, place < table.labels) for place, cell in enumerate(row)] for row in rows]
        )
    return {"caption": table.caption, "heads": list(table.heads), "rows": groups}


def _cell(cell: Cell, label: bool) -> list[str]:
    if cell.blank:
        return [say("page.blank"), "", ""]
    letter = "" if label or cell.kind is None else say(f"brief.letter_{cell.kind}")
    return [cell.text.strip(), "" if label else cell.within, letter]


def every_view(made: Sheet) -> dict[str, View]:
    return {name: view() for name, view in made.views.items()}


@pytest.mark.parametrize("question", ["assess", "stress", "study"])
def test_every_table_says_what_python_says(
    visit: Visit, settle: Settle, paths: dict[str, str], answers: dict[str, mz.Answer], question: str
) -> None:
    made = sheet(answers[question].result)
    page = visit(paths[question])
    settle(page)
    tabs = page.locator(".tabs a")
    assert tabs.count() == len(made.views)
    for place, (name, view) in enumerate(every_view(made).items()):
        tabs.nth(place).click()
        figure = page.locator(f"#view-{name}")
        expect(figure.locator("h2, h3").first).to_have_text(view.title)
        assert figure.evaluate_all(_TABLES) == [expected(view)]
        assert figure.locator("figcaption p").text_content() == view.sentence
    if question == "stress":  # the bars are peaks of different months, and say which
        expect(page.locator("#view-shortage tbody tr").first).to_contain_text("December 2025")
    assert page.locator(".help").count() == int(made.helpful)
    if made.helpful:
        assert made.help is not None
        assert page.locator(".help figure").evaluate_all(_TABLES) == [expected(made.help)]
    why = [[label, cell.text, cell.within or ""] for _, label, cell in made.why]
    assert (
        page.locator(".why li").evaluate_all(
            "rows => rows.map((row) => [...row.querySelector('button').children].map((e) => e.textContent))"
        )
        == why
    )
    findings = page.locator(".headlines li > p:first-child").all_text_contents()
    assert [text.partition("  ")[0].strip() for text in findings]
    assert all(item.sentence in text for item, text in zip(made.findings, findings, strict=True))


@pytest.mark.parametrize("question", ["assess", "stress", "study"])
def test_every_picture_has_a_table_that_says_the_same(
    visit: Visit, settle: Settle, paths: dict[str, str], answers: dict[str, mz.Answer], question: str
) -> None:
    page = visit(paths[question])
    settle(page)
    for tab in page.locator(".tabs a").all():
        tab.click()
        settle(page)
        for picture in page.locator(".picture").all():
            name = picture.get_attribute("data-view")
            drawn = picture.evaluate(_MARKS)
            told = page.locator(f"#view-{name} [data-cell]").evaluate_all(
                "figures => figures.map((one) => [one.dataset.cell, one.textContent])"
            )
            assert set(drawn) <= {cell for cell, _ in told}
            if name not in FEWER:
                assert drawn == sorted(cell for cell, text in told if re.search(r"\d", text))
            image = picture.locator("svg[role=img]")
            expect(image).to_have_count(1)
            assert image.get_attribute("aria-label")


@pytest.mark.parametrize("question", ["assess", "stress", "study"])
def test_files_are_those_of_python(
    visit: Visit, paths: dict[str, str], answers: dict[str, mz.Answer], question: str, tmp_path: Path
) -> None:
    answer = answers[question]
    name = next(iter(sheet(answer.result).views))
    page = visit(paths[question])
    links = page.locator(f"#view-{name} .take a")
    for form in ("csv", "json", "svg"):
        same(page, links.filter(has_text=f".{form}"), answer, tmp_path / f"view.{form}", name)
    links = page.locator(".manifest .take a")
    for form in ("csv", "json"):
        same(page, links.filter(has_text=f".{form}"), answer, tmp_path / f"table.{form}", None)


def same(page: Page, link: Any, answer: mz.Answer, file: Path, view: str | None) -> None:
    with page.expect_download() as waited:
        link.click()
    assert waited.value.suggested_filename.endswith(file.suffix)
    got = Path(waited.value.path()).read_text()
    answer.to_file(file, view)
    if file.suffix == ".json":
        assert json.loads(got) == plain(json.loads(file.read_text()))
    else:
        assert got == file.read_text()
