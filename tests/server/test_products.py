"""Products, facilities and capacity over the wire: the same figures as in Python, each with its source."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest
from fastapi.testclient import TestClient

from monazite.draw import svg
from monazite.facts.facilities import capacity, facilities, load_facilities, owner_shares
from monazite.facts.products import load_products, product_sources, product_table
from monazite.views.products import product_makers

PRODUCT = "industrial_motor"


def get(client: TestClient, path: str, **asked: Any) -> Any:
    answer = client.get(path, params=asked or None)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_all_products_are_listed(client: TestClient) -> None:
    listed = get(client, "/api/data/products")["products"]
    assert [item["name"] for item in listed] == load_products().products["product"].to_list()
    assert all(item["chains"] and item["counted"] for item in listed)


def test_a_product_says_what_python_says(client: TestClient) -> None:
    page = get(client, "/api/data/products/one", product=PRODUCT)
    table = product_table(PRODUCT)
    assert {view["name"] for view in page["views"]} == {"product_content", "product_makers"}
    cells = [cell for g in page["figures"]["groups"] for row in g["rows"] for cell in row]
    shown = {cell["cell_id"] for cell in cells if "cell_id" in cell}
    assert shown == set(table.filter(pl.col("measure") != "maker_share")["cell_id"])
    assert [row["source"] for row in page["sources"]] == product_sources(table)["source"].to_list()


def test_every_figure_of_a_product_can_be_explained(client: TestClient) -> None:
    table = product_table(PRODUCT)
    for cell, measure in table.unique("measure").select("cell_id", "measure").iter_rows():
        told = get(client, "/api/data/products/explain", product=PRODUCT, cell=cell)
        assert told["sources"] or measure == "made", measure
        assert told["title"]


def test_pictures_and_tables_come_along(client: TestClient) -> None:
    view = product_makers(product_table(PRODUCT), name="Industrial motor", sources=None)
    drawn = client.get("/api/data/products/views/product_makers.svg", params={"product": PRODUCT})
    assert drawn.headers["content-type"] == "image/svg+xml"
    assert drawn.text == svg(view)
    for form in ("csv", "json", "vega"):
        path = f"/api/data/products/views/product_content.{form}"
        assert client.get(path, params={"product": PRODUCT}).status_code == 200
    rows = get(client, "/api/data/products/table.json", product=PRODUCT)["table"]
    assert len(rows) == product_table(PRODUCT).height
    text = client.get("/api/data/products/table.csv", params={"product": PRODUCT}).text
    assert len(text.splitlines()) == len(rows) + 1


def test_facilities_with_their_holders(client: TestClient) -> None:
    page = get(client, "/api/data/facilities", chain="gallium")
    frame = facilities("gallium")
    assert page["count"] == frame.height
    names = [row[0]["text"] for group in page["table"]["groups"] for row in group["rows"]]
    assert names == frame["facility"].to_list()
    assert {row["source"] for row in page["sources"]} == set(frame["source"])
    assert {item["name"] for item in page["choices"]["place"]} == set(load_facilities().facilities["place"])
    rows = get(client, "/api/data/facilities.json", owner="JPN")["facilities"]
    assert len(rows) == facilities(owner="JPN").height


def test_shares_of_states_and_what_others_published(client: TestClient) -> None:
    page = get(client, "/api/data/owners", chain="copper")
    assert len(page["table"]["groups"]) == owner_shares("copper")["activity"].n_unique()
    published = [row for group in page["published"]["groups"] for row in group["rows"]]
    assert len(published) == load_facilities().control.filter(pl.col("chain") == "copper").height > 0
    rows = get(client, "/api/data/owners.json", chain="copper")["owners"]
    assert len(rows) == owner_shares("copper").height
    assert client.get("/api/data/owners.csv?chain=copper").text.startswith("chain,activity,place,role,by,")


def test_idle_and_announced_capacity(client: TestClient) -> None:
    page = get(client, "/api/data/capacity", chain="lithium")
    assert page["count"] == capacity("lithium").height
    text = str(page["table"])
    assert "idle since 2024-12" in text
    assert "stopped at 805" in text
    assert client.get("/api/data/capacity.csv?chain=lithium").text.count("\n") == page["count"] + 1


@pytest.mark.parametrize(
    "path",
    [
        "/api/data/products/one?product=electric_vehicel",
        "/api/data/products/explain?product=ai_server&cell=0123456789ab",
        "/api/data/products/views/product_map.svg?product=ai_server",
        "/api/data/facilities?chain=galium",
        "/api/data/facilities?place=Nowhereland",
        "/api/data/facilities?owner=nobody+at+all",
        "/api/data/owners?chain=galium",
        "/api/data/owners",
        "/api/data/capacity?chain=galium&limit=3",
    ],
)
def test_what_is_not_known_is_told_in_words(client: TestClient, told: Any, path: str) -> None:
    told(client.get(path), 400, 422)


@pytest.mark.parametrize("path", ["/data/products", "/data/facilities"])
def test_the_pages_are_served(client: TestClient, path: str) -> None:
    assert client.get(path).status_code in (200, 503)  # 503: the page is not built
