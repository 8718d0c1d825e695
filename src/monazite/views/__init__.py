"""Views (floor 4): one module per picture: tidy data, headline, notes, sources. They draw nothing."""

from monazite.views.catalogue import views_of
from monazite.views.chokepoint import chokepoint
from monazite.views.coverage import coverage_map
from monazite.views.dependence import dependence
from monazite.views.flow_map import flow_map
from monazite.views.ranking import ranking
from monazite.views.relief import relief
from monazite.views.sankey import sankey
from monazite.views.timeline import timeline
from monazite.views.tornado import tornado
from monazite.views.view import View

__all__ = [
    "View",
    "chokepoint",
    "coverage_map",
    "dependence",
    "flow_map",
    "ranking",
    "relief",
    "sankey",
    "timeline",
    "tornado",
    "views_of",
]
