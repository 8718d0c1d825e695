"""The facts of some chains for one base year, checked as they are loaded."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import polars as pl

from monazite.core.cache import code_hash, kept
from monazite.core.errors import FactsError, UnknownName
from monazite.core.manifest import content_hash
from monazite.core.settings import data_folder
from monazite.core.units import units
from monazite.facts.chain import ChainTables, chain_files, read_chain, refuse_shared
from monazite.facts.citing import known_sources
from monazite.facts.corrections import read_corrections
from monazite.facts.folder import SOURCE_FIELDS, Folder, packaged
from monazite.facts.overlay import overlay_key
from monazite.facts.reading import read_table
from monazite.facts.rules import FACT_COLUMNS, SUBJECT, Context, variables
from monazite.facts.sigma import sigma_expr, widen
from monazite.facts.structure import ACTIVITY_COLUMNS, COMMODITY_COLUMNS, HOST_COLUMNS

__all__ = ["KIND_ORDER", "FactTable", "chains", "commodity_chains", "content_key", "load", "named", "years"]

#: of figures that contradict each other the first of these kinds is chosen
KIND_ORDER = ("reported", "derived", "estimated", "assumed", "modelled")

#: fact ids of the second chain begin here, those of the third at twice as much, …
STRIDE = 1_000_000
#: base years by the content of a chain's files, so that they are read once for many questions
_YEARS: dict[str, tuple[int, ...]] = {}

_SUBJECT_KEY = ("chain", "variable", *SUBJECT)


@dataclass(frozen=True, eq=False)
class FactTable:
    """What is known of some chains in one base year.

    Attributes
    ----------
    frame : polars.DataFrame
        One row a fact that holds: the columns of a facts table (value, low, high as numbers in the canonical
        unit of the variable), then ``chain, fact_id, sigma`` (in the same unit; null where there is neither a
        figure nor a range), ``written`` and ``unit_written`` (value as it stands in the file), ``correction``
        (what a correction changed, or null).
    losers : polars.DataFrame
        The facts that contradict one in `frame` and were not chosen; same columns. The rule: a figure before
        none, one that stands (status ok) before one that does not, then the kind (`KIND_ORDER`), then the
        source published last, then the order of the file.
    commodities, activities, sources : polars.DataFrame
        As in the files; sources that a loaded fact cites.
    lines, hosts : polars.DataFrame
        The customs lines that are flows of a commodity, and what hosts a by-product, with ``chain``.
    yielded : tuple of polars.DataFrame
        Commodities and activities that a chain drops because its host chain is loaded too (`part` has them).
    chains : tuple of str
        Sorted.
    year : int
        Base year.
    content_hash : str
        Hash of everything read.
    """

    frame: pl.DataFrame
    losers: pl.DataFrame
    commodities: pl.DataFrame
    activities: pl.DataFrame
    sources: pl.DataFrame
    lines: pl.DataFrame
    hosts: pl.DataFrame
    yielded: tuple[pl.DataFrame, pl.DataFrame]
    chains: tuple[str, ...]
    year: int
    content_hash: str

    def select(self, variable: str, **subject: str | Iterable[str] | None) -> pl.DataFrame:
        """Return the facts of a variable, by subject if wanted.

        Parameters
        ----------
        variable
            A variable of ``data/schema/variables.csv``.
        **subject
            ``commodity, activity, place, partner, period, chain``: a name, several, or None for blank.

        Raises
        ------
        UnknownName
            If there is no such variable or no such column.

        Examples
        --------
        >>> facts = load(["toy"], 2024)
        >>> facts.select("output", activity="mine_toy", place=["CHN", "USA"])["value"].to_list()
        [80.0, 20.0]
        """
        known = variables()["variable"].to_list()
        if variable not in known:
            raise UnknownName("variable", variable, known)
        chosen = [pl.col("variable") == variable]
        for column, wanted in subject.items():
            if column not in (*SUBJECT, "chain"):
                raise UnknownName("column", column, (*SUBJECT, "chain"))
            if wanted is None:
                chosen.append(pl.col(column).is_null())
            elif isinstance(wanted, str):
                chosen.append(pl.col(column) == wanted)
            else:
                chosen.append(pl.col(column).is_in(list(wanted)))
        return self.frame.filter(chosen)

    def only(self, chains: Iterable[str]) -> FactTable:
        """Return some of the chains as they stand here, their facts under the same ids.

        Examples
        --------
        >>> load(["toy"], 2024).only(["toy"]).chains
        ('toy',)
        """
        kept = tuple(sorted(set(chains)))
        own = pl.col("chain").is_in(kept)
        frames = ("frame", "losers", "commodities", "activities", "lines", "hosts")
        found = {name: getattr(self, name).filter(own) for name in frames}
        return replace(self, **found, chains=kept, content_hash=content_hash(self.content_hash, list(kept)))

    def part(self, chain: str) -> FactTable:
        """Return one of the chains as if it were loaded alone, its facts under the same ids.

        Examples
        --------
        >>> load(["toy"], 2024).part("toy").frame.height > 20
        True
        """
        if chain not in self.chains:
            raise UnknownName("chain", chain, self.chains)
        alone = self.only([chain])
        goods, doings = (frame.filter(pl.col("chain") == chain) for frame in self.yielded)
        return replace(
            alone,
            commodities=pl.concat([alone.commodities, goods]),
            activities=pl.concat([alone.activities, doings]),
            yielded=(goods.clear(), doings.clear()),
        )

    def explain(self, fact_ids: Iterable[int]) -> pl.DataFrame:
        """Return facts with their sources, each followed by those it contradicts.

        Parameters
        ----------
        fact_ids
            Ids as in ``frame``, ``losers`` or a network.

        Returns
        -------
        polars.DataFrame
            Columns of `frame`, ``chosen`` (whether the fact holds), and the source's ``citation, url,
            licence, published, retrieved``.

        Raises
        ------
        UnknownName
            If an id is not loaded.

        Examples
        --------
        >>> facts = load(["toy"], 2024)
        >>> facts.explain([facts.select("output")["fact_id"][0]])["citation"].item()[:8]
        'Monazite'
        """
        wanted = [int(item) for item in fact_ids]
        both = pl.concat(
            [
                self.frame.with_columns(chosen=pl.lit(value=True)),
                self.losers.with_columns(chosen=pl.lit(value=False)),
            ]
        )
        known = set(both["fact_id"].to_list())
        for item in wanted:
            if item not in known:
                raise UnknownName("fact", item, ())
        order = pl.DataFrame(
            {"fact_id": wanted, "order": range(len(wanted))}, schema_overrides={"fact_id": pl.Int64}
        )
        order = order.unique("fact_id", keep="first")
        subjects = both.join(order, on="fact_id").group_by(_SUBJECT_KEY).agg(pl.col("order").min())
        rows = both.join(subjects, on=_SUBJECT_KEY, nulls_equal=True)
        rows = rows.sort("order", pl.col("chosen").not_(), "fact_id").drop("order")
        about = self.sources.select("source", "citation", "url", "licence", "published", "retrieved")
        return rows.join(about, on="source", how="left", maintain_order="left")


def chains() -> tuple[str, ...]:
    """Return the packaged chains, sorted, the toy left out.

    Examples
    --------
    >>> "toy" in chains()
    False
    """
    return tuple(name for name in packaged().names() if name != "toy")


def years(chain: str, *, path: Path | None = None) -> tuple[int, ...]:
    """Return the base years of a chain: those with facts of output and also of trade or use.

    Raises
    ------
    UnknownName
        If there is no such chain.

    Examples
    --------
    >>> years("toy")
    (2024,)
    """
    folder = packaged() if path is None else Folder.at(path)
    (name,) = folder.choose([chain])
    key = content_key([name], path=path)
    if key not in _YEARS:
        _YEARS[key] = kept(
            f"years/{code_hash(Path(__file__).parent)}-{key}.pickle", tuple, lambda: _read_years(folder, name)
        )
    return _YEARS[key]


def _read_years(folder: Folder, name: str) -> tuple[int, ...]:
    return read_chain(folder, name, list(known_sources(folder)), read_corrections(folder.corrections)).years


@lru_cache(maxsize=1)
def commodity_chains() -> dict[str, str]:
    """Return the chain of every packaged commodity, the toy's included.

    Examples
    --------
    >>> commodity_chains()["toy_ore"]
    'toy'
    """
    return {good: chain for chain in packaged().names() for good, _ in named(chain)[0]}


def named(chain: str) -> tuple[list[tuple[str, str]], list[str]]:
    """Return the goods of a packaged chain with their stages, and its end uses, without reading its facts.

    What the chain drops for its host chain's own (``hosts.csv``) is left to that chain.

    Examples
    --------
    >>> named("toy")[1]
    ['toy_gadget']
    """
    home = packaged().chains / packaged().choose([chain])[0]
    goods = read_table(home / "commodities.csv", COMMODITY_COLUMNS).frame.select("commodity", "stage")
    doings = read_table(home / "activities.csv", ACTIVITY_COLUMNS).frame
    if (home / "hosts.csv").is_file():
        hosts = read_table(home / "hosts.csv", HOST_COLUMNS).frame
        dropped = hosts.filter(pl.col("host").is_null())["name"].to_list()
        goods = goods.filter(~pl.col("commodity").is_in(dropped))
    return list(goods.iter_rows()), doings.filter(pl.col("type") == "use")["activity"].to_list()


def load(
    chains: Sequence[str] | str | None = None, year: int | None = None, *, path: Path | str | None = None
) -> FactTable:
    """Load and check the facts of some chains for one base year.

    Parameters
    ----------
    chains
        Names of chains; all packaged ones but the toy when absent.
    year
        Base year; the latest that all these chains have when absent. Kept are facts of the year, of its
        months, and those without period.
    path
        A folder of chains to use instead of the packaged ones (`monazite.facts.folder.Folder.at`).

    Returns
    -------
    FactTable

    Raises
    ------
    UnknownName
        If there is no such chain.
    FactsError
        If a table is wrong (file, row, column, nearest right name, how to mend), a correction no longer
        fits, or the chains have no such year.

    Examples
    --------
    >>> load(["toy"], 2024).select("price", commodity="toy_ore")["value"].item()
    1.0
    """
    folder = packaged() if path is None else Folder.at(Path(path))
    chosen = folder.choose([chains] if isinstance(chains, str) else chains)
    sources = known_sources(folder)
    corrections = read_corrections(folder.corrections)
    read = {name: read_chain(folder, name, list(sources), corrections) for name in chosen}
    refuse_shared(read)
    base = _base_year(read, year)
    frames, first = [], 0
    for name, tables in read.items():
        frame = tables.of_year(base).with_columns(chain=pl.lit(name), fact_id=pl.col("fact_id") + first)
        frames.append(_typed(frame, tables.context))
        first += STRIDE
    kept = pl.concat(frames)
    winners, losers = _choose(kept, sources)
    cited = set(kept["source"].to_list())
    about = pl.DataFrame(
        [{"source": name, **entry} for name, entry in sources.items() if name in cited],
        schema=dict.fromkeys(("source", *SOURCE_FIELDS, "file"), pl.String),
    )
    gathered = {
        key: pl.concat(
            [getattr(tables, key).with_columns(chain=pl.lit(name)) for name, tables in read.items()]
        )
        for key in ("commodities", "activities", "lines", "hosts")
    }
    goods, no_goods = _owned(gathered["commodities"], "commodity", gathered["hosts"])
    doings, no_doings = _owned(gathered["activities"], "activity", gathered["hosts"])
    return FactTable(
        winners, losers, goods, doings, about, gathered["lines"], gathered["hosts"], (no_goods, no_doings),
        chosen, base, content_key(chosen, base, path=path),
    )  # fmt: skip


def content_key(chains: Sequence[str], year: int | None = None, *, path: Path | str | None = None) -> str:
    """Return the hash of everything that goes into the facts of some chains, without reading them as tables.

    Examples
    --------
    >>> content_key(["toy"], 2024) == load(["toy"], 2024).content_hash
    True
    """
    folder = packaged() if path is None else Folder.at(Path(path))
    files = [item for name in chains for item in chain_files(folder, name)]
    read = [item.read_bytes() for item in (*_settings_files(folder), *files)]
    return content_hash(*read, list(chains), year, overlay_key() if folder is packaged() else "")


def _owned(frame: pl.DataFrame, column: str, hosts: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Of names that two chains share keep the host chain's; return those kept and those dropped."""
    yielding = hosts.select(pl.col("name").alias(column), "chain")
    twice = frame.filter(pl.col(column).is_duplicated())
    dropped = twice.join(yielding, on=[column, "chain"], how="semi")
    return frame.join(dropped, on=[column, "chain"], how="anti"), dropped


def _settings_files(folder: Folder) -> list[Path]:
    data = data_folder()
    files = [*folder.sources, data / "uncertainty.csv", data / "schema" / "variables.csv"]
    files += [data / "schema" / "units.csv", folder.corrections, data / "trade" / "trade.parquet"]
    return [item for item in files if item.is_file()]


def _base_year(read: Mapping[str, ChainTables], year: int | None) -> int:
    known = {name: tables.years for name, tables in read.items()}
    if year is not None:
        for name, own in known.items():
            if year not in own:
                raise FactsError("data.no_year", chain=name, year=year, known=own)
        return year
    shared = set.intersection(*(set(own) for own in known.values()))
    if not shared:
        listed = [f"{name} {', '.join(map(str, own))}" for name, own in known.items()]
        raise FactsError("data.no_shared_year", chains="; ".join(listed))
    return max(shared)


def _typed(frame: pl.DataFrame, context: Context) -> pl.DataFrame:
    """Turn text into numbers in canonical units and add sigma."""
    factors = {name: unit.factor for name, unit in units().items()}
    about = variables().select("variable", "canonical", "dimension")
    frame = frame.join(about, on="variable", how="left", maintain_order="left").with_columns(
        written=pl.col("value"),
        unit_written=pl.col("unit"),
        factor=pl.col("unit").replace_strict(factors, return_dtype=pl.Float64)
        / pl.col("canonical").replace_strict(factors, return_dtype=pl.Float64),
        own=pl.col("activity").replace_strict(context.references, default=None, return_dtype=pl.String),
    )
    numbers = [
        (pl.col(name).cast(pl.Float64) * pl.col("factor")).alias(name) for name in ("value", "low", "high")
    ]
    frame = frame.with_columns(*numbers, unit=pl.col("canonical")).with_columns(
        exact=(pl.col("variable") == "coefficient")
        & (pl.col("commodity") == pl.col("own"))
        & (pl.col("value").abs() == 1.0)
    )
    return frame.with_columns(sigma_expr()).select(
        *FACT_COLUMNS, "chain", "fact_id", "sigma", "written", "unit_written", "correction"
    )


def _choose(frame: pl.DataFrame, sources: dict[str, dict[str, str]]) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Part the facts that hold from those that contradict them, and widen sigma to half the spread."""
    published = {name: entry["published"] for name, entry in sources.items()}
    ranked = frame.with_columns(
        kind_rank=pl.col("kind").replace_strict(KIND_ORDER, range(len(KIND_ORDER)), return_dtype=pl.Int64),
        published=pl.col("source").replace_strict(published, return_dtype=pl.String),
    ).sort(
        pl.col("value").is_null(),
        pl.col("status") != "ok",
        "kind_rank",
        "published",
        "fact_id",
        descending=[False, False, False, True, False],
        maintain_order=True,
    )
    ranked = ranked.with_columns(
        chosen=pl.int_range(pl.len()).over(_SUBJECT_KEY) == 0,
        spread=(pl.col("value").max() - pl.col("value").min()).over(_SUBJECT_KEY).fill_null(0.0),
    ).with_columns(
        sigma=pl.when(pl.col("value").is_not_null())
        .then(widen(pl.col("sigma"), pl.col("spread")))
        .otherwise("sigma")
    )
    ranked = ranked.sort("fact_id")
    winners = ranked.filter("chosen").select(frame.columns)
    return winners, ranked.filter(~pl.col("chosen")).select(frame.columns)
