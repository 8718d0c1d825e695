"""``monazite data import`` and ``data diff``: shown, written when asked, undone, refused with a reason."""

from __future__ import annotations

import csv
import json
import re
import shlex
import zipfile
from pathlib import Path
from typing import Any

import pytest

FACTS = """variable,commodity,activity,place,partner,period,value,low,high,unit,basis,kind,status,source,
locator,note""".replace("\n", "").split(",")
FACT = {
    "variable": "output", "activity": "mine_toy", "place": "USA", "period": "2024", "value": "25",
    "unit": "t/yr", "basis": "gross weight", "kind": "reported", "status": "ok", "source": "iso3166",
}  # fmt: skip
COUNTRIES = (
    "country_code,country_name,country_iso2,country_iso3\n152,Chile,CL,CHL\n156,China,CN,CHN\n"
    '490,"Other Asia, nes",,S19\n'
)


@pytest.fixture
def own(tmp_path: Path) -> dict[str, str]:
    return {"MONAZITE_OVERLAY": str(tmp_path / "overlay")}


def _table(path: Path, *rows: dict[str, str]) -> Path:
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, FACTS)
        writer.writeheader()
        writer.writerows(rows)
    return path


def _baci(path: Path, *rows: str, release: str = "203101") -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(f"BACI_HS92_Y2029_V{release}.csv", "\n".join(["t,i,j,k,v,q", *rows]) + "\n")
        archive.writestr(f"country_codes_V{release}.csv", COUNTRIES)
    return path


def _json(done: Any) -> Any:
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_an_import_is_shown_written_listed_compared_and_undone(monazite, tmp_path, own) -> None:
    file = _table(tmp_path / "ours.csv", FACT, {**FACT, "period": "2030"})
    shown = monazite("data", "import", str(file), env=own)
    assert shown.returncode == 0, shown.stderr
    assert "Nothing was written" in shown.stderr
    assert f"monazite data import {file} --write" in shown.stderr
    assert "mine_toy" in shown.stdout
    assert not (tmp_path / "overlay").exists()

    document = _json(monazite("data", "import", str(file), "--write", "--json", env=own))
    effects = [(row["effect"], row["value"], row["other_value"], row["chosen"]) for row in document["table"]]
    assert effects == [("contradicts", 25.0, 20.0, "toy"), ("new", 25.0, None, "iso3166")]
    vintage = document["manifest"]["vintage"]
    assert (tmp_path / "overlay" / vintage / "facts" / "toy.csv").is_file()

    again = monazite("data", "import", str(file), "--write", env=own)
    assert (again.returncode, f"--remove {vintage} --write" in again.stderr) == (2, True)
    (listed,) = _json(monazite("data", "import", "--list", "--json", env=own))
    assert (listed["vintage"], listed["facts"], listed["flows"]) == (vintage, 2, 0)

    found = _json(monazite("data", "diff", "packaged", vintage, "--chain", "toy", "--json", env=own))
    (changed,) = [row for row in found["table"] if row["difference"] == "changed"]
    assert (changed["first"], changed["second"], changed["ratio"]) == (20.0, 25.0, 1.25)
    assert found["counts"]["only_second"] == 1

    assert monazite("data", "import", "--remove", vintage, env=own).returncode == 0
    assert (tmp_path / "overlay" / vintage).is_dir(), "shown only"
    assert monazite("data", "import", "--remove", vintage, "--write", env=own).returncode == 0
    assert not list((tmp_path / "overlay").iterdir())


def test_trade_of_a_new_release_is_counted_by_chain_and_line(monazite, tmp_path, own) -> None:
    file = _baci(
        tmp_path / "BACI_HS92_V203101.zip", "2029,152,156,260300,1000,500", "2029,156,490,270900,1,1"
    )
    document = _json(monazite("data", "import", str(file), "--write", "--json", env=own))
    (row,) = [row for row in document["trade"] if row["chain"] == "copper"]
    assert (row["hs"], row["year"], row["flows"], row["new"], row["tonnes"]) == ("260300", 2029, 1, 1, 500.0)
    assert document["manifest"]["counts"] == {"facts": 0, "trade": 1, "other": 1, "skipped": 0, "refused": 0}
    assert document["sources"]["baci_hs92_v203101"]["published"] == "2031-01"
    shown = monazite("data", "import", str(file), env=own)
    assert "260300" in shown.stdout
    assert "no packaged chain uses this customs line" in shown.stdout


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        (["2029,152,156,260300,1;000,500"], ["row 2", "column v", "BACI_HS92_Y2029_V203101.csv"]),
        (["2029,152,156,260300,1000,500", "2029,152,999,260300,1,1"], ["row 3", "column j", "999"]),
    ],
)
def test_a_damaged_file_is_refused_with_4_and_nothing_is_written(
    monazite, tmp_path, own, rows, words
) -> None:
    file = _baci(tmp_path / "BACI.zip", *rows)
    done = monazite("data", "import", str(file), "--write", env=own)
    assert done.returncode == 4
    assert all(word in done.stdout for word in words), done.stdout
    assert "nothing was written" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "overlay").exists()


def test_files_cut_short_unknown_or_wrong_are_refused(monazite, tmp_path, own) -> None:
    short = _baci(tmp_path / "BACI.zip", "2029,152,156,260300,1000,500")
    short.write_bytes(short.read_bytes()[:-40])
    unknown = tmp_path / "letter.txt"
    unknown.write_text("Dear reader,\nthis is no table.\n")
    wrong = _table(tmp_path / "ours.csv", {**FACT, "unit": "t/yrr"})
    for file, words in ((short, "damaged"), (unknown, "no known format"), (wrong, "refused")):
        done = monazite("data", "import", str(file), "--write", env=own)
        assert done.returncode == 4, (file, done.stderr)
        assert words in done.stderr
        assert "Traceback" not in done.stderr
    assert not (tmp_path / "overlay").exists()


def test_what_cannot_be_meant_is_refused_with_2(monazite, tmp_path, own) -> None:
    file = _table(tmp_path / "ours.csv", FACT)
    for words, said in (
        (["import"], "give a FILE"),
        (["import", str(file), "--list"], "give a FILE"),
        (["import", str(tmp_path / "none.csv")], "none.csv"),
        (["import", "--remove", "nothing", "--write"], "nothing has been imported"),
        (["import", str(file), "--published", "soon"], "soon"),
        (["diff", "usgs_mcs2062", "packaged"], "usgs_mcs2026"),
    ):
        done = monazite("data", *words, env=own)
        assert (done.returncode, said in done.stderr) == (2, True), (words, done.stderr)


def test_two_sources_are_compared_as_csv(monazite, own) -> None:
    done = monazite("data", "diff", "usgs_mcs2025", "usgs_mcs2026", "--csv", env=own)
    assert done.returncode == 0, done.stderr
    rows = list(csv.DictReader(done.stdout.splitlines()))
    assert {row["difference"] for row in rows} <= {"changed", "only_first", "only_second"}
    assert list(rows[0])[-5:] == ["first", "second", "unit", "ratio", "difference"]


def test_every_command_of_the_page_runs(monazite, tmp_path, own) -> None:
    """In the order of the page, on small files of the names that it uses."""
    page = (Path(__file__).parent.parent.parent / "docs" / "import.md").read_text(encoding="utf-8")
    _baci(tmp_path / "BACI_HS92_V202701.zip", "2029,152,156,260300,1000,500", release="202701")
    _table(tmp_path / "my-facts.csv", FACT)
    (tmp_path / "comtrade.csv").write_text(
        "freqCode,refYear,reporterISO,flowCode,partnerISO,classificationCode,cmdCode,netWgt,primaryValue\n"
        "A,2024,CHN,M,CHL,H6,260300,1000,2000\n"
    )
    lines = [
        line
        for block in re.findall(r"```console\n(.*?)```", page, flags=re.DOTALL)
        for line in block.splitlines()
    ]
    assert len(lines) > 8
    overlay = tmp_path / "overlay"
    for line in lines:
        imported = sorted(item.name for item in overlay.iterdir()) if overlay.is_dir() else []
        words = shlex.split(line.partition("#")[0])
        words = [imported[0] if word.endswith("-1a2b3c") else word for word in words]
        done = monazite(*words[1:], env=own, cwd=tmp_path)
        assert done.returncode == 0, (line, done.stderr, done.stdout)
    assert len(list(overlay.iterdir())) == 1, "what the page removes is gone"
