"""Where tables lie: the packaged folder or one of the user's own."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from monazite.core.errors import FactsError, UnknownName
from monazite.core.settings import data_folder

__all__ = ["SOURCE_FIELDS", "TOY", "Folder", "packaged", "read_toml"]

#: the invented chain of tests and tutorials: packaged, never among the default chains
TOY = "toy"
#: what is said of a source
SOURCE_FIELDS = ("citation", "url", "licence", "published", "retrieved", "next_version")

_TABLE = "facts.csv"


@dataclass(frozen=True)
class Folder:
    """A folder of chains, with sources and corrections.

    Parameters
    ----------
    chains
        Folder that holds one folder a chain, each with ``commodities.csv, activities.csv, facts.csv``.
    sources
        TOML files of sources; one of the user's own may stand for a packaged one of the same id.
    corrections
        TOML file of corrections, which need not exist.
    """

    chains: Path
    sources: tuple[Path, ...]
    corrections: Path

    @classmethod
    def at(cls, path: Path) -> Folder:
        """Find chains, sources and corrections below a path.

        The path holds ``chains/<chain>/`` or ``<chain>/`` itself; sources stand in ``sources/*.toml`` and in
        ``<chain>/sources.toml``. The packaged sources are always known too.

        Raises
        ------
        FactsError
            If there is no chain below the path.
        """
        if path.resolve() in (data_folder(), data_folder() / "chains"):
            return packaged()
        chains = path / "chains" if (path / "chains").is_dir() else path
        found = cls(
            chains,
            (
                *packaged().sources,
                *sorted((path / "sources").glob("*.toml")),
                *sorted(chains.glob("*/sources.toml")),
            ),
            path / "corrections.toml",
        )
        if not found.names():
            raise FactsError("data.no_chain", folder=path)
        return found

    def names(self) -> tuple[str, ...]:
        """Return the chains in this folder, sorted."""
        if not self.chains.is_dir():
            return ()
        return tuple(sorted(item.name for item in self.chains.iterdir() if (item / _TABLE).is_file()))

    def choose(self, chains: Iterable[str] | None) -> tuple[str, ...]:
        """Return the chains asked for, sorted, each once; without any, all but the toy.

        Raises
        ------
        UnknownName
            With the nearest right name.
        """
        known = self.names()
        if chains is None:
            return tuple(name for name in known if name != TOY) or known
        chosen = tuple(sorted(set(chains)))
        for name in chosen:
            if name not in known:
                raise UnknownName("chain", name, known)
        if not chosen:
            raise UnknownName("chain", "", known)
        return chosen

    def read_sources(self) -> dict[str, dict[str, str]]:
        """Return every source by its id: `SOURCE_FIELDS` and ``file``.

        Raises
        ------
        FactsError
            If a file is no TOML, or an id stands in two files.
        """
        found: dict[str, dict[str, str]] = {}
        own: dict[str, Path] = {}
        for path in self.sources:
            for name, entry in read_toml(path).get("sources", {}).items():
                if name in own and own[name].is_relative_to(data_folder()) == path.is_relative_to(
                    data_folder()
                ):
                    raise FactsError(
                        "data.source_twice", source=name, one=found[name]["file"], other=path.name
                    )
                own[name] = path
                found[name] = {field: str(entry.get(field, "")) for field in SOURCE_FIELDS} | {
                    "file": path.name
                }
        return found


@lru_cache(maxsize=1)
def packaged() -> Folder:
    """Return the packaged folder."""
    root = data_folder()
    return Folder(
        root / "chains", tuple(sorted((root / "sources").glob("*.toml"))), root / "corrections.toml"
    )


def read_toml(path: Path) -> dict[str, Any]:
    """Read a TOML file.

    Raises
    ------
    FactsError
        If it is not TOML, with the line.
    """
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise FactsError("data.toml", file=path.name, reason=str(error)) from error
