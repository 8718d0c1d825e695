"""The registry of real controls: ``data/controls/*.toml``, one file a control, entered from its legal text.

A file has the fields ``id, title, by, announced, in_force, status, base_year, in_base_from, chains, targets,
legal, hs, source, note``; tables ``[[path]]``, each a licence path of some commodities (``commodity, target,
kind`` assumed or observed, ``spill, caps`` as monthly fractions of base flow from the month it is in force,
``after, cohorts, note, source``); and tables ``[[observed]]``, points of the record (``what, commodity,
place, partner, period, value, low, high, unit, source, locator, note``).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from datetime import date
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Any

from monazite.core import schema
from monazite.core.errors import FactsError
from monazite.core.settings import data_folder
from monazite.core.units import units
from monazite.facts.folder import packaged, read_toml
from monazite.facts.places import groups, nearest_place, places
from monazite.facts.problems import Problem, name_problem, problem
from monazite.facts.table import commodity_chains

__all__ = ["control_problems", "controls", "read_control"]

_COHORTS = ("c1", "c2", "c3", "c4")
_ID = re.compile(r"^[A-Z]{2}-[A-Z0-9][A-Z0-9-]*$")
_DAY = re.compile(r"^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])$")
_PERIOD = re.compile(r"^\d{4}(-(0[1-9]|1[0-2]))?$")
_MOST = 10.0

#: field: (needed, default)
_TOP: dict[str, tuple[bool, Any]] = {
    "id": (True, None),
    "title": (True, None),
    "by": (True, None),
    "announced": (True, None),
    "in_force": (True, None),
    "status": (True, None),
    "base_year": (True, None),
    "in_base_from": (False, None),
    "chains": (True, None),
    "targets": (False, ["ALL"]),
    "legal": (True, None),
    "hs": (False, []),
    "source": (True, None),
    "note": (False, ""),
}
_PATH: dict[str, tuple[bool, Any]] = {
    "commodity": (True, None),
    "target": (False, ["ALL"]),
    "kind": (True, None),
    "spill": (False, False),
    "caps": (True, None),
    "after": (True, None),
    "cohorts": (False, {}),
    "note": (False, ""),
    "source": (False, ""),
}
_POINT: dict[str, tuple[bool, Any]] = {
    "what": (True, None),
    "commodity": (False, None),
    "place": (False, None),
    "partner": (False, None),
    "period": (True, None),
    "value": (True, None),
    "low": (False, None),
    "high": (False, None),
    "unit": (True, None),
    "source": (True, None),
    "locator": (False, ""),
    "note": (False, ""),
}


@lru_cache(maxsize=1)
def controls() -> Mapping[str, dict[str, Any]]:
    """Return the packaged controls by id, in the order of their ids.

    Every record has all fields named above; ``paths`` and ``observed`` are lists of such records,
    ``commodity`` and ``target`` of a path always lists, dates and periods always text.

    Raises
    ------
    FactsError
        If an entry is wrong: file, field, nearest right name, how to mend.

    Examples
    --------
    >>> sorted(controls()["CN-REE-APR2025"]["chains"])
    ['rare_earths']
    """
    found: dict[str, dict[str, Any]] = {}
    for path in sorted((data_folder() / "controls").glob("*.toml")):
        record = read_control(path)
        if record["id"] in found:
            raise FactsError("data.control_twice", id=record["id"], file=path.name)
        found[record["id"]] = record
    return dict(sorted(found.items()))


def read_control(path: Path) -> dict[str, Any]:
    """Read and check one control.

    Raises
    ------
    FactsError
        If it is wrong.
    """
    data = read_toml(path)
    problems = control_problems(data)
    if problems:
        key = "data.refused" if len(problems) == 1 else "data.refused_more"
        name = f"{path.parent.name}/{path.name}"
        raise FactsError(key, file=name, problem=str(problems[0]), more=len(problems) - 1, path=path)
    return _record(data)


def control_problems(data: Mapping[str, Any]) -> list[Problem]:
    """Name everything wrong with a control; a problem's column is the field, such as ``path[0].caps``."""
    found: list[Problem] = []
    sources = packaged().read_sources()
    chains, catalogue = packaged().names(), commodity_chains()
    found += _fields(data, {**_TOP, "path": (True, None), "observed": (False, [])}, "")
    found += _known(data, "by", "", "place", places())
    found += _known(data, "status", "", "status", schema.enum("control_status"))
    found += _known(data, "source", "", "source", sources)
    found += _known(data, "chains", "", "chain", chains)
    found += _targets(data, "targets", "")
    if "id" in data and not _ID.match(str(data["id"])):
        found.append(problem("control_id", None, "id", given=data["id"]))
    for field in ("announced", "in_force"):
        if field in data and not _DAY.match(_day(data[field])):
            found.append(problem("day", None, field, given=data[field]))
    for field in ("base_year", "in_base_from"):
        if data.get(field) is not None and not _whole(data[field]):
            found.append(problem("year", None, field, given=data[field]))
    if _whole(data.get("base_year")) and _day(data.get("in_force"))[:4].isdigit():
        first = int(_day(data["in_force"])[:4])
        if data["base_year"] >= first:
            found.append(problem("base_contains", None, "base_year", given=data["base_year"], first=first))
    for number, path in _tables(data, "path", found):
        at = f"path[{number}]."
        found += _fields(path, _PATH, at)
        found += _known(path, "commodity", at, "commodity", catalogue)
        found += _targets(path, "target", at)
        found += _known(path, "kind", at, "kind", ("assumed", "observed"))
        found += _known(path, "source", at, "source", sources)
        found += _caps(path.get("caps"), f"{at}caps")
        found += _caps([path.get("after", 1.0)], f"{at}after")
        if not isinstance(path.get("spill", False), bool):
            found.append(problem("yes_or_no", None, f"{at}spill", given=path["spill"]))
        cohorts = path.get("cohorts", {})
        if not isinstance(cohorts, Mapping):
            found.append(problem("table_expected", None, f"{at}cohorts"))
            continue
        for cohort, caps in cohorts.items():
            if cohort not in _COHORTS:
                found.append(name_problem(None, f"{at}cohorts", "cohort", str(cohort), _COHORTS))
            found += _caps(caps, f"{at}cohorts.{cohort}")
    for number, point in _tables(data, "observed", found):
        found += _point(point, f"observed[{number}].", catalogue, sources)
    return found


def _point(
    point: Mapping[str, Any], at: str, catalogue: Collection[str], sources: Collection[str]
) -> list[Problem]:
    found = _fields(point, _POINT, at)
    found += _known(point, "commodity", at, "commodity", catalogue)
    for field in ("place", "partner"):
        found += _targets(point, field, at)
    found += _known(point, "unit", at, "unit", units())
    found += _known(point, "source", at, "source", sources)
    if "period" in point and not _PERIOD.match(str(point["period"])):
        found.append(problem("period", None, f"{at}period", given=point["period"]))
    numbers = {}
    for field in ("low", "value", "high"):
        if point.get(field) is not None:
            if _number(point[field]):
                numbers[field] = float(point[field])
            else:
                found.append(problem("number", None, f"{at}{field}", given=point[field]))
    ordered = list(numbers.items())
    for (first, a), (second, b) in pairwise(ordered):
        if a > b:
            found.append(problem("disordered", None, f"{at}{first}", first=first, a=a, second=second, b=b))
    return found


def _fields(data: Mapping[str, Any], fields: Mapping[str, tuple[bool, Any]], at: str) -> list[Problem]:
    found = [
        problem("empty_cell", None, f"{at}{name}", what=name)
        for name, (needed, _) in fields.items()
        if needed and data.get(name) in (None, "", [])
    ]
    found += [name_problem(None, f"{at}{name}", "field", name, fields) for name in data if name not in fields]
    return found


def _known(data: Mapping[str, Any], field: str, at: str, kind: str, known: Collection[str]) -> list[Problem]:
    given = data.get(field)
    if given in (None, ""):
        return []
    return [
        name_problem(None, f"{at}{field}", kind, name, known) for name in _list(given) if name not in known
    ]


def _targets(data: Mapping[str, Any], field: str, at: str) -> list[Problem]:
    """ALL, places and groups."""
    known = {"ALL", *places(), *groups()}
    found = []
    for name in _list(data.get(field)):
        if name not in known:
            near = nearest_place(name)
            found.append(name_problem(None, f"{at}{field}", "place_or_group", name, known, nearest=near))
    return found


def _caps(given: Any, at: str) -> list[Problem]:
    if given is None:
        return []
    if not isinstance(given, list) or not given:
        return [problem("caps", None, at, given=given)]
    return [
        problem("cap", None, at, given=cap, most=_MOST)
        for cap in given
        if not _number(cap) or not 0 <= cap <= _MOST
    ]


def _tables(data: Mapping[str, Any], field: str, found: list[Problem]) -> list[tuple[int, Mapping[str, Any]]]:
    given = data.get(field, [])
    if not isinstance(given, list) or not all(isinstance(item, Mapping) for item in given):
        found.append(problem("table_expected", None, field))
        return []
    return list(enumerate(given))


def _record(data: Mapping[str, Any]) -> dict[str, Any]:
    record = _filled(data, _TOP)
    for field in ("announced", "in_force"):
        record[field] = _day(record[field])
    for field in ("chains", "targets", "hs"):
        record[field] = _list(record[field])
    record["paths"] = [
        _filled(path, _PATH, commodity=_list, target=_list, caps=_floats, after=float, cohorts=_cohorts)
        for path in data["path"]
    ]
    record["observed"] = [
        _filled(point, _POINT, period=str, value=float, low=float, high=float)
        for point in data.get("observed", [])
    ]
    return record


def _filled(
    data: Mapping[str, Any], fields: Mapping[str, tuple[bool, Any]], **form: Callable[[Any], Any]
) -> dict[str, Any]:
    made = {}
    for name, (_, default) in fields.items():
        value = data.get(name, default)
        made[name] = form[name](value) if name in form and value is not None else value
    return made


def _cohorts(given: Mapping[str, Any]) -> dict[str, list[float]]:
    return {name: _floats(caps) for name, caps in given.items()}


def _floats(given: Any) -> list[float]:
    return [float(item) for item in given]


def _list(given: Any) -> list[str]:
    if given is None:
        return []
    return [str(item) for item in given] if isinstance(given, list) else [str(given)]


def _day(given: Any) -> str:
    return given.isoformat()[:10] if isinstance(given, date) else str(given)


def _number(given: Any) -> bool:
    return (
        isinstance(given, int | float)
        and not isinstance(given, bool)
        and abs(given) != float("inf")
        and given == given
    )


def _whole(given: Any) -> bool:
    return isinstance(given, int) and not isinstance(given, bool) and 1900 <= given <= 2200
