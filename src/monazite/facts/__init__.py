"""Floor 0: what is known. Facts, sources, places, units of the packaged tables, checked as they are read."""

from monazite.facts.folder import Folder, packaged
from monazite.facts.table import STRIDE, FactTable, chains, commodity_chains, content_key, load, named, years

__all__ = [
    "STRIDE",
    "FactTable",
    "Folder",
    "chains",
    "commodity_chains",
    "content_key",
    "load",
    "named",
    "packaged",
    "years",
]
