"""The dry run of an import: a file is chosen by keyboard, read, told; nothing is written."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, expect

from monazite.core.text import say
from monazite.facts.overlay import overlay_folder
from monazite.facts.rules import FACT_COLUMNS
from monazite.server.guard import LARGEST_FILE

Visit = Callable[..., Page]
FACT = {
    "variable": "output", "activity": "extract_gallium", "place": "CHN", "period": "2024", "value": "750",
    "unit": "t/yr", "basis": "metal", "kind": "assumed", "status": "ok", "source": "usgs_mcs2025",
    "low": "700", "high": "800", "note": "a guess of ours",
}  # fmt: skip


def own(path: Path, **changes: str) -> Path:
    """Write a facts table of one row."""
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, FACT_COLUMNS)
        writer.writeheader()
        writer.writerow(FACT | changes)
    return path


def give(page: Page, file: Path) -> None:
    """Choose a file and send it with the keyboard."""
    page.get_by_label(say("page.import_file"), exact=True).set_input_files(file)
    page.get_by_role("button", name=say("page.import_button"), exact=True).press("Enter")


def test_a_file_is_read_told_and_not_written(visit: Visit, tmp_path: Path, watched: dict[Page, Any]) -> None:
    before = sorted(overlay_folder().glob("*"))
    page = visit("/data")
    page.get_by_role("link", name=say("page.import_link")).click()
    expect(page.get_by_role("heading", level=1)).to_have_text(say("page.import_title"))
    page.get_by_role("button", name=say("page.import_button"), exact=True).press("Enter")
    expect(page.get_by_role("alert")).to_contain_text(say("page.import_choose"))
    give(page, own(tmp_path / "our figures.csv"))
    expect(page.get_by_role("heading", level=2).first).to_have_text(
        say("page.import_done", file="our figures.csv")
    )
    expect(page.locator("pre.command")).to_have_text("monazite data import 'our figures.csv' --write")
    expect(page.get_by_text(say("page.import_dry"))).to_be_visible()
    group = page.get_by_role("region", name=say("import.table_differences", shown=1, count=1))
    expect(group).to_contain_text("750")
    expect(group).to_contain_text("China")
    expect(page.locator(".sources li")).not_to_have_count(0)
    assert sum("/api/data/import" in url for url in watched[page].asked) == 1
    assert sorted(overlay_folder().glob("*")) == before


def test_what_is_wrong_is_told_with_its_place_and_can_be_mended(visit: Visit, tmp_path: Path) -> None:
    page = visit("/data/import", width=360)
    give(page, own(tmp_path / "wrong.csv", unit="t/yrr", place="XYZ"))
    wrong = page.locator("#problems tbody tr")
    expect(wrong).to_have_count(2)
    expect(wrong.first.locator("th")).to_have_text("2")
    expect(page.locator("#problems")).to_contain_text("unit")
    expect(page.locator("pre.command")).to_have_count(0)
    assert page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")
    give(page, own(tmp_path / "right.csv"))
    expect(page.locator("pre.command")).to_be_visible()
    expect(page.locator("#problems")).to_have_count(0)
    assert page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")


def test_a_file_that_is_too_large_or_unknown_is_refused_in_words(visit: Visit, tmp_path: Path) -> None:
    page = visit("/data/import", expected=("Failed to load resource",))
    large = tmp_path / "baci.db"
    with large.open("wb") as file:
        file.truncate(LARGEST_FILE + 1)
    give(page, large)
    size = LARGEST_FILE // 1_000_000
    expect(page.get_by_role("alert")).to_contain_text(say("page.import_large", file="baci.db", size=size))
    letter = tmp_path / "letter.txt"
    letter.write_text("Dear reader,\nthis is no table.\n")
    give(page, letter)
    expect(page.get_by_role("alert")).to_contain_text("no known format")


def test_a_file_that_changed_since_it_was_chosen_is_to_be_chosen_again(visit: Visit, tmp_path: Path) -> None:
    page = visit("/data/import", expected=("Failed to load resource",))
    file = own(tmp_path / "ours.csv")
    page.get_by_label(say("page.import_file"), exact=True).set_input_files(file)
    file.unlink()
    page.get_by_role("button", name=say("page.import_button"), exact=True).click()
    expect(page.get_by_role("alert")).to_have_text(say("page.import_changed", file="ours.csv"))
