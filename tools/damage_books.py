"""Small files of the formats that are no plain text: a spreadsheet, a database, an archive."""

from __future__ import annotations

import io
import re
import sqlite3
import zipfile
import zlib
from contextlib import closing
from pathlib import Path
from xml.sax.saxutils import escape

from tools.damage_files import Format, Grid, Plain, number, signed, table


def workbook(sheets: dict[str, Grid]) -> bytes:
    """Write a spreadsheet: shared strings for texts, as Excel does."""
    shared: list[str] = []
    parts = {}
    for index, rows in enumerate(sheets.values(), start=1):
        body = []
        for y, row in enumerate(rows, start=1):
            cells = []
            for x, cell in enumerate(row):
                place = f"{chr(65 + x)}{y}"
                if cell is None:
                    continue
                if isinstance(cell, str):
                    if cell not in shared:
                        shared.append(cell)
                    cells.append(f'<c r="{place}" t="s"><v>{shared.index(cell)}</v></c>')
                else:
                    cells.append(f'<c r="{place}"><v>{cell!r}</v></c>')
            body.append(f'<row r="{y}">{"".join(cells)}</row>')
        parts[f"xl/worksheets/sheet{index}.xml"] = (
            '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'
            f"{''.join(body)}</sheetData></worksheet>"
        )
    names = "".join(
        f'<sheet name="{escape(name)}" sheetId="{i}" r:id="rId{i}"/>'
        for i, name in enumerate(sheets, start=1)
    )
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    parts["xl/workbook.xml"] = (
        '<workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" '
        f'xmlns:r="{office}"><sheets>{names}</sheets></workbook>'
    )
    links = "".join(
        f'<Relationship Id="rId{i}" Type="{office}/worksheet" Target="worksheets/sheet{i}.xml"/>'
        for i in range(1, len(sheets) + 1)
    )
    parts["xl/_rels/workbook.xml.rels"] = (
        '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
        f"{links}</Relationships>"
    )
    strings = "".join(f"<si><t>{escape(text)}</t></si>" for text in shared)
    parts["xl/sharedStrings.xml"] = (
        f'<sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">{strings}</sst>'
    )
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in parts.items():
            archive.writestr(zipfile.ZipInfo(name), '<?xml version="1.0" encoding="UTF-8"?>\n' + text)
    return out.getvalue()


PINK_NAMES = ("Crude oil, average", "Phosphate rock", "Aluminum", "Copper", "Tin", "Nickel", "Zinc")
PINK_GOODS = {
    "Aluminum": "aluminium",
    "Copper": "copper_cathode",
    "Tin": "tin_metal",
    "Zinc": "zinc_metal",
    "Nickel": "nickel_class1",
    "Phosphate rock": "phosphate_rock",
}


def pink() -> Grid:
    """Write a Pink Sheet of thirty months."""
    rows: Grid = [
        ["World Bank Commodity Price Data (The Pink Sheet)"],
        ["monthly prices in nominal US dollars, 1960 to present"],
        [None],
        ["Updated on July 02, 2025"],
        [None, *PINK_NAMES],
        [None, "($/bbl)", *["($/mt)"] * 6],
    ]
    for index in range(30):
        month = f"{2023 + index // 12}M{index % 12 + 1:02d}"
        base: list[object] = [80.5 + index / 4, 150.25 + index, 2200.5 + 3 * index, 8400.125 + 7 * index]
        base += [25000.0 + 11 * index, 16000.5 + index, "…" if index == 3 else 2500.75 + index]
        rows.append([month, *base])
    return rows


def write_pink(rows: Grid) -> bytes:
    """Write the workbook of the Pink Sheet."""
    return workbook({"Monthly Prices": rows, "Description": [["Sources"]]})


def plain_pink(path: Path) -> Plain | None:
    """Read a Pink Sheet plainly: expressions on the text of the parts."""
    try:
        with zipfile.ZipFile(path) as archive:
            book = archive.read("xl/workbook.xml").decode()
            strings = archive.read("xl/sharedStrings.xml").decode()
            found = re.search(r'name="Monthly Prices" sheetId="\d+" r:id="rId(\d+)"', book)
            if found is None:
                return None
            text = archive.read(f"xl/worksheets/sheet{found[1]}.xml").decode()
    except (zipfile.BadZipFile, KeyError, OSError, ValueError, EOFError, zlib.error):
        return None
    shared = re.findall(r"<si><t>(.*?)</t></si>", strings, flags=re.DOTALL)
    cells: dict[tuple[str, int], str] = {}
    for place, y, kind, value in re.findall(r'<c r="([A-Z]+)(\d+)"( t="s")?><v>(.*?)</v></c>', text):
        cells[place, int(y)] = shared[int(value)] if kind and int(value) < len(shared) else value
    dated = {y: cells.get(("A", y), "").strip() for _, y in cells}
    months = {y: month for y, month in dated.items() if re.match(r"^\d{4}M\d\d$", month)}
    goods = {name.casefold(): name for name in PINK_GOODS}
    above = {place: name.strip().rstrip("* ") for place, name in cells.items() if place[1] not in months}
    heads = {
        (column, goods[text.casefold()]) for (column, _), text in above.items() if text.casefold() in goods
    }
    facts: Plain = {}
    for column, name in heads:
        for year in {month[:4] for month in months.values()}:
            rows = [y for y, month in months.items() if re.match(rf"^{year}M\d\d$", month)]
            values = [number(cells.get((column, y), "")) for y in rows]
            known = [value for value in values if value is not None]
            if len(rows) == len(known) == 12:
                mean = sum(known) / 12_000
                mean /= 0.31 if name == "Phosphate rock" else 1.0
                facts["price", PINK_GOODS[name], "", year, mean] = 0
    return facts


YEARS = ("2022", "2023", "2024")


def mining() -> Grid:
    """Return rows of World Mining Data, with the table that each stands in."""
    rows: Grid = [["table", "Country", "Country_Code", "Country_ISO", *YEARS, "unit", "data_source"]]
    for table_name, country, code, iso, values, flag in (
        ("Tungsten (W)", "Austria", "40", "AUT", (900, 910, 920), "r"),
        ("Tungsten (W)", "China", "156", "CHN", (65000.0, 66000.5, 67000.0), "e"),
        ("Tungsten (W)", "Korea, South", "410", "KOR", (0, None, 12), "r"),
        ("Tungsten (W)", "Total", "DELETE", "DELETE", (65900, 66910.5, 67932), "nan"),
        ("Gallium", "China", "156", "CHN", (606, 701, 974), "r"),
        ("Gallium", "Japan", "392", "JPN", (3, 3, 3), "e"),
        ("Gallium", "Total", "DELETE", "DELETE", (609, 704, 977), "nan"),
        ("Iron (Fe)", "Algeria", "12", "DZA", (1000.0, 1100.0, 900.0), "p"),
    ):
        rows.append([table_name, country, code, iso, *values, "metr. t", flag])
    return rows


def write_mining(rows: Grid) -> bytes:
    """Write a database; a column without a name and a row that is too long or short are made to fit."""
    heads = [str(name).replace('"', "") or f"c{i}" for i, name in enumerate(rows[0][1:] or ["x"])]
    names = [name if name not in heads[:i] else f"{name}.{i}" for i, name in enumerate(heads)]
    with closing(sqlite3.connect(":memory:")) as file:
        file.execute('create table "HS Code Map" (name text)')
        file.execute('create table "Country_ISO" (code text)')
        for row in rows[1:]:
            where = str(row[0]).replace('"', "") if row else ""
            columns = ", ".join(f'"{name}"' + (" REAL" if name in YEARS else " TEXT") for name in names)
            file.execute(f'create table if not exists "{where or "blank"}" ({columns})')
            cells = [None if cell == "" else cell for cell in row[1 : len(names) + 1]]
            cells += [None] * (len(names) - len(cells))
            file.execute(f'insert into "{where or "blank"}" values ({",".join("?" * len(names))})', cells)
        file.commit()
        return file.serialize()


def plain_mining(path: Path) -> Plain | None:
    """Read a database of World Mining Data plainly."""
    meant = {"Tungsten (W)": "mine_tungsten", "Gallium": "extract_gallium"}
    codes = {"austria": "AUT", "china": "CHN", "korea, south": "KOR", "japan": "JPN", "total": "WLD"}
    found: Plain = {}
    try:
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as file:
            known = [name for (name,) in file.execute("select name from sqlite_master")]
            for name, activity in meant.items():
                if name not in known:
                    continue
                rows = file.execute(f'select * from "{name}"')
                heads = [item[0] for item in rows.description]
                for row in rows.fetchall():
                    cells = dict(zip(heads, row, strict=True))
                    place = codes.get(str(cells.get("Country", "")).strip().casefold())
                    for year in (head for head in heads if re.match(r"^20\d\d$", head)):
                        if place is not None and isinstance(cells[year], int | float):
                            variable = "total_output" if place == "WLD" else "output"
                            found[variable, activity, place, year, float(cells[year])] = 0
    except (sqlite3.Error, UnicodeDecodeError):
        return None
    return found


COUNTRIES = (
    "country_code,country_name,country_iso2,country_iso3\n152,Chile,CL,CHL\n156,China,CN,CHN\n"
    "392,Japan,JP,JPN\n699,India,IN,IND\n842,USA,US,USA\n"
)


def baci() -> Grid:
    """Return flows of reconciled trade: year, exporter, importer, line, thousand dollars, tonnes."""
    rows: Grid = [["t", "i", "j", "k", "v", "q"]]
    codes = (152, 156, 392, 699, 842)
    for one in codes:
        for two in codes:
            if one != two:
                value, tonnes = (one * two) % 997 + 0.125, one + two / 8
                rows.append([2024, one, two, "260300", f"{value:.3f}", f"{tonnes:.3f}"])
    rows.append([2024, 156, 699, "010111", "1.500", "2.000"])
    rows[3][5] = "          NA"
    return rows


def write_baci(rows: Grid) -> bytes:
    """Write the archive of one year."""
    out = io.BytesIO()
    body = "\n".join(",".join(str(cell) for cell in row) for row in rows) + "\n"
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(zipfile.ZipInfo("BACI_HS92_Y2024_V202601.csv"), body)
        archive.writestr(zipfile.ZipInfo("country_codes_V202601.csv"), COUNTRIES)
        archive.writestr(zipfile.ZipInfo("product_codes_HS92_V202601.csv"), "code,description\n")
    return out.getvalue()


def plain_baci(path: Path) -> Plain | None:
    """Read the archive plainly: dollars and tonnes of every flow in one line of customs."""
    try:
        with zipfile.ZipFile(path) as archive:
            rows = table(archive.read("BACI_HS92_Y2024_V202601.csv"))
            states = table(archive.read("country_codes_V202601.csv"))
    except (zipfile.BadZipFile, KeyError, OSError, ValueError, EOFError, NotImplementedError, zlib.error):
        return None
    if rows is None or states is None:
        return None
    iso = {state.get("country_code", ""): state.get("country_iso3", "") for state in states}
    found: Plain = {}
    for row in rows:
        clean = {name: (cell or "").strip() for name, cell in row.items() if name}
        one, two = iso.get(clean.get("i", "")), iso.get(clean.get("j", ""))
        if clean.get("k") != "260300" or one is None or two is None:
            continue
        for name, column, unit in (("usd", "v", 1000.0), ("t", "q", 1.0)):
            value = signed(clean.get(column, ""))
            amount = None if value is None else value * unit
            found[f"{name} both", "260300", f"{one}>{two}", clean.get("t", ""), amount] = 0
    return found


BINARIES = (
    Format("pink_sheet", "CMO-Historical-Data-Monthly.xlsx", pink, write_pink, plain_pink),
    Format("world_mining", "world_mining_data.db", mining, write_mining, plain_mining),
    Format("baci", "BACI_HS92_V202601.zip", baci, write_baci, plain_baci),
)
