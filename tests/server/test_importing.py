"""The dry run of an import: what a file would change is told as the command tells it; nothing is kept."""

from __future__ import annotations

import csv
import io
import os
import sqlite3
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from monazite.core.errors import FactsError
from monazite.facts.effects import effect_of
from monazite.facts.overlay import overlay_folder
from monazite.facts.readers.reading import read_official
from monazite.facts.rules import FACT_COLUMNS
from monazite.market.executors import Processes
from monazite.report.importing import import_sheet
from monazite.server import guard, importing

Told = Callable[..., str]
PATH = "/api/data/import"
BYTES = {"content-type": "application/octet-stream"}
FACT = {
    "variable": "output", "activity": "mine_toy", "place": "USA", "period": "2024", "value": "25",
    "unit": "t/yr", "basis": "gross weight", "kind": "reported", "status": "ok", "source": "iso3166",
}  # fmt: skip
COUNTRIES = "country_code,country_name,country_iso2,country_iso3\n152,Chile,CL,CHL\n156,China,CN,CHN\n"
RELEASE = "BACI_HS92_V203101.zip"


def table(*rows: dict[str, str]) -> bytes:
    text = io.StringIO()
    writer = csv.DictWriter(text, FACT_COLUMNS)
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


def packed(members: dict[str, bytes | str], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", method) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return data.getvalue()


def baci(*rows: str) -> bytes:
    year = "\n".join(["t,i,j,k,v,q", *rows]) + "\n"
    return packed({"BACI_HS92_Y2029_V203101.csv": year, "country_codes_V203101.csv": COUNTRIES})


@pytest.fixture
def send(client: TestClient) -> Callable[..., Any]:
    """Send a file."""

    def sent(data: Any, name: str = "ours.csv", **query: str) -> Any:
        return client.post(PATH, content=data, headers=BYTES, params={"name": name, **query})

    return sent


def rows(page: Any, caption: str) -> list[dict[str, str]]:
    """Return the rows of a table by its heads; those of the group's label come with it."""
    (found,) = [one for one in page["tables"] if one["caption"].startswith(caption)]
    return [
        {"group": group["label"], **{h: c["text"] for h, c in zip(found["heads"], row, strict=True)}}
        for group in found["groups"]
        for row in group["rows"]
    ]


def test_a_table_of_ones_own_is_told_as_the_command_tells_it(send: Callable[..., Any]) -> None:
    page = send(table(FACT, {**FACT, "period": "2030"}), "my table.csv").json()
    assert page["recognised"]["format"] == "facts"
    assert page["recognised"]["vintage"].startswith("my_table-")
    assert page["counts"] == {"facts": 2, "trade": 0, "other": 0, "skipped": 0, "refused": 0}
    effects = {item["name"]: (item["facts"], item["flows"]) for item in page["effects"]}
    assert effects == {"new": (1, 0), "contradicts": (1, 0)}
    assert page["command"] == "monazite data import 'my table.csv' --write"
    assert page["problems"] == []
    assert rows(page, "Facts and flows")[0] == {
        "group": "", "Chain": "Toy", "New": "1", "Contradict": "1",
    }  # fmt: skip
    (row,) = rows(page, "The greatest differences")
    number = row.pop("Known from")
    assert page["sources"][int(number[1:-1]) - 1]["source"] == "toy"
    assert row == {
        "group": "contradicts", "About": "Toy mine", "What": "Output", "Where": "United States",
        "Period": "2024", "In the file": "25\xa0t/yr", "Known so far": "20\xa0t/yr", "File ÷ known": "×1.25",
        "Which would hold": number, "Row": "2",
    }  # fmt: skip


def test_flows_of_a_release_are_told_by_line(send: Callable[..., Any]) -> None:
    page = send(baci("2029,152,156,260300,1000,500", "2029,156,152,270900,1,1"), RELEASE).json()
    assert (page["recognised"]["format"], page["recognised"]["published"]) == ("baci", "2031-01")
    assert [(item["name"], item["flows"]) for item in page["effects"]] == [("new", 1)]
    (line,) = [row for row in rows(page, "Flows by customs line") if row["Chain"] == "Copper"]
    assert (line["Customs line"], line["Years"], line["Flows"], line["New"]) == ("260300", "2029", "1", "1")
    assert line["Tonnes in the file"] == "500\xa0t"
    (left,) = rows(page, "Left out")
    assert left["Rows"] == "1"
    assert page["sources"][0]["source"] == "baci_hs92_v203101"


def test_what_is_wrong_is_told_with_row_and_column(send: Callable[..., Any]) -> None:
    response = send(baci("2029,152,156,260300,1000,500", "2029,152,999,260300,1,1"), RELEASE)
    assert response.status_code == 200
    page = response.json()
    (problem,) = page["problems"]
    assert (problem["row"], problem["column"]) == (3, "j")
    assert "999" in problem["message"]
    assert (page["problem_count"], page["command"], page["tables"], page["effects"]) == (1, "", [], [])
    assert RELEASE in page["sentence"]


def test_a_table_that_names_nothing_packaged_has_no_command(send: Callable[..., Any]) -> None:
    page = send(
        table({**FACT, "variable": "governance", "activity": "", "unit": "1", "basis": "none"})
    ).json()
    assert page["command"] == ""
    assert page["notes"] or page["problems"]


def test_a_date_is_said_where_the_file_does_not(send: Callable[..., Any], told: Told) -> None:
    own = table(FACT)
    assert "packaged" in told(send(own, published="2027-01"), 400)
    assert "soon" in told(send(own, published="soon"), 400)
    file = Path(__file__).with_name("none.csv").name
    text = "typeCode,freqCode,refYear,period,reporterCode,reporterISO,flowCode,partnerCode,partnerISO,"
    text += "classificationCode,cmdCode,netWgt,primaryValue\n"
    text += "C,A,2029,2029,156,CHN,M,152,CHL,H0,260300,500000,1000000\n"
    page = send(text.encode(), file, published="2031-02").json()
    assert page["recognised"]["published"] == "2031-02"
    assert page["command"] == "monazite data import none.csv --published 2031-02 --write"


def test_nothing_is_kept_and_nothing_beside_is_read(
    send: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    source = "[sources.beside]\ncitation = 'c'\nurl = ''\nlicence = 'l'\npublished = '2027'\n"
    (tmp_path / "sources.toml").write_text(source + "retrieved = '2027-01-01'\nnext_version = 'n'\n")
    before = overlay_folder().exists()
    page = send(table({**FACT, "source": "beside"})).json()
    assert page["problem_count"] == 1
    assert "sources.toml" in page["notes"][0]
    assert send(table(FACT)).json()["command"]
    assert [item.name for item in tmp_path.iterdir()] == ["sources.toml"]
    assert overlay_folder().exists() == before


NAMES = {
    "../../etc/passwd": "passwd", "C:\\data\\ours.csv": "ours.csv", "a b'c.csv": "'a b'\"'\"'c.csv'",
    "--remove": "./--remove", "日本.csv": "日本.csv", 'a<b>"c".csv': "'a<b>\"c\".csv'",
}  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_a_name_is_only_a_name(send: Callable[..., Any], name: str) -> None:
    page = send(table(FACT), name).json()
    command = page["command"].removeprefix("monazite data import ").removesuffix(" --write")
    assert command in (NAMES[name], f"'{NAMES[name]}'")


@pytest.mark.parametrize("name", ["", " ", ".", "..", "a/", "\\", "x" * 201, "\0", "a\nb", "é" * 130])
def test_a_name_that_is_none_is_refused(send: Callable[..., Any], told: Told, name: str) -> None:
    told(send(table(FACT), name), 400)


@lru_cache(maxsize=2)
def bomb(method: int = zipfile.ZIP_DEFLATED, million: int = 201) -> bytes:
    """An archive of zeros that says to be a spreadsheet."""
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", method, compresslevel=1) as archive:
        archive.writestr("xl/workbook.xml", "<workbook/>")
        with archive.open("xl/worksheets/sheet1.xml", "w") as stream:
            for _ in range(million):
                stream.write(bytes(1_000_000))
    return data.getvalue()


def lying(data: bytes, size: int, said: int) -> bytes:
    """Say of a member that it is as large as it is not."""
    return data.replace(size.to_bytes(4, "little"), said.to_bytes(4, "little"))


def database(*statements: str) -> bytes:
    file = sqlite3.connect(":memory:")
    for statement in statements:
        file.execute(statement)
    return file.serialize()


ENDLESS = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT"
HOSTILE: dict[str, Callable[[], bytes]] = {
    "bomb": bomb,
    "bomb in another way": lambda: bomb(zipfile.ZIP_BZIP2, 1),
    "bomb of a list of sheets": lambda: packed({"xl/workbook.xml": bytes(11_000_000)}),
    "bomb that lies": lambda: lying(packed({"xl/workbook.xml": bytes(11_000_000)}), 11_000_000, 9),
    "no archive": lambda: b"PK\x03\x04" + bytes(100),
    "archive cut short": lambda: baci("2029,152,156,260300,1000,500")[:-30],
    "empty archive": lambda: packed({}),
    "no database": lambda: b"SQLite format 3\0" + bytes(5000),
    "endless view": lambda: database(f"CREATE VIEW baci_trade AS {ENDLESS} x AS t FROM n"),
    "letter": lambda: b"Dear reader,\nthis is no table.\n",
    "page": lambda: b"<html><script>alert(1)</script></html>",
    "null bytes": lambda: b"\0" * 1000,
    "half of UTF-16": lambda: "variable,commodity".encode("utf-16")[:-1],
    "wide": lambda: b"a," * 200_000,
}  # fmt: skip


@pytest.mark.parametrize("which", HOSTILE)
def test_a_hostile_file_is_refused_in_words(send: Callable[..., Any], told: Told, which: str) -> None:
    response = send(HOSTILE[which](), "baci.db" if "view" in which else "file")
    if which == "bomb":
        message = told(response, 422)
        assert "201 MB" in message
        assert "monazite data import" in message
    if response.status_code == 200:
        page = response.json()
        assert page["problem_count"] > 0
        assert page["command"] == ""
    else:
        told(response, 422)


def test_an_empty_file_is_refused(send: Callable[..., Any], told: Told) -> None:
    assert "empty" in told(send(b""), 400)


@pytest.mark.parametrize("said", [True, False], ids=["size said", "in pieces"])
def test_larger_files_are_taken_here_alone_up_to_a_limit(
    client: TestClient, send: Callable[..., Any], told: Told, said: bool
) -> None:
    def content(size: int) -> Any:
        return b"x" * size if said else iter([b"x" * 1_000_000] * (size // 1_000_000))

    told(send(content(guard.LARGEST + 1_000_000)), 422)
    message = told(send(content(guard.LARGEST_FILE + 1_000_000)), 413)
    assert "20 MB" in message
    assert "monazite data import" in message
    elsewhere = client.post(
        "/api/data/check", content=content(6_000_000), headers={"content-type": "text/csv"}
    )
    assert "5 MB" in told(elsewhere, 413)


@pytest.mark.parametrize("media", ["text/csv", "application/json", "multipart/form-data", ""])
def test_another_type_is_refused(client: TestClient, told: Told, media: str) -> None:
    headers = {"content-type": media} if media else {}
    sent = client.post(PATH, content=b"variable\n", headers=headers, params={"name": "x.csv"})
    assert "not as" in told(sent, 415)


def test_a_page_of_another_site_is_refused(client: TestClient, told: Told) -> None:
    headers = BYTES | {"origin": "http://evil.example"}
    told(client.post(PATH, content=table(FACT), headers=headers, params={"name": "x.csv"}), 403)


@pytest.fixture
def readings() -> Iterator[importing.Readings]:
    """A process for reading files."""
    made = importing.Readings()
    yield made
    made.close()


def test_a_file_that_takes_too_long_is_stopped_and_the_next_one_read(
    readings: importing.Readings, tmp_path: Path
) -> None:
    file = tmp_path / "ours.csv"
    file.write_bytes(table(FACT))
    with pytest.raises(FactsError, match="takes longer than 0 s"):
        readings.read(file, None, "ours.csv", 0)
    assert readings.read(file, None, "ours.csv", 300).rows == 1


def test_a_process_that_dies_is_told_and_the_next_one_reads(
    readings: importing.Readings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "ours.csv"
    file.write_bytes(table(FACT))
    submit = Processes.submit
    with monkeypatch.context() as patched:
        patched.setattr(Processes, "submit", lambda pool, *_: submit(pool, os._exit, 9))
        with pytest.raises(FactsError, match="memory"):
            readings.read(file, None, "ours.csv", 300)
    assert readings.read(file, None, "ours.csv", 300).rows == 1


def test_the_sheet_says_what_the_effect_says(tmp_path: Path) -> None:
    file = tmp_path / RELEASE
    file.write_bytes(baci("2029,152,156,260300,1000,500", "2029,156,152,260400,7,9"))
    effect = effect_of(read_official(file))
    made = import_sheet(file)
    flows = {name: count for name, _, _, count in made.effects}
    assert flows == {"new": effect.trade.unique(["hs", "year"])["new"].sum()}
    assert made.counts == read_official(file).counts()
