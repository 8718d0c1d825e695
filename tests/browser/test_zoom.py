"""At 400 % zoom nothing is lost: no page is scrolled sideways; questions are asked and explained there."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from monazite.core.text import say

Visit = Callable[..., Page]
Settle = Callable[[Page], None]

PAGES = (
    "front",
    "assess",
    "assess-ask",
    "stress",
    "stress-ask",
    "study",
    "study-ask",
    "data",
    "import",
    "missing",
)
#: 1280 × 1024 at 400 %
WIDTH, HEIGHT = 320, 256
REFUSED = "Failed to load resource"
_SIDEWAYS = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"
#: what is cut off at the right, but for what may be scrolled within its own frame
_CUT = """() => [...document.querySelectorAll('body *')].filter((one) => {
    const box = one.getBoundingClientRect()
    return one.checkVisibility({contentVisibilityAuto: true, visibilityProperty: true}) && box.width > 1
      && box.right > document.documentElement.clientWidth + 1 && !one.closest('.scroll, .picture, .vh, .skip')
  }).slice(0, 5).map((one) => `${one.tagName}.${one.className} ${one.textContent.trim().slice(0, 40)}`)"""


def small(visit: Visit, path: str, *expected: str) -> Page:
    return visit(path, width=WIDTH, height=HEIGHT, expected=expected)


def fits(page: Page) -> None:
    assert page.evaluate(_CUT) == []
    assert page.evaluate(_SIDEWAYS) <= 0


@pytest.mark.parametrize("name", PAGES)
def test_no_page_is_scrolled_sideways(visit: Visit, settle: Settle, paths: dict[str, str], name: str) -> None:
    page = small(visit, paths[name], *((REFUSED,) if name == "missing" else ()))
    settle(page)
    fits(page)
    page.evaluate("() => document.querySelectorAll('main details').forEach((one) => { one.open = true })")
    fits(page)


def test_a_question_is_asked_and_explained(visit: Visit, settle: Settle) -> None:
    page = small(visit, "/")
    field = page.get_by_role("combobox", name=say("page.whose"), exact=True).first
    field.click()
    field.fill("jap")
    option = page.get_by_role("option", name="Japan").first
    expect(option).to_be_visible()
    fits(page)
    option.click()
    page.get_by_role("button", name=say("page.show"), exact=True).first.click()
    expect(page.locator(".headlines li").first).to_contain_text("Japan")
    settle(page)
    page.locator("button.figure").first.click()
    dialog = page.get_by_role("dialog")
    expect(dialog.locator(".value strong")).to_be_visible()
    assert dialog.evaluate("one => one.scrollWidth - one.clientWidth") <= 0
    dialog.get_by_role("button", name=say("page.close"), exact=True).click()
    expect(dialog).to_have_count(0)
