"""The table of a catalogue: what each control does, the one that bites most first."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl

from monazite.market.measures.outcomes import Reader
from monazite.market.scenario.catalogue import Catalogue
from monazite.network import Network
from monazite.study.table import (
    MEASURE,
    Headline,
    Of,
    Scope,
    assumed_share,
    commodities_of,
    headlines,
    quality_rows,
    sound,
)

__all__ = ["catalogue_rows"]


def catalogue_rows(
    source: Catalogue, rows: pl.LazyFrame, network: Network, reader: Reader, of: Of, scope: Scope
) -> list[pl.DataFrame]:
    """What each control of a catalogue does.

    The headline must be one figure for all of them, or they could not be ranked: of unserved use it is the
    share of all end use of the chains loaded, by base value, ores and host materials (alumina) left out;
    ``unserved`` is the share of what the control itself hits.
    """
    good = sound(rows, source.count)
    # one pass over the rows, however many controls there are
    told = rows.filter(pl.col("commodity").is_not_null()).collect().partition_by("scenario", as_dict=True)
    every = network.nodes["commodity"].unique().sort().to_list()
    lines: list[dict[str, Any]] = []
    for number, entry in enumerate(source.entries):
        own = told[(number,)].with_columns(scenario=pl.lit(0, dtype=pl.Int64)).lazy()
        named = commodities_of(network, source.control(number))
        hit: dict[Of, Headline] = {
            kind: Headline.make(reader, kind, named, scope, entry.by) for kind in ("unserved", "price")
        }
        whole = (
            Headline.make(reader, "unserved", every, scope, entry.by) if of == "unserved" else hit["price"]
        )
        subject = {
            "chain": entry.chain,
            "commodity": entry.commodity,
            "place": scope.label,
            "by": entry.by,
            "scenario": f"{entry.cut:g}/{entry.months}",
            "unit": "1",
        }
        about = {
            "denominator": "all" if of == "unserved" else None,
            "assumed_share": assumed_share(network, whole),
        }
        figures = [("headline", whole, about)]
        figures += [
            (MEASURE[kind], one, {"denominator": "downstream" if kind == "unserved" else None})
            for kind, one in hit.items()
        ]
        for measure, one, further in figures:
            value = float(headlines(own, one, 1)[0])
            known = bool(good[number]) and not np.isnan(value)
            figure = {"value": value if known else None, "status": "ok" if known else "insufficient"}
            lines.append({"measure": measure, **subject, **figure, **further})
    types = {
        "commodity": pl.String,
        "value": pl.Float64,
        "denominator": pl.String,
        "assumed_share": pl.Float64,
    }
    frame = pl.DataFrame(lines, infer_schema_length=None, schema_overrides=types)
    rank = pl.col("value").rank("ordinal", descending=True).over("measure").cast(pl.Int64)
    ranked = frame.with_columns(rank=rank).sort("measure", "rank", nulls_last=True, maintain_order=True)
    return [ranked, pl.DataFrame(quality_rows(rows, source.count))]
