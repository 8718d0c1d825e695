"""Land in a frame: its path, and whether a pixel lies ashore."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from monazite.draw.projection import Globe
from monazite.facts.shapes import shapes, shapes_path

__all__ = ["Land", "land"]

_SPECK = 0.3  # land below this area is not drawn, px²


@dataclass(frozen=True, eq=False)
class Land:
    """Land as a map shows it.

    Parameters
    ----------
    path
        All of it as one SVG path: the shape of a point of size 1 at 0, 0.
    edges
        Its edges, px; shape (edges, 4).
    """

    path: str
    edges: NDArray[np.float64]

    def ashore(self, x: float, y: float) -> bool:
        """Tell whether a pixel lies on land."""
        a, b, c, d = self.edges.T
        crosses = (b > y) != (d > y)
        with np.errstate(divide="ignore", invalid="ignore"):
            right = x < (c - a) * (y - b) / (d - b) + a
        return bool(np.count_nonzero(crosses & right) % 2)


def land(globe: Globe) -> Land:
    """Return the land in a frame, computed once for each frame and file of shapes.

    Examples
    --------
    >>> from monazite.draw.projection import framed
    >>> globe = framed(150.0, [], 900.0, 400.0)
    >>> known = land(globe)
    >>> known.ashore(*globe.at(134.0, -25.0)), known.ashore(*globe.at(-150.0, 0.0))
    (True, False)
    """
    file = shapes_path()
    return _land(file, file.stat().st_mtime_ns if file.exists() else 0, globe)


@lru_cache(maxsize=8)
def _land(_file: Path, _changed: int, globe: Globe) -> Land:
    """Make it; file and date only key what is kept."""
    rings = [ring for _, ring in shapes().land]
    pieces = [np.array(piece) for ring in rings for piece in globe.pieces(ring)]
    edges = [np.hstack([piece, np.roll(piece, -1, axis=0)]) for piece in pieces]
    return Land(globe.path(rings, least=_SPECK), np.vstack(edges) if edges else np.zeros((0, 4)))
