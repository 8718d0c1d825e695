"""Archives that unpack to more than they say, or than anybody publishes."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest

from monazite.core.errors import FactsError
from monazite.facts.readers.archives import read_member, refuse_large
from monazite.facts.readers.reading import recognise
from monazite.facts.readers.xlsx import read_sheet

LINKS = (
    '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
    '<Relationship Id="r1" Target="worksheets/sheet1.xml"/></Relationships>'
)
BOOK = (
    '<workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" '
    'xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships">'
    '<sheets><sheet name="Prices" r:id="r1"/></sheets></workbook>'
)
SHEET = (
    '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'
    '<sheetData><row r="1"><c r="A1"><v>1</v></c></row></sheetData></worksheet>'
)
TYPED = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;">]>'


def archive(path: Path, members: dict[str, bytes | str], method: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", method) as made:
        for name, content in members.items():
            made.writestr(name, content)
    return path


def test_a_member_is_read_whole_or_not_at_all(tmp_path: Path) -> None:
    path = archive(tmp_path / "a.zip", {"a": b"x" * 1000})
    with zipfile.ZipFile(path) as made:
        assert read_member(made, "a", 1000) == b"x" * 1000
        with pytest.raises(zipfile.BadZipFile, match="larger"):
            read_member(made, "a", 999)
        with pytest.raises(KeyError):
            read_member(made, "b", 999)


def test_a_member_that_lies_about_its_size_is_damaged(tmp_path: Path) -> None:
    size = 5_000_000
    data = archive(tmp_path / "a.zip", {"a": bytes(size)}).read_bytes()
    data = data.replace(size.to_bytes(4, "little"), (10).to_bytes(4, "little"))
    with zipfile.ZipFile(io.BytesIO(data)) as made, pytest.raises(zipfile.BadZipFile):
        read_member(made, "a", 1000)


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_way_of_packing_that_unpacks_without_bounds_is_refused(tmp_path: Path, method: int) -> None:
    path = archive(tmp_path / "a.xlsx", {"xl/workbook.xml": BOOK}, method)
    with pytest.raises(FactsError, match="no publisher uses"):
        recognise(path)


def test_all_members_together_may_be_so_large(tmp_path: Path) -> None:
    path = archive(tmp_path / "a.zip", {"a": bytes(600_000), "b": bytes(600_000)})
    refuse_large(path, 1_200_000)
    with pytest.raises(FactsError, match="unpacks to 1 MB"):
        refuse_large(path, 1_199_999)
    text = tmp_path / "a.csv"
    text.write_bytes(bytes(100))
    refuse_large(text, 1)


@pytest.mark.parametrize(
    "sheet",
    [
        (TYPED + SHEET).encode(),
        ("<!--" + " " * 5000 + "-->" + TYPED + SHEET).encode(),
        ('<?xml version="1.0" encoding="UTF-16"?>' + TYPED + SHEET).encode("utf-16"),
    ],
    ids=["at the top", "after a remark", "UTF-16"],
)
def test_a_sheet_with_a_document_type_is_refused(tmp_path: Path, sheet: bytes) -> None:
    members: dict[str, bytes | str] = {
        "xl/workbook.xml": BOOK, "xl/_rels/workbook.xml.rels": LINKS, "xl/worksheets/sheet1.xml": sheet,
    }  # fmt: skip
    cells, (problem,) = read_sheet(archive(tmp_path / "a.xlsx", members), "Prices")
    assert not cells
    assert "document type" in problem.message
    members["xl/worksheets/sheet1.xml"] = SHEET
    assert read_sheet(archive(tmp_path / "b.xlsx", members), "Prices") == ({1: {1: "1"}}, [])
