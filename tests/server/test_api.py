"""Everything on the page is what the Python API says: to the last byte of its files."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import polars as pl
import pytest
from fastapi.testclient import TestClient

import monazite as mz
from monazite import facts
from monazite.answer import Answer
from monazite.api import network_for
from monazite.core.text import keys
from monazite.draw import svg
from monazite.facts.controls import controls
from monazite.facts.places import groups
from monazite.market.runs import Folder
from monazite.report.explained import Explained, explained, fact_explained
from monazite.report.twin import Cell, Table, twins
from monazite.views.view import sources_frame

Page = dict[str, Any]
Finish = Callable[..., Page]

CUT = {"by": "CHN", "on": ["gallium"], "months": 5, "start": "2025-03", "horizon": 7}
STUDY = {"by": "CHN", "on": ["gallium_4n"], "months": 3, "samples": 16, "horizon": 3}
LONG = {"by": "CHN", "on": ["dy_oxide"], "months": 11, "horizon": 60}


def get(client: TestClient, path: str, **asked: Any) -> Any:
    answer = client.get(path, params=asked or None)
    assert answer.status_code == 200, answer.text
    return answer.json()


def same_cell(shown: Page, cell: Cell) -> None:
    assert shown["text"] == cell.text
    assert shown.get("within", "") == cell.within
    assert shown.get("kind") == cell.kind
    assert shown.get("blank", False) == cell.blank
    assert shown.get("cell_id") == cell.cell_id
    assert shown.get("fact") == cell.fact
    assert shown.get("number", False) == (cell.number and not cell.blank)


def same_tables(shown: list[Page], tables: tuple[Table, ...]) -> None:
    for page, table in zip(shown, tables, strict=True):
        assert (page["caption"], page["heads"], page["labels"]) == (
            table.caption, list(table.heads), table.labels,
        )  # fmt: skip
        kinds = set()
        for group, (label, rows) in zip(page["groups"], table.groups, strict=True):
            assert group["label"] == label
            for row, cells in zip(group["rows"], rows, strict=True):
                for given, cell in zip(row, cells, strict=True):
                    same_cell(given, cell)
                    kinds.add(cell.kind)
        assert {item["kind"] for item in page["key"]} == kinds - {None}


def same_sources(shown: list[Page], frame: pl.DataFrame | None) -> None:
    rows = sources_frame(frame).to_dicts()
    assert [item["number"] for item in shown] == list(range(1, len(rows) + 1))
    for item, row in zip(shown, rows, strict=True):
        assert {name: item[name] for name in ("source", "citation", "url", "licence")} == {
            name: row[name] for name in ("source", "citation", "url", "licence")
        }


def same_answer(client: TestClient, page: Page, answer: Answer) -> None:
    """Compare a page with the answer: sentences, tables, and every file that it links to."""
    assert " ".join(item["sentence"] for item in page["findings"]) == answer.summary()
    same_sources(page["sources"], answer.sources)
    assert client.get(page["links"]["csv"]).text == answer.table.write_csv()
    document = get(client, page["links"]["json"])
    assert document["summary"] == answer.summary()
    assert len(document["table"]) == answer.table.height
    assert document["manifest"]["input_hash"] == answer.manifest.input_hash
    helps = page["help"] or {"view": None}
    views = page["views"] + ([helps["view"]] if helps["view"] else [])
    assert views
    for shown in views:
        view = answer.view(shown["name"])
        assert (shown["title"], shown["sentence"]) == (view.title, view.sentence)
        same_tables(shown["tables"], twins(view))
        assert client.get(shown["links"]["csv"]).text == view.data.write_csv()
        assert get(client, shown["links"]["json"])["data"] == json.loads(json.dumps(view.to_dict()["data"]))
        drawn = client.get(shown["links"]["svg"])
        assert drawn.content == svg(view).encode()
        assert drawn.headers["content-type"].startswith("image/svg+xml")
        assert "var(--" in client.get(shown["links"]["vega"]).text


def same_explanation(shown: Page, found: Explained) -> None:
    assert (shown["title"], shown["formula"]) == (found.title, found.formula)
    assert shown["grey"] == (found.grey or None)
    assert shown["paragraphs"] == list(found.paragraphs)
    same_cell(shown["value"], found.value)
    same_tables(shown["tables"], found.tables)
    same_sources(shown["sources"], found.sources)


def test_the_page_learns_all_names_at_its_start(client: TestClient) -> None:
    start = get(client, "/api/start")
    assert [item["name"] for item in start["groups"]] == list(groups())
    assert {item["name"] for item in start["chains"]} == set(facts.chains()) - {"toy"}
    assert {item["id"] for item in start["controls"]} == set(controls())
    assert {item["name"] for item in start["things"]} == {
        thing for thing, chain in facts.commodity_chains().items() if chain != "toy"
    }
    assert set(start["text"]) == {k.removeprefix("page.") for k in keys() if k.startswith("page.")}
    assert start["version"] == mz.__version__
    assert "WLD" not in {item["name"] for item in start["places"]}
    assert get(client, "/api/assess", **start["examples"]["assess"])["findings"]


@pytest.mark.parametrize(
    ("asked", "chains", "subject", "more"),
    [
        ({"subject": "IND", "chain": "rare_earths"}, ["rare_earths"], "IND", {}),
        (
            {"subject": "QUAD", "chain": "gallium", "by": "CHN", "year": 2022},
            *(["gallium"], "QUAD", {"by": "CHN"}),
        ),
        (
            {"subject": "IND,USA", "commodity": "dy_oxide"},
            *(["rare_earths"], ["IND", "USA"], {"commodity": "dy_oxide"}),
        ),
    ],
)  # fmt: skip
def test_an_assessment_is_that_of_the_python_api(
    client: TestClient, asked: Page, chains: list[str], subject: Any, more: Page
) -> None:
    answer = mz.load(chains, asked.get("year")).assess(subject, **more)
    page = get(client, "/api/assess", **asked)
    same_answer(client, page, answer)
    assert page["why"]
    cells = [item["cell_id"] for item in page["why"]]
    cells += [item["cell_id"] for item in page["findings"] if item["cell_id"]][:1]
    for cell in cells:
        shown = get(client, "/api/assess/explain", **asked, cell=cell)
        same_explanation(shown, explained(answer.result, cell))


def test_every_cell_of_the_pages_tables_can_be_explained(client: TestClient) -> None:
    asked = {"subject": "IND", "chain": "gallium"}
    page = get(client, "/api/assess", **asked)
    cells = {
        cell["cell_id"]
        for view in page["views"]
        for table in view["tables"]
        for group in table["groups"]
        for row in group["rows"]
        for cell in row
        if cell.get("cell_id")
    }
    assert cells
    for cell in cells:
        assert client.get("/api/assess/explain", params={**asked, "cell": cell}).status_code == 200


def test_a_run_is_that_of_the_python_api(client: TestClient, finish: Finish) -> None:
    run = finish(CUT)
    assert (run["state"], run["kind"], run["error"], run["left"]) == ("done", "stress", None, None)
    assert run["done"] == run["of"] > 0
    assert run["page"] == "/stress?by=CHN&on=gallium&months=5&start=2025-03&horizon=7"
    control = mz.ExportControl(by="CHN", on="gallium", cut=1.0, months=5, start="2025-03", kind="ban")
    net = network_for(control)
    answer = net.stress(control, horizon=7)
    page = get(client, f"/api/runs/{run['id']}/answer")
    same_answer(client, page, answer)
    for item in page["why"]:
        shown = get(client, f"/api/runs/{run['id']}/explain", cell=item["cell_id"])
        same_explanation(shown, explained(answer.result, item["cell_id"]))

    again = client.post("/api/runs", json=CUT)
    assert (again.status_code, again.json()["id"], again.json()["state"]) == (200, run["id"], "done")

    narrowed = get(client, f"/api/runs/{run['id']}/answer", group="QUAD")
    same_answer(client, narrowed, net.stress(control, horizon=7, group="QUAD"))
    assert narrowed["question"]["group"] == "QUAD"
    assert narrowed["findings"] != page["findings"]
    asked = client.post("/api/runs", json=CUT | {"group": "QUAD"})
    assert (asked.status_code, asked.json()["id"]) == (200, run["id"])  # whose exposure is no new run

    assert run["id"] in [item["id"] for item in get(client, "/api/runs")["runs"]]
    unknown = client.get(f"/api/runs/{run['id']}/answer", params={"group": "QUADD"})
    assert (unknown.status_code, unknown.json()["error"]["nearest"]) == (400, ["QUAD"])


def test_a_study_is_that_of_the_python_api(client: TestClient, finish: Finish) -> None:
    run = finish(STUDY, most=300.0)
    assert (run["state"], run["kind"], run["error"], run["left"]) == ("done", "study", None, None)
    assert run["done"] == run["of"] >= STUDY["samples"]
    assert run["page"] == "/study?by=CHN&on=gallium_4n&months=3&samples=16&horizon=3"
    control = mz.ExportControl(by="CHN", on=["gallium_4n"], cut=1.0, months=3)
    net = network_for(control)
    asked: Page = {"samples": 16, "months": 3, "workers": 1}
    answer = net.study(control, **asked)
    path = f"/api/runs/{run['id']}"
    page = get(client, f"{path}/answer")
    same_answer(client, page, answer)
    assert page["help"] is None
    assert next(view["name"] for view in page["views"]) == "tornado"
    assert page["why"]
    for item in page["why"]:
        shown = get(client, f"{path}/explain", cell=item["cell_id"])
        same_explanation(shown, explained(answer.result, item["cell_id"]))

    again = client.post("/api/runs", json=STUDY | {"group": "QUAD"})  # whose exposure is no new run
    assert (again.status_code, again.json()["id"], again.json()["state"]) == (200, run["id"], "done")
    same_answer(
        client, get(client, f"{path}/answer", group="QUAD"), net.study(control, group="QUAD", **asked)
    )
    assert run["id"] in [item["id"] for item in get(client, "/api/runs")["runs"]]

    priced = finish(STUDY | {"headline": "price"}, most=300.0)  # another headline of the same scenarios
    assert priced["id"] != run["id"]
    assert priced["page"].endswith("&headline=price")
    same_answer(
        client,
        get(client, f"/api/runs/{priced['id']}/answer"),
        net.study(control, headline="price", **asked),
    )


def test_the_scenarios_of_a_study_are_no_run_of_the_page(client: TestClient, finish: Finish) -> None:
    run = finish(STUDY, most=300.0)
    kept = str(Folder(run["id"]).result())
    assert Folder(kept).exists
    assert kept not in [item["id"] for item in get(client, "/api/runs")["runs"]]
    assert client.get(f"/api/runs/{kept}").status_code == 404
    assert client.delete(f"/api/runs/{kept}").status_code == 404
    assert Folder(kept).state().name == "done"


def test_a_study_can_be_stopped_and_a_short_question_need_not_wait_for_it(
    client: TestClient, finish: Finish
) -> None:
    begun = client.post("/api/runs", json=STUDY | {"seed": 7, "samples": 2048})
    assert begun.status_code == 202
    path = f"/api/runs/{begun.json()['id']}"
    short: Page = {"by": "CHN", "on": ["gallium"], "months": 1, "start": "2025-04", "horizon": 1}
    assert finish(short)["state"] == "done"
    assert get(client, path)["state"] in ("waiting", "running")
    assert client.get(f"{path}/answer").status_code == 409
    assert client.delete(path).json()["state"] == "cancelled"
    assert client.get(f"{path}/table.csv").status_code == 409


def test_a_registered_control_is_that_of_the_python_api(client: TestClient, finish: Finish) -> None:
    run = finish({"control": "CN-GAGE-2023", "path": "observed", "horizon": 3})
    assert run["page"] == "/stress?control=CN-GAGE-2023&path=observed&horizon=3"
    control = mz.control("CN-GAGE-2023", "observed")
    assert client.get(f"/api/runs/{run['id']}/table.csv").text == (
        network_for(control).stress(control, horizon=3).table.write_csv()
    )


def test_a_run_can_be_stopped_and_begun_anew(client: TestClient, finish: Finish) -> None:
    begun = client.post("/api/runs", json=LONG)
    assert begun.status_code == 202
    run = begun.json()
    path = f"/api/runs/{run['id']}"
    assert run["state"] in ("waiting", "running")
    early = client.get(f"{path}/answer")
    assert early.status_code == 409
    assert early.json()["error"]["kind"] == "NotReady"
    end = time.monotonic() + 60
    while get(client, path)["done"] < 1 and time.monotonic() < end:
        time.sleep(0.02)
    again = client.post("/api/runs", json=LONG)  # goes on already: the same run
    assert (again.status_code, again.json()["id"]) == (202, run["id"])
    stopped = client.delete(path)
    assert (stopped.status_code, stopped.json()["state"]) == (200, "cancelled")
    for part in ("answer", "table.csv", "explain?cell=0123456789ab", "views/timeline.csv"):
        refused = client.get(f"{path}/{part}")
        assert refused.status_code == 409
        assert "cancelled" in refused.json()["error"]["message"]
    assert finish(LONG)["state"] == "done"
    assert client.get(f"{path}/answer").status_code == 200
    assert client.delete(path).json()["state"] == "done"  # what has ended stays


@pytest.mark.slow
def test_a_brief_is_made_as_a_run(client: TestClient, finish: Finish) -> None:
    run = finish({"brief": ["IND"]}, most=300)
    assert (run["state"], run["kind"]) == ("done", "brief")
    brief = client.get(run["page"])
    assert brief.headers["content-type"] == "text/html; charset=utf-8"
    assert "India" in brief.text
    assert "<script" not in brief.text
    assert client.get(f"/api/runs/{run['id']}/answer").status_code == 404


def test_the_contents_are_those_of_the_tables(client: TestClient) -> None:
    for chain in get(client, "/api/data")["chains"]:
        table = facts.load([chain["name"]])
        assert chain["facts"] == table.frame.height == sum(kind["count"] for kind in chain["kinds"])
        assert chain["years"] == list(facts.years(chain["name"]))


def test_facts_are_chosen_and_paged(client: TestClient) -> None:
    whole = facts.load(["rare_earths"]).frame
    first = get(client, "/api/data/facts")
    assert (first["chain"], first["count"], first["offset"], first["limit"]) == (
        "rare_earths", whole.height, 0, 100,
    )  # fmt: skip
    assert client.get(first["links"]["csv"]).text == whole.write_csv()
    assert len(get(client, first["links"]["json"])["facts"]) == whole.height
    assert {item["name"]: item["count"] for item in first["choices"]["kind"]} == dict(
        whole.group_by("kind").len().iter_rows()
    )

    asked: Page = {"chain": "gallium", "year": 2022, "variable": "trade", "place": "CHN"}
    kept = facts.load(["gallium"], 2022).frame.filter(variable="trade", place="CHN")
    shown: list[int] = []
    for offset in range(0, kept.height + 7, 7):
        page = get(client, "/api/data/facts", **asked, offset=offset, limit=7)
        assert page["count"] == kept.height
        shown += facts_shown(page)
    assert shown == kept["fact_id"].to_list()
    assert client.get(page["links"]["csv"]).text == kept.write_csv()

    by_name = get(client, "/api/data/facts", **{**asked, "place": "China"})
    assert by_name["count"] == kept.height
    assert get(client, "/api/data/facts", text="dysprosium", limit=1)["count"] > 0
    assert get(client, "/api/data/facts", text="(no such [text")["count"] == 0
    nearest = client.get("/api/data/facts", params={"variable": "trad"})
    assert (nearest.status_code, nearest.json()["error"]["nearest"]) == (400, ["trade"])


def facts_shown(page: Page) -> list[int]:
    rows = [row for group in page["table"]["groups"] for row in group["rows"]]
    return [next(cell["fact"] for cell in row if "fact" in cell) for row in rows]


def test_a_fact_is_explained_with_those_that_lost_against_it(client: TestClient) -> None:
    table = facts.load(["rare_earths"])
    kept = table.frame["fact_id"].to_list()
    lost = table.losers["fact_id"].to_list()
    assert lost
    for fact in (*kept[:3], *lost[:3]):
        shown = get(client, "/api/data/explain", chain="rare_earths", fact=fact)
        same_explanation(shown, fact_explained(table, fact))
    unknown = client.get("/api/data/explain", params={"chain": "rare_earths", "fact": 9_999_999})
    assert unknown.status_code in (400, 404)
    assert unknown.json()["error"]["message"]


def test_all_sources_are_listed(client: TestClient) -> None:
    shown = {item["source"]: item for item in get(client, "/api/data/sources")["sources"]}
    for chain in facts.chains():
        if chain == "toy":
            continue
        for row in facts.load([chain]).sources.iter_rows(named=True):
            assert shown[row["source"]]["citation"] == row["citation"]


def test_a_table_of_ones_own_is_checked(client: TestClient) -> None:
    head = (
        "variable,commodity,activity,place,partner,period,value,low,high,unit,basis,kind,status,source,"
        "locator,note\n"
    )
    source = next(iter(facts.load(["gallium"]).sources["source"]))
    good = f"trade,gallium_4n,,CHN,IND,2024,12,,,t/yr,metal,reported,ok,{source},,\n"
    ask = {"content-type": "text/csv"}
    fine = client.post("/api/data/check", content=head + good, headers=ask).json()
    assert (fine["rows"], fine["problems"]) == (1, [])
    wrong = good.replace("CHN", "CHX").replace(",12,", ",many,")
    found = client.post("/api/data/check", content=head + good + wrong, headers=ask).json()
    assert found["rows"] == 2
    assert {(item["row"], item["column"]) for item in found["problems"]} >= {(3, "place"), (3, "value")}
    assert all(item["message"] for item in found["problems"])


def test_questions_asked_at_once_are_answered_as_one_by_one(client: TestClient) -> None:
    asked = "subject=IND&chain=gallium"
    paths = [f"/api/assess/views/{name}.svg?{asked}" for name in ("dependence", "chokepoint", "map")]
    paths += [f"/api/assess?{asked}", "/api/data/facts?chain=gallium", "/api/assess?subject=INDA"]
    alone = [client.get(path) for path in paths]
    with ThreadPoolExecutor(8) as threads:
        together = list(threads.map(client.get, paths * 3))
    for one, other in zip(alone * 3, together, strict=True):
        assert (one.status_code, one.content) == (other.status_code, other.content)
