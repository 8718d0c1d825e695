"""Small files of every official format, written here, and what a plain reading of them says.

The plain readings share no code with the readers under test: they decode, split and convert in the fewest
lines, with their own hand-written table of what is meant. Where a cell is no number that they are sure of,
they say nothing about its row.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

#: rows of cells, the names of the columns among them
Grid = list[list[object]]
#: variable, subject, place, period, figure (None: none is given)
Fact = tuple[str, str, str, str, float | None]

CHINA_REE = "mine_rock;mine_clay_chn"
WORLD_REE = (
    "mine_rock; mine_clay_chn; mine_clay_mmr; mine_mountain_pass; mine_mount_weld; mine_monazite; "
    "mine_loparite; mine_clay_bra"
)
_NUMBER = re.compile(r"^([0-9]{1,3}(,[0-9]{3})+|[0-9]{1,15})(\.[0-9]{1,15})?$")


#: what a plain reading says: every figure with the row that it stands in, 0 where no row can be told
Plain = dict[Fact, int]


@dataclass(frozen=True)
class Format:
    """A format: its name, a file's name, the cells of a sound file, and a plain reading of any file."""

    name: str
    file: str
    grid: Callable[[], Grid]
    write: Callable[[Grid], bytes]
    plain: Callable[[Path], Plain | None]
    #: what the publisher writes text in; blank for a file that is no text
    encoding: str = ""


def number(text: str) -> float | None:
    """Return a number with commas in the right places."""
    cell = text.replace("\xa0", " ").strip()
    return float(cell.replace(",", "")) if _NUMBER.match(cell) else None


def signed(text: str) -> float | None:
    """Return a number without commas, perhaps with a sign or an exponent."""
    return float(text) if re.match(r"^-?[0-9]+(\.[0-9]*)?([eE][-+]?[0-9]{1,2})?$", text) else None


def decoded(data: bytes, *others: str) -> str | None:
    """Decode bytes as UTF-8, or as one of other encodings."""
    for name in ("utf-8-sig", *others):
        try:
            return data.decode(name)
        except UnicodeDecodeError:
            continue
    return None


def table(data: bytes, *others: str) -> list[dict[str, str]] | None:
    """Return the rows of a comma-separated table by column; None where it is none."""
    body = decoded(data, *others)
    if body is None:
        return None
    try:
        rows = list(csv.reader(io.StringIO(body, newline="")))
    except csv.Error:
        return None
    if not rows:
        return None
    names = [cell.strip() for cell in rows[0]]
    return [dict(zip(names, row, strict=False)) for row in rows[1:]]


def text(rows: Grid, encoding: str) -> bytes:
    """Write rows as the publishers do."""
    out = io.StringIO(newline="")
    csv.writer(out, lineterminator="\n").writerows(rows)
    return out.getvalue().encode(encoding, errors="replace")


MCS_COLUMNS = [
    "MCS chapter",
    "Section",
    "Commodity",
    "Country",
    "Statistics",
    "Statistics_detail",
    "Unit",
    "Year",
    "Value",
    "Notes",
    "Is critical mineral 2025",
    "Other notes",
]
WORLD, SALIENT = "World Mine Production and Reserves", "Salient Statistics—United States"
#: chapter, detail in small letters: unit, factor, activity, and activity by place
_MCS = {
    ("TUNGSTEN", "mine production"): ("metric tons", 1.0, "mine_tungsten", {}),
    ("GALLIUM", "primary production"): ("kilograms", 0.001, "extract_gallium", {}),
    ("RARE EARTHS", "mine production"): (
        "metric tons",
        1.0,
        "",
        {
            "united states": "mine_mountain_pass",
            "australia": "mine_mount_weld",
            "india": "mine_monazite",
            "burma": "mine_clay_mmr",
            "china": CHINA_REE,
            "world total": WORLD_REE,
        },
    ),
}
_PLACES = {
    "australia": "AUS",
    "austria": "AUT",
    "burma": "MMR",
    "china": "CHN",
    "india": "IND",
    "japan": "JPN",
    "russia": "RUS",
    "rwanda": "RWA",
    "united states": "USA",
    "korea, republic of": "KOR",
    "world total": "WLD",
    "world total (rounded)": "WLD",
}


def mcs() -> Grid:
    """Write a commodities data release of four chapters."""
    rows: Grid = [list(MCS_COLUMNS)]

    def world(chapter: str, detail: str, unit: str, figures: dict[str, tuple[str, str]]) -> None:
        for year, index in (("2024", 0), ("2025", 1)):
            for country, pair in figures.items():
                total = country == "World total"
                note = "Estimated." if index else ""
                name = f"{detail}: rounded" if total else detail
                rows.append(
                    [
                        chapter,
                        WORLD,
                        chapter.title(),
                        country,
                        "Production",
                        name,
                        unit,
                        year,
                        pair[index],
                        note,
                        "Yes",
                        f"(Data in {unit} unless otherwise specified)",
                    ]
                )

    tungsten = {"United States": ("—", "—"), "Austria": ("840", "850"), "China": ("67,000", "67,500")}
    tungsten |= {"Rwanda": ("1,200", "1,300"), "Other countries": ("960", "1,150")}
    world("TUNGSTEN", "Mine production", "metric tons", tungsten | {"World total": ("70,000", "70,800")})
    gallium = {"China": ("839,000", "900,000"), "Japan": ("3,000", "3,000"), "Russia": ("6,000", "6,000")}
    world("GALLIUM", "Primary production", "kilograms", gallium | {"World total": ("848,000", "909,000")})
    earths = {"United States": ("45,500", "51,000"), "Australia": ("29,000", "W"), "India": ("2,900", "NA")}
    earths |= {"Burma": ("27,000", ">22,000"), "China": ("270,000", "270,000")}
    world("RARE EARTHS", "Mine production", "metric tons", earths | {"World total": ("374,000", "390,000")})
    for year, value in (("2021", "235"), ("2024", "252"), ("2025", "380")):
        rows.append(
            [
                "TUNGSTEN",
                SALIENT,
                "Tungsten",
                "United States",
                "Price",
                "Price, concentrate, average in-warehouse Rotterdam",
                "dollars per dry metric ton unit",
                year,
                value,
                "Source: Argus.",
                "Yes",
                "",
            ]
        )
    abrasives = ["ABRASIVES", SALIENT, "Abrasives", "United States", "Production", "Production"]
    rows.append([*abrasives, "metric tons", "2024", "10,000", "Less than “½ unit”.", "No", ""])
    reserves = ["TUNGSTEN", WORLD, "Tungsten", "China", "Reserves", "Reserves"]
    rows.append([*reserves, "metric tons", "2025", "2,500,000", "", "Yes", ""])
    return rows


def plain_mcs(path: Path) -> Plain | None:
    """Read a commodities data release plainly."""
    rows = table(path.read_bytes(), "cp1252")
    if rows is None:
        return None
    found: Plain = {}
    for at, row in enumerate(rows, start=2):
        detail = " ".join(row.get("Statistics_detail", "").split()).casefold()
        key = (" ".join(row.get("MCS chapter", "").split()).upper(), detail.removesuffix(": rounded"))
        country, year = " ".join(row.get("Country", "").split()).casefold(), row.get("Year", "").strip()
        if key not in _MCS or row.get("Statistics", "").strip().casefold() != "production":
            continue
        unit, factor, general, special = _MCS[key]
        activity, place = special.get(country, general), _PLACES.get(country)
        if not activity or place is None or " ".join(row.get("Unit", "").split()).casefold() != unit:
            continue
        mark = row.get("Value", "").replace("\xa0", " ").strip()
        estimate = re.match(r"^e ?(.*)$|^(.*?) ?e$", mark)
        value = 0.0 if mark == "—" else number(mark)
        if value is None and estimate:
            value = number(estimate[1] or estimate[2] or "")
        variable = "total_output" if place == "WLD" or ";" in activity else "output"
        found[variable, activity, place, year, None if value is None else value * factor] = at
    return found


def world_data() -> Grid:
    """Write a world data release."""
    names = [
        "SOURCE",
        "COMMODITY",
        "COUNTRY",
        "TYPE",
        "UNIT_MEAS",
        "PROD_2023",
        "PROD_EST_ 2024",
        "PROD_NOTES",
        "CAP_2023",
        "CAP_EST_ 2024",
        "CAP_NOTES",
        "RESERVES_2024",
        "RESERVE_NOTES",
    ]
    rows: Grid = [list(names)]

    def add(goods: str, kind: str, unit: str, figures: dict[str, tuple[object, ...]]) -> None:
        for country, (one, two, note, capacity) in figures.items():
            rows.append(["MCS2025", goods, country, kind, unit, one, two, note, "", capacity, "", "", ""])

    add(
        "Tungsten ",
        "Mine production, tungsten content",
        "metric tons",
        {
            "Austria": (850, 800, "", ""),
            "China": (66000, 67000, "estimated 2023", ""),
            "Russia ": (2000, 2000, "", ""),
            "United States": ("", "", "W", ""),
            "Other Countries": (1200, 1300, "", ""),
            "World total (rounded)": (70100, 71100, "", ""),
        },
    )
    add(
        "Gallium ",
        "Primary production",
        "kilograms",
        {
            "China": (621000, 750000, "", 1000000),
            "Japan": (3000, 3000, "", 10000),
            "Korea, Republic of": (3000, 3000, "", 16000),
            "World total (rounded)": (627000, 756000, "", 1030000),
        },
    )
    stone = ["MCS2025", "Côte d’Ivoire stone", "Côte d’Ivoire", "Mine production", "metric tons"]
    rows.append([*stone, 5, 6, "", "", "", "", "", ""])
    return rows


def plain_world_data(path: Path) -> Plain | None:
    """Read a world data release plainly."""
    rows = table(path.read_bytes())
    if rows is None:
        return None
    meant = {
        ("tungsten", "mine production, tungsten content"): ("metric tons", 1.0, "mine_tungsten"),
        ("gallium", "primary production"): ("kilograms", 0.001, "extract_gallium"),
    }
    found: Plain = {}
    for at, row in enumerate(rows, start=2):
        clean = {name: " ".join((cell or "").split()) for name, cell in row.items() if name}
        key = (clean.get("COMMODITY", "").casefold(), clean.get("TYPE", "").casefold())
        place = _PLACES.get(clean.get("COUNTRY", "").casefold())
        if key not in meant or place is None:
            continue
        unit, factor, activity = meant[key]
        if clean.get("UNIT_MEAS", "").casefold() not in (unit, ""):
            continue
        for column, cell in clean.items():
            fitting = re.match(r"^(PROD|CAP)_(?:EST_ ?)?(\d{4})$", column)
            if not fitting or (fitting[1] == "CAP" and (place == "WLD" or activity == "mine_tungsten")):
                continue
            variable = "capacity" if fitting[1] == "CAP" else "output"
            variable = "total_output" if place == "WLD" else variable
            value = 0.0 if cell == "—" else number(cell)
            if value is None and (found_e := re.match(r"^e ?(.+)$|^(.+?) ?e$", cell)):
                value = number(found_e[1] or found_e[2])
            found[variable, activity, place, fitting[2], None if value is None else value * factor] = at
    return found


BGS_COLUMNS = [
    "x",
    "y",
    "country_trans",
    "bgs_sub_commodity_trans",
    "sdmx_code",
    "yearbook_table_trans",
    "country_iso3_code",
    "erml_group",
    "units",
    "quantity",
    "year",
    "quantity_in_book_style",
    "concat_table_notes_text",
    "concat_figure_notes_code",
    "bgs_statistic_type_trans",
    "bgs_commodity_trans",
    "data_precision_description",
    "concat_figure_notes_text",
]


def bgs() -> Grid:
    """Write an extract of World Mineral Statistics."""
    rows: Grid = [list(BGS_COLUMNS)]

    def add(name: str, code: str, year: int, quantity: object, mark: str, book: object, notes: str) -> None:
        star = "*" if notes else ""
        rows.append(
            [
                1.5,
                2.5,
                name,
                "",
                mark,
                "Mine production of tungsten",
                code,
                "Tungsten",
                "tonnes (metal content)",
                quantity,
                f"{year}-01-01 00:00:00",
                book,
                "",
                star,
                "Production",
                "tungsten, mine",
                "",
                notes,
            ]
        )

    for year, scale in ((2021, 1), (2022, 2), (2023, 3)):
        add("China", "CHN", year, 60000 + scale * 1000, "A", 60000 + scale * 1000, "Estimates.")
        add("Austria", "AUT", year, 890 + scale, "A", 890 + scale, "")
        add("Soviet Union", "SUN", year, 10, "A", 10, "")
        add("Rwanda", "RWA", year, "", "O", "...", "")
        add("Uzbekistan", "UZB", year, 0, "A", "-----", "")
    add("Kyrgyzstan", "KGZ", 2023, 0, "N", 0, "")
    return rows


def plain_bgs(path: Path) -> Plain | None:
    """Read an extract plainly."""
    rows = table(path.read_bytes())
    if rows is None:
        return None
    codes = {"china": "CHN", "austria": "AUT", "rwanda": "RWA", "uzbekistan": "UZB", "kyrgyzstan": "KGZ"}
    found: Plain = {}
    for at, row in enumerate(rows, start=2):
        clean = {name: " ".join((cell or "").split()) for name, cell in row.items() if name}
        place = codes.get(clean.get("country_trans", "").casefold())
        if clean.get("bgs_commodity_trans", "").casefold() != "tungsten, mine" or place is None:
            continue
        cell = clean.get("quantity", "")
        value = number(cell) if clean.get("sdmx_code") == "A" else None
        if value is None and clean.get("sdmx_code") == "A" and (e := re.match(r"^e ?(.+)$|^(.+?) ?e$", cell)):
            value = number(e[1] or e[2])
        found["output", "mine_tungsten", place, clean.get("year", "")[:4], value] = at
    return found


TEXTS = (
    Format(
        "usgs_mcs", "MCS2026_Commodities_Data.csv", mcs, partial(text, encoding="cp1252"), plain_mcs, "cp1252"
    ),
    Format(
        "usgs_world_data",
        "MCS2025_World_Data.csv",
        world_data,
        partial(text, encoding="utf-8-sig"),
        plain_world_data,
        "utf-8-sig",
    ),
    Format("bgs", "BGS_tungsten.csv", bgs, partial(text, encoding="utf-8"), plain_bgs, "utf-8"),
)
