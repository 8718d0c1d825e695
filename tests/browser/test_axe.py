"""axe finds nothing on any page, in both themes, wide and narrow."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

from monazite.core.text import say
from monazite.facts.rules import FACT_COLUMNS

Visit = Callable[..., Page]
Settle = Callable[[Page], None]

AXE = Path(__file__).parents[2] / "ui" / "node_modules" / "axe-core" / "axe.min.js"
_TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
_RUN = """async ([within, tags]) => {
  const found = await axe.run(within || document, {
    runOnly: {type: 'tag', values: tags}, resultTypes: ['violations'], preload: false,
  })
  return found.violations.map((one) => `${one.id}: ${one.help}: ` + one.nodes.slice(0, 3).map((node) =>
    `${node.target} ${node.html.slice(0, 160)} ${(node.any[0] ?? node.all[0] ?? node.none[0])?.message}`
  ).join(' | '))
}"""
LOOKS = [("light", 1280), ("light", 360), ("dark", 1280), ("dark", 360)]
REFUSED = "Failed to load resource"

look = pytest.mark.parametrize(("scheme", "width"), LOOKS, ids=str)


@pytest.fixture(scope="module")
def axe() -> str:
    """Source of axe, which is put in before the page's own scripts: its policy would refuse it later."""
    if not AXE.is_file():
        pytest.fail("axe is not there. Install what builds and tests the page: cd ui && npm ci.")
    return AXE.read_text()


@pytest.fixture
def audit(visit: Visit, axe: str, scheme: str, width: int) -> Callable[..., Page]:
    """Open a page under axe."""

    def opened(path: str, **options: Any) -> Page:
        return visit(path, scheme=scheme, width=width, scripts=(axe,), **options)

    return opened


def clean(page: Page, what: str, within: str = "") -> None:
    # a colour on its way from one to another is neither
    page.wait_for_function("() => document.getAnimations().every((one) => one.playState === 'finished')")
    assert page.evaluate(_RUN, [within, _TAGS]) == [], what


def other_views(page: Page, settle: Settle, look: tuple[str, int]) -> None:
    """Audit what another picture changes, and only that: each theme and each width once."""
    if look not in (LOOKS[0], LOOKS[-1]):
        return
    for tab in page.locator(".tabs a").all()[1:]:
        tab.click()
        settle(page)
        clean(page, str(tab.text_content()), within=".pictures")


@look
def test_questions(audit: Callable[..., Page], settle: Settle) -> None:
    page = audit("/")
    clean(page, "front")
    page.locator(".more summary").first.click()
    page.locator("#thing").click()
    expect(page.get_by_role("listbox").first).to_be_visible()
    clean(page, "front, names unfolded")
    page.locator("#thing").fill("xxxxxxxx")
    clean(page, "front, no such name")
    for name in ("assess", "stress", "study"):
        page.get_by_role("navigation").get_by_role("link", name=say(f"page.{name}"), exact=True).click()
        expect(page.locator(".top [aria-current]")).to_have_text(say(f"page.{name}"))
        page.locator(".more summary").first.click()
        clean(page, name)


@look
def test_assess(
    audit: Callable[..., Page], paths: dict[str, str], settle: Settle, scheme: str, width: int
) -> None:
    page = audit(paths["assess"])
    settle(page)
    page.locator(".bibliography summary").click()
    clean(page, "assess")
    other_views(page, settle, (scheme, width))
    page.locator("button.figure").first.click()
    expect(page.get_by_role("dialog").locator(".value strong")).to_be_visible()
    clean(page, "explanation")


@look
def test_stress(
    audit: Callable[..., Page], paths: dict[str, str], settle: Settle, scheme: str, width: int
) -> None:
    page = audit(paths["stress"])
    settle(page)
    clean(page, "stress")
    other_views(page, settle, (scheme, width))
    page.locator("button.figure").nth(3).click()
    expect(page.get_by_role("dialog").locator(".value strong")).to_be_visible()
    clean(page, "explanation of a month")


@look
def test_study(
    audit: Callable[..., Page], paths: dict[str, str], settle: Settle, scheme: str, width: int
) -> None:
    page = audit(paths["study"])
    settle(page)
    clean(page, "study")
    other_views(page, settle, (scheme, width))
    page.locator(".why button").first.click()
    expect(page.get_by_role("dialog").locator(".value strong")).to_be_visible()
    clean(page, "explanation of a headline")


@look
def test_products(audit: Callable[..., Page], paths: dict[str, str], settle: Settle) -> None:
    page = audit(paths["products"])
    settle(page)
    clean(page, "products")
    page.locator("button.figure").first.click()
    expect(page.get_by_role("dialog").locator(".value strong")).to_be_visible()
    clean(page, "explanation of a content")


@look
def test_facilities(audit: Callable[..., Page], paths: dict[str, str], settle: Settle) -> None:
    page = audit(paths["facilities"])
    settle(page)
    clean(page, "facilities")


@look
def test_coverage(audit: Callable[..., Page], paths: dict[str, str], settle: Settle) -> None:
    page = audit(paths["coverage"])
    settle(page)
    clean(page, "coverage")
    page.locator("button.figure").first.click()
    expect(page.get_by_role("dialog").locator(".value strong")).to_be_visible()
    clean(page, "explanation of a stage")


@look
def test_a_run_under_way_and_its_end(audit: Callable[..., Page], paths: dict[str, str]) -> None:
    page = audit("/stress")
    going = {
        "id": "a" * 16, "kind": "stress", "title": "What if", "state": "running", "done": 7, "of": 24,
        "seconds": 2.0, "left": 4.0, "rate": 3.5, "step": "July 2025", "error": None,
        "page": "/stress", "question": {},
    }  # fmt: skip

    def answer(route: Route) -> None:
        stopped = route.request.method == "DELETE"
        route.fulfill(json={**going, "state": "cancelled" if stopped else "running"})

    page.route("**/api/runs**", answer)
    page.route("**/api/runs/*", answer)
    page.get_by_role("button", name=say("page.show"), exact=True).click()
    expect(page.get_by_role("progressbar")).to_have_attribute("value", "29")
    clean(page, "run under way")
    page.get_by_role("button", name=say("page.cancel"), exact=True).click()
    expect(page.get_by_text(say("page.run_cancelled"))).to_be_visible()
    clean(page, "run cancelled")


@look
def test_data(audit: Callable[..., Page], settle: Settle) -> None:
    page = audit("/data?text=mountain+pass")
    settle(page)
    page.locator("section details summary").last.click()
    page.get_by_label(say("page.check_paste")).fill("variable,place\noutput,XYZ\n")
    page.get_by_role("button", name=say("page.check_button"), exact=True).click()
    expect(page.get_by_role("region", name=say("page.check_problems"))).to_be_visible()
    clean(page, "data")
    page.locator("#facts button.figure").first.click()
    expect(page.get_by_role("dialog").locator(".value strong")).to_be_visible()
    clean(page, "fact")


@look
def test_import(audit: Callable[..., Page], tmp_path: Path) -> None:
    page = audit("/data/import", expected=(REFUSED,))
    clean(page, "import")
    row = ["output", "", "extract_gallium", "CHN", "", "2024", "750", "", "", "t/yr", "metal", "reported"]
    row += ["ok", "usgs_mcs2025", "", ""]
    for cells, shown in ((row, "pre.command"), ([*row[:3], "XYZ", *row[4:]], "#problems"), ([], ".trouble")):
        file = tmp_path / f"{shown.strip('.#')}.csv"  # another one each time: a changed one is not read
        file.write_text(",".join(FACT_COLUMNS) + "\n" + ",".join(cells) + "\n" if cells else "no table")
        page.get_by_label(say("page.import_file"), exact=True).set_input_files(file)
        page.get_by_role("button", name=say("page.import_button"), exact=True).click()
        expect(page.locator(shown)).to_be_visible()
        clean(page, f"import, {shown}")


@look
def test_what_is_wrong(audit: Callable[..., Page]) -> None:
    page = audit("/nowhere", expected=(REFUSED,))
    clean(page, "missing")
    page = audit("/assess?subject=IND&chain=galium", expected=(REFUSED,))
    expect(page.get_by_role("alert")).to_be_visible()
    clean(page, "error")
