"""Networks from the packaged tables, kept by content so that the second call is quick."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from monazite import facts as fact_floor
from monazite.core.cache import kept
from monazite.core.errors import FactsError
from monazite.core.manifest import content_hash
from monazite.facts import FactTable
from monazite.network.network import Network, from_facts
from monazite.network.part import code_key


def load(
    chains: Sequence[str] | None = None,
    year: int | None = None,
    *,
    path: Path | None = None,
    cache: bool = True,
) -> Network:
    """Load facts and make them a calibrated network of one base year.

    Parameters
    ----------
    chains : sequence of str, optional
        Packaged chains; all that have the year when absent.
    year : int, optional
        Base year; the latest that every chosen chain has when absent.
    path : Path, optional
        A folder of chains to use instead of the packaged ones.
    cache : bool
        Keep the result in the cache folder, by content of the facts and of this floor's code.

    Returns
    -------
    Network

    Raises
    ------
    UnknownName
        A chain that is not packaged.
    FactsError
        The tables are damaged, or a chain lacks the year.

    Examples
    --------
    >>> net = load(["toy"], 2024)
    >>> net.activities.height
    15
    """
    if chains is None and path is None:
        chains = _having(year)
    if not cache:
        return _make(fact_floor.load(chains, year, path=path), cache=False)
    names = fact_floor.Folder.at(path).choose(chains) if path else fact_floor.packaged().choose(chains)
    key = content_hash(fact_floor.content_key(names, year, path=path), code_key())
    return kept(
        f"networks/{key}.pickle", Network, lambda: _make(fact_floor.load(names, year, path=path), cache=True)
    )


def _having(year: int | None) -> list[str]:
    """The packaged chains that have a year; all where none is asked for."""
    if year is None:
        return list(fact_floor.chains())
    every = {name: fact_floor.years(name) for name in fact_floor.chains()}
    found = [name for name, years in every.items() if year in years]
    if not found:
        known = sorted({y for years in every.values() for y in years})
        raise FactsError("network.no_year", year=year, known=known)
    return found


def toy() -> Network:
    """The invented world of tests and tutorials: ore, metal and widgets in three states.

    Its answers can be computed by hand: 17 t of India's widgets, 10 made at home of metal smelted in China
    and 7 bought there; 80 of the 90 t of ore that China smelts are its own, so 8/9 of India's use was mined
    in China.

    Examples
    --------
    >>> net = toy()
    >>> net.nodes.height
    8
    """
    return load(["toy"], 2024, cache=False)


def _make(table: FactTable, *, cache: bool) -> Network:
    return from_facts(table, table.year, table.chains, cache=cache)
