"""Drawing (floor 5): a view becomes one Vega-Lite specification, and that becomes SVG or PNG.

The same specification is drawn here without a browser and, by the Vega runtime, on the page; a mark that
stands for a cell of the result carries its ``cell_id``.
"""

from monazite.draw.pictures import PICTURES, png, specification, svg

__all__ = ["PICTURES", "png", "specification", "svg"]
