"""``datapackage.json`` lists every packaged table, and the schema describes every column."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import polars as pl
import pytest

from monazite.core import schema
from monazite.core.errors import FactsError
from monazite.core.settings import data_folder
from monazite.facts import package
from monazite.facts.rules import FACT_COLUMNS, SUBJECT, variables

DATA = data_folder()
TABLES = sorted(DATA.rglob("*.csv"))


def test_the_description_is_up_to_date(capsys: pytest.CaptureFixture[str]) -> None:
    assert package.main(["--check"]) == 0, capsys.readouterr().err


def test_every_table_and_every_file_is_listed() -> None:
    made = json.loads((DATA / "datapackage.json").read_text(encoding="utf-8"))
    assert {resource["path"] for resource in made["resources"]} == {
        path.relative_to(DATA).as_posix() for path in TABLES
    }
    assert set(made["monazite:files"]) == {path.relative_to(DATA).as_posix() for path in DATA.rglob("*.toml")}
    names = [resource["name"] for resource in made["resources"]]
    assert len(names) == len(set(names))


def test_an_old_description_and_a_wrong_option_are_told(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(package, "data_folder", lambda: tmp_path)
    assert package.main(["--check"]) == 1
    assert "not up to date" in capsys.readouterr().err
    assert package.main(["--chek"]) == 2
    assert package.main([]) == 0
    assert package.main(["--check"]) == 0
    (tmp_path / "places.csv").write_text("place,nam,region\n")
    with pytest.raises(FactsError, match=r"places\.csv"):
        package.main([])


@pytest.mark.parametrize("path", TABLES, ids=lambda path: path.relative_to(DATA).as_posix())
def test_tables_are_plain_text_that_holds_what_its_schema_says(path: Path) -> None:
    data = path.read_bytes()
    assert b"\r" not in data
    assert data.endswith(b"\n")
    made = json.loads((DATA / "datapackage.json").read_text(encoding="utf-8"))
    about = next(item for item in made["resources"] if item["path"] == path.relative_to(DATA).as_posix())
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    for field in about["schema"]["fields"]:
        cells = [row[field["name"]] for row in rows]
        limits = field.get("constraints", {})
        if limits.get("required"):
            assert all(cells), field["name"]
        if "enum" in limits:
            assert set(cells) - {""} <= set(limits["enum"])
        if field["type"] in ("number", "integer"):
            assert all(float(cell) == float(cell) for cell in cells if cell)
    key = about["schema"].get("primaryKey")
    if key:
        assert len({row[key] for row in rows}) == len(rows)


def test_the_schema_is_closed() -> None:
    table = variables()
    assert tuple(schema.names("facts", "column")) == FACT_COLUMNS
    assert set(SUBJECT) <= set(FACT_COLUMNS)
    assert table["variable"].is_unique().all()
    assert table["dimension"].null_count() == 0
    for column in SUBJECT:
        assert table.filter(pl.col(f"list_{column}") & ~pl.col(f"may_{column}")).is_empty()
    for row in schema.table("variables"):
        for cells in ("required", "optional", "lists"):
            assert set(filter(None, row[cells].split(";"))) <= set(SUBJECT)
        assert bool(row["activity_is"]) == ("activity" in row["required"] + row["optional"])
        assert row["sign"] in ("any", "nonnegative", "positive", "negative")
        assert row["shares"] in ("", "each", "sum")


def test_stages_are_in_order() -> None:
    assert schema.names("stages", "stage") == (
        "mine", "concentrate", "refine", "metal", "component", "product", "recycle",
    )  # fmt: skip
    assert [int(order) for order in schema.names("stages", "order")] == list(range(1, 8))
