"""Drawing (floor 5): a view becomes one Vega-Lite specification; that becomes SVG, PNG or the page's Vega.

The same specification is drawn here without a browser and, by the Vega runtime, on the page; a mark that
stands for a cell of the result carries its ``cell_id``. Colours are those of one palette, by name.
"""

from monazite.draw.page import page_picture
from monazite.draw.palette import stylesheet
from monazite.draw.pictures import PICTURES, png, specification, svg

__all__ = ["PICTURES", "page_picture", "png", "specification", "stylesheet", "svg"]
