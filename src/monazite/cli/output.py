"""What every result command does with its answer: show it, print it as JSON or CSV, write it, compare it."""

from __future__ import annotations

import json as jsonlib
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from monazite.answer import Answer, selection
from monazite.core.errors import ArgumentError, MonaziteError, UnknownName
from monazite.core.text import say
from monazite.core.values import plain

if TYPE_CHECKING:
    import polars as pl
    from rich.console import Console

    from monazite.core.result import Result
    from monazite.report import Brief
    from monazite.views import View

#: width of a table where nobody's terminal says another
WIDTH = 120


@dataclass(frozen=True)
class Door:
    """The way an answer leaves: stdout for results, stderr for the rest.

    Raises
    ------
    ArgumentError
        At once, before any work: two formats, a file of unknown suffix, a threshold without a measure.
    """

    json: bool = False
    csv: bool = False
    to: Path | None = None
    quiet: bool = False
    measure: str | None = None
    fail_above: float | None = None
    view: str | None = None
    suffixes: Sequence[str] = field(default=("csv", "json", "parquet", "svg"))

    def __post_init__(self) -> None:
        """Refuse what could not be done at the end."""
        if self.json and self.csv:
            raise ArgumentError("cli.json_keys")
        if self.to is not None and self.to.suffix.lower().lstrip(".") not in self.suffixes:
            raise ArgumentError("cli.suffix_unknown", file=self.to, known=list(self.suffixes))
        if self.fail_above is not None and not isfinite(self.fail_above):
            raise ArgumentError("error.number_expected", name="--fail-above", given=self.fail_above)
        if self.fail_above is not None and self.measure is None:
            raise ArgumentError("cli.threshold_needs_measure")

    @contextmanager
    def working(self, text: str, *, long: bool = False) -> Iterator[Callable[[str], None]]:
        """Say on a terminal what is being done; where there is none, long work says each step on a line.

        What it gives is called with each further step.
        """
        if self.quiet or not sys.stderr.isatty():
            yield self.note if long else lambda _step: None
            return
        with console(error=True).status(text) as status:
            yield status.update

    def note(self, text: str) -> None:
        """Say something on stderr that is no result."""
        if not self.quiet:
            sys.stderr.write(text + "\n")

    def answer(self, answer: Answer, *, explain: str | None = None) -> None:
        """Print an answer in the form asked for, write it where asked, leave with 3 beyond a threshold."""
        if explain is not None:
            self._explain(answer, explain)
            return
        result: Answer = answer
        if self.measure is not None:
            result = Chosen(answer, self.measure)
        table = result.table
        if self.to is not None:
            write(self.to, result, self.view)
            self.note(say("cli.written", file=self.to))
        if self.view is not None and self.to is None:
            self._view(result.view(self.view))
        elif self.json:
            sys.stdout.write(dumps(result.document()) + "\n")
        elif self.csv:
            sys.stdout.write(table.write_csv())
        elif self.to is None:
            from monazite.cli.show import show

            show(console(), result)
        else:
            sys.stdout.write(result.summary() + "\n")
        self._compare(table)

    def findings(self, brief: Brief) -> None:
        """Print the findings of a brief that is written already."""
        if self.json:
            sys.stdout.write(dumps(brief.document()) + "\n")
        else:
            from monazite.cli.show import findings

            findings(console(), brief)
        self.note(say("cli.written", file=self.to))

    def _view(self, view: View) -> None:
        """Print one picture: its headline and its figures."""
        if self.json:
            sys.stdout.write(dumps(view.to_dict()) + "\n")
        elif self.csv:
            sys.stdout.write(view.data.write_csv())
        else:
            from monazite.cli.twins import print_view

            print_view(console(), view)

    def _explain(self, result: Result, text: str) -> None:
        answer = result.explain(**selection(text))
        if self.json:
            sys.stdout.write(dumps(answer) + "\n")
        else:
            from monazite.cli.show import explanation

            explanation(console(), answer)

    def _compare(self, table: pl.DataFrame) -> None:
        if self.fail_above is None:
            return
        import polars as pl

        over = table.filter((pl.col("measure") == self.measure) & (pl.col("value") > self.fail_above))
        if over.height:
            text = say(
                "cli.threshold_crossed",
                count=over.height,
                measure=self.measure,
                threshold=self.fail_above,
                highest=over["value"].max(),
            )
            sys.stderr.write(text + "\n")
            raise typer.Exit(3)


def console(*, error: bool = False) -> Console:
    """Return a console that knows NO_COLOR, and is wide where no terminal says how wide."""
    from rich.console import Console

    stream = sys.stderr if error else sys.stdout
    return Console(stderr=error, width=None if stream.isatty() else WIDTH, highlight=False, emoji=False)


def dumps(value: Any) -> str:
    """Return one JSON document on one line; a number that is none becomes null."""
    return jsonlib.dumps(plain(value), ensure_ascii=False, allow_nan=False)


def write(path: Path, answer: Answer, view: str | None = None) -> None:
    """Write an answer to a file, whole or not at all.

    Raises
    ------
    MonaziteError
        If the file cannot be written.
    """
    try:
        answer.to_file(path, view)
    except OSError as error:
        raise MonaziteError("cli.file_unwritable", file=path, reason=error.strerror) from None


class Chosen(Answer):
    """An answer of which only one measure is wanted.

    Raises
    ------
    UnknownName
        If it has no such measure; the message gives the nearest.
    """

    def __init__(self, answer: Answer, measure: str) -> None:
        super().__init__(answer.result)
        known = answer.table["measure"].unique(maintain_order=True).to_list()
        if measure not in known:
            raise UnknownName("measure", measure, known)
        self.measure = measure

    @property
    def table(self) -> pl.DataFrame:
        """Its rows of that measure."""
        import polars as pl

        return self.result.table.filter(pl.col("measure") == self.measure)
