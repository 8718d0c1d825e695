"""A chain built and reconciled alone, kept by content: beside others it costs nothing the second time."""

from __future__ import annotations

from dataclasses import replace
from importlib.metadata import version
from pathlib import Path

import polars as pl

from monazite.core.cache import code_hash, kept
from monazite.core.manifest import content_hash
from monazite.facts import STRIDE, FactTable
from monazite.facts.assumptions import settings_hash
from monazite.network.build import build
from monazite.network.join import Part
from monazite.network.reconcile import reconcile

__all__ = ["balanced_chain", "code_key"]

_FLOORS = (Path(__file__).parent, Path(__file__).parent.parent / "facts")


def code_key() -> str:
    """Hash of everything but facts that a balanced network hangs on."""
    return content_hash(
        settings_hash(), *(code_hash(floor) for floor in _FLOORS), version("polars"), version("scipy")
    )


def balanced_chain(facts: FactTable, *, cache: bool) -> Part:
    """Build and reconcile the one chain of a fact table.

    Parameters
    ----------
    facts : FactTable
        Of one chain (`FactTable.part`).
    cache : bool
        Keep the result by content of the facts as they stand, drawn ones too.
    """
    (chain,) = facts.chains

    first = int(facts.frame["fact_id"][0]) // STRIDE * STRIDE
    own = replace(
        facts,
        frame=facts.frame.with_columns(fact_id=pl.col("fact_id") - first),
        losers=facts.losers.with_columns(fact_id=pl.col("fact_id") - first),
    )

    def make() -> Part:
        draft = build(own)
        return Part(chain, draft, reconcile(draft, own))

    if not cache:
        return _shifted(make(), first)
    tables = (own.frame, own.commodities, own.activities, own.lines)
    key = content_hash(code_key(), chain, facts.year, *(table.write_csv() for table in tables))
    return _shifted(kept(f"chains/{key}.pickle", Part, make), first)


def _shifted(part: Part, by: int) -> Part:
    """The part with the ids of its facts as they are beside those of other chains."""
    if not by:
        return part
    draft, balanced = part.draft, part.balanced
    measured = replace(draft.measurements, fact_ids=tuple(item + by for item in draft.measurements.fact_ids))
    activities = draft.activities.with_columns(fact_ids=pl.col("fact_ids").list.eval(pl.element() + by))
    return Part(
        part.chain,
        replace(draft, activities=activities, measurements=measured),
        replace(balanced, price_facts=[[item + by for item in ids] for ids in balanced.price_facts]),
    )
