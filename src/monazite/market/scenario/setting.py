"""Where scenarios take place: a network by name or as it is, small enough to send to a worker."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from monazite.core.cache import code_hash
from monazite.core.errors import MonaziteError
from monazite.core.manifest import content_hash, package_versions
from monazite.facts import load as load_facts
from monazite.facts.assumptions import settings_hash
from monazite.market.scenario.template import Template
from monazite.network import Network, load
from monazite.network.worlds import other_world

__all__ = ["Setting", "code_key"]


@dataclass(frozen=True)
class Setting:
    """A network that any process can get: by its chains' names, or carried along where it is another.

    Parameters
    ----------
    chains : tuple of str
    year : int
    facts : str
        Content hash of its facts.
    months : int
        Length of the window.
    network : Network, optional
        The network itself, where its facts are not the packaged ones.
    """

    chains: tuple[str, ...]
    year: int
    facts: str
    months: int
    network: Network | None = field(default=None, compare=False, repr=False)

    @classmethod
    def of(cls, network: Network, months: int) -> Setting:
        """The setting of a network: by name where the packaged facts are the same.

        Examples
        --------
        >>> from monazite.network import toy
        >>> Setting.of(toy(), 12).network is None
        True
        """
        own = network.facts.content_hash
        try:
            packaged = load_facts(network.chains, network.year).content_hash == own
        except MonaziteError:
            packaged = False
        return cls(tuple(network.chains), network.year, own, months, None if packaged else network)

    def key(self) -> str:
        """Hash of all that the setting is: facts, assumptions, code, versions, months."""
        return content_hash(self.facts, settings_hash(), code_key(), [*self.chains, self.year, self.months])

    def template(self, world: Sequence[int] = ()) -> Template:
        """Its world by month; with ``seed, number, of`` one of the other worlds that its facts allow."""
        return _template(self, tuple(world))


@lru_cache(maxsize=1)
def code_key() -> str:
    """Hash of the code and of the versions that scenarios rest on.

    Examples
    --------
    >>> len(code_key())
    16
    """
    here = Path(__file__).resolve().parent.parent
    return content_hash(
        code_hash(here, here.parent / "network"), package_versions(("numpy", "scipy", "piqp"))
    )


@lru_cache(maxsize=2)
def _template(setting: Setting, world: tuple[int, ...]) -> Template:
    network = setting.network or load(setting.chains, setting.year)
    return Template(other_world(network, *world) if world else network, setting.months)
