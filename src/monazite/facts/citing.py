"""Every source that facts may cite: packaged ones, those of a folder, and those of a user's imports."""

from __future__ import annotations

from monazite.facts.folder import Folder, packaged
from monazite.facts.overlay import imported_sources

__all__ = ["known_sources"]


def known_sources(folder: Folder) -> dict[str, dict[str, str]]:
    """Return sources by id (`Folder.read_sources`), with those of the user's imports for the packaged folder.

    Examples
    --------
    >>> "usgs_mcs2026" in known_sources(packaged())
    True
    """
    own = folder.read_sources()
    if folder is not packaged():
        return own
    return own | {
        name: {**entry, "file": vintage}
        for name, (vintage, entry) in imported_sources().items()
        if name not in own
    }
