"""Floor 0: what is known. Facts, sources, places, units of the packaged tables, checked as they are read."""

from monazite.facts.table import FactTable, chains, commodity_chains, load, years

__all__ = ["FactTable", "chains", "commodity_chains", "load", "years"]
