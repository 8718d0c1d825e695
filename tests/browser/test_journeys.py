"""Whole journeys through the page, as people take them."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

import monazite as mz
from monazite.core.text import say
from monazite.report.sheet import sheet

Visit = Callable[..., Page]
Ask = Callable[..., Any]
Settle = Callable[[Page], None]

#: a policy or a name that is not known makes the browser itself say that a request was refused
REFUSED = "Failed to load resource"


def button(page: Page, key: str) -> Any:
    return page.get_by_role("button", name=say(f"page.{key}"), exact=True)


def choose(page: Page, label: str, typed: str, *, within: str = "main") -> None:
    """Type a few letters in a field and take the first name that they mean."""
    field = page.locator(within).get_by_role("combobox", name=say(f"page.{label}"), exact=True).first
    field.focus()
    field.press_sequentially(typed)
    field.press("Enter")


def focused(page: Page) -> str:
    """Tell what has the focus, as one hears it."""
    return str(
        page.evaluate(
            "() => { const e = document.activeElement; "
            "return `${e.tagName} ${e.getAttribute('aria-label') || e.textContent.trim()}` }"
        )
    )


def tab_to(page: Page, what: str, most: int = 60) -> None:
    """Press Tab until something that matches has the focus."""
    for _ in range(most):
        page.keyboard.press("Tab")
        if page.evaluate("what => document.activeElement.matches(what)", what):
            return
    raise AssertionError(f"Tab never came to {what}; it is at {focused(page)}")


def test_the_first_answer_takes_three_actions_at_most(visit: Visit) -> None:
    page = visit("/")
    choose_by_mouse(page, "whose", "Japan")  # click, type and click: the first question has India
    button(page, "show").first.click()
    findings = page.locator(".headlines li")
    expect(findings.first).to_be_visible()
    assert page.url.endswith("/assess?subject=JPN&chain=rare_earths")
    made = sheet(mz.load(["rare_earths"]).assess("JPN").result).findings
    assert [text.strip() for text in findings.locator("p:first-child").all_text_contents()] == [
        f"{item.sentence} {item.kind}" for item in made
    ]
    assert made[0].detail in findings.first.inner_text()


def choose_by_mouse(page: Page, label: str, name: str) -> None:
    field = page.get_by_role("combobox", name=say(f"page.{label}"), exact=True).first
    field.click()
    field.fill(name)
    page.get_by_role("option", name=name).first.click()


def test_one_action_answers_the_question_that_stands_there(visit: Visit) -> None:
    page = visit("/")
    button(page, "show").first.click()
    expect(page.locator(".headlines li").first).to_contain_text("India")


def test_the_whole_journey_by_keyboard_alone(visit: Visit, settle: Settle) -> None:
    page = visit("/")
    page.keyboard.press("Tab")
    assert say("page.skip") in focused(page)
    page.keyboard.press("Enter")
    tab_to(page, "#subject")
    page.keyboard.type("japn")  # a slip of the finger still finds it
    expect(page.get_by_role("listbox").get_by_role("option").first).to_contain_text("Japan")
    page.keyboard.press("Enter")
    tab_to(page, "#thing", 1)
    page.keyboard.type("gall")
    page.keyboard.press("Enter")
    expect(page.locator("#thing")).to_have_value("gallium")
    page.keyboard.press("Enter")  # nothing is left to choose: the question is asked
    page.wait_for_url("**/assess?subject=JPN&chain=gallium")
    expect(page.locator(".headlines li").first).to_contain_text("Japan")
    settle(page)

    tab_to(page, "button.figure")
    first = page.evaluate("document.activeElement.dataset.at")
    page.keyboard.press("End")
    last = page.evaluate("document.activeElement.dataset.at")
    assert last != first
    page.keyboard.press("Home")
    assert page.evaluate("document.activeElement.dataset.at") == first
    page.keyboard.press("ArrowRight")
    at = page.evaluate("document.activeElement.dataset.at")
    assert at not in ("", first)
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog")
    expect(dialog.locator(".value strong")).to_be_visible()
    assert "cell=" in page.url
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    assert "cell=" not in page.url
    assert page.evaluate("document.activeElement.dataset.at") == at, focused(page)


def test_arrows_stay_in_the_table(visit: Visit, settle: Settle) -> None:
    page = visit("/assess?subject=IND&chain=rare_earths")
    settle(page)
    figures = page.locator("#dependence-0 button.figure")
    figures.first.focus()
    seen = [page.evaluate("document.activeElement.dataset.at")]
    for key in ("ArrowUp", "ArrowLeft", "ArrowDown", "ArrowDown", "ArrowUp"):
        page.keyboard.press(key)
        seen.append(page.evaluate("document.activeElement.dataset.at"))
    assert None not in seen
    assert seen[:3] == [seen[0]] * 3  # the first figure has nothing above and nothing before it
    assert seen[3] == seen[5] != seen[4]
    assert page.locator('#dependence-0 button.figure[tabindex="0"]').count() == 1


def test_a_mark_of_the_picture_is_explained_and_back_closes(visit: Visit, settle: Settle) -> None:
    page = visit("/assess?subject=IND&chain=rare_earths")
    settle(page)
    before = page.url
    mark = page.locator('.picture[data-view="dependence"] svg text', has_text=re.compile(r"^\d+\s%$")).first
    mark.scroll_into_view_if_needed()
    box = mark.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    told = page.locator(".tooltip:not([hidden])")
    expect(told).to_have_count(1)
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    dialog = page.get_by_role("dialog")
    expect(dialog.locator(".value strong")).to_have_text(mark.text_content() or "")
    figure = dialog.locator(".value strong").text_content()
    address = page.url
    assert "cell=" in address

    page.go_back()
    expect(dialog).to_have_count(0)
    assert page.url == before
    page.go_forward()
    expect(dialog).to_be_visible()
    page.reload()
    expect(dialog.locator(".value strong")).to_have_text(figure or "")
    button(page, "close").click()
    expect(dialog).to_have_count(0)
    assert page.url == before


def test_an_explanation_says_formula_inputs_and_sources(visit: Visit) -> None:
    net = mz.load(["rare_earths"])
    cell = sheet(net.assess("IND").result).findings[0].cell_id
    page = visit(f"/assess?subject=IND&chain=rare_earths&cell={cell}")
    dialog = page.get_by_role("dialog")
    expect(dialog.locator(".formula")).to_be_visible()
    assert dialog.locator("tbody tr").count() > 3
    assert dialog.locator(".sources li").count() > 0
    assert dialog.get_by_role("link", name=say("page.report_error")).get_attribute("href", timeout=1000)
    button(page, "copy_link").click()
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)


def test_a_run_is_seen_cancelled_run_again_and_found(visit: Visit, ask: Ask, settle: Settle) -> None:
    address = "/stress?by=CHN&on=dy_oxide&cut=0.83&months=9&group=JPN&horizon=72"
    page = visit("/stress")
    state = page.get_by_role("form", name=say("page.stress"))
    state.locator("#cut").fill("83")
    state.locator("#months").fill("9")
    state.locator("summary").click()
    choose(page, "whose_exposure", "japan", within=".fields")
    state.locator("#horizon").fill("72")
    button(page, "show").click()
    page.wait_for_url(f"**{address}")
    progress = page.get_by_role("progressbar", name=say("page.progress"))
    expect(progress).to_be_visible()
    button(page, "cancel").click()
    expect(page.get_by_text(say("page.run_cancelled"))).to_be_visible()
    button(page, "run_again").click()
    page.wait_for_function("() => document.querySelector('.job progress')?.value > 0", polling=20)
    headline = page.locator(".headlines li").first
    expect(headline).to_contain_text("Japan")
    told = headline.inner_text()
    assert page.url.endswith(address)

    page.reload()
    expect(headline).to_be_visible()
    assert headline.inner_text() == told
    assert page.locator(".job").count() == 0
    runs = [run for run in ask("/api/runs")["runs"] if run["question"].get("cut") == 0.83]
    assert [run["state"] for run in runs] == ["done"]


def test_a_control_of_record_is_one_click(visit: Visit, ask: Ask) -> None:
    page = visit("/")
    control = ask("/api/start")["controls"][0]
    link = page.locator(".controls").get_by_role("link", name=control["title"], exact=True).first
    link.click()
    page.wait_for_url(f"**/stress?control={control['id']}&path=assumed&group=QUAD")
    expect(page.locator(".headlines li").first).to_be_visible()
    expect(page.locator(".ask select").first).to_have_value(control["id"])


def test_the_answer_of_a_group_is_another_address_of_the_same_run(visit: Visit, stressed: str) -> None:
    page = visit("/stress?by=CHN&on=dy_oxide&cut=1&months=12")
    headline = page.locator(".headlines li").first
    expect(headline).to_be_visible()
    everybody = headline.inner_text()
    page.locator(".ask summary").click()
    choose(page, "whose_exposure", "quad", within=".fields")
    button(page, "show").click()
    page.wait_for_url("**group=QUAD")
    expect(headline).not_to_have_text(everybody)
    page.go_back()
    expect(headline).to_have_text(everybody)


def test_facts_are_filtered_searched_turned_over_and_explained(visit: Visit, ask: Ask) -> None:
    page = visit("/data")
    rows = page.locator("#facts tbody tr:not(.group)")
    expect(rows).to_have_count(50)
    page.get_by_role("link", name=say("page.after"), exact=True).click()
    expect(page.locator(".paging")).to_contain_text(re.compile(r"^\s*51"))
    page.get_by_role("link", name=say("page.before"), exact=True).click()
    expect(page.locator(".paging")).to_contain_text(re.compile(r"^\s*1 "))

    form = page.get_by_role("form", name=say("page.filters"))
    form.get_by_role("combobox", name=say("page.filter_kind"), exact=True).select_option("reported")
    page.wait_for_url("**kind=reported**")
    form.get_by_label(say("page.filter_text")).fill("mountain pass")
    form.get_by_label(say("page.filter_text")).press("Enter")
    page.wait_for_url("**text=mountain+pass**")
    asked = page.url.split("?")[1]
    found = ask(f"/api/data/facts?{asked}")
    assert 0 < found["count"] < 50
    expect(rows).to_have_count(found["count"])
    figure = rows.first.locator("button.figure").first
    text = figure.inner_text()
    figure.click()
    dialog = page.get_by_role("dialog")
    expect(dialog.locator(".value strong")).to_be_visible()
    assert (dialog.locator(".value strong").text_content() or "?") in text
    assert dialog.locator(".sources li").count() >= 1
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    form.get_by_role("link", name=say("page.clear")).click()
    expect(rows).to_have_count(50)


def test_a_table_of_ones_own_is_checked(visit: Visit, ask: Ask) -> None:
    page = visit("/data")
    head = "variable,commodity,activity,place,partner,period,value,low,high,unit,basis,kind,status,source"
    row = "output,,mine_bayan_obo,XYZ,,2024,many,,,t/yr,REO,reported,ok,usgs_mcs2025,,"
    box = page.get_by_label(say("page.check_paste"))
    box.fill(f"{head},locator,note\n{row}\n")
    button(page, "check_button").click()
    problems = page.get_by_role("region", name=say("page.check_problems")).locator("tbody tr")
    expect(problems.first).to_be_visible()
    told = " ".join(problems.all_inner_texts())
    assert "XYZ" in told
    assert "many" in told
    box.fill("nothing,that,is,known\n1,2,3,4\n")
    button(page, "check_button").click()
    expect(problems.filter(has_text="nothing")).to_have_count(1)


def test_the_theme_is_chosen_and_kept(visit: Visit) -> None:
    page = visit("/")
    ground = "getComputedStyle(document.body).backgroundColor"
    light = page.evaluate(ground)
    page.get_by_label(say("page.theme")).select_option("dark")
    dark = page.evaluate(ground)
    assert dark != light
    page.reload()
    page.wait_for_selector("#main h1")
    assert page.evaluate(ground) == dark
    page.get_by_label(say("page.theme")).select_option("system")
    assert page.evaluate(ground) == light
    page.emulate_media(color_scheme="dark")
    assert page.evaluate(ground) == dark


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_print_is_light_and_holds_the_answer_alone(visit: Visit, settle: Settle, scheme: str) -> None:
    page = visit("/assess?subject=IND&chain=rare_earths", scheme=scheme)
    settle(page)
    page.emulate_media(media="print")
    for gone in (".ask", ".top nav", ".theme", ".tabs", ".take", ".brief", ".bottom"):
        for part in page.locator(gone).all():
            expect(part).to_be_hidden()
    for kept in (".answer h1", ".headlines", ".view h3", ".picture svg", "#dependence-0", ".why", ".help"):
        expect(page.locator(kept).first).to_be_visible()
    assert page.locator(".sources li").first.is_visible()
    ground, ink = page.evaluate(
        "() => { const s = getComputedStyle(document.body); return [s.backgroundColor, s.color] }"
    )
    assert ground == "rgb(255, 255, 255)"
    assert max(int(part) for part in re.findall(r"\d+", ink)) < 90
    assert page.pdf(format="A4")[:4] == b"%PDF"


def test_a_name_that_is_not_known_is_mended_by_a_link(visit: Visit) -> None:
    page = visit("/assess?subject=IND&chain=galium", expected=(REFUSED,))
    trouble = page.get_by_role("alert")
    expect(trouble).to_contain_text("galium")
    trouble.get_by_role("link", name="gallium").click()
    page.wait_for_url("**/assess?subject=IND&chain=gallium")
    expect(page.locator(".headlines li").first).to_contain_text("India")


def test_a_restriction_that_cannot_be_is_told(visit: Visit) -> None:
    page = visit("/stress?by=CHN&on=dy_oxide&cut=7&months=12", expected=(REFUSED,))
    expect(page.get_by_role("alert")).to_contain_text("cut")


def test_another_address_has_the_pages_own_word(visit: Visit) -> None:
    page = visit("/nowhere", expected=(REFUSED,))
    expect(page.get_by_role("heading", name=say("page.missing_title"))).to_be_visible()
    page.get_by_role("link", name=say("page.missing_home")).click()
    expect(page.get_by_role("heading", name=say("page.front_title"))).to_be_visible()


def test_a_server_that_stopped_is_told_and_asked_again(visit: Visit, serve_at: Callable[..., Any]) -> None:
    with serve_at() as (url, process):
        page = visit("/", at=url, expected=(REFUSED, "ERR_CONNECTION_REFUSED"))
        port = int(url.rsplit(":", 1)[1])
        process.kill()
        process.wait(timeout=30)
        page.get_by_role("navigation").get_by_role("link", name=say("page.data")).click()
        trouble = page.get_by_role("alert")
        expect(trouble).to_contain_text(say("page.server_gone"))
    with serve_at(port):
        trouble.get_by_role("button", name=say("page.try_again")).click()
        expect(page.locator("#facts tbody tr").first).to_be_visible()
        expect(page.locator(".chains a").first).to_be_visible()
