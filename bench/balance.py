"""``docs/balance.md``: how well each chain balances and why, from what `bench.atlas` measured."""

from __future__ import annotations

from typing import Any

import polars as pl

__all__ = ["document", "reason"]

HEAD = """# How well the chains balance

Written by `python -m bench.atlas`. The σ of every figure stand in one table (`data/uncertainty.csv`), fixed
before anything is fitted; nothing here was tuned.

- χ² per degree of freedom lies between 0.5 and 2 in {within} of {chains} chains; the table says why not in
  the others. A low one is no praise: it says that the figures leave the balance room.
- Of {held} stated flows that were taken out and found again from what each place sends and takes in all,
  **{covered:.0%}** lie within the 80 % interval that the reconciliation gives them (70 to 90 % is the aim).
- Loading everything, the import of the program with it, takes {cold:.1f} s with an empty cache and
  {warm:.1f} s afterwards (40 s and 3 s are the aims).
- Building all chains with the facts behind every number takes {slow:.2f} times as long as without (1.3 is
  the aim).

| chain | χ²/dof | degrees of freedom | beyond 3.3 sd | held out | within 80 % | why not between 0.5 and 2 |
|---|---:|---:|---:|---:|---:|---|
"""
TAIL = """
Held out: a tenth of the flows, for each of three seeds; a chain that states fewer than thirty has none. The
interval is the balance's alone, without the stated figure's own σ. A flow that alone is missing at a place is
found almost exactly, since the totals stay known; where several are missing, only the greatest entropy tells
them apart.

## Adjustments beyond 3.3 of their own standard deviations

What no adjustment explains: figures that contradict each other more than their ranges allow.

| chain | flow | stated, t/yr | balanced, t/yr | adjustment ÷ own sd |
|---|---|---:|---:|---:|
"""


def reason(table: pl.DataFrame, chi2_per_dof: float) -> str:
    """Say why χ² per degree of freedom lies outside 0.5 to 2: what the levels rest on, or what pulls.

    Parameters
    ----------
    table : DataFrame
        Adjustments with ``type, commodity, kind, reconciled, estimate, sigma``.
    chi2_per_dof : float
    """
    if chi2_per_dof < 0.5:
        running = table.filter(pl.col("reconciled") > 0.0)
        soft = running.filter(pl.col("kind").is_in(["modelled", "assumed"])).height
        return (
            f"{soft} of {running.height} levels are estimated from the balances or assumed with wide ranges:"
            " the balances test little"
        )
    if chi2_per_dof > 2.0:
        pull = ((pl.col("reconciled") - pl.col("estimate")) / pl.col("sigma")) ** 2
        parts = table.group_by("type", "commodity").agg(pull.sum().alias("pull"))
        kind, good, most = parts.sort("pull", descending=True).row(0)
        whole = float(parts["pull"].sum())
        return f"{most / whole:.0%} of it comes from {kind} of {good}, whose figures contradict each other"
    return ""


def document(record: dict[str, Any]) -> str:
    """Return the document."""
    rows, load = record["chains"], record["load"]
    held = sum(row["held_out"] for row in rows)
    head = HEAD.format(
        within=sum(0.5 <= row["chi2_per_dof"] <= 2.0 for row in rows),
        chains=len(rows),
        held=held,
        covered=sum(row["held_out"] * (row["covered"] or 0.0) for row in rows) / max(held, 1),
        cold=load["cold"],
        warm=load["warm"],
        slow=sum(row["provenance"][0] for row in rows) / sum(row["provenance"][1] for row in rows),
    )
    chains = [
        f"| {row['chain']} | {row['chi2_per_dof']:.2f} | {row['dof']} | {len(row['outliers'])} "
        f"| {row['held_out'] or '–'} | {'–' if row['covered'] is None else format(row['covered'], '.0%')} "
        f"| {row['reason']} |\n"
        for row in rows
    ]
    far = [
        f"| {row['chain']} | {one['name']} | {one['estimate']:,.0f} | {one['reconciled']:,.0f} "
        f"| {one['r']:.1f} |\n"
        for row in rows
        for one in row["outliers"]
    ]
    state = record["machine"]
    where = f"on {state['cores']} cores of {state['processor']}"
    end = f"\nMeasured {state['at'][:10]} at {state['commit']} {where}.\n"
    return head + "".join(chains) + TAIL + "".join(far) + end
