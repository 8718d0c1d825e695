"""One line a chain: what a reader of many chains looks at first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl

from monazite.assess.words import direct_row, heads

if TYPE_CHECKING:
    from monazite.assess.result import Assessment

__all__ = ["overview"]

_SCHEMA = {
    **dict.fromkeys(("chain", "stage", "commodity", "element", "by"), pl.String),
    "touch_share": pl.Float64,
    "kind": pl.String,
    "direct_share": pl.Float64,
    "cover": pl.Float64,
    "weakest": pl.String,
}


def overview(answer: Assessment) -> pl.DataFrame:
    """Gather the row that stands for each chain, the most exposed first.

    Returns
    -------
    DataFrame
        ``chain, stage, commodity, element, by`` (what the row is about), ``touch_share, kind, direct_share``
        of the subject, ``cover`` (what the rest of the world makes of what end uses outside the state need,
        at the weakest stage) and that stage, ``weakest``. Shares are pure numbers, 0 to 1; what has no figure
        is null.

    Examples
    --------
    >>> from monazite.assess import assess
    >>> from monazite.network import toy
    >>> overview(assess(toy(), "IND"))["by"].to_list()
    ['CHN']
    """
    table = answer.table.filter(pl.col("value").is_not_null())
    rows: list[dict[str, Any]] = []
    for head in heads(answer):
        direct = direct_row(answer, table, head)
        final = table.filter(
            pl.col("measure") == "n_minus_1_final",
            pl.col("place") == "WLD",
            pl.col("chain") == head["chain"],
            pl.col("element") == head["element"],
            pl.col("by") == head["by"],
            pl.col("stage").is_not_null(),
        ).sort("value")
        rows.append(
            {
                **{name: head[name] for name in ("chain", "stage", "commodity", "element", "by", "kind")},
                "touch_share": head["value"],
                "direct_share": direct["value"][0] if direct.height else None,
                "cover": final["value"][0] if final.height else None,
                "weakest": final["stage"][0] if final.height else None,
            }
        )
    found = pl.DataFrame(rows, schema=_SCHEMA)
    return found.sort("touch_share", descending=True, maintain_order=True)
