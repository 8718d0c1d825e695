"""What a fact must be: every rule looks at all rows at once and names each row that breaks it."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from functools import lru_cache

import polars as pl

from monazite.core import schema
from monazite.core.units import units
from monazite.facts.places import nearest_place, places
from monazite.facts.problems import Problem, name_problem, problem

__all__ = ["FACT_COLUMNS", "SUBJECT", "Context", "fact_problems", "variables"]

#: the columns of a facts table, in order
FACT_COLUMNS: tuple[str, ...] = schema.names("facts", "column")
#: the columns that say what a fact is about
SUBJECT: tuple[str, ...] = ("commodity", "activity", "place", "partner", "period")

_COHORTS = ("c1", "c2", "c3", "c4")
_ELEMENT = r"^[A-Z][A-Za-z]{0,9}$"
_PERIOD = r"^(19|20|21)\d{2}(-(0[1-9]|1[0-2]))?$"
_NUMBERS = ("value", "low", "high")
_WORLD = "WLD"
_REST = "ROW"


@dataclass(frozen=True)
class Context:
    """The names that a facts table may use.

    Parameters
    ----------
    commodities
        Commodity to its basis.
    activities
        Activity to its type (mine, process, recycle, use, substitute).
    references
        Activity to its reference commodity; none for a use.
    sources
        Ids of the sources.
    """

    commodities: dict[str, str]
    activities: dict[str, str]
    references: dict[str, str]
    sources: Collection[str]


@lru_cache(maxsize=1)
def variables() -> pl.DataFrame:
    """Return ``data/schema/variables.csv`` as a frame with one yes-or-no column per subject column and rule.

    Columns: ``variable, needs_<column>, may_<column>, list_<column>`` for every subject column,
    ``canonical`` (unit), ``dimension``, ``sign, activity_is, total, shares``.

    Examples
    --------
    >>> variables().filter(pl.col("variable") == "trade")["needs_partner"].item()
    True
    """
    known = units()
    rows = []
    for row in schema.table("variables"):
        needs, may, lists = (
            set(filter(None, row[name].split(";"))) for name in ("required", "optional", "lists")
        )
        made: dict[str, object] = {"variable": row["variable"]}
        for column in SUBJECT:
            made[f"needs_{column}"] = column in needs
            made[f"may_{column}"] = column in needs | may
            made[f"list_{column}"] = column in lists
        made |= {
            "canonical": row["unit"],
            "dimension": known[row["unit"]].dimension,
            "sign": row["sign"],
            "activity_is": row["activity_is"],
            "total": row["total"] == "yes",
            "shares": row["shares"],
        }
        rows.append(made)
    return pl.DataFrame(rows)


def fact_problems(raw: pl.DataFrame, context: Context) -> list[Problem]:
    """Name everything wrong with a facts table.

    Parameters
    ----------
    raw
        Columns ``row`` and `FACT_COLUMNS`, all but the row as text, blanks as null
        (`monazite.facts.reading.read_table`).
    context
        The names it may use.

    Returns
    -------
    list of Problem
        In the order of the rows; empty where nothing is wrong.
    """
    if not raw.height:
        return []
    frame = raw.join(variables(), on="variable", how="left", maintain_order="left").with_columns(
        *(pl.col(name).cast(pl.Float64, strict=False).alias(f"{name}_number") for name in _NUMBERS),
        known=pl.col("canonical").is_not_null(),
    )
    found: list[Problem] = []
    for rule in _RULES:
        found += rule(frame, context)
    return sorted(found, key=lambda item: (item.row or 0, _order(item.column)))


def _order(column: str | None) -> int:
    return FACT_COLUMNS.index(column) if column in FACT_COLUMNS else -1


def _rows(frame: pl.DataFrame, wrong: pl.Expr, *columns: str) -> list[tuple[object, ...]]:
    """Return ``row`` and the columns asked for of the rows where an expression holds."""
    return frame.filter(wrong).select("row", *columns).rows()


def _blank(frame: pl.DataFrame, _: Context) -> list[Problem]:
    """Cells that must be filled: those of every fact, and those that its variable asks for."""
    found = []
    for row in schema.table("facts"):
        name = row["column"]
        if row["required"] == "yes":
            key = "no_source" if name == "source" else "empty_cell"
            found += [problem(key, at, name, what=name) for at in _int_column(frame, pl.col(name).is_null())]
    for name in SUBJECT:
        needed = pl.col(f"needs_{name}") & pl.col(name).is_null()
        found += [
            problem("needed", r, name, what=name, variable=v) for r, v in _pairs(frame, needed, "variable")
        ]
        idle = pl.col("known") & ~pl.col(f"may_{name}") & pl.col(name).is_not_null()
        found += [
            problem("unused", r, name, what=name, variable=v) for r, v in _pairs(frame, idle, "variable")
        ]
    return found


def _names(frame: pl.DataFrame, context: Context) -> list[Problem]:
    """Names that nobody knows: variable, kind, status, basis, unit, source, place."""
    found = []
    allowed: dict[str, Collection[str]] = {
        "variable": schema.names("variables", "variable"),
        "basis": schema.names("bases", "basis"),
        "unit": list(units()),
        "kind": schema.enum("kind"),
        "status": schema.enum("status"),
        "source": context.sources,
    }
    for name, known in allowed.items():
        wrong = pl.col(name).is_not_null() & ~pl.col(name).is_in(list(known))
        found += [name_problem(r, name, name, given, known) for r, given in _pairs(frame, wrong, name)]
    codes = places()
    for name in ("place", "partner"):
        wrong = pl.col(name).is_not_null() & ~pl.col(name).is_in(list(codes))
        for row, given in _pairs(frame, wrong, name):
            near = nearest_place(given)
            nearest = near if near in codes else None
            found.append(name_problem(row, name, "place", given, codes, nearest=nearest))
        world = (pl.col(name) == _WORLD) & ~pl.col("total")
        found += [problem("world", row, name) for row in _int_column(frame, world)]
    return found


def _subjects(frame: pl.DataFrame, context: Context) -> list[Problem]:
    """Commodities and activities, one or a list of them, and whether an activity suits its variable."""
    found = []
    makers = [name for name, kind in context.activities.items() if kind != "use"]
    uses = [name for name, kind in context.activities.items() if kind == "use"]
    goods = [name for name, kind in context.activities.items() if kind == "product"]
    named = {
        "activity": list(context.activities),
        "maker": makers,
        "use": uses,
        "cohort": list(_COHORTS),
        "product": goods,
    }

    def look(
        row: int, column: str, kind: str, given: str, many: bool, known: Collection[str]
    ) -> list[Problem]:
        parts = [part.strip() for part in given.split(";")] if many else [given]
        wrong = []
        for part in parts:
            if part in known:
                continue
            if kind in ("maker", "use") and part in context.activities:
                wrong.append(problem(f"not_a_{kind}", row, column, given=part))
            elif kind == "use":
                wrong.append(name_problem(row, column, "use", part, known))
            else:
                wrong.append(name_problem(row, column, "activity" if kind == "maker" else kind, part, known))
        return wrong

    strange = pl.col("commodity").is_not_null() & ~pl.col("commodity").is_in(list(context.commodities))
    for row, given, many in _triples(frame, pl.col("known") & strange, "commodity", "list_commodity"):
        found += look(row, "commodity", "commodity", given, many, context.commodities)
    for kind, known in named.items():
        strange = (pl.col("activity_is") == kind) & pl.col("activity").is_not_null()
        strange &= ~pl.col("activity").is_in(list(known))
        for row, given, many in _triples(frame, strange, "activity", "list_activity"):
            found += look(row, "activity", kind, given, many, known)
    strange = (pl.col("activity_is") == "element") & ~pl.col("activity").str.contains(_ELEMENT)
    found += [
        problem("element", r, "activity", given=given) for r, given in _pairs(frame, strange, "activity")
    ]
    same = pl.col("needs_partner") & (pl.col("place") == pl.col("partner")) & (pl.col("place") != _REST)
    found += [problem("to_itself", r, "partner", given=g) for r, g in _pairs(frame, same, "place")]
    wrong = pl.col("period").is_not_null() & ~pl.col("period").str.contains(_PERIOD)
    found += [problem("period", r, "period", given=given) for r, given in _pairs(frame, wrong, "period")]
    return found


def _figures(frame: pl.DataFrame, _: Context) -> list[Problem]:
    """Numbers that are none, are missing, are out of order or have the wrong sign."""
    found = []
    for name in _NUMBERS:
        number = pl.col(f"{name}_number")
        wrong = pl.col(name).is_not_null() & ~number.is_finite().fill_null(value=False)
        for row, given in _pairs(frame, wrong, name):
            key = "number_comma" if "," in given else "number"
            found.append(problem(key, row, name, given=given))
    silent = pl.col("value").is_null() & pl.col("status").is_in(["ok", "provisional"])
    found += [problem("no_figure", row, "value", status=s) for row, s in _pairs(frame, silent, "status")]
    value, low, high = (pl.col(f"{name}_number") for name in _NUMBERS)
    for wrong, column, first, second in (
        (low > value, "low", "low", "value"),
        (value > high, "high", "value", "high"),
        ((low > high) & value.is_null(), "low", "low", "high"),
    ):
        rows = _rows(frame, wrong, first, second)
        found += [
            problem("disordered", int(str(r)), column, first=first, a=a, second=second, b=b)
            for r, a, b in rows
        ]
    signs = {
        "nonnegative": (value < 0) | (low < 0),
        "positive": (value <= 0) | (low < 0),
        "negative": (value >= 0) | (high > 0),
    }
    for sign, wrong in signs.items():
        rows = _rows(frame, (pl.col("sign") == sign) & wrong, "variable")
        found += [problem(f"sign_{sign}", int(str(r)), "value", variable=v) for r, v in rows]
    return found


def _dimensions(frame: pl.DataFrame, _: Context) -> list[Problem]:
    """Units that do not measure the variable."""
    known = units()
    table = pl.DataFrame(
        {"unit": list(known), "unit_dimension": [unit.dimension for unit in known.values()]},
    )
    wrong = frame.filter(pl.col("known") & pl.col("unit").is_in(list(known)))
    wrong = wrong.join(table, on="unit", how="left").filter(pl.col("unit_dimension") != pl.col("dimension"))
    return [
        replace(problem("unit_wrong", row, "unit", given=unit, variable=name, wanted=wanted), nearest=wanted)
        for row, unit, name, wanted in wrong.select("row", "unit", "variable", "canonical").iter_rows()
    ]


def _bases(frame: pl.DataFrame, context: Context) -> list[Problem]:
    """Tonnes on another basis than their commodity's: they would be added as if they were the same."""
    bases = pl.DataFrame(
        {"name": list(context.commodities), "own_basis": list(context.commodities.values())},
        schema={"name": pl.String, "own_basis": pl.String},
    )
    levels = pl.DataFrame(
        {"activity": list(context.references), "reference": list(context.references.values())},
        schema={"activity": pl.String, "reference": pl.String},
    )
    flows = frame.filter(
        pl.col("dimension") == "mass rate", pl.col("basis").is_in(schema.names("bases", "basis"))
    )
    flows = flows.join(levels, on="activity", how="left").with_columns(
        name=pl.coalesce("commodity", "reference")
    )
    wrong = flows.join(bases, on="name", how="inner").filter(pl.col("basis") != pl.col("own_basis"))
    return [
        problem("basis_differs", row, "basis", given=given, commodity=name, wanted=own)
        for row, given, name, own in wrong.select("row", "basis", "name", "own_basis").iter_rows()
    ]


def _duplicates(frame: pl.DataFrame, _: Context) -> list[Problem]:
    """Two rows of one source on one subject."""
    keys = ["variable", *SUBJECT, "source"]
    first = pl.col("row").min().over(keys)
    twice = frame.filter(pl.col("known")).with_columns(first=first).filter(pl.col("row") != pl.col("first"))
    return [
        problem("duplicate", row, None, first=other)
        for row, other in twice.select("row", "first").iter_rows()
    ]


def _shares(frame: pl.DataFrame, context: Context) -> list[Problem]:
    """Shares over 100 %, each and in sum, and separations that give more oxide than they take."""
    factors = {name: unit.factor for name, unit in units().items()}
    number = pl.col("value_number") * pl.col("unit").replace_strict(
        factors, default=None, return_dtype=pl.Float64
    )
    good = frame.filter(pl.col("known"), pl.col("value_number").is_finite()).with_columns(number=number)
    wrong = good.filter(pl.col("shares").is_in(["each", "sum"]), pl.col("number") > 1 + 1e-9)
    found = [
        problem("share_above", row, "value", percent=100 * share)
        for row, share in wrong.select("row", "number").iter_rows()
    ]
    others = ["variable", *(name for name in SUBJECT if name != "activity"), "source"]
    sums = (
        good.filter(pl.col("shares") == "sum")
        .group_by(others, maintain_order=True)
        .agg(pl.col("number").sum(), pl.col("number").max().alias("most"), pl.col("row").max())
        .filter(pl.col("number") > 1 + 1e-9, pl.col("most") <= 1 + 1e-9)
    )
    found += [
        problem("shares_above", row, "value", percent=100 * total, variable=variable)
        for row, total, variable in sums.select("row", "number", "variable").iter_rows()
    ]
    return found + _baskets(good, context)


def _baskets(good: pl.DataFrame, context: Context) -> list[Problem]:
    """Oxides out of a tonne of oxides contained: no more than a tonne."""
    oxides = [name for name, basis in context.commodities.items() if basis in ("REO", "oxide")]
    taking = [
        name
        for name, reference in context.references.items()
        if reference in oxides and context.activities.get(name) in ("process", "recycle")
    ]
    rows = good.filter(
        pl.col("variable") == "coefficient",
        pl.col("activity").is_in(taking),
        pl.col("commodity").is_in(oxides),
        pl.col("status").is_in(["ok", "provisional"]),
    )
    found = []
    for (activity, _), part in rows.group_by("activity", "period", maintain_order=True):
        general = part.filter(pl.col("place").is_null())
        for place in [None, *part["place"].drop_nulls().unique(maintain_order=True)]:
            own = part.filter(pl.col("place") == place) if place else general
            rest = (
                general.filter(~pl.col("commodity").is_in(own["commodity"].to_list()))
                if place
                else own.clear()
            )
            both = pl.concat([own, rest]).unique("commodity", keep="first", maintain_order=True)
            given = sum(both.filter(pl.col("number") > 0)["number"].to_list())
            taken = -sum(both.filter(pl.col("number") < 0)["number"].to_list())
            if taken and given > taken * (1 + 1e-6):
                row, where = int(own["row"].to_list()[-1]), place or _WORLD
                found.append(
                    problem(
                        "basket_above",
                        row,
                        "value",
                        percent=100 * given / taken,
                        activity=activity,
                        place=where,
                    )
                )
    return found


def _int_column(frame: pl.DataFrame, wrong: pl.Expr) -> list[int]:
    return frame.filter(wrong)["row"].to_list()


def _pairs(frame: pl.DataFrame, wrong: pl.Expr, column: str) -> list[tuple[int, str]]:
    return list(frame.filter(wrong).select("row", column).iter_rows())


def _triples(frame: pl.DataFrame, wrong: pl.Expr, column: str, flag: str) -> list[tuple[int, str, bool]]:
    return list(frame.filter(wrong).select("row", column, flag).iter_rows())


_RULES: tuple[Callable[[pl.DataFrame, Context], list[Problem]], ...] = (
    _blank,
    _names,
    _subjects,
    _figures,
    _dimensions,
    _bases,
    _duplicates,
    _shares,
)
