"""Monte Carlo over uncertain facts: a source of scenarios that any worker can make by their number.

Random numbers are counter-based (Philox, keyed by the seed and the scenario's number), one for each known
cause whether it is drawn or not: scenario i is the same whoever makes it, however many there are beside it,
and whichever other causes are drawn.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from monazite.core.checks import is_whole
from monazite.core.errors import ArgumentError
from monazite.core.manifest import content_hash
from monazite.core.text import say
from monazite.facts.places import name_of
from monazite.market.block import Change
from monazite.market.scenario.causes import CAUSES, WORLD
from monazite.market.scenario.design import design_size, designed
from monazite.market.scenario.export_control import Control
from monazite.market.scenario.setting import Setting
from monazite.market.scenario.template import Template

__all__ = ["LONGEST_SEED", "WORLDS", "Draws"]

#: recalibrated worlds in which the scenarios are nested
WORLDS = 8
LONGEST_SEED = 2**32


@dataclass(frozen=True)
class Draws:
    """A source of scenarios: one control, under draws of what is uncertain.

    Parameters
    ----------
    setting : Setting
        The world and the window.
    control : Control
    samples : int
        Scenarios wanted; a designed sample has the number nearest below that its design allows.
    seed : int
    causes : tuple of str
        Causes that are drawn, in the order of the registry.
    design : {"monte_carlo", "sobol", "morris"}
    worlds : int
        Recalibrated worlds, where the cause ``base_year`` is drawn. Scenarios are dealt to them in runs of
        equal length; after them comes one scenario a world in which all else is central, which tells the
        worlds apart.

    Examples
    --------
    >>> from monazite.market.scenario import ExportControl
    >>> from monazite.network import toy
    >>> ban = Control.of(ExportControl("CHN", "toy_metal"), "2025-01")
    >>> source = Draws(Setting.of(toy(), 3), ban, 4, 7, ("trade_friction",))
    >>> source.count, source.quantiles(2) == source.quantiles(2), source.quantiles(1) == source.quantiles(2)
    (4, True, False)
    """

    setting: Setting
    control: Control
    samples: int
    seed: int
    causes: tuple[str, ...]
    design: str = "monte_carlo"
    worlds: int = WORLDS

    def __post_init__(self) -> None:
        """Check what is asked."""
        if not is_whole(self.samples, 1):
            raise ArgumentError("error.whole_expected", name="samples", least=1, given=self.samples)
        if not is_whole(self.seed, 0) or self.seed >= LONGEST_SEED:
            raise ArgumentError("study.seed", most=LONGEST_SEED - 1, given=self.seed)
        if not is_whole(self.worlds, 1):
            raise ArgumentError("error.whole_expected", name="worlds", least=1, given=self.worlds)
        if self.design != "monte_carlo" and WORLD in self.causes:
            raise ArgumentError("study.design_worlds", design=self.design, cause=WORLD)

    @property
    def continuous(self) -> tuple[str, ...]:
        """Causes drawn as quantiles: all but that of the worlds."""
        return tuple(name for name in self.causes if name != WORLD)

    @property
    def drawn(self) -> int:
        """Scenarios that are drawn."""
        return design_size(self.design, len(self.continuous), self.samples)

    @property
    def number_of_worlds(self) -> int:
        """Recalibrated worlds that are used; 0 where the base year's figures are not drawn."""
        return min(self.worlds, self.drawn) if WORLD in self.causes else 0

    @property
    def count(self) -> int:
        """Number of scenarios, those that only tell the worlds apart included."""
        return self.drawn + self.number_of_worlds

    def key(self) -> str:
        """Content hash of all that goes in."""
        return content_hash(
            self.setting.key(),
            "draws/1",
            self.control.id,
            *(piece.to_toml() for piece in self.control.pieces),
            [self.samples, self.seed, list(self.causes), self.design, self.worlds],
        )

    def describe(self) -> dict[str, Any]:
        """What was asked, as plain JSON."""
        return {
            "kind": "draws",
            "title": say("study.title_draws", state=name_of(self.control.by), on=", ".join(self.control.on)),
            "chains": list(self.setting.chains),
            "year": self.setting.year,
            "window": self.setting.months,
            "by": self.control.by,
            "on": list(self.control.on),
            "control": [piece.to_toml() for piece in self.control.pieces],
            "samples": self.drawn,
            "seed": self.seed,
            "design": self.design,
            "causes": list(self.causes),
            "worlds": self.number_of_worlds,
        }

    def quantiles(self, number: int) -> dict[str, float]:
        """Quantile of each cause that scenario `number` draws; none for one that tells a world apart."""
        if number >= self.drawn:
            return {}
        if self.design != "monte_carlo":
            row = _design(self.design, self.continuous, self.samples, self.seed)[number]
            return dict(zip(self.continuous, map(float, row), strict=True))
        uniform = np.random.Generator(np.random.Philox(key=[self.seed, number])).random(len(CAUSES))
        return {
            cause.name: float(uniform[k]) for k, cause in enumerate(CAUSES) if cause.name in self.continuous
        }

    def world(self, number: int) -> int:
        """Which recalibrated world scenario `number` is in; −1 for the one world of the facts."""
        worlds = self.number_of_worlds
        if not worlds:
            return -1
        return number - self.drawn if number >= self.drawn else number * worlds // self.drawn

    def template(self, world: int) -> Template:
        """A world by month."""
        return self.setting.template(() if world < 0 else (self.seed, world, self.worlds))

    def change(self, number: int) -> Change:
        """What scenario `number` changes of its world's base problem."""
        world = self.world(number)
        template = self.template(world)
        return template.change(self.quantiles(number), template.limits(self.control))


@lru_cache(maxsize=2)
def _design(design: str, causes: tuple[str, ...], samples: int, seed: int) -> Any:
    return designed(design, causes, samples, seed)
