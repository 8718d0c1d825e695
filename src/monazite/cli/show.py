"""An answer on a terminal: the headline, then tables that a tired reader takes in at a glance.

Figures that run by month become one line each (base, worst, end, and their course); all others become rows of
one table a unit, measures side by side.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from textwrap import wrap
from typing import TYPE_CHECKING, Any

import polars as pl
from rich.table import Table
from rich.text import Text

from monazite.assess.overview import overview
from monazite.assess.result import Assessment
from monazite.assess.words import TOLD
from monazite.core.text import has, say
from monazite.market.measures.relief import RELIEF
from monazite.views import numbers, words
from monazite.views.relief import relief_sentences
from monazite.views.view import quality

if TYPE_CHECKING:
    from rich.console import Console

    from monazite.core.result import Result
    from monazite.report import Brief

#: how a figure was come by, as a mark beside it: never by colour alone
MARKS = {"solid": "●", "hatched": "◐", "hollow": "○", "unknown": "·"}
#: rows of one table shown before "more"
MOST = 24
#: lines by month shown for one measure
MOST_LINES = 12
#: measures side by side
MOST_ACROSS = 7
#: with more measures side by side than this, ranges are left to --csv and --json
MOST_RANGED = 3
#: measures that are read together, in the order of the chain
PANELS = (
    (
        *("direct_share", "mined_share", "concentrated_share", "separated_share", "metal_share"),
        *("component_share", "touch_share"),
    ),
    ("product_exposure",),
    ("n_minus_1_iea", "n_minus_1_demand", "n_minus_1_final"),
    ("top1", "hhi"),
    ("first_stop_week", "median_stop_week"),
    ("value_added_lost", "value_added_on_order", "value_added_deferred", "output_lost"),
)
#: measures that stand behind those of the panels: named, and one option away
SECONDARY = (
    "share",
    "top3",
    "effective_suppliers",
    "trade",
    "stage_flow",
    *RELIEF,
    "units_lost",
    "units_on_order",
    "units_deferred",
    "output_on_order",
    "output_deferred",
)
#: a finding that rests on assumed or modelled figures by more than this says so
MOSTLY = 0.5
#: losses, and below which figure they are not worth a line
LOSSES = ("output_", "units_", "value_added_")
SMALL = {"MUSD": 0.5, "month": 0.005, "unit": 1.0}
#: the world's rows stand aside where a place or group has its own
WORLD = "WLD"
#: widest line of the head of a column of figures
HEAD_WIDTH, HEAD_WIDTH_MANY = 15, 10
#: least width of a label
LABEL_WIDTH = 11
#: a text no longer than this is an id and never breaks
LONGEST_ID = 30
#: where such texts take more than this share of the line, only those this short stay whole
ROOM, SHORT_ID = 0.7, 12
#: a range narrower than this share of the figure is not shown
WORTH_A_RANGE = 0.005
#: of what runs by month, what is shown first; the rest is named and one option away
LEADING = ("shortage", "price_multiple", "exports_multiple")

#: level of what runs by month where nothing happens; for others, that of the first month
USUAL = {"shortage": 0.0, "price_multiple": 1.0, "exports_multiple": 1.0}
#: a series that never leaves its usual level by more than this is not worth a line
QUIET = {"shortage": 0.005, "price_multiple": 0.05, "exports_multiple": 0.05}

_BARS = "▁▂▃▄▅▆▇█"
_LABELS = ("chain", "stage", "stage_to", "role", "commodity", "element", "use", "activity", "place", "by",
           "partner", "cohort", "cause",
           "denominator", "scenario", "control", "period")  # fmt: skip


Key = tuple[Any, ...]


def show(console: Console, result: Result) -> None:
    """Print an answer: headline, figures, the meaning of the marks, the sources' number."""
    console.print(Text(result.summary(), style="bold"))
    table = result.table
    if not table.height:
        console.print(say("cli.none_found"))
        return
    if _only_world(result):
        console.print(Text(say("cli.world_left_out"), style="dim"))
        return
    asked = getattr(result, "result", result)
    if isinstance(asked, Assessment) and table["chain"].n_unique() > TOLD:
        _overview(console, asked)
        return
    by_month = pl.col("month").is_not_null() if "month" in table.columns else pl.lit(value=False)
    hidden = _tables(console, table.filter(~by_month)) + _lines(console, table.filter(by_month))
    group = getattr(asked, "subject", None) or getattr(asked, "group", None)
    chains = table["chain"].drop_nulls().unique(maintain_order=True).to_list()
    helps = [
        " ".join(found) for chain in chains if (found := relief_sentences(table, chain=chain, group=group))
    ]
    if helps:
        console.print()
        console.print(Text(say("cli.help_heading"), style="bold"))
        console.print("\n".join(helps))
    console.print()
    console.print(Text(say("cli.legend", **MARKS), style="dim"))
    sources = result.sources
    console.print(Text(say("cli.sources_count", count=sources.height), style="dim"))
    if hidden:
        console.print(Text(say("cli.more_rows", count=hidden), style="dim"))


def _overview(console: Console, answer: Assessment) -> None:
    """Print one line a chain, and how to see more."""
    heads = [
        say(f"cli.overview_{name}") for name in ("chain", "goods", "by", "touch", "direct", "cover", "stage")
    ]
    table = _table(heads, right={3, 4, 5})
    for row in overview(answer).iter_rows(named=True):
        good = words.commodity(row["commodity"]) if row["commodity"] else words.stage(row["stage"])
        mark = MARKS[quality(row["kind"], "ok", row["touch_share"])]
        share = [numbers.percent(row[name]) for name in ("touch_share", "direct_share", "cover")]
        table.add_row(
            words.chain(row["chain"]), good, words.place(row["by"]), f"{share[0]} {mark}", share[1], share[2],
            words.stage(row["weakest"]) if row["weakest"] else "",
        )  # fmt: skip
    console.print()
    console.print(table)
    console.print()
    console.print(Text(say("cli.legend", **MARKS), style="dim"))
    console.print(Text(say("cli.overview_more", place=answer.subject, rows=answer.table.height), style="dim"))


def _only_world(result: Result) -> bool:
    """Tell whether all of a place was asked for and the answer knows nothing of it, only of the world."""
    asked: Any = getattr(result, "result", result)
    filters = getattr(asked, "filters", None)
    if filters is None or any(filters[name] for name in ("measure", "stage", "commodity", "element")):
        return False
    own = result.table.filter((pl.col("place") == asked.subject) & ~pl.col("measure").is_in(SECONDARY))
    return own.drop_nulls("value").is_empty()


def findings(console: Console, brief: Brief) -> None:
    """Print the findings of a brief: its title, then one paragraph each, weak ground said below it."""
    console.print(Text(brief.title, style="bold"))
    if brief.subtitle:
        console.print(Text(brief.subtitle, style="dim"))
    for number, finding in enumerate(brief.findings, start=1):
        console.print()
        table = Table.grid(padding=(0, 1, 0, 0))
        table.add_column(justify="right", width=2)
        table.add_column(overflow="fold")
        table.add_row(str(number), Text(finding.sentence))
        if finding.assumed_share is not None and finding.assumed_share > MOSTLY:
            soft = say("cli.mostly_assumed", share=numbers.percent(finding.assumed_share))
            table.add_row("", Text(soft, style="dim"))
        console.print(table)


def explanation(console: Console, answer: Any) -> None:
    """Print why a cell is what it is."""
    if isinstance(answer, pl.DataFrame):
        grid(console, answer)
        return
    if isinstance(answer, Mapping):
        for name, value in answer.items():
            if isinstance(value, pl.DataFrame):
                console.print()
                console.print(Text(words.column(str(name)), style="bold"))
                grid(console, value)
            else:
                console.print(Text(f"{words.column(str(name))}: {value}"))
        return
    console.print(Text(str(answer)))


def grid(console: Console, frame: pl.DataFrame, *, most: int = 40) -> None:
    """Print a frame as it is, empty columns left out; ids stay whole, long texts are broken at words."""
    shown = frame.select(c for c in frame.columns if frame[c].null_count() < frame.height)
    right = _numeric(shown)
    table = _table([words.column(c) for c in shown.columns], right=right)
    rows = [[_cell(value) for value in row] for row in shown.head(most).iter_rows()]
    widths = [max((len(row[k]) for row in rows), default=0) for k in range(len(table.columns))]
    # what would leave no room for the rest may break; what is cut all the same shows that it is
    roomy = sum(w + 2 for w in widths if w <= LONGEST_ID) <= ROOM * console.width
    for k, column in enumerate(table.columns):
        column.no_wrap = k in right or widths[k] <= (LONGEST_ID if roomy else SHORT_ID)
        column.overflow = "ellipsis" if column.no_wrap else "fold"
    for row in rows:
        table.add_row(*row)
    console.print(table)
    if frame.height > most:
        console.print(Text(say("cli.more_rows_plain", count=frame.height - most), style="dim"))


def _numeric(frame: pl.DataFrame) -> set[int]:
    return {k for k, dtype in enumerate(frame.dtypes) if dtype.is_numeric()}


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return numbers.number(value, digits=4)
    if isinstance(value, list | tuple):
        return ", ".join(str(item) for item in value)
    return str(value)


def _table(heads: Iterable[str], *, right: set[int]) -> Table:
    """Make a table without lines: figures never break, heads break at words, labels keep a readable width."""
    width = HEAD_WIDTH if len(right) <= MOST_RANGED else HEAD_WIDTH_MANY
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for k, head in enumerate(heads):
        if k in right:
            table.add_column("\n".join(wrap(head, width)), justify="right", no_wrap=True)
        else:
            table.add_column(head, overflow="fold", min_width=min(max(len(head), 6), LABEL_WIDTH))
    return table


def figure(row: Mapping[str, Any], *, mark: bool = True, ranged: bool = True) -> str:
    """Write one figure with its range and the mark of its kind; its unit stands in the head."""
    measure, value = str(row["measure"]), row["value"]
    if value is None:
        status = row["status"] or "missing"
        text = say(f"cli.status_{status}") if has(f"cli.status_{status}") else str(status)
        return f"{text} {MARKS['unknown']}" if mark else text
    shown = numbers.shown_unit(measure, row["unit"])
    unit = shown if shown in ("share", "×") else "1"
    text = numbers.quantity(value, unit)
    if mark:
        text += f" {MARKS[quality(row['kind'], row['status'], value)]}"
    low, high = row["low"], row["high"]
    if (
        ranged
        and low is not None
        and high is not None
        and high - low > WORTH_A_RANGE * max(abs(value), abs(high))
    ):
        span = numbers.interval(low, high, unit)
        text += f" ({span})" if span else ""
    return text


def head(measure: str, unit: str | None) -> str:
    """Write a measure with its unit, as the head of a column."""
    name = say(f"cli.head_{measure}") if has(f"cli.head_{measure}") else words.measure(measure)
    return name if unit is None or unit == "1" or unit in name.split() else f"{name}, {unit}"


def _label(column: str, value: Any) -> str:
    if value is None:
        return say(f"cli.all_{column}") if has(f"cli.all_{column}") else ""
    name = {"chain": words.chain, "stage": words.stage, "commodity": words.commodity, "use": words.commodity,
            "activity": words.commodity, "place": words.place, "by": words.place,
            "partner": words.place, "stage_to": words.stage, "cause": _cause}.get(column)  # fmt: skip
    return name(str(value)) if name else str(value)


def _cause(name: str) -> str:
    return words.cause(name)[0]


def _varying(frame: pl.DataFrame, columns: Sequence[str]) -> list[str]:
    return [c for c in columns if c in frame.columns and frame[c].n_unique() > 1]


def _order(frame: pl.DataFrame) -> pl.DataFrame:
    ranks = {name: words.stage_order(name) for name in frame["stage"].unique().to_list()}
    return frame.with_columns(
        pl.col("stage").replace_strict(ranks, return_dtype=pl.Int64, default=99).alias("_order")
    )


def _tables(console: Console, frame: pl.DataFrame) -> int:
    """Print what does not run by month: known panels, then whatever else; return rows left out."""
    hidden = 0
    columns = [c for c in _LABELS if c in frame.columns]
    units = dict(frame.select("measure", "unit").unique(maintain_order=True).iter_rows())
    panels = [[measure for measure in panel if measure in units] for panel in PANELS]
    others = [measure for measure in units if not any(measure in panel for panel in PANELS)]
    apart = [measure for measure in others if measure in SECONDARY and any(panels)]
    kinds: dict[tuple[str, ...], list[str]] = {}
    for measure in others:
        if measure not in apart:
            rows = frame.filter(pl.col("measure") == measure)
            subject = tuple(c for c in columns if rows[c].null_count() < rows.height)
            kinds.setdefault(subject, []).append(measure)
    for measures in [*filter(None, panels), *kinds.values()]:
        for start in range(0, len(measures), MOST_ACROSS):
            across = measures[start : start + MOST_ACROSS]
            part = frame.filter(pl.col("measure").is_in(across))
            own = part.filter(pl.col("place") != WORLD)
            hidden += _pivot(console, own if own.height else part, [(m, units[m]) for m in across])
    if apart:
        console.print()
        console.print(Text(say("cli.also", measures=apart), style="dim"))
    return hidden


def _says_something(row: Mapping[str, Any]) -> bool:
    """Tell whether a figure is worth a line: no loss and no dependence are no news, no supplier left is."""
    if row["value"] is None:
        return bool(row["status"] != "not_applicable")
    if str(row["measure"]).startswith(LOSSES):
        return bool(row["value"] >= SMALL.get(row["unit"], 0.0))
    return bool(row["value"]) or row["measure"] not in PANELS[0]


def _gather(frame: pl.DataFrame, labels: list[str]) -> dict[Key, dict[str, dict[str, Any]]]:
    """Gather the figures of each subject, in the order of the chain.

    A figure that holds whatever the state or the element (a concentration, a share of all tonnes of a
    commodity) joins the lines of the same step that name one.
    """
    rows: dict[Key, dict[str, dict[str, Any]]] = {}
    for row in _order(frame).sort("_order", maintain_order=True).iter_rows(named=True):
        rows.setdefault(tuple(row[c] for c in labels), {})[row["measure"]] = row
    goods = labels.index("commodity") if "commodity" in labels else None
    for key in list(rows):
        free = {
            k
            for k, c in enumerate(labels)
            if key[k] is None
            and (c == "by" or (c == "element" and (goods is None or key[goods] is not None)))
        }
        if not free:
            continue
        fuller = [
            other
            for other in rows
            if other != key
            and all(other[k] == key[k] for k in range(len(key)) if k not in free)
            and any(other[k] is not None for k in free)
        ]
        if fuller:
            figures = rows.pop(key)
            for other in fuller:
                rows[other] = figures | rows[other]
    return rows


def _pivot(console: Console, frame: pl.DataFrame, across: list[tuple[str, str | None]]) -> int:
    subject = [c for c in _LABELS if c in frame.columns and frame[c].null_count() < frame.height]
    labels = _varying(frame, subject)
    fixed = [f"{words.column(c)}: {_label(c, frame[c][0])}" for c in subject if c not in labels]
    soonest = across[0][0].endswith("_week")
    gathered = _gather(frame, labels)
    rows = {
        key: found for key, found in gathered.items() if any(_says_something(row) for row in found.values())
    }
    if not rows:
        return len(gathered)

    def rank(key: Key) -> float:
        row = rows[key].get(across[0][0])
        value = row["value"] if row else None
        return float("inf") if value is None else value if soonest else -value

    # a result has its own order; what comes soonest and what costs most go first
    where = [k for k, c in enumerate(labels) if c in ("chain", "stage", "commodity")]
    steps = {tuple(key[k] for k in where): n for n, key in reversed(list(enumerate(rows)))}
    keys = sorted(rows, key=lambda key: steps[tuple(key[k] for k in where)])
    if soonest or across[0][0].startswith(LOSSES):
        where, keys = [], sorted(rows, key=rank)
    shown = _fair(keys, where)
    table = _table(
        [*(words.column(c) for c in labels), *(head(measure, unit) for measure, unit in across)],
        right=set(range(len(labels), len(labels) + len(across))),
    )
    last: tuple[str, ...] = ()
    ranged = len(across) <= MOST_RANGED
    for key in shown:
        cells = tuple(_label(c, value) for c, value in zip(labels, key, strict=True))
        same = 0
        while same < min(len(cells), len(last)) and cells[same] == last[same]:
            same += 1
        found = rows[key]
        figures = (figure(found[m], ranged=ranged) if m in found else "" for m, _ in across)
        table.add_row(*("" for _ in cells[:same]), *cells[same:], *figures)
        last = cells
    console.print()
    if fixed:
        console.print(Text(" · ".join(fixed), style="dim"))
    console.print(table)
    return len(gathered) - len(shown)


def _fair(keys: list[tuple[Any, ...]], where: list[int]) -> list[tuple[Any, ...]]:
    """Keep the largest rows of every step, as many of each as there is room for, in the order given."""
    if len(keys) <= MOST:
        return keys
    groups: dict[tuple[Any, ...], list[tuple[Any, ...]]] = {}
    for key in keys:
        groups.setdefault(tuple(key[k] for k in where), []).append(key)
    each = max(1, MOST // len(groups))
    return [key for members in groups.values() for key in members[:each]][: max(MOST, len(groups))]


def course(values: Sequence[float | None]) -> str:
    """Draw a course of figures in one line of bars, from the least to the most of it.

    Examples
    --------
    >>> course([1.0, 2.0, None, 8.0]), course([3.0, 3.0])
    ('▁▂ █', '▁▁')
    """
    known = [value for value in values if value is not None]
    if not known:
        return ""
    low, span = min(known), max(known) - min(known)
    top = len(_BARS) - 1
    return "".join(
        " "
        if value is None
        else _BARS[round((value - low) / span * top) if span > 1e-12 * (1 + abs(low)) else 0]
        for value in values
    )


def _lines(console: Console, frame: pl.DataFrame) -> int:
    """Print what runs by month, a line a series; return how many series were left out."""
    hidden = 0
    measures = frame["measure"].unique(maintain_order=True).to_list()
    leading = [measure for measure in LEADING if measure in measures] or measures
    for measure in leading:
        part = frame.filter(pl.col("measure") == measure)
        labels = _varying(part, [c for c in _LABELS if c != "period"])
        series = []
        for key, line in part.sort("month").group_by(labels or ["measure"], maintain_order=True):
            values = line["value"].to_list()
            usual = (
                0.0 if measure == "shortage" else 1.0 if measure.endswith("_multiple") else values[0] or 0.0
            )
            known = [(abs(v - usual), -k) for k, v in enumerate(values) if v is not None]
            if known and max(known)[0] > QUIET.get(measure, 0.0):
                far, at = max(known)
                series.append((far, -at, key if labels else (), line.to_dicts()))
        series.sort(key=lambda item: -item[0])
        heads = [say(f"cli.line_{name}") for name in ("first", "worst", "when", "last", "course")]
        table = _table(
            [*(words.column(c) for c in labels), *heads],
            right={len(labels), len(labels) + 1, len(labels) + 3},
        )
        for _, worst, key, rows in series[:MOST_LINES]:
            table.add_row(
                *(_label(c, value) for c, value in zip(labels, key, strict=True)),
                figure(rows[0], mark=False),
                figure(rows[worst]),
                str(rows[worst]["period"] or ""),
                figure(rows[-1], mark=False),
                course([row["value"] for row in rows]),
            )
        console.print()
        console.print(Text(head(measure, part["unit"][0]), style="bold"))
        console.print(table if series else Text(say("cli.line_none")))
        hidden += max(0, len(series) - MOST_LINES)
    others = [measure for measure in measures if measure not in leading]
    if others:
        console.print()
        console.print(Text(say("cli.also", measures=others), style="dim"))
    return hidden
