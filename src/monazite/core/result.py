"""One face for every answer: the columns of a result table and the protocol of a result."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from monazite.core import schema
from monazite.core.errors import MonaziteError, UnknownName

if TYPE_CHECKING:
    import polars as pl

    from monazite.core.manifest import Manifest

__all__ = ["KEY_COLUMNS", "TABLE_COLUMNS", "Result", "cell_id", "finish_table"]

#: the columns of every result table, in order
TABLE_COLUMNS: tuple[str, ...] = (
    "measure", "chain", "stage", "commodity", "place", "by", "period",
    "value", "low", "high", "unit", "basis", "kind", "status", "cell_id",
)  # fmt: skip

#: the columns that make a cell, besides those that ``data/schema/result.csv`` marks as keys
KEY_COLUMNS: tuple[str, ...] = TABLE_COLUMNS[:7]

_SLACK = 1e-9


@runtime_checkable
class Result(Protocol):
    """What every answer has."""

    @property
    def table(self) -> pl.DataFrame:
        """The only numbers its pictures may use (see `TABLE_COLUMNS`)."""
        ...

    @property
    def sources(self) -> pl.DataFrame:
        """The sources behind the table: ``source, citation, url, licence, …``."""
        ...

    @property
    def manifest(self) -> Manifest:
        """Input hash, versions, seed, base year, method."""
        ...

    def summary(self) -> str:
        """Return two sentences that a minister can read."""
        ...

    def explain(self, **selection: Any) -> Any:
        """Return formula, inputs and sources of one cell."""
        ...


@lru_cache(maxsize=1)
def _columns() -> dict[str, dict[str, str]]:
    return {row["column"]: row for row in schema.table("result")}


def cell_id(*key: str | None, **extra: str | None) -> str:
    """Return the stable id of a cell: the first 12 hex digits of the SHA-1 of its key.

    Parameters
    ----------
    *key
        Values of `KEY_COLUMNS` in their order; None where unused.
    **extra
        Values of further key columns; those that are None do not count.

    Examples
    --------
    >>> one = cell_id("share", "rare_earths", "mine", None, "IND", "CHN", "2024")
    >>> len(one), one == cell_id("share", "rare_earths", "mine", None, "IND", "CHN", "2024")
    (12, True)
    """
    text = "|".join("" if part is None else part for part in key)
    for name in sorted(extra):
        if extra[name] is not None:
            text += f"|{name}={extra[name]}"
    return hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()[:12]


def finish_table(frame: pl.DataFrame) -> pl.DataFrame:
    """Bring a frame into the one form of a result table.

    Missing columns are added as null, columns are ordered (`TABLE_COLUMNS`, then extra ones in the order
    of ``data/schema/result.csv``), types are set, and `cell_id` is computed. NaN becomes null: missing
    stays missing.

    Parameters
    ----------
    frame
        One row a cell; extra columns only where ``data/schema/result.csv`` lists them.

    Returns
    -------
    polars.DataFrame
        A valid result table.

    Raises
    ------
    MonaziteError
        If a column is not listed, two rows have one key, or ``low <= value <= high`` does not hold (of a
        measure ``…_swing`` low and high are its two ends and need not).
    UnknownName
        If a kind, status, unit, basis or stage is not in the schema.

    Examples
    --------
    >>> import polars as pl
    >>> made = finish_table(pl.DataFrame({"measure": ["share"], "place": ["IND"], "value": [0.5]}))
    >>> tuple(made.columns) == TABLE_COLUMNS
    True
    """
    import polars as pl

    listed = _columns()
    for column in frame.columns:
        if column not in listed:
            raise MonaziteError("error.column_unknown", column=column)
    extra = [name for name in listed if name in frame.columns and name not in TABLE_COLUMNS]
    types = {"string": pl.String, "number": pl.Float64, "integer": pl.Int64, "boolean": pl.Boolean}
    wanted: list[pl.Expr] = []
    for name in (*TABLE_COLUMNS, *extra):
        dtype = types[listed[name]["type"]]
        given = pl.col(name) if name in frame.columns else pl.lit(None)
        cast = given.cast(dtype).alias(name)
        wanted.append(cast.fill_nan(None) if dtype == pl.Float64 else cast)
    out = frame.select(wanted) if frame.height else frame.clear().select(wanted).clear()
    _check(out)

    keys = [*KEY_COLUMNS, *(name for name in extra if listed[name]["key"] == "yes")]
    first = len(KEY_COLUMNS)
    ids = [
        cell_id(*row[:first], **dict(zip(keys[first:], row[first:], strict=True)))
        for row in out.select(pl.col(keys).cast(pl.String)).iter_rows()
    ]
    out = out.with_columns(pl.Series("cell_id", ids, dtype=pl.String))
    if out["cell_id"].n_unique() != out.height:
        twice = out.filter(pl.col("cell_id").is_duplicated()).row(0, named=True)
        cell = ", ".join(f"{name} {twice[name]}" for name in keys if twice[name] is not None)
        raise MonaziteError("error.cell_duplicate", cell=cell)
    return out


def _check(frame: pl.DataFrame) -> None:
    """Refuse a value that the schema does not know or an interval that is out of order."""
    import polars as pl

    allowed = {
        "kind": schema.enum("kind"),
        "status": schema.enum("status"),
        "unit": schema.names("units", "unit"),
        "basis": schema.names("bases", "basis"),
        "stage": schema.names("stages", "stage"),
    }
    for column, known in allowed.items():
        for given in frame[column].drop_nulls().unique().to_list():
            if given not in known:
                raise UnknownName(column, given, known)
    slack = _SLACK * (1 + pl.col("value").abs())
    # of a swing low and high are its two ends, the value how far apart they are
    wrong = frame.filter(
        ~pl.col("measure").str.ends_with("_swing")
        & ((pl.col("low") > pl.col("value") + slack) | (pl.col("high") < pl.col("value") - slack))
    )
    if wrong.height:
        row = wrong.row(0, named=True)
        where = ", ".join(f"{name} {row[name]}" for name in KEY_COLUMNS if row[name] is not None)
        raise MonaziteError(
            "error.interval_disordered", low=row["low"], value=row["value"], high=row["high"], where=where
        )
