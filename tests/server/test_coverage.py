"""The page of what is known is what Python says, and every cell of it can be opened."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from fastapi.testclient import TestClient

from monazite.answer import Answer
from monazite.draw import svg
from monazite.facts.coverage import coverage_of
from monazite.report.explained import explained

PATH = "/api/data/coverage"


@pytest.mark.parametrize(
    "asked", [{}, {"chain": ["gallium", "rare_earths"], "stage": ["refine"], "year": 2024}]
)
def test_it_says_what_python_says(client: TestClient, asked: dict[str, Any]) -> None:
    answer = Answer(coverage_of(asked.get("chain"), stage=asked.get("stage"), year=asked.get("year")))
    shown = client.get(PATH, params=asked).json()
    assert " ".join(shown["summary"]) == answer.summary()
    view = answer.view()
    assert shown["view"]["sentence"] == view.sentence
    links = shown["view"]["links"]
    assert client.get(links["csv"]).text == view.data.write_csv()
    assert client.get(links["svg"]).content == svg(view).encode()
    assert "var(--" in client.get(links["vega"]).text
    assert client.get(shown["links"]["csv"]).text == answer.table.write_csv()
    assert client.get(shown["links"]["json"]).json()["summary"] == answer.summary()


def test_the_counts_are_those_of_the_table(client: TestClient) -> None:
    shown = client.get(PATH, params={"chain": "gallium"}).json()["counts"]
    (row, total) = shown["groups"][0]["rows"]
    every = coverage_of("gallium").table.filter(measure="facts_total", chain="gallium")["value"].sum()
    assert row[-1]["text"] == total[-1]["text"] == f"{every:,.0f}"


def test_a_cell_opens_with_its_facts_and_sources(client: TestClient) -> None:
    answer = Answer(coverage_of("gallium"))
    cell = answer.view().data.row(0, named=True)["cell_id"]
    shown = client.get(f"{PATH}/explain", params={"chain": "gallium", "cell": cell}).json()
    found = explained(answer.result, cell)
    assert (shown["title"], shown["formula"]) == (found.title, found.formula)
    assert [table["caption"] for table in shown["tables"]] == [table.caption for table in found.tables]
    assert len(shown["tables"]) == 2


def test_what_nobody_knows_is_refused(client: TestClient, told: Callable[..., str]) -> None:
    assert "gallium" in told(client.get(PATH, params={"chain": "galium"}), 400)
    assert "refine" in told(client.get(PATH, params={"stage": "refin"}), 400)
    told(client.get(PATH, params={"year": 1950}), 400)
    told(client.get(PATH, params={"nonsense": 1}), 400)
    told(client.get(f"{PATH}/explain", params={"cell": "0" * 12}), 400)
    told(client.get(f"{PATH}/views/map.csv"), 400)
    told(client.get(f"{PATH}/table.xlsx"), 400)


def test_the_page_itself_is_answered(client: TestClient) -> None:
    assert client.get("/data/coverage").status_code in (200, 503)  # 503: the page is not built
