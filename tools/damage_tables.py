"""Small files of two more formats of plain text: governance indicators and declared trade."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from tools.damage_files import Format, Grid, Plain, signed, table, text


def governance() -> Grid:
    """Write a table of governance indicators."""
    names = (
        "codeindyr,code,countryname,year,indicator,estimate,stddev,nsource,pctrank,pctranklower,pctrankupper"
    )
    rows: Grid = [names.split(",")]
    for code, name, value in (("IND", "India", -0.57), ("JPN", "Japan", 0.98), ("TUR", "Türkiye", -1.04)):
        for year in (2022, 2023):
            for indicator in ("pv", "rl"):
                rows.append(
                    [
                        f"{code}{indicator}{year}",
                        code,
                        name,
                        year,
                        indicator,
                        round(value + year / 10000.0, 4),
                        0.22,
                        8,
                        24.5,
                        15.6,
                        39.2,
                    ]
                )
    return rows


def plain_governance(path: Path) -> Plain | None:
    """Read a table of governance indicators plainly: estimates only."""
    rows = table(path.read_bytes())
    if rows is None:
        return None
    found: Plain = {}
    for at, row in enumerate(rows, start=2):
        clean = {name: " ".join((cell or "").split()) for name, cell in row.items() if name}
        try:
            value = float(clean.get("estimate", ""))
        except ValueError:
            continue
        code, year = clean.get("code", "").upper(), clean.get("year", "")
        found["estimate", clean.get("indicator", ""), code, year, value] = at
    return found


COMTRADE = [
    "typeCode",
    "freqCode",
    "refYear",
    "period",
    "reporterCode",
    "reporterISO",
    "flowCode",
    "partnerCode",
    "partnerISO",
    "partner2Code",
    "classificationCode",
    "cmdCode",
    "customsCode",
    "mosCode",
    "motCode",
    "netWgt",
    "isNetWgtEstimated",
    "primaryValue",
]


CODES = {"699": "IND", "392": "JPN", "842": "USA", "156": "CHN", "0": "W00"}


def comtrade() -> Grid:
    """Write declared trade in one line of customs."""
    rows: Grid = [list(COMTRADE)]
    states = ((699, "IND"), (392, "JPN"), (842, "USA"), (156, "CHN"))
    for index, (code, iso) in enumerate(states):
        for other, name in states:
            if other != code:
                rows.append(
                    ["C", "A", 2023, 2023, code, iso, "M" if index % 2 else "X", other, name, 0, "H6"]
                )
                rows[-1] += [
                    "260300",
                    "C00",
                    0,
                    0,
                    1000.5 * (index + 1) + other,
                    "false",
                    25000 + code + other,
                ]
    rows.append(
        ["C", "A", 2023, 2023, 699, "IND", "X", 0, "W00", 0, "H6", "260300", "C00", 0, 0, 9, "false", 9]
    )
    return rows


def plain_comtrade(path: Path) -> Plain | None:
    """Read declared trade plainly: dollars and tonnes of every flow."""
    rows = table(path.read_bytes(), "cp1252")
    if rows is None:
        return None
    found: Plain = {}
    for row in rows:
        clean = {name: " ".join((cell or "").split()) for name, cell in row.items() if name}
        flow = clean.get("flowCode", "")
        one, two = (
            clean.get(f"{who}ISO") or CODES.get(clean.get(f"{who}Code", ""), "")
            for who in ("reporter", "partner")
        )
        if clean.get("cmdCode") != "260300" or flow not in ("M", "X") or two == "W00":
            continue
        year = clean.get("refYear", clean.get("period", ""))
        ends = f"{one}>{two}" if flow == "X" else f"{two}>{one}"
        who = "exporter" if flow == "X" else "importer"
        for name, column, unit in (("usd", "primaryValue", 1.0), ("t", "netWgt", 0.001)):
            value = signed(clean.get(column, ""))
            found[f"{name} {who}", "260300", ends, year, value and value * unit] = 0
    return found


TABLES = (
    Format("wgi", "wgi.csv", governance, partial(text, encoding="utf-8"), plain_governance, "utf-8"),
    Format("comtrade", "comtrade.csv", comtrade, partial(text, encoding="utf-8"), plain_comtrade, "utf-8"),
)
