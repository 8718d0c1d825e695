"""A picture on a terminal: its headline, its table, its notes."""

from __future__ import annotations

from textwrap import wrap
from typing import TYPE_CHECKING

from rich.table import Table as Grid
from rich.text import Text

from monazite.cli.show import MARKS, MOST_RANGED
from monazite.core.text import say
from monazite.report.twin import Cell, Table, twins
from monazite.views.view import QUALITY

if TYPE_CHECKING:
    from rich.console import Console

    from monazite.views import View

__all__ = ["print_view"]

#: least width of a label, width of the head of a column of figures
_LABEL, _HEAD = 10, 14


def print_view(console: Console, view: View) -> None:
    """Print a view: title, headline, the twin of its picture, what one must know to read it."""
    console.print(Text(view.title, style="bold"))
    console.print(Text(view.sentence))
    for table in twins(view):
        console.print()
        _print(console, table)
    console.print()
    for note in view.notes:
        console.print(Text(note, style="dim"))
    console.print(Text(say("cli.legend", **MARKS), style="dim"))


def _print(console: Console, table: Table) -> None:
    console.print(Text(table.caption, style="dim"))
    grid = Grid(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for place, head in enumerate(table.heads):
        if place < table.labels:
            grid.add_column(head, overflow="fold", min_width=_LABEL)
        else:
            grid.add_column("\n".join(wrap(head, _HEAD)), justify="right", no_wrap=True)
    ranged = len(table.heads) - table.labels <= MOST_RANGED
    for group, rows in table.groups:
        if group:
            grid.add_row(Text(group, style="bold"), *("" for _ in table.heads[1:]))
        before: tuple[str, ...] = ()
        for row in rows:
            labels = tuple(cell.text for cell in row[: table.labels])
            shown = ["" if labels[: k + 1] == before[: k + 1] and k < table.labels - 1 else text
                     for k, text in enumerate(labels)]  # fmt: skip
            grid.add_row(*shown, *(_text(cell, ranged=ranged) for cell in row[table.labels :]))
            before = labels
    console.print(grid)


def _text(cell: Cell, *, ranged: bool) -> str:
    quality = QUALITY.get(cell.kind or "")
    mark = f" {MARKS[quality]}" if quality else ""
    return f"{cell.text}{mark}" + (f" ({cell.within})" if ranged and cell.within else "")
