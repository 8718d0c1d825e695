"""A user's own figures beside the packaged ones, never over them.

Each import is one folder, a *vintage*: ``facts/<chain>.csv, trade.parquet, sources.toml, manifest.json``. It
is written to a hidden folder and renamed when it is whole, so that a reader sees all of it or nothing.
Removing the folder undoes the import.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import tempfile
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

import polars as pl

from monazite.core.errors import ArgumentError, FactsError, UnknownName
from monazite.core.manifest import content_hash
from monazite.core.text import say
from monazite.facts.folder import SOURCE_FIELDS, read_toml
from monazite.facts.reading import read_table
from monazite.facts.rules import FACT_COLUMNS, SUBJECT
from monazite.facts.structure import columns_of

__all__ = [
    "SAME",
    "Vintage",
    "family",
    "find",
    "imported_sources",
    "laid_over",
    "newest_trade",
    "overlay_facts",
    "overlay_folder",
    "overlay_key",
    "overlay_sources",
    "overlay_trade",
    "remove_vintage",
    "vintages",
    "write_vintage",
]

_MANIFEST = "manifest.json"
_SOURCES = "sources.toml"
_TRADE = "trade.parquet"
_FACTS = "facts"
#: what an import that was cut short leaves; the next one removes it when it is old
_NEW, _OLD, _STALE = ".new-", ".old-", 3600.0
#: a fact of one source on one subject
SAME = ("variable", *SUBJECT, "source")
_ID = re.compile(r"^[a-z0-9][a-z0-9_.-]*$")


@dataclass(frozen=True)
class Vintage:
    """One import.

    Parameters
    ----------
    id
        Its name: the source and six digits of the file's hash.
    folder
        Where it lies.
    manifest
        ``source, format, title, published, file, sha256, imported, facts`` (by chain), ``trade`` (rows),
        ``sources`` (ids it brings), ``rows``.
    """

    id: str
    folder: Path
    manifest: Mapping[str, Any]

    def facts(self, chain: str) -> Path | None:
        """Return its facts of a chain, where it has any."""
        path = self.folder / _FACTS / f"{chain}.csv"
        return path if path.is_file() else None

    @property
    def chains(self) -> tuple[str, ...]:
        """Chains of which it has facts, sorted."""
        return tuple(sorted(path.stem for path in (self.folder / _FACTS).glob("*.csv")))

    @property
    def trade(self) -> Path | None:
        """Its table of trade, where it has one."""
        path = self.folder / _TRADE
        return path if path.is_file() else None

    @property
    def sources(self) -> Path | None:
        """Its sources that are not packaged, where it has any."""
        path = self.folder / _SOURCES
        return path if path.is_file() else None


def overlay_folder() -> Path:
    """Return the folder of the user's own figures; it is not made before something is imported.

    ``$MONAZITE_OVERLAY``, else ``$XDG_DATA_HOME/monazite/overlay``, else ``~/.local/share/monazite/overlay``.

    Examples
    --------
    >>> overlay_folder().is_absolute()
    True
    """
    own = os.environ.get("MONAZITE_OVERLAY", "").strip()
    if own:
        return Path(own).expanduser().absolute()
    shared = os.environ.get("XDG_DATA_HOME", "").strip()
    if shared and Path(shared).is_absolute():
        return Path(shared) / "monazite" / "overlay"
    return Path("~").expanduser().absolute() / ".local" / "share" / "monazite" / "overlay"


def vintages() -> tuple[Vintage, ...]:
    """Return the imports, in the order in which they were made.

    Raises
    ------
    FactsError
        If the folder cannot be read, or one has no readable manifest: with its folder and how to mend it.

    Examples
    --------
    >>> import os, tempfile
    >>> os.environ["MONAZITE_OVERLAY"] = tempfile.mkdtemp()
    >>> vintages(), overlay_key(), overlay_trade(), overlay_sources(), overlay_facts("copper").height
    ((), '', [], (), 0)
    >>> del os.environ["MONAZITE_OVERLAY"]
    """
    root = overlay_folder()
    try:
        names = sorted(
            item.name for item in root.iterdir() if item.is_dir() and not item.name.startswith(".")
        )
    except FileNotFoundError:
        return ()
    except OSError as error:
        raise FactsError(
            "data.overlay_unreadable", folder=root, reason=error.strerror or str(error)
        ) from error
    found = [_vintage(root / name) for name in names]
    return tuple(sorted(found, key=lambda item: (str(item.manifest["imported"]), item.id)))


def _vintage(folder: Path) -> Vintage:
    try:
        manifest = json.loads((folder / _MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise FactsError("data.overlay_broken", folder=folder, id=folder.name, reason=str(error)) from error
    if not isinstance(manifest, dict) or not {"source", "imported", "sha256"} <= set(manifest):
        raise FactsError("data.overlay_broken", folder=folder, id=folder.name, reason=_MANIFEST)
    return Vintage(folder.name, folder, manifest)


def overlay_facts(chain: str) -> pl.DataFrame:
    """Return the imported facts of a chain as text: ``row``, the columns of a facts table, ``vintage``.

    Raises
    ------
    FactsError
        If a table was damaged after its import.
    """
    frames = []
    for item in vintages():
        path = item.facts(chain)
        told = dict(item.manifest.get("facts") or {}).get(chain)
        if path is None:
            if told:
                raise _cut_short(item, f"{chain}.csv")
            continue
        table = read_table(path, FACT_COLUMNS)
        if told is not None and not table.problems and table.frame.height != told:
            raise _cut_short(item, path.name)
        if table.problems:
            reason = str(table.problems[0])
            raise FactsError("data.overlay_broken", folder=item.folder, id=item.id, reason=reason)
        frames.append(table.frame.with_columns(vintage=pl.lit(item.id)))
    if frames:
        return pl.concat(frames)
    return pl.DataFrame(schema={"row": pl.Int64, **dict.fromkeys((*FACT_COLUMNS, "vintage"), pl.String)})


def _cut_short(item: Vintage, file: str) -> FactsError:
    reason = say("data.overlay_part", file=file)
    return FactsError("data.overlay_broken", folder=item.folder, id=item.id, reason=reason)


def overlay_trade() -> list[Path]:
    """Return the imported tables of trade (columns as in the packaged one), in the order of their import."""
    found = []
    for item in vintages():
        if item.trade is not None:
            found.append(item.trade)
        elif item.manifest.get("trade"):
            raise _cut_short(item, _TRADE)
    return found


def overlay_sources() -> tuple[Path, ...]:
    """Return the files of sources that imports brought, in the order of their import."""
    return tuple(path for item in vintages() if (path := item.sources) is not None)


def overlay_key() -> str:
    """Return a hash of everything imported; empty where there is nothing."""
    files = [path for item in vintages() for path in sorted(item.folder.rglob("*")) if path.is_file()]
    if not files:
        return ""
    seen = [(path, path.stat()) for path in files]
    return _key(tuple((path, stat.st_size, stat.st_mtime_ns) for path, stat in seen))


@lru_cache(maxsize=8)
def _key(files: tuple[tuple[Path, int, int], ...]) -> str:
    root = overlay_folder()
    parts = [(str(path.relative_to(root)), path.read_bytes()) for path, _, _ in files]
    return content_hash(*(part for pair in parts for part in pair))


def laid_over(own: pl.DataFrame, more: pl.DataFrame) -> pl.DataFrame:
    """Lay imported facts over a chain's own, as text: one row for each source and subject.

    An imported row stands for the packaged one of the same source and subject, unless both say the same: then
    the packaged one stays, with its correction. All other rows of both stand beside each other, and the
    rule for contradictions chooses.

    Parameters
    ----------
    own
        Columns of a facts table and any others, which are null for imported rows.
    more
        Columns of a facts table at least (`overlay_facts`).

    Examples
    --------
    >>> row = dict.fromkeys(FACT_COLUMNS) | {"variable": "output", "source": "survey", "value": "1"}
    >>> text = dict.fromkeys(FACT_COLUMNS, pl.String)
    >>> own = pl.DataFrame([row | {"correction": None}], schema=text | {"correction": pl.String})
    >>> more = pl.DataFrame([row | {"value": "2"}, row | {"source": "other", "value": "3"}], schema=text)
    >>> laid_over(own, more)["value"].to_list()
    ['2', '3']
    """
    if not more.height:
        return own
    more = more.select(FACT_COLUMNS).unique(SAME, keep="last", maintain_order=True)
    told = (*SAME, "value", "low", "high", "unit", "status")
    more = more.join(own.select(told), on=told, how="anti", nulls_equal=True, maintain_order="left")
    kept = own.join(more.select(SAME), on=SAME, how="anti", nulls_equal=True, maintain_order="left")
    return pl.concat([kept, more], how="diagonal_relaxed").select(own.columns)


def family(source: str) -> str:
    """Return what the vintages of one source have in common in their ids.

    Examples
    --------
    >>> family("usgs_mcs2026"), family("baci_hs92_v202701"), family("baci_hs92"), family("comtrade_2023_2024")
    ('usgs_mcs', 'baci_hs92', 'baci_hs92', 'comtrade')
    """
    return re.sub(r"(?:_?v?\d{4,})+$", "", source) or source


def newest_trade(table: pl.DataFrame, published: Mapping[str, str]) -> pl.DataFrame:
    """Keep of the vintages of a source the one published last, line by line and year by year, each row once.

    Of declarations (reporter ``importer`` or ``exporter``) those of one state are kept or left together, so
    that an extraction of some states' trade leaves the others' as it was.

    Parameters
    ----------
    table
        Packaged and imported trade: ``source, year, hs, exporter, importer, reporter`` and the rest.
    published
        Source to the day, month or year of its publication.

    Examples
    --------
    >>> rows = [(source, year, "260300", "CHL", "CHN", "both") for source, year in
    ...     (("baci_hs92", 2024), ("baci_hs92", 2018), ("baci_hs92_v202701", 2024))]
    >>> columns = ["source", "year", "hs", "exporter", "importer", "reporter"]
    >>> table = pl.DataFrame(rows, schema=columns, orient="row")
    >>> newest_trade(table, {"baci_hs92": "2026-01", "baci_hs92_v202701": "2027-01"})["source"].to_list()
    ['baci_hs92', 'baci_hs92_v202701']
    """
    repeated = ["source", "year", "hs", "exporter", "importer", "reporter"]
    table = table.unique(repeated, keep="last", maintain_order=True)
    names = table["source"].unique().to_list()
    if len({family(name) for name in names}) == len(names):
        return table
    order = {name: (published.get(name) or "", name) for name in names}
    rank = {name: sum(other < key for other in order.values()) for name, key in order.items()}
    declarer = pl.when(pl.col("reporter") == "importer").then("importer")
    told = table.with_columns(
        _family=pl.col("source").replace_strict({name: family(name) for name in names}),
        _rank=pl.col("source").replace_strict(rank, return_dtype=pl.Int64),
        _declarer=declarer.when(pl.col("reporter") == "exporter").then("exporter"),
    )
    last = pl.col("_rank") == pl.col("_rank").max().over("_family", "hs", "year", "reporter", "_declarer")
    return told.filter(last).drop("_family", "_rank", "_declarer")


def write_vintage(
    id_: str,
    manifest: Mapping[str, Any],
    facts: Mapping[str, pl.DataFrame],
    trade: pl.DataFrame | None = None,
    sources: Mapping[str, Mapping[str, str]] | None = None,
) -> Vintage:
    """Write an import: whole, or not at all.

    Parameters
    ----------
    id_
        Name of the vintage: letters, digits, ``_``, ``-``.
    manifest
        What is to be remembered of it; the time is added.
    facts
        Chain to its facts (columns of a facts table as text).
    trade
        Columns of the trade table.
    sources
        Sources that are not packaged.

    Raises
    ------
    ArgumentError
        If there is a vintage of that name already: it must be removed first.
    FactsError
        If the folder cannot be written.
    """
    if not _ID.match(id_):
        raise ArgumentError("data.overlay_name", given=id_)
    root = overlay_folder()
    for item in vintages():
        if item.id == id_:
            raise ArgumentError("data.overlay_there", id=item.id, day=str(item.manifest["imported"])[:10])
    told = {**manifest, "imported": datetime.now(UTC).isoformat(timespec="seconds")}
    try:
        root.mkdir(parents=True, exist_ok=True)
        _sweep(root)
        new = Path(tempfile.mkdtemp(prefix=_NEW, dir=root))
        try:
            _fill(new, told, facts, trade, sources or {})
            new.chmod(0o755)
            new.rename(root / id_)
        except BaseException:
            shutil.rmtree(new, ignore_errors=True)
            raise
    except OSError as error:
        raise FactsError(
            "data.overlay_unwritable", folder=root, reason=error.strerror or str(error)
        ) from error
    return _vintage(root / id_)


def _fill(
    folder: Path,
    manifest: Mapping[str, Any],
    facts: Mapping[str, pl.DataFrame],
    trade: pl.DataFrame | None,
    sources: Mapping[str, Mapping[str, str]],
) -> None:
    for chain, frame in sorted(facts.items()):
        (folder / _FACTS).mkdir(exist_ok=True)
        frame.select(FACT_COLUMNS).write_csv(folder / _FACTS / f"{chain}.csv")
    if trade is not None and trade.height:
        table = trade.select(columns_of("trade")).cast({"year": pl.Int16})
        table.write_parquet(folder / _TRADE, compression="zstd", statistics=False)
    if sources:
        (folder / _SOURCES).write_text(_toml(sources), encoding="utf-8")
    text = json.dumps(manifest, ensure_ascii=False, indent=1, sort_keys=True) + "\n"
    (folder / _MANIFEST).write_text(text, encoding="utf-8")


def _toml(sources: Mapping[str, Mapping[str, str]]) -> str:
    """Write sources as TOML; its basic strings are those of JSON."""
    parts = []
    for name, entry in sorted(sources.items()):
        fields = [
            f"{field} = {json.dumps(entry.get(field, ''), ensure_ascii=False)}" for field in SOURCE_FIELDS
        ]
        parts.append("\n".join([f"[sources.{json.dumps(name)}]", *fields]))
    return "\n\n".join(parts) + "\n"


def _sweep(root: Path) -> None:
    """Remove what earlier imports or removals left when they were killed."""
    for item in root.iterdir():
        if item.name.startswith((_NEW, _OLD)):
            with contextlib.suppress(OSError):
                if time.time() - item.stat().st_mtime > _STALE:
                    shutil.rmtree(item, ignore_errors=True)


def remove_vintage(id_: str) -> Vintage:
    """Undo an import; one whose manifest is broken can be removed, too.

    Raises
    ------
    UnknownName
        If there is no such vintage.
    ArgumentError
        If another import cites a source that only this one describes.
    FactsError
        If its folder cannot be removed.
    """
    try:
        known = vintages()
    except FactsError:
        item = Vintage(id_, overlay_folder() / id_, {})
        if not _ID.match(id_) or not item.folder.is_dir():
            raise
    else:
        item = find(id_, known)
        _refuse_needed(item, known)
    try:
        gone = Path(tempfile.mkdtemp(prefix=_OLD, dir=overlay_folder()))
        item.folder.rename(gone / item.id)
        shutil.rmtree(gone, ignore_errors=True)
    except OSError as error:
        raise FactsError(
            "data.overlay_unwritable", folder=item.folder, reason=error.strerror or str(error)
        ) from error
    return item


def _refuse_needed(item: Vintage, known: Iterable[Vintage]) -> None:
    """Stop where another import cites a source that this one brought."""
    brought = {name for name, (owner, _) in imported_sources().items() if owner == item.id}
    for other in known:
        shared = sorted(brought & set(other.manifest.get("sources") or ())) if other.id != item.id else []
        if shared:
            raise ArgumentError("data.overlay_needed", id=item.id, source=shared[0], other=other.id)


def find(id_: str, known: Iterable[Vintage]) -> Vintage:
    """Return the vintage of a name.

    Raises
    ------
    UnknownName
        With the nearest right name.
    ArgumentError
        If there is none at all.
    """
    items = {item.id: item for item in known}
    if not items:
        raise ArgumentError("data.overlay_none", folder=overlay_folder())
    if id_ not in items:
        raise UnknownName("vintage", id_, items)
    return items[id_]


def imported_sources() -> dict[str, tuple[str, dict[str, str]]]:
    """Return the sources that imports brought: id to vintage and entry."""
    found: dict[str, tuple[str, dict[str, str]]] = {}
    for item in vintages():
        if item.sources is not None:
            for name, entry in read_toml(item.sources).get("sources", {}).items():
                found.setdefault(
                    name, (item.id, {field: str(entry.get(field, "")) for field in SOURCE_FIELDS})
                )
    return found
