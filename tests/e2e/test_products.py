"""``monazite data products``, ``facilities``, ``capacity``: told as words, JSON and CSV; refused in words."""

from __future__ import annotations

import csv
import io
import json

import pytest

NEEDED = {"value", "unit", "basis", "kind", "status", "period", "source"}


def test_products_are_listed(monazite) -> None:
    rows = json.loads(monazite("data", "products", "--json").stdout)
    assert {row["product"] for row in rows} >= {"electric_vehicle", "logic_wafer", "ai_server"}


def test_a_product_tells_what_it_needs_with_sources(monazite) -> None:
    told = json.loads(monazite("data", "products", "industrial_motor", "--json").stdout)
    assert told["counted"] == "7.5 kW motor"
    content = [row for row in told["table"] if row["measure"] == "content_per_unit"]
    assert content
    assert all(set(row) >= NEEDED for row in told["table"])
    named = {name for row in told["table"] for name in row["source"].split(";")}
    assert named == {row["source"] for row in told["sources"]}


def test_a_product_in_words(monazite) -> None:
    done = monazite("data", "products", "industrial_motor")
    assert done.returncode == 0, done.stderr
    assert "NdFeB magnets, heavy grades" in done.stdout
    assert "China" in done.stdout
    assert "kg/unit" in done.stdout


def test_products_as_csv(monazite) -> None:
    rows = list(csv.DictReader(io.StringIO(monazite("data", "products", "ai_server", "--csv").stdout)))
    assert rows
    assert rows[0].keys() >= NEEDED


def test_facilities_of_a_chain_and_owner(monazite) -> None:
    rows = json.loads(monazite("data", "facilities", "--chain", "copper", "--owner", "JPN", "--json").stdout)
    assert rows
    assert {row["chain"] for row in rows} == {"copper"}
    assert all("JPN" in row["owners"] for row in rows)
    assert all(row["source"] for row in rows)


def test_facilities_at_a_place_by_its_name(monazite) -> None:
    done = monazite("data", "facilities", "--chain", "gallium", "--place", "China")
    assert done.returncode == 0, done.stderr
    assert "extract_gallium" in done.stdout


def test_shares_of_states_by_role(monazite) -> None:
    done = monazite("data", "facilities", "--chain", "rare_earths", "--shares", "--json")
    rows = json.loads(done.stdout)
    assert {row["role"] for row in rows} == {"equity", "control", "offtake"}
    words = monazite("data", "facilities", "--chain", "rare_earths", "--shares")
    assert words.returncode == 0, words.stderr
    assert "unknown" in words.stdout


def test_idle_and_announced_capacity(monazite) -> None:
    rows = json.loads(monazite("data", "capacity", "--chain", "gallium", "--json").stdout)
    assert {row["chain"] for row in rows} == {"gallium"}
    assert any(row["capacity"] and row["unit"] == "t/yr" and row["basis"] == "metal" for row in rows)
    words = monazite("data", "capacity", "--chain", "lithium")
    assert words.returncode == 0, words.stderr
    assert "USD/t" in words.stdout


@pytest.mark.parametrize(
    ("words", "says", "code"),
    [
        (("products", "electric_vehicel"), "electric_vehicle", 2),
        (("facilities", "--chain", "galium"), "gallium", 2),
        (("facilities", "--owner", "nobody at all"), "nobody at all", 2),
        (("facilities", "--shares"), "--chain", 2),
        (("capacity", "--place", "Nowhereland"), "Nowhereland", 2),
        (("capacity", "--json", "--csv"), "", 2),
    ],
)
def test_what_is_not_known_is_told_in_words(monazite, words, says, code) -> None:
    done = monazite("data", *words)
    assert done.returncode == code
    assert says in done.stderr
    assert "Traceback" not in done.stderr
