"""Floor 3, stress: what happens when a state restricts an export."""

from monazite.stress.simulate import Run, simulate
from monazite.stress.verb import (
    Stress,
    control_by_id,
    finish,
    known_controls,
    refuse_contained,
    run_of,
    stress,
    world_for,
)

__all__ = [
    "Run",
    "Stress",
    "control_by_id",
    "finish",
    "known_controls",
    "refuse_contained",
    "run_of",
    "simulate",
    "stress",
    "world_for",
]
