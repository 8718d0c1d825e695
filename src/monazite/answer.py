"""An answer as the user holds it: a result of floor 3 with pictures and files bound to it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from monazite.core.errors import ArgumentError, MonaziteError, UnknownName
from monazite.core.settings import write_atomic

if TYPE_CHECKING:
    import polars as pl

    from monazite.core.manifest import Manifest
    from monazite.core.result import Result
    from monazite.views import View

#: what `to_file` can write, by suffix
SUFFIXES = (".csv", ".parquet", ".json", ".svg")


class Answer:
    """One face for every result: table, sources, manifest, summary, explain, plot, to_file.

    Parameters
    ----------
    result : Result
        What a verb of floor 3 returned; ``.result`` gives it back.
    """

    def __init__(self, result: Result) -> None:
        self.result = result

    def __repr__(self) -> str:
        """Return the summary."""
        return self.summary()

    @property
    def table(self) -> pl.DataFrame:
        """The only numbers its pictures may use."""
        return self.result.table

    @property
    def sources(self) -> pl.DataFrame:
        """Sources behind the table."""
        return self.result.sources

    @property
    def manifest(self) -> Manifest:
        """Input hash, versions, seed, base year, method."""
        return self.result.manifest

    def summary(self) -> str:
        """Two sentences that a minister can read."""
        return self.result.summary()

    def explain(self, chosen: str | None = None, **columns: Any) -> Any:
        """Formula, inputs and sources of one cell.

        Parameters
        ----------
        chosen : str, optional
            A measure, a ``cell_id``, or pairs such as ``measure=price,place=DEU``.
        **columns
            Column and value, for the same choice: ``measure="touch_share", by="CHN"``.
        """
        if chosen is None:
            return self.result.explain(**columns)
        if chosen in set(self.table["measure"]):
            return self.result.explain(**{"measure": chosen, **columns})
        return self.result.explain(**{**selection(chosen), **columns})

    def view(self, name: str | None = None) -> View:
        """One of the answer's pictures as data: the first one when no name is given."""
        from monazite.views import views_of

        known = views_of(self.result)
        chosen = name or next(iter(known))
        if chosen not in known:
            raise UnknownName("view", chosen, known)
        return known[chosen]()

    def plot(self, name: str | None = None) -> dict[str, Any]:
        """A picture of the answer as one Vega-Lite specification."""
        from monazite.draw import specification

        return specification(self.view(name))

    def document(self) -> dict[str, Any]:
        """The answer as one JSON document: summary, table, sources, manifest."""
        return {
            "summary": self.summary(),
            "table": self.table.to_dicts(),
            "sources": self.sources.to_dicts(),
            "manifest": self.manifest.to_dict(),
        }

    def to_file(self, path: str | Path, view: str | None = None) -> Path:
        """Write the answer: csv, parquet or json for the table, svg for the picture, by suffix.

        Parameters
        ----------
        path : path
            File to write.
        view : str, optional
            Write one of the answer's pictures instead of its table: as data (csv, parquet, json) or drawn
            (svg).

        Raises
        ------
        ArgumentError
            A suffix that is none of these, or a view that the answer does not have; nothing is written.
        """
        file = Path(path)
        frame = self.table if view is None else self.view(view).data
        writers: dict[str, Callable[[], bytes]] = {
            ".csv": lambda: frame.write_csv().encode(),
            ".parquet": lambda: _parquet(frame),
            ".json": lambda: json.dumps(self._json(view), ensure_ascii=False, indent=1).encode(),
            ".svg": lambda: self._svg(view),
        }
        if file.suffix not in writers:
            raise ArgumentError("error.suffix", given=file.suffix or file.name, known=", ".join(SUFFIXES))
        data = writers[file.suffix]()
        try:
            write_atomic(file, data)
        except OSError as problem:
            raise MonaziteError("error.not_written", file=file, problem=problem.strerror) from problem
        return file

    def _json(self, view: str | None) -> dict[str, Any]:
        if view is None:
            return self.document()
        return {**self.view(view).to_dict(), "manifest": self.manifest.to_dict()}

    def _svg(self, view: str | None) -> bytes:
        from monazite.draw import svg

        return svg(self.view(view)).encode()


def _parquet(frame: pl.DataFrame) -> bytes:
    from io import BytesIO

    buffer = BytesIO()
    frame.write_parquet(buffer)
    return buffer.getvalue()


def selection(text: str) -> dict[str, str]:
    """Read the choice of one cell: its id, or pairs of column and value.

    Raises
    ------
    ArgumentError
        If it is neither.

    Examples
    --------
    >>> selection("measure=price, place=DEU"), selection("0f3a9c12b7de")
    ({'measure': 'price', 'place': 'DEU'}, {'cell_id': '0f3a9c12b7de'})
    """
    if "=" not in text and len(text) == 12 and all(c in "0123456789abcdef" for c in text):
        return {"cell_id": text}
    pairs = [part.partition("=") for part in text.split(",")]
    if not all(name.strip() and mark and value.strip() for name, mark, value in pairs):
        raise ArgumentError("error.pair_expected", given=text)
    return {name.strip(): value.strip() for name, _, value in pairs}
