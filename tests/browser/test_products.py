"""The pages of products and of facilities: found from the facts, chosen, explained, taken along."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import polars as pl
from playwright.sync_api import Page, expect

from monazite.core.text import say
from monazite.facts.facilities import capacity, facilities
from monazite.facts.products import product_table, products

Visit = Callable[..., Page]
Settle = Callable[[Page], None]


def test_products_are_one_step_from_the_facts(visit: Visit, settle: Settle) -> None:
    page = visit("/data")
    page.get_by_role("link", name=say("page.products_link")).click()
    expect(page.get_by_role("heading", level=1)).to_have_text(say("page.products_title"))
    expect(page.locator(".picture svg")).to_have_count(2)
    settle(page)
    options = page.locator(".filters select option").all_text_contents()
    assert options == products()["name"].to_list()


def test_a_product_is_chosen_its_figures_open_and_come_along(
    visit: Visit, settle: Settle, tmp_path: Path
) -> None:
    page = visit("/data/products")
    settle(page)
    page.locator(".filters select").select_option("industrial_motor")
    expect(page.get_by_role("heading", level=2).first).to_have_text("Industrial motor")
    settle(page)
    assert page.url.endswith("?product=industrial_motor")
    page.locator("#figures button.figure").first.click()
    dialog = page.get_by_role("dialog")
    expect(dialog.locator("table")).to_have_count(1)
    assert "cell=" in page.url
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    with page.expect_download() as found:
        page.locator(".block .take a", has_text=".csv").click()
    file = tmp_path / "motor.csv"
    found.value.save_as(file)
    assert pl.read_csv(file).height == product_table("industrial_motor").height


def test_facilities_of_a_chain_and_a_place(visit: Visit, settle: Settle) -> None:
    page = visit("/data")
    page.get_by_role("link", name=say("page.facilities_link")).click()
    expect(page.get_by_role("heading", level=1)).to_have_text(say("page.facilities_title"))
    chain, place = page.locator(".filters select").nth(0), page.locator(".filters select").nth(1)
    chain.select_option("gallium")
    expect(page.locator("#facilities tbody tr")).to_have_count(facilities("gallium").height)
    expect(page.locator("#capacity tbody tr")).to_have_count(capacity("gallium").height)
    settle(page)
    place.select_option("GRC")
    expect(page.locator("#facilities tbody tr")).to_have_count(1)
    assert "chain=gallium" in page.url
    assert "place=GRC" in page.url
    place.select_option("ZMB")
    expect(page.locator("#facilities")).to_have_count(0)
    expect(page.get_by_text(say("page.nothing_found"))).to_have_count(2)
