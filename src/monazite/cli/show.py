"""An answer on a terminal: the headline, then tables that a tired reader takes in at a glance.

Figures that run by month become one line each (base, worst, end, and their course); all others become rows of
one table a unit, measures side by side.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import polars as pl
from rich.table import Table
from rich.text import Text

from monazite.core.text import has, say
from monazite.views import numbers, words
from monazite.views.view import quality

if TYPE_CHECKING:
    from rich.console import Console

    from monazite.core.result import Result

#: how a figure was come by, as a mark beside it: never by colour alone
MARKS = {"solid": "●", "hatched": "◐", "hollow": "○", "unknown": "·"}
#: rows of one table shown before "more"
MOST = 24
#: lines by month shown for one measure
MOST_LINES = 12
#: measures side by side
MOST_ACROSS = 6

_BARS = "▁▂▃▄▅▆▇█"
_LABELS = ("chain", "stage", "commodity", "element", "use", "activity", "place", "by", "partner", "cohort",
           "denominator", "scenario", "control", "period")  # fmt: skip


def show(console: Console, result: Result) -> None:
    """Print an answer: headline, figures, the meaning of the marks, the sources' number."""
    console.print(Text(result.summary(), style="bold"))
    table = result.table
    if not table.height:
        console.print(say("cli.none_found"))
        return
    by_month = pl.col("month").is_not_null() if "month" in table.columns else pl.lit(value=False)
    hidden = _tables(console, table.filter(~by_month)) + _lines(console, table.filter(by_month))
    console.print()
    console.print(Text(say("cli.legend", **MARKS), style="dim"))
    sources = result.sources
    console.print(Text(say("cli.sources_count", count=sources.height), style="dim"))
    if hidden:
        console.print(Text(say("cli.more_rows", count=hidden), style="dim"))


def findings(console: Console, result: Any) -> None:
    """Print the findings of a brief: one a line, the first one in bold."""
    lines = [line for line in result.summary().splitlines() if line.strip()]
    for number, line in enumerate(lines):
        console.print(Text(line, style="bold" if number == 0 else ""))


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
    """Print a frame as it is, empty columns left out."""
    shown = frame.select(c for c in frame.columns if frame[c].null_count() < frame.height)
    table = _table([words.column(c) for c in shown.columns], right=_numeric(shown))
    for row in shown.head(most).iter_rows():
        table.add_row(*(_cell(value) for value in row))
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
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for k, head in enumerate(heads):
        table.add_column(head, justify="right" if k in right else "left", overflow="fold")
    return table


def is_share(measure: str, unit: str | None) -> bool:
    """Tell whether a pure number is a share, which reads better in per cent."""
    return unit == "1" and (measure.endswith(("share", "coverage")) or measure.startswith("n_minus_1"))


def figure(row: Mapping[str, Any], *, mark: bool = True) -> str:
    """Write one figure with its range and the mark of its kind; its unit stands in the head."""
    measure, unit = str(row["measure"]), row["unit"]
    if row["value"] is None:
        status = row["status"] or "missing"
        text = say(f"cli.status_{status}") if has(f"cli.status_{status}") else str(status)
        return f"{text} {MARKS['unknown']}" if mark else text
    share = is_share(measure, unit)
    text = numbers.percent(row["value"]) if share else numbers.number(row["value"])
    low, high = row["low"], row["high"]
    if low is not None and high is not None and high - low > 1e-9 * max(1.0, abs(row["value"])):
        text += f" ({numbers.interval(low, high, 'share' if share else '1')})"
    return f"{text} {MARKS[quality(row['kind'], row['status'], row['value'])]}" if mark else text


def head(measure: str, unit: str | None) -> str:
    """Write a measure with its unit, as the head of a column."""
    name = words.measure(measure)
    return name if unit in (None, "1") else f"{name}, {unit}"


def _label(column: str, value: Any) -> str:
    if value is None:
        return ""
    name = {"chain": words.chain, "stage": words.stage, "commodity": words.commodity, "use": words.commodity,
            "activity": words.commodity, "place": words.place, "by": words.place,
            "partner": words.place}.get(column)  # fmt: skip
    return name(str(value)) if name else str(value)


def _varying(frame: pl.DataFrame, columns: Sequence[str]) -> list[str]:
    return [c for c in columns if c in frame.columns and frame[c].n_unique() > 1]


def _order(frame: pl.DataFrame) -> pl.DataFrame:
    ranks = {name: words.stage_order(name) for name in frame["stage"].unique().to_list()}
    return frame.with_columns(
        pl.col("stage").replace_strict(ranks, return_dtype=pl.Int64, default=99).alias("_order")
    )


def _tables(console: Console, frame: pl.DataFrame) -> int:
    """Print what does not run by month; return how many rows were left out."""
    hidden = 0
    units = frame["unit"].unique(maintain_order=True).to_list() if frame.height else []
    for unit in units:
        part = frame.filter(pl.col("unit").eq_missing(pl.lit(unit, dtype=pl.String)))
        names = part["measure"].unique(maintain_order=True).to_list()
        for start in range(0, len(names), MOST_ACROSS):
            across = names[start : start + MOST_ACROSS]
            hidden += _pivot(console, part.filter(pl.col("measure").is_in(across)), across, unit)
    return hidden


def _pivot(console: Console, frame: pl.DataFrame, measures: list[str], unit: str | None) -> int:
    labels = _varying(frame, _LABELS)
    fixed = [
        f"{words.column(c)}: {_label(c, frame[c][0])}"
        for c in _LABELS
        if c in frame.columns and c not in labels and frame[c][0] is not None
    ]
    rows: dict[tuple[Any, ...], dict[str, str]] = {}
    rank: dict[tuple[Any, ...], float] = {}
    ordered = _order(frame).sort("_order", maintain_order=True)
    for row in ordered.iter_rows(named=True):
        key = tuple(row[c] for c in labels)
        rows.setdefault(key, {})[row["measure"]] = figure(row)
        rank[key] = max(
            rank.get(key, float("-inf")), row["value"] if row["value"] is not None else float("-inf")
        )
    # at each step the largest first, the steps in the order of the chain
    where = [k for k, c in enumerate(labels) if c in ("chain", "stage", "commodity")]
    steps = {tuple(key[k] for k in where): n for n, key in reversed(list(enumerate(rows)))}
    keys = sorted(rows, key=lambda key: (steps[tuple(key[k] for k in where)], -rank[key]))
    shown = _fair(keys, where)
    table = _table(
        [*(words.column(c) for c in labels), *(head(m, unit) for m in measures)],
        right=set(range(len(labels), len(labels) + len(measures))),
    )
    last: tuple[str, ...] = ()
    for key in shown:
        cells = tuple(_label(c, value) for c, value in zip(labels, key, strict=True))
        same = 0
        while same < min(len(cells), len(last)) and cells[same] == last[same]:
            same += 1
        table.add_row(*("" for _ in cells[:same]), *cells[same:], *(rows[key].get(m, "") for m in measures))
        last = cells
    console.print()
    if fixed:
        console.print(Text(" · ".join(fixed), style="dim"))
    console.print(table)
    return len(keys) - len(shown)


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
    for (measure, unit), part in frame.group_by("measure", "unit", maintain_order=True):
        labels = _varying(part, [c for c in _LABELS if c != "period"])
        series = []
        for key, line in part.sort("month").group_by(labels or ["measure"], maintain_order=True):
            values = line["value"].to_list()
            known = [(abs(v - (values[0] or 0.0)), k) for k, v in enumerate(values) if v is not None]
            if known:
                series.append((max(known), key if labels else (), line))
        series.sort(key=lambda item: -item[0][0])
        table = _table(
            [*(words.column(c) for c in labels), say("cli.line_first"), say("cli.line_worst"), "",
             say("cli.line_last"), say("cli.line_course")],
            right=set(range(len(labels), len(labels) + 4)) - {len(labels) + 2},
        )  # fmt: skip
        for (_, worst), key, line in series[:MOST_LINES]:
            rows = line.to_dicts()
            table.add_row(
                *(_label(c, value) for c, value in zip(labels, key, strict=True)),
                figure(rows[0], mark=False),
                figure(rows[worst]),
                str(rows[worst]["period"] or ""),
                figure(rows[-1], mark=False),
                course([row["value"] for row in rows]),
            )
        console.print()
        console.print(Text(head(str(measure), unit if isinstance(unit, str) else None), style="bold"))
        console.print(table)
        hidden += max(0, len(series) - MOST_LINES)
    return hidden
