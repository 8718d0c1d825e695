"""``datapackage.json``: the packaged tables in Frictionless form, made from the schema, checked against it.

``python -m monazite.facts.package`` writes it; with ``--check`` it only tells whether it is up to date (0) or
not (1).
"""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

from monazite.core import schema
from monazite.core.errors import FactsError
from monazite.core.settings import data_folder, write_atomic
from monazite.core.text import say
from monazite.facts.rules import variables

__all__ = ["describe", "main"]

_FILE = "datapackage.json"
_TYPES = {"string": "string", "number": "number", "integer": "integer", "boolean": "boolean"}
_ENUMS = {"kind": "kind", "status": "status", "type": "activity_type"}
#: folder of tables in a publisher's words, which our enums say nothing of
_FOREIGN = "readers/"


def describe(folder: Path | None = None) -> dict[str, Any]:
    """Describe every packaged table and file.

    Raises
    ------
    FactsError
        If a table has columns that the schema does not list.

    Examples
    --------
    >>> describe()["profile"]
    'tabular-data-package'
    """
    root = data_folder() if folder is None else folder
    resources = [_table(root, path) for path in sorted(root.rglob("*.csv"))]
    return {
        "profile": "tabular-data-package",
        "name": "monazite-facts",
        "title": say("data.package_title"),
        "description": say("data.package_description"),
        "version": str(import_module("monazite").__version__),
        "licenses": [{"name": "Apache-2.0", "path": "https://www.apache.org/licenses/LICENSE-2.0"}],
        "resources": resources,
        "monazite:files": [path.relative_to(root).as_posix() for path in sorted(root.rglob("*.toml"))],
        "monazite:variables": variables()["variable"].to_list(),
    }


def main(arguments: Sequence[str] | None = None) -> int:
    """Write ``datapackage.json``, or check it; return the exit code."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    path = data_folder() / _FILE
    made = json.dumps(describe(), indent=1, ensure_ascii=False) + "\n"
    if given == ["--check"]:
        same = path.is_file() and path.read_text(encoding="utf-8") == made
        sys.stderr.write(say("data.package_same" if same else "data.package_stale", file=_FILE) + "\n")
        return 0 if same else 1
    if given:
        sys.stderr.write(say("data.package_usage") + "\n")
        return 2
    write_atomic(path, made.encode())
    sys.stderr.write(say("data.package_written", file=path.name) + "\n")
    return 0


def _table(root: Path, path: Path) -> dict[str, Any]:
    name = path.relative_to(root).with_suffix("").as_posix()
    fields = _fields(name.rsplit("/", 1)[-1], name)
    with path.open(encoding="utf-8", newline="") as file:
        header = next(csv.reader(file), [])
    if header != [field["name"] for field in fields]:
        raise FactsError("data.package_columns", file=path.name, known=[field["name"] for field in fields])
    made: dict[str, Any] = {
        "name": name.replace("/", "-").replace("_", "-"),
        "path": path.relative_to(root).as_posix(),
        "profile": "tabular-data-resource",
        "format": "csv",
        "mediatype": "text/csv",
        "encoding": "utf-8",
        "schema": {"fields": fields, "missingValues": [""]},
    }
    keys = {"commodities": "commodity", "activities": "activity", "places": "place", "units": "unit"}
    if name.rsplit("/", 1)[-1] in keys:
        made["schema"]["primaryKey"] = keys[name.rsplit("/", 1)[-1]]
    return made


def _fields(table: str, name: str) -> list[dict[str, Any]]:
    if name.startswith("schema/") and table in ("facts", "result"):
        rows = [
            row
            for row in schema.table("columns")
            if row["table"] == ("facts_schema" if table == "facts" else table)
        ]
    elif table == "facts":
        rows = list(schema.table("facts"))
    else:
        rows = [row for row in schema.table("columns") if row["table"] == table]
    return [_field(row, with_enums=not name.startswith(("schema/", _FOREIGN))) for row in rows]


def _field(row: dict[str, str], *, with_enums: bool) -> dict[str, Any]:
    made: dict[str, Any] = {"name": row["column"], "type": _TYPES[row["type"]], "description": row["help"]}
    limits: dict[str, Any] = {}
    if row.get("required") == "yes":
        limits["required"] = True
    if with_enums and row["column"] in _ENUMS:
        limits["enum"] = list(schema.enum(_ENUMS[row["column"]]))
    if limits:
        made["constraints"] = limits
    return made


if __name__ == "__main__":
    sys.exit(main())
