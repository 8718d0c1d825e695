"""From an answer to what would change it: asked, waited for, read, explained, by mouse and by keyboard."""

from __future__ import annotations

import re
from collections.abc import Callable

from playwright.sync_api import Page, expect

from monazite.core.text import say

Visit = Callable[..., Page]
Settle = Callable[[Page], None]

QUESTION = "by=CHN&on=gallium_4n&cut=1&months=6&samples=32"


def test_an_answer_leads_to_what_would_change_it_and_back(visit: Visit, settle: Settle, studied: str) -> None:
    page = visit(f"/stress?{QUESTION}")
    page.get_by_role("link", name=say("page.to_study"), exact=True).click()
    page.wait_for_url(f"**/study?{QUESTION}")
    headline = page.locator(".headlines li").first
    expect(headline).to_contain_text("median of 32 scenarios")
    settle(page)
    parts = (".headlines", "#view-tornado .picture", "#tornado-0", ".why", ".bibliography")
    tops = [(page.locator(part).bounding_box() or {"y": -1.0})["y"] for part in parts]
    assert tops == sorted(tops)
    assert tops[0] > 0
    expect(page.locator(".help")).to_have_count(0)
    expect(page.locator("#samples")).to_have_value("32")

    page.locator("#tornado-0 button.figure").first.focus()
    page.keyboard.press("ArrowDown")
    cause = page.locator("#tornado-0 tbody tr").nth(1)
    told = cause.locator("button.figure").first.inner_text()
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog")
    value = dialog.locator(".value strong")
    expect(value).to_be_visible()
    assert value.inner_text() in told
    assert dialog.locator("tbody tr").count() > 0
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)

    page.locator(".tabs").get_by_role("link", name=say("view.tab_unserved"), exact=True).click()
    page.wait_for_url("**&view=unserved")
    expect(page.locator("#view-unserved")).to_be_visible()
    page.go_back()
    expect(page.locator("#view-tornado")).to_be_visible()
    page.get_by_role("link", name=say("page.to_stress"), exact=True).click()
    page.wait_for_url(re.compile(r"/stress\?by=CHN&on=gallium_4n&cut=1&months=6$"))


def test_a_study_is_asked_for_seen_and_cancelled(visit: Visit) -> None:
    page = visit("/study")
    expect(page.get_by_role("heading", name=say("page.study"))).to_be_visible()
    field = page.get_by_role("combobox", name=say("page.restricts_what"), exact=True)
    field.fill("high-purity gallium")
    field.press("Enter")
    page.get_by_role("spinbutton", name=say("page.how_many_scenarios"), exact=True).fill("333")
    page.get_by_role("button", name=say("page.show"), exact=True).click()
    page.wait_for_url("**samples=333**")
    job = page.locator(".job")
    expect(job).to_contain_text(re.compile(r"\d+ scenarios"))
    job.get_by_role("button", name=say("page.cancel"), exact=True).click()
    expect(page.get_by_text(say("page.run_cancelled"))).to_be_visible()


def test_too_many_scenarios_are_refused_in_words(visit: Visit) -> None:
    page = visit(f"/study?{QUESTION.replace('=32', '=9999')}", expected=("Failed to load resource",))
    expect(page.get_by_role("alert")).to_contain_text("samples: at most 2048")


def test_a_print_of_a_study_holds_its_answer_alone(visit: Visit, settle: Settle, studied: str) -> None:
    page = visit(f"/study?{QUESTION}")
    settle(page)
    page.emulate_media(media="print")
    for gone in (".ask", ".onward", ".tabs", ".take", ".bottom"):
        for part in page.locator(gone).all():
            expect(part).to_be_hidden()
    for kept in (".answer h1", ".headlines", "#view-tornado .picture svg", "#tornado-0", ".why"):
        expect(page.locator(kept).first).to_be_visible()
