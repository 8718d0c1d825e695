"""The page of what is known: found from the facts, its cells open, its files come along."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Page, expect

from monazite.core.text import say
from monazite.facts.coverage import coverage_of

Visit = Callable[..., Page]
Settle = Callable[[Page], None]


def test_it_is_one_step_from_the_facts_and_says_what_is_known(visit: Visit, settle: Settle) -> None:
    page = visit("/data")
    page.get_by_role("link", name=say("page.coverage_link")).click()
    expect(page.get_by_role("heading", level=1)).to_have_text(say("page.coverage_title"))
    settle(page)
    found = coverage_of()
    for sentence in found.findings():
        expect(page.locator("#main")).to_contain_text(sentence.replace("\N{NO-BREAK SPACE}", " "))
    expect(page.locator(".picture svg")).to_have_count(1)
    names = page.locator("#coverage-0 th[scope=row]").all_text_contents()
    assert "Rare earths" in names


def test_a_cell_opens_and_lets_go(visit: Visit, settle: Settle) -> None:
    page = visit("/data/coverage?chain=gallium")
    settle(page)
    page.locator("#coverage-0 button.figure").first.click()
    dialog = page.get_by_role("dialog")
    expect(dialog.locator("table")).to_have_count(2)
    assert "cell=" in page.url
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    assert "cell=" not in page.url


def test_one_chain_is_chosen_and_the_whole_comes_back(visit: Visit, settle: Settle, tmp_path: Path) -> None:
    page = visit("/data/coverage")
    settle(page)
    chosen = page.get_by_role("combobox", name=say("page.coverage_chain"))
    chosen.select_option("gallium")
    expect(page.locator("#counts tbody tr")).to_have_count(2)
    assert page.url.endswith("?chain=gallium")
    with page.expect_download() as found:
        page.locator("#view-coverage .take a", has_text=".csv").click()
    file = tmp_path / "known.csv"
    found.value.save_as(file)
    assert "rare_earths" not in file.read_text()
    assert "gallium" in file.read_text()
    chosen.select_option("")
    expect(page.locator("#counts tbody tr").nth(3)).to_be_visible()
