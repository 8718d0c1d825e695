"""What readers of customs statistics share: the lines wanted, the places, and what is left out, counted."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import lru_cache

import polars as pl

from monazite.core.text import say
from monazite.facts.folder import SOURCE_FIELDS, packaged
from monazite.facts.places import places
from monazite.facts.readers.reading import OTHER_SCHEMA, TRADE_SCHEMA, Reading, frame_of

__all__ = [
    "AREAS",
    "REVISIONS",
    "STATES",
    "Left",
    "TradeReading",
    "gathered",
    "packaged_sources",
    "place_of",
    "tell",
    "telling",
    "wanted_lines",
]

#: codes of customs statistics that differ from ISO 3166's numeric code of the same state
STATES: Mapping[int, str] = {
    58: "BEL",  # Belgium-Luxembourg, until 1998
    251: "FRA",
    280: "DEU",  # Federal Republic of Germany, until 1990
    381: "ITA",
    490: "TWN",  # "Other Asia, nes": trade with Taiwan is published under it
    579: "NOR",
    699: "IND",
    736: "SDN",
    757: "CHE",
    841: "USA",  # before 1981
    842: "USA",
}
#: codes of customs statistics that are no state of today: dissolved ones, and "areas not elsewhere specified"
AREAS = frozenset((
    80, 129, 200, 221, 230, 278, 290, 457, 461, 471, 472, 473, 492, 527, 530, 532, 536, 568, 577, 582, 588,
    590, 592, 636, 637, 647, 658, 697, 711, 717, 720, 810, 835, 836, 837, 838, 839, 849, 866, 868, 879, 886,
    890, 891, 899,
))  # fmt: skip
#: marks of a revision of the Harmonized System, as BACI and Comtrade write them
REVISIONS: Mapping[str, str] = {
    "92": "HS1992",
    "96": "HS1996",
    "02": "HS2002",
    "07": "HS2007",
    "12": "HS2012",
    "17": "HS2017",
    "22": "HS2022",
    "H0": "HS1992",
    "H1": "HS1996",
    "H2": "HS2002",
    "H3": "HS2007",
    "H4": "HS2012",
    "H5": "HS2017",
    "H6": "HS2022",
}

_REST = "ROW"
_TOTALS = ("ROW", "WLD")
_KEY = ("source", "year", "hs", "revision", "exporter", "importer", "reporter")
_STEP: ContextVar[Callable[[str], None] | None] = ContextVar("monazite_reading_step", default=None)


@dataclass(frozen=True, eq=False)
class TradeReading(Reading):
    """A reading of customs statistics; a year of them has ten million rows, so what is left out is grouped.

    Parameters
    ----------
    kept
        Rows of the file that stand in ``trade``; there two of them may be one, where an end is an area of
        the rest of the world.
    left
        Rows of the file that ``other`` groups, by reason.
    notes
        How codes of places and weights were read, for people.
    """

    kept: int = 0
    left: Mapping[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = field(default=())

    def counts(self) -> dict[str, int]:
        """Return how many rows of the file stand in each class.

        Examples
        --------
        >>> none = pl.DataFrame()
        >>> made = TradeReading("baci", "", "", "", none, None, none, none, (), 3, kept=2, left={"": 1})
        >>> made.counts()
        {'facts': 0, 'trade': 2, 'other': 1, 'skipped': 0, 'refused': 0}
        """
        refused = {(item.column, item.row) for item in self.problems if item.row is not None}
        kept = {
            "facts": 0,
            "trade": self.kept,
            "other": sum(self.left.values()),
            "skipped": self.skipped.height,
        }
        return kept | {"refused": len(refused)}


class Left:
    """What is left out, grouped by what it is and why, with the first row and the count of each group.

    Examples
    --------
    >>> left = Left()
    >>> left.add("HS 270900", "line", 2, 10)
    >>> left.add("HS 270900", "line", 90, 5)
    >>> left.count, left.frame().row(0)[0]
    (15, 2)
    """

    def __init__(self) -> None:
        self._groups: dict[tuple[str, str], list[int]] = {}

    def add(self, what: str, reason: str, row: int, count: int = 1) -> None:
        """Count rows of one group; `reason` is the end of a key ``data.left_…``."""
        group = self._groups.setdefault((what, reason), [row, 0])
        group[0] = min(group[0], row)
        group[1] += count

    @property
    def count(self) -> int:
        """Rows left out in all."""
        return sum(count for _, count in self._groups.values())

    def frame(self) -> pl.DataFrame:
        """Return one row a group (`monazite.facts.readers.reading.OTHER_SCHEMA`)."""
        rows = [
            (row, say("data.left_group", what=what, count=count), say(f"data.left_{reason}"))
            for (what, reason), (row, count) in sorted(self._groups.items(), key=lambda item: item[1][0])
        ]
        return frame_of(rows, OTHER_SCHEMA)

    def by_reason(self) -> dict[str, int]:
        """Return the rows left out by reason, in words."""
        found: dict[str, int] = {}
        for (_, reason), (_, count) in self._groups.items():
            text = say(f"data.left_{reason}")
            found[text] = found.get(text, 0) + count
        return found


@lru_cache(maxsize=1)
def wanted_lines() -> Mapping[str, tuple[str, ...]]:
    """Return the customs lines of the packaged chains (their ``lines.csv``), each with its chains.

    Examples
    --------
    >>> "260300" in wanted_lines(), "" in wanted_lines()
    (True, False)
    """
    found: dict[str, list[str]] = {}
    folder = packaged()
    for chain in folder.names():
        path = folder.chains / chain / "lines.csv"
        if path.is_file():
            with path.open(encoding="utf-8", newline="") as file:
                for line in (row["hs"].strip() for row in csv.DictReader(file)):
                    if line and chain not in found.setdefault(line, []):
                        found[line].append(chain)
    return {line: tuple(chains) for line, chains in sorted(found.items())}


@lru_cache(maxsize=1)
def packaged_sources() -> Mapping[str, Mapping[str, str]]:
    """Return the entries of the packaged sources, read once.

    Examples
    --------
    >>> packaged_sources()["baci_hs92"]["published"]
    '2026-01'
    """
    return {
        name: {field: entry[field] for field in SOURCE_FIELDS}
        for name, entry in packaged().read_sources().items()
    }


@lru_cache(maxsize=1)
def _by_number() -> Mapping[int, str]:
    with (packaged().chains.parent / "places.csv").open(encoding="utf-8", newline="") as file:
        found = {int(row["numeric"]): row["place"] for row in csv.DictReader(file) if row["numeric"].strip()}
    return {**found, **STATES}


def place_of(code: int | None, iso3: str | None) -> str | None:
    """Return the place of a code of customs statistics; ROW for an area that is no state, None if unknown.

    Parameters
    ----------
    code
        Numeric code, which for some states is not ISO 3166's; None where the file has none.
    iso3
        Letters that the file itself gives for the code.

    Examples
    --------
    >>> place_of(490, "S19"), place_of(699, "IND"), place_of(697, "R20"), place_of(1, "???")
    ('TWN', 'IND', 'ROW', None)
    """
    if code is not None and code in STATES:
        return STATES[code]
    if iso3 is not None and iso3 in places() and iso3 not in _TOTALS:
        return iso3
    if code in AREAS:
        return _REST
    return None if code is None or iso3 else _by_number().get(code)


def gathered(frame: pl.DataFrame) -> pl.DataFrame:
    """Add up rows that became the same flow because their ends are areas of the rest of the world.

    A sum has a weight only where every part has one.

    Examples
    --------
    >>> row = {"source": "s", "year": 2024, "hs": "1", "revision": "r", "exporter": "ROW", "importer": "USA",
    ...     "reporter": "both", "value_usd": 1.0, "quantity_t": 2.0, "row": 2}
    >>> gathered(pl.DataFrame([row, row | {"row": 3}], schema=dict(TRADE_SCHEMA))).row(0)[-3:]
    (2.0, 4.0, 2)
    """
    whole = pl.when(pl.col("quantity_t").is_not_null().all()).then(pl.col("quantity_t").sum())
    summed = frame.group_by(_KEY, maintain_order=True).agg(
        pl.col("value_usd").sum(), whole.alias("quantity_t"), pl.col("row").min()
    )
    return summed.select(TRADE_SCHEMA.keys())


@contextmanager
def telling(step: Callable[[str], None]) -> Iterator[None]:
    """Have each step of a long reading said while this lasts.

    Examples
    --------
    >>> with telling(print):
    ...     tell("one of two")
    one of two
    """
    token = _STEP.set(step)
    try:
        yield
    finally:
        _STEP.reset(token)


def tell(text: str) -> None:
    """Say a step of a long reading, where somebody listens."""
    step = _STEP.get()
    if step is not None:
        step(text)
