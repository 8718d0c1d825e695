"""A small chain on disk that a test can break: ore, oxide, one end use, two places."""

from __future__ import annotations

import csv
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

FACTS = (
    "variable", "commodity", "activity", "place", "partner", "period", "value", "low", "high",
    "unit", "basis", "kind", "status", "source", "locator", "note",
)  # fmt: skip

COMMODITIES = """\
commodity,chain,stage,name,basis,unit,element,hs,help
little_ore,little,concentrate,little ore,REO,t,Dy,253090,
little_oxide,little,refine,little oxide,oxide,t,Dy,284690,
little_rest,little,refine,what is left,oxide,t,La,284690,
"""

ACTIVITIES = """\
activity,chain,type,stage,reference,name,form,help
little_mine,little,mine,mine,little_ore,little mine,,
little_plant,little,process,refine,little_ore,little plant,,
little_lamp,little,use,product,,little lamps,,
"""

ROWS = (
    {"variable": "coefficient", "commodity": "little_ore", "activity": "little_mine", "value": "1"},
    {"variable": "coefficient", "commodity": "little_ore", "activity": "little_plant", "value": "-1"},
    {"variable": "coefficient", "commodity": "little_oxide", "activity": "little_plant", "value": "0.3"},
    {"variable": "coefficient", "commodity": "little_rest", "activity": "little_plant", "value": "0.6"},
    {"variable": "output", "activity": "little_mine", "place": "CHN", "period": "2024", "value": "1000"},
    {"variable": "output", "activity": "little_plant", "place": "CHN", "period": "2024", "value": "1000"},
    {"variable": "trade", "commodity": "little_oxide", "place": "CHN", "partner": "IND", "period": "2024",
     "value": "120", "basis": "oxide"},
    {"variable": "use", "commodity": "little_oxide", "activity": "little_lamp", "place": "IND",
     "period": "2024", "value": "120", "basis": "oxide"},
    {"variable": "price", "commodity": "little_oxide", "period": "2024", "value": "250", "basis": "oxide"},
    {"variable": "cohort_share", "activity": "c1", "value": "0.2", "basis": "none"},
    {"variable": "cohort_share", "activity": "c2", "value": "0.5", "basis": "none"},
    {"variable": "elasticity_demand", "activity": "little_lamp", "value": "-0.3", "low": "-0.8",
     "high": "-0.1", "basis": "none", "kind": "assumed", "source": "assumption"},
)  # fmt: skip

UNITS = {
    "coefficient": "t/t", "output": "t/yr", "capacity": "t/yr", "trade": "t/yr", "use": "t/yr",
    "price": "USD/kg", "cohort_share": "1", "elasticity_demand": "1", "new_link": "1",
}  # fmt: skip

SOURCES = """\
[sources.survey_old]
citation = "A survey, first edition"
url = "https://example.org/1"
licence = "public domain"
published = "2025-01-31"
retrieved = "2026-11-24"
next_version = "ask again"

[sources.survey_new]
citation = "A survey, second edition"
url = "https://example.org/2"
licence = "public domain"
published = "2026-01-31"
retrieved = "2026-11-24"
next_version = "ask again"
"""

Row = dict[str, str]


def fact(**cells: str) -> Row:
    """A fact with what every fact needs; cells given stand."""
    made = {"unit": UNITS.get(cells.get("variable", ""), "t/yr"), "basis": "REO", "kind": "reported"}
    return {**made, "status": "ok", "source": "survey_old", **cells}


class World:
    """A folder of one chain."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.chain = folder / "little"
        self.chain.mkdir(parents=True)
        (folder / "sources").mkdir()
        (folder / "sources" / "little.toml").write_text(SOURCES, encoding="utf-8")
        (self.chain / "commodities.csv").write_text(COMMODITIES, encoding="utf-8")
        (self.chain / "activities.csv").write_text(ACTIVITIES, encoding="utf-8")
        self.rows: list[Row] = [fact(**row) for row in ROWS]
        self.write()

    @property
    def facts(self) -> Path:
        """The facts table."""
        return self.chain / "facts.csv"

    def write(self, rows: Sequence[Row] | None = None) -> Path:
        """Write the facts table."""
        with self.facts.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, FACTS, lineterminator="\n")
            writer.writeheader()
            writer.writerows(self.rows if rows is None else rows)
        return self.facts

    def add(self, **cells: str) -> int:
        """Add a fact and write; return its row in the file."""
        self.rows.append(fact(**cells))
        self.write()
        return len(self.rows) + 1

    def change(self, variable: str, **cells: str) -> int:
        """Change cells of the first fact of a variable and write; return its row in the file."""
        at = next(index for index, row in enumerate(self.rows) if row["variable"] == variable)
        self.rows[at] = {**self.rows[at], **cells}
        self.write()
        return at + 2


@pytest.fixture
def world(tmp_path: Path) -> World:
    """A small chain in a folder of its own."""
    return World(tmp_path / "world")


@pytest.fixture
def make_fact() -> Callable[..., Row]:
    """Make one row of a facts table."""
    return fact
