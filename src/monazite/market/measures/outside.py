"""What the facts know outside a state, in tonnes of one element: unused capacity, exports, stocks, use."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from monazite.core import schema
from monazite.core.range import NORMAL_80, Range
from monazite.core.text import say
from monazite.market.measures.content import Contents
from monazite.market.measures.flows import NO_FLOW
from monazite.market.measures.shares import KINDS, leading_kind

if TYPE_CHECKING:
    from monazite.network import Network

__all__ = ["MONTHS", "WORLD", "Help", "Outside", "total_of"]

Float = NDArray[np.float64]

WORLD = "WLD"
MONTHS = 12.0
_BUILT = ("mine", "process", "recycle")
_RECYCLE = "recycle"
_COLUMNS = (
    *("activity", "key", "type", "form", "stage", "place", "partner", "commodity", "level", "kind"),
    *("capacity", "fact_ids", "use"),
)


@dataclass(frozen=True)
class Help:
    """One figure of what would help.

    Attributes
    ----------
    measure : str
        One of `relief.RELIEF`.
    stage, commodity, activity, place, role
        What it is about; `place` is ``WLD`` for all outside the state.
    figure : Range or None
        None where no figure follows.
    unit : str
    kind : str
        Of the fact behind it; of a sum that of most of it.
    assumed : float or None
        Share of it that rests on assumed or modelled figures.
    levels : mapping of int to float
        Activities whose levels enter, with the derivative of the figure to each.
    facts : tuple of int
        Facts that enter.
    unknown : int
        Of a sum: how many plants at work have no published capacity.
    """

    measure: str
    place: str
    figure: Range | None
    unit: str
    kind: str
    assumed: float | None
    stage: str | None = None
    commodity: str | None = None
    activity: str | None = None
    role: str | None = None
    levels: Mapping[int, float] = field(default_factory=dict)
    facts: tuple[int, ...] = ()
    unknown: int = 0

    def caveat(self) -> str | None:
        """What the figure leaves out: plants of unpublished capacity, or that no plant is on record."""
        if self.figure is None:
            return say("relief.caveat_unpublished" if self.unknown else "relief.caveat_none")
        return say("relief.caveat_left_out", count=self.unknown) if self.unknown else None


@dataclass(eq=False)
class Outside:
    """The network outside a state, in tonnes of one element."""

    network: Network
    contents: Contents
    by: str

    @cached_property
    def content(self) -> dict[str, float]:
        """Commodities of known content that carry the element."""
        return {c: v for c, v in self.contents.values.items() if v > 0 and c not in self.contents.missing}

    @cached_property
    def stage(self) -> dict[str, str]:
        """Stage of each commodity."""
        return dict(self.network.facts.commodities.select("commodity", "stage").iter_rows())

    @cached_property
    def order(self) -> dict[str, int]:
        """Stages in the order of a chain."""
        return {stage: i for i, stage in enumerate(schema.names("stages", "stage"))}

    @cached_property
    def rows(self) -> list[dict[str, Any]]:
        """Activities of the network."""
        return list(self.network.activities.select(_COLUMNS).iter_rows(named=True))

    @cached_property
    def half(self) -> Float:
        """Half the 80 % interval of each level, t/yr."""
        table = self.network.activities
        if "posterior_sd" not in table.columns:
            return np.zeros(table.height)
        sd = np.nan_to_num(table["posterior_sd"].cast(float).fill_null(0.0).to_numpy())
        return np.asarray(NORMAL_80 / 2 * sd, dtype=float)

    @cached_property
    def content_facts(self) -> dict[str, int]:
        """The fact behind each content."""
        known = self.network.facts.select("content", activity=self.contents.element)
        return dict(known.select("commodity", "fact_id").iter_rows())

    def _facts(self, variable: str) -> list[dict[str, Any]]:
        frame = self.network.facts.select(variable)
        return [r for r in frame.iter_rows(named=True) if r["value"] is not None and r["status"] == "ok"]

    @cached_property
    def made(self) -> dict[int, tuple[str, dict[str, float]]]:
        """Mines, plants and recyclers that add to the element: their stage, and `made_of`."""
        found = {}
        for row in self.rows:
            if row["type"] in _BUILT:
                gives = self.made_of(row["activity"])
                stage = self._stage_made(row, gives)
                if stage is not None:
                    found[int(row["activity"])] = (stage, gives)
        return found

    @cached_property
    def stages(self) -> list[str]:
        """Stages at which the element is made anywhere, in order."""
        return sorted({stage for stage, _ in self.made.values()}, key=lambda s: self.order[s])

    def made_of(self, j: int) -> dict[str, float]:
        """Tonnes of the element in each main product for a tonne of an activity's level."""
        flow, nodes = self.network.flow, self._commodity
        ends = range(flow.indptr[j], flow.indptr[j + 1])
        gives: dict[str, float] = {}
        takes = carries = False
        for at in ends:
            good, rate = nodes[flow.indices[at]], float(flow.data[at])
            if rate < 0:
                takes, carries = True, carries or good in self.content or good in self.contents.missing
            elif good in self.content:
                gives[good] = gives.get(good, 0.0) + rate * self.content[good]
        if takes and not carries:
            return {}
        if self.rows[j]["type"] != _RECYCLE:
            gives = {c: v for c, v in gives.items() if self.stage[c] != _RECYCLE}
        return gives

    @cached_property
    def _commodity(self) -> list[str]:
        return [str(c) for c in self.network.nodes["commodity"].to_list()]

    def spare(self) -> list[Help]:
        """Unused capacity of each mine, plant and recycler outside the state."""
        capacity = {(r["activity"], r["place"]): r for r in self._facts("capacity")}
        found = []
        for j, (stage, gives) in self.made.items():
            row = self.rows[j]
            fact = capacity.get((row["key"], row["place"]))
            if row["place"] == self.by or fact is None:
                continue
            rate = sum(gives.values())
            unused = _unused(fact, row["level"], float(self.half[j]))
            found.append(
                Help(
                    "spare_capacity",
                    row["place"],
                    unused.scaled(rate),
                    "t/yr",
                    fact["kind"],
                    _soft(fact["kind"]),
                    stage=stage,
                    activity=row["key"],
                    levels={j: -rate},
                    facts=(int(fact["fact_id"]), *self._content_ids(gives)),
                )
            )
        return found

    def _stage_made(self, row: Mapping[str, Any], gives: Mapping[str, float]) -> str | None:
        """Stage at which a plant adds: a mine's is mining, a recycler's recycling, else that of its product.

        What a plant gives unseparated is no step forward.
        """
        if not gives:
            return None
        if row["type"] in ("mine", _RECYCLE):
            return str(row["type"])
        main = max(gives, key=lambda c: gives[c])
        return None if self.stage[main] == "concentrate" else self.stage[main]

    def unknown(self, stage: str) -> int:
        """Plants at work outside the state at a stage, without a published capacity."""
        capacity = {(r["activity"], r["place"]) for r in self._facts("capacity")}
        rows = [self.rows[j] for j, (at, _) in self.made.items() if at == stage]
        return sum(
            row["place"] != self.by and row["level"] > NO_FLOW and (row["key"], row["place"]) not in capacity
            for row in rows
        )

    def _content_ids(self, goods: Iterable[str]) -> tuple[int, ...]:
        return tuple(self.content_facts[c] for c in sorted(goods) if c in self.content_facts)

    def sent(self) -> list[Help]:
        """Exports of the state by commodity, most of the element first."""
        found = []
        for good, content in self.content.items():
            flows = [r for r in self._trades if r["commodity"] == good and r["place"] == self.by]
            if not flows:
                continue
            levels = np.array([r["level"] for r in flows])
            half = float(np.sqrt(np.sum(self.half[[r["activity"] for r in flows]] ** 2)))
            value = float(levels.sum())
            kind, assumed = leading_kind([r["kind"] for r in flows], levels)
            found.append(
                Help(
                    "sent_abroad",
                    self.by,
                    Range(max(value - half, 0.0), value, value + half).scaled(content),
                    "t/yr",
                    kind,
                    assumed,
                    stage=self.stage[good],
                    commodity=good,
                    levels={r["activity"]: content for r in flows},
                    facts=self._content_ids([good]),
                )
            )
        return sorted(found, key=lambda h: (-h.figure.value if h.figure else 0.0, h.commodity or ""))

    @cached_property
    def _trades(self) -> list[dict[str, Any]]:
        return [r for r in self.rows if r["type"] == "trade" and r["level"] > NO_FLOW]

    def stocks(self) -> list[Help]:
        """Stocks of traders and plants, and of users, by commodity and place outside the state."""
        return [*self._traders(), *self._users()]

    def _traders(self) -> list[Help]:
        facts = self._facts("trader_stock")
        found = []
        through = self.network.throughput
        for node, good, place in self.network.nodes.select("node", "commodity", "place").iter_rows():
            if place == self.by or good not in self.content or through[node] <= NO_FLOW:
                continue
            fact = _nearest(facts, commodity=good, place=place)
            if fact is None or float(fact["value"]) <= 0:
                continue
            rate = float(fact["value"]) / MONTHS * self.content[good]
            figure = _range(fact).scaled(float(through[node]) / MONTHS * self.content[good])
            levels = {j: rate * share for j, share in self._brings[node].items()}
            found.append(self._stock(good, place, "trader", [(figure, fact)], levels))
        return found

    @cached_property
    def _brings(self) -> dict[int, dict[int, float]]:
        """What brings how much to each node for a tonne of its level."""
        flow = self.network.flow.tocoo()
        found: dict[int, dict[int, float]] = defaultdict(dict)
        level = self.network.level
        for i, j, v in zip(flow.coords[0], flow.coords[1], flow.data, strict=True):
            if v > 0 and level[j] > NO_FLOW:
                found[int(i)][int(j)] = float(v)
        return found

    def _users(self) -> list[Help]:
        facts = self._facts("cover")
        parts: dict[tuple[str, str], list[tuple[Range, Mapping[str, Any]]]] = {}
        levels: dict[tuple[str, str], dict[int, float]] = defaultdict(dict)
        for row in self._uses:
            good, place = row["commodity"], row["place"]
            if place == self.by or good not in self.content:
                continue
            fact = _nearest(facts, activity=row["key"], commodity=good, place=place) or self._cohorts
            if fact is None:
                continue
            tonnes = float(row["level"]) / MONTHS * self.content[good]
            parts.setdefault((good, place), []).append((_range(fact).scaled(tonnes), fact))
            levels[good, place][row["activity"]] = float(fact["value"]) / MONTHS * self.content[good]
        return [
            self._stock(good, place, "user", some, levels[good, place])
            for (good, place), some in parts.items()
        ]

    @cached_property
    def _uses(self) -> list[dict[str, Any]]:
        live = [r for r in self.rows if r["type"] == "use" and r["level"] > NO_FLOW]
        return [r for r in live if r["form"] != "unsold" and r["stage"] == "product"]

    @cached_property
    def _cohorts(self) -> dict[str, Any] | None:
        """Mean cover of the classes of users, where the facts give them."""
        months = {r["activity"]: r for r in self._facts("cohort_cover")}
        share = {r["activity"]: r for r in self._facts("cohort_share")}
        both = [c for c in months if c in share]
        if not both:
            return None
        mean: dict[str, Any] = {
            end: sum(
                float(months[c]["value"] if months[c][end] is None else months[c][end])
                * float(share[c]["value"])
                for c in both
            )
            for end in ("value", "low", "high")
        }
        ids = [int(r["fact_id"]) for c in both for r in (months[c], share[c])]
        return {**mean, "kind": "assumed", "fact_id": ids[0], "ids": ids}

    def _stock(
        self,
        good: str,
        place: str,
        role: str,
        parts: list[tuple[Range, Mapping[str, Any]]],
        levels: Mapping[int, float],
    ) -> Help:
        figures = [figure for figure, _ in parts]
        kind, assumed = leading_kind(
            [fact["kind"] for _, fact in parts], np.array([f.value for f in figures])
        )
        ids = [i for _, fact in parts for i in fact.get("ids", (int(fact["fact_id"]),))]
        return Help(
            "stock_held",
            place,
            _sum(figures),
            "t",
            kind,
            assumed,
            stage=self.stage[good],
            commodity=good,
            role=role,
            levels=levels,
            facts=(*dict.fromkeys(ids), *self._content_ids([good])),
        )

    def use(self, places: Collection[str] | None = None) -> Help | None:
        """End use of the element outside the state (in some places), t/yr."""
        levels = {
            r["activity"]: self.content[r["commodity"]]
            for r in self._uses
            if r["commodity"] in self.content
            and r["place"] != self.by
            and (places is None or r["place"] in places)
        }
        if not levels:
            return None
        value = sum(self.rows[j]["level"] * content for j, content in levels.items())
        half = float(np.sqrt(sum((self.half[j] * content) ** 2 for j, content in levels.items())))
        figure = Range(max(value - half, 0.0), value, value + half)
        return Help("use", WORLD, figure, "t/yr", "modelled", None, levels=levels)


def total_of(parts: list[Help], place: str) -> Help:
    """Sum figures; assumptions of one rule err together, so that the ends add up as well."""
    figures = [h.figure for h in parts if h.figure is not None]
    size = np.array([f.value for f in figures])
    kind, _ = leading_kind([h.kind for h in parts if h.figure is not None], size)
    soft = np.array([h.assumed or 0.0 for h in parts if h.figure is not None])
    ranked = sorted(parts, key=lambda h: -(h.figure.value if h.figure else 0.0))
    first = parts[0]
    levels: dict[int, float] = defaultdict(float)
    for part in ranked:
        for j, slope in part.levels.items():
            levels[j] += slope
    return Help(
        first.measure,
        place,
        _sum(figures),
        first.unit,
        kind,
        min(float(soft @ size / size.sum()), 1.0) if size.sum() > 0 else None,
        levels=dict(levels),
        facts=tuple(dict.fromkeys(i for h in ranked for i in h.facts)),
    )


def _sum(figures: Iterable[Range]) -> Range:
    some = list(figures)
    return Range(sum(f.low for f in some), sum(f.value for f in some), sum(f.high for f in some))


def _unused(fact: Mapping[str, Any], level: float, half: float) -> Range:
    """Capacity less level; both ends apart, the deviations taken as independent, never below zero."""
    capacity = _range(fact)
    value = capacity.value - level
    low = value - float(np.hypot(capacity.value - capacity.low, half))
    high = value + float(np.hypot(capacity.high - capacity.value, half))
    return Range(max(low, 0.0), max(value, 0.0), max(high, value, 0.0))


def _range(fact: Mapping[str, Any]) -> Range:
    """A fact's figure with its range: as stated, else from its σ."""
    value = float(fact["value"])
    if fact["low"] is not None and fact["high"] is not None:
        return Range(min(float(fact["low"]), value), value, max(float(fact["high"]), value))
    half = NORMAL_80 / 2 * float(fact.get("sigma") or 0.0)
    return Range(max(value - half, 0.0), value, value + half)


def _soft(kind: str) -> float:
    return 1.0 if kind in KINDS[-2:] else 0.0


def _nearest(facts: Iterable[Mapping[str, Any]], **subject: str) -> dict[str, Any] | None:
    """The most specific fact that speaks of a subject, as the monthly network reads it."""
    best: Mapping[str, Any] | None = None
    score = -1
    for fact in facts:
        stated = 0
        for key in ("activity", "commodity", "place", "partner"):
            if fact[key]:
                if fact[key] != subject.get(key):
                    break
                stated += 1
        else:
            if stated > score:
                best, score = fact, stated
    return None if best is None else dict(best)
