"""Everything that can be worked is reached by Tab alone, in the order in which it is read, and seen there."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from monazite.core.text import say

Visit = Callable[..., Page]
Settle = Callable[[Page], None]

PAGES = (
    "front",
    "assess",
    "stress",
    "study",
    "data",
    "coverage",
    "products",
    "facilities",
    "import",
    "missing",
)
_WORKED = """() => {
  const all = [...document.querySelectorAll(
    'a[href], button, input, select, textarea, summary, [tabindex="0"], [role=button]')]
  window.worked = all.filter((one) => !one.disabled && one.getAttribute('tabindex') !== '-1'
    && one.checkVisibility({visibilityProperty: true, contentVisibilityAuto: true}))
  return worked.map((one) => `${one.tagName} ${one.getAttribute('aria-label') || one.textContent.trim()}`)
}"""
_HERE = """() => {
  const one = document.activeElement
  const style = getComputedStyle(one)
  const box = one.getBoundingClientRect()
  return {
    place: window.worked.indexOf(one),
    ringed: style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2,
    seen: box.bottom > 0 && box.top < innerHeight && box.right > 0 && box.left < innerWidth,
    what: `${one.tagName} ${one.getAttribute('aria-label') || one.textContent.trim().slice(0, 60)}`,
  }
}"""


def walk(page: Page) -> list[dict[str, Any]]:
    """Press Tab from the top to the end of the page."""
    names = page.evaluate(_WORKED)
    seen: list[dict[str, Any]] = []
    for _ in range(len(names) + 5):
        page.keyboard.press("Tab")
        here = page.evaluate(_HERE)
        if here["what"].startswith("BODY") or (seen and here["place"] == seen[0]["place"]):
            break
        seen.append(here)
    missed = [name for place, name in enumerate(names) if place not in {one["place"] for one in seen}]
    assert not missed
    return seen


@pytest.mark.parametrize(
    ("name", "scheme"), [*((name, "light") for name in PAGES), ("front", "dark"), ("assess", "dark")]
)
def test_tab_goes_everywhere(
    visit: Visit, settle: Settle, paths: dict[str, str], name: str, scheme: str
) -> None:
    page = visit(paths[name], scheme=scheme, expected=("Failed to load resource",) * (name == "missing"))
    settle(page)
    for more in page.locator("main .more > summary").all():
        more.click()
    page.evaluate("() => { document.activeElement.blur(); scrollTo(0, 0) }")
    page.keyboard.press("Control+Home")
    page.evaluate(
        "() => { const top = document.body; top.tabIndex = -1; top.focus(); top.removeAttribute('tabindex') }"
    )
    seen = walk(page)
    assert [one["place"] for one in seen] == sorted(one["place"] for one in seen)
    assert not [one["what"] for one in seen if not one["ringed"]]
    assert not [one["what"] for one in seen if not one["seen"]]
    assert page.locator("[tabindex]:not([tabindex='0']):not([tabindex='-1'])").count() == 0


def test_an_explanation_keeps_the_focus(visit: Visit, settle: Settle, paths: dict[str, str]) -> None:
    page = visit(paths["assess"])
    settle(page)
    page.locator(".why button").first.click()
    dialog = page.get_by_role("dialog")
    expect(dialog.locator(".value strong")).to_be_visible()
    inside = "document.activeElement.closest('dialog') ?? document.activeElement === document.body"
    for _ in range(12):
        page.keyboard.press("Tab")
        assert page.evaluate(f"Boolean({inside})")
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    expect(page.locator(".why button").first).to_be_focused()


def test_the_skip_link_leads_to_the_content(visit: Visit) -> None:
    page = visit("/")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name=say("page.skip"))).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#main")).to_be_focused()


def test_what_is_looked_at_in_the_table_is_shown_in_the_picture(
    visit: Visit, settle: Settle, paths: dict[str, str]
) -> None:
    page = visit(paths["assess"])
    settle(page)
    figure = page.locator("#dependence-0 button.figure").first
    figure.focus()
    lit = page.locator('.picture[data-view="dependence"] .lit')
    expect(lit.first).to_be_attached()
    cell = figure.get_attribute("data-cell")
    assert lit.evaluate_all("marks => marks.map((one) => one.__data__.datum.cell_id)") == [cell] * lit.count()
    page.locator("h1").first.click()
    expect(lit).to_have_count(0)


def test_another_page_takes_the_focus_and_the_title(visit: Visit) -> None:
    page = visit("/")
    page.get_by_role("button", name=say("page.show"), exact=True).first.click()
    expect(page.locator(".headlines li").first).to_be_visible()
    expect(page.locator("#main")).to_be_focused()
    assert "India" in page.title()
    assert "India" in (page.locator("[role=status]").first.text_content() or "")
