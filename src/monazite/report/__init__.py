"""Reports (floor 6): one self-contained HTML file made of views and their pictures."""

from monazite.report.brief import Brief, Finding, Section
from monazite.report.contents import compose
from monazite.report.page import build

__all__ = ["Brief", "Finding", "Section", "build", "compose"]
