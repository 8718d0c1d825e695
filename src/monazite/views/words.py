"""The names that a reader knows for the ids in a table: places, stages, commodities, end uses, months."""

from __future__ import annotations

import csv
from functools import lru_cache
from pathlib import Path

from monazite.core import schema
from monazite.core.settings import data_folder
from monazite.core.text import has, say
from monazite.facts.places import inline, places
from monazite.views.numbers import percent

__all__ = [
    "cause",
    "chain",
    "column",
    "commodity",
    "element",
    "inline",
    "kind",
    "measure",
    "month",
    "month_index",
    "period",
    "place",
    "scenario",
    "series",
    "short",
    "stage",
    "stage_order",
    "step",
]

_MONTHS = 12


def _read(path: Path, key: str, value: str) -> dict[str, str]:
    if not path.is_file():
        return {}
    with path.open(encoding="utf-8", newline="") as file:
        return {row[key]: row[value] for row in csv.DictReader(file) if row.get(key) and row.get(value)}


@lru_cache(maxsize=1)
def _things() -> dict[str, str]:
    """Names of activities (end uses among them), overridden by those of commodities."""
    names: dict[str, str] = {}
    for table, key in (("activities", "activity"), ("commodities", "commodity")):
        for path in sorted((data_folder() / "chains").glob(f"*/{table}.csv")):
            names.update(_read(path, key, "name"))
    return names


def _plain(name: str) -> str:
    return name.replace("_", " ")


def place(name: str | None) -> str:
    """Return the short name of a place or group.

    Examples
    --------
    >>> place("QUAD"), place(None), place("IND+USA")
    ('Quad', 'world', 'India, United States')
    """
    if name is None:
        return say("view.place_WLD")
    if has(f"view.place_{name}"):
        return say(f"view.place_{name}")
    if "+" in name:
        return ", ".join(place(part) for part in name.split("+"))
    return places().get(name, name)


def chain(name: str | None) -> str:
    """Return the name of a chain.

    Examples
    --------
    >>> chain("rare_earths")
    'Rare earths'
    """
    return _capital(_plain(name or ""))


def stage(name: str | None) -> str:
    """Return the name of a stage; a stage that the catalogue does not know keeps its id.

    Examples
    --------
    >>> stage("refine"), stage("component")
    ('Refining', 'Component')
    """
    if name is None:
        return ""
    return say(f"view.stage_{name}") if has(f"view.stage_{name}") else chain(name)


@lru_cache(maxsize=1)
def _stage_orders() -> dict[str, int]:
    return {row["stage"]: int(row["order"]) for row in schema.table("stages")}


def stage_order(name: str | None) -> int:
    """Return the rank of a stage along a chain; unknown stages come last.

    Examples
    --------
    >>> stage_order("mine") < stage_order("metal") < stage_order(None)
    True
    """
    return _stage_orders().get(name or "", 99)


def commodity(name: str | None) -> str:
    """Return the name of a commodity or end use, as the chain's own tables have it.

    Examples
    --------
    >>> commodity("no_such_thing")
    'No such thing'
    """
    if name is None:
        return ""
    return _capital(_things().get(name, _plain(name)))


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def element(symbol: str) -> str:
    """Return the name of an element or of elements that are counted together.

    Examples
    --------
    >>> element("Dy"), element("Xx")
    ('dysprosium', 'Xx')
    """
    return say(f"assess.element_{symbol}") if has(f"assess.element_{symbol}") else symbol


def step(stage_name: str | None, commodity_name: str | None, element_name: str | None = None) -> str:
    """Return the label of one step of a chain: its commodity, else the element, else the stage.

    Examples
    --------
    >>> step("mine", None), step("mine", None, "Dy")
    ('Mining', 'Dysprosium')
    """
    if commodity_name:
        return commodity(commodity_name)
    if element_name:
        return _capital(element(element_name))
    return stage(stage_name)


def kind(name: str | None) -> str:
    """Return the word for a kind of figure."""
    return say(f"view.kind_{name}") if name and has(f"view.kind_{name}") else say("view.kind_unknown")


def cause(name: str) -> tuple[str, str]:
    """Return the name of an uncertain cause and, where its sign is not plain, what it means that it is high.

    Examples
    --------
    >>> cause("trade_friction"), cause("cover")
    (('Friction of trade', 'high: flows are hard to shift'), ('Stocks of users', ''))
    """
    high = f"view.cause_high_{name}"
    label = say(f"view.cause_{name}") if has(f"view.cause_{name}") else chain(name)
    return label, say(high) if has(high) else ""


def measure(name: str) -> str:
    """Return the name of a measure, fit for the head of a panel or column.

    Examples
    --------
    >>> measure("price_multiple")
    'Price, multiple of the base year'
    """
    for key in (f"view.measure_{name}", f"assess.measure_{name}"):
        if has(key):
            return _capital(say(key))
    return chain(name)


def short(name: str) -> str:
    """Return the word for a measure in the middle of a sentence.

    Examples
    --------
    >>> short("price_multiple")
    'prices'
    """
    return say(f"view.short_{name}") if has(f"view.short_{name}") else measure(name).lower()


def scenario(name: str) -> str:
    """Return the name of a run, or of the severity of a catalogue's control: its cut and its months.

    Examples
    --------
    >>> scenario("observed"), scenario("0.5/6").replace(chr(160), " ")
    ('observed exports imposed', '50 % for 6 months')
    """
    cut, dash, months = name.partition("/")
    if dash:
        return say("view.scenario_cut", cut=percent(float(cut)), months=months)
    return say(f"view.scenario_{name}") if has(f"view.scenario_{name}") else chain(name)


def column(name: str) -> str:
    """Return the head of a table column."""
    return say(f"view.column_{name}") if has(f"view.column_{name}") else chain(name)


def series(parts: list[str]) -> str:
    """Join what distinguishes a series to one label."""
    return ", ".join(part for part in parts if part) or say("view.series_all")


def month_index(text: str) -> int | None:
    """Return months since year 0 for ``YYYY-MM``, the number itself for a month number, else None.

    Examples
    --------
    >>> month_index("2025-04") - month_index("2025-01"), month_index("7"), month_index("spring")
    (3, 7, None)
    """
    year, dash, rest = text.strip().partition("-")
    if dash and year.isdigit() and rest.isdigit() and 1 <= int(rest) <= _MONTHS:
        return int(year) * _MONTHS + int(rest) - 1
    try:
        return int(text)
    except ValueError:
        return None


def month(index: int, *, short: bool = False) -> str:
    """Return the name of a calendar month given by `month_index`.

    Examples
    --------
    >>> month(2025 * 12 + 3), month(2025 * 12 + 3, short=True)
    ('April 2025', 'Apr')
    """
    year, number = divmod(index, _MONTHS)
    name = say("view.months_short" if short else "view.months").split()[number]
    return name if short else f"{name} {year}"


def period(index: int, *, calendar: bool) -> str:
    """Return a month of a timeline in words: a calendar month, or the number of a month after the start."""
    return month(index) if calendar else say("view.month_number", number=index)
