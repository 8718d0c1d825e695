"""From a view to its specification: which drawing stands for which ``encoding["picture"]``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from monazite.core.errors import UnknownName
from monazite.draw import render
from monazite.draw.bars import bars
from monazite.draw.coverage import coverage
from monazite.draw.lines import lines
from monazite.draw.map import flow_map
from monazite.draw.matrix import matrix
from monazite.draw.sankey import sankey
from monazite.draw.tornado import tornado
from monazite.views.view import View

__all__ = ["PICTURES", "png", "specification", "svg"]

#: every drawing by the name a view calls it
PICTURES: Mapping[str, Callable[[View], dict[str, Any]]] = {
    "bars": bars,
    "coverage": coverage,
    "lines": lines,
    "map": flow_map,
    "matrix": matrix,
    "sankey": sankey,
    "tornado": tornado,
}


def specification(view: View) -> dict[str, Any]:
    """Return the Vega-Lite specification of a view.

    Raises
    ------
    UnknownName
        ``view.encoding["picture"]`` is none of `PICTURES`.

    Examples
    --------
    >>> import polars as pl
    >>> from monazite.views import ranking
    >>> table = pl.DataFrame({"measure": ["hhi"], "stage": ["mine"], "value": [0.49], "kind": ["derived"]})
    >>> specification(ranking(table, measure="hhi"))["$schema"]
    'https://vega.github.io/schema/vega-lite/v6.json'
    """
    name = str(view.encoding.get("picture"))
    if name not in PICTURES:
        raise UnknownName("picture", name, PICTURES)
    return PICTURES[name](view)


def svg(view: View, *, prefix: str | None = None) -> str:
    """Draw a view as SVG: its title names the picture, its sentence is the alt text.

    Parameters
    ----------
    view
        A view.
    prefix
        Stem of all ids, unique in the document that the picture will stand in; by default the view's name.

    Returns
    -------
    str
        One ``<svg role="img">`` element, the same to the byte in any process.
    """
    return render.svg(
        specification(view), prefix=prefix or view.name, title=view.title, description=view.sentence
    )


def png(view: View, *, scale: float = 2.0) -> bytes:
    """Draw a view as PNG, ``scale`` pixels per unit."""
    return render.png(specification(view), scale=scale)
