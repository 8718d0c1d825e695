"""What several questions measure alike: contents, shares, tracing, N-1 coverage, paths. Pure functions."""

from monazite.market.measures.content import Contents, contents, elements
from monazite.market.measures.coverage import (
    FinalCoverage,
    Form,
    final_coverage,
    group_coverage,
    n_minus_1,
    stage_output,
    world_coverage,
)
from monazite.market.measures.flows import ElementFlows, domestic_first, element_flows
from monazite.market.measures.paths import Path, largest_paths
from monazite.market.measures.shares import MAKERS, Estimate, leading_kind, outputs, ratio, shares, spread
from monazite.market.measures.tracing import (
    Demand,
    Marks,
    Traced,
    bought_marks,
    demand,
    mined_marks,
    origins,
    requirement_marks,
    solve,
    stage_marks,
    touch_marks,
)

__all__ = [
    "MAKERS",
    "Contents",
    "Demand",
    "ElementFlows",
    "Estimate",
    "FinalCoverage",
    "Form",
    "Marks",
    "Path",
    "Traced",
    "bought_marks",
    "contents",
    "demand",
    "domestic_first",
    "element_flows",
    "elements",
    "final_coverage",
    "group_coverage",
    "largest_paths",
    "leading_kind",
    "mined_marks",
    "n_minus_1",
    "origins",
    "outputs",
    "ratio",
    "requirement_marks",
    "shares",
    "solve",
    "spread",
    "stage_marks",
    "stage_output",
    "touch_marks",
    "world_coverage",
]
