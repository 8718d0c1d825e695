"""Reports (floor 6): answers laid out for a reader, and the brief as one self-contained HTML file."""

from monazite.report.brief import Brief, Finding, Section
from monazite.report.contents import brief_page, compose
from monazite.report.page import build

__all__ = ["Brief", "Finding", "Section", "brief_page", "build", "compose"]
