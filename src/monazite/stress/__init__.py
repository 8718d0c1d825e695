"""Floor 3, stress: what happens when a state restricts an export."""

from monazite.market.scenario.contained import refuse_contained
from monazite.stress.simulate import Run, simulate
from monazite.stress.verb import (
    Stress,
    base_of,
    control_by_id,
    finish,
    known_controls,
    prepare,
    run_name,
    run_of,
    stress,
    world_for,
)

__all__ = [
    "Run",
    "Stress",
    "base_of",
    "control_by_id",
    "finish",
    "known_controls",
    "prepare",
    "refuse_contained",
    "run_name",
    "run_of",
    "simulate",
    "stress",
    "world_for",
]
