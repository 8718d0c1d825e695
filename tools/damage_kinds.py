"""Ways to damage a file: cells, rows, columns, encodings, bytes, all from a seeded generator."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

from tools.damage_files import Format, Grid

__all__ = ["KINDS", "damaged"]

#: what may stand in a cell instead of its figure
_FIGURES = (
    "", "W", "NA", "—", "-", "–", "XX", "E", "s", "...", "…", "-----", "nan", "None", "inf", "0", "-5",
    "-1,200",
    "1,00", "12,34,567", "1.234.567", "1 234", "1,2345", ",5", "5,", "1e5", "1E-3", "+7", "0x1F", "1_000",
    "½",
    ">50", "<25", "> 1,000", "5–3", "3–5", "3 - 5", "(1)", "1,200(3)", "1,200 (3)", "e1,200", "1,200 e",
    "r1,200", "1,200r", "12%", "$12", "=SUM(A1)", "#REF!", "１２", "٣", "9" * 40, "Large", "see note",
    "1;200",
)  # fmt: skip
_NAMES = (
    "", "Chinaa", "china", "CHN", "Soviet Union", "Other countries", "World total", "Atlantis",
    "United States",
    "United States and Canada", "Rwanda ", "Austria\xa0", "Ruanda", "Total", "TUNGSTAN", "GALLIUM", "gallium",
    "metric tons", "thousand metric tons", "kilograms", "short tons", "kg", "Reserves", "Productoin", "2024",
    "1824", "2204", "20245", "24", "2024.0", "2024-13", "Yes", "No", "x", "a,b", 'say "x"', "tab\there",
)  # fmt: skip


def _cell(rows: Grid, rng: random.Random) -> tuple[int, int]:
    y = rng.randrange(1, len(rows))
    return y, rng.randrange(len(rows[y]))


def _figure_cell(rows: Grid, rng: random.Random) -> tuple[int, int]:
    """Choose a cell that holds a number, as well as that can be told."""
    found = [
        (y, x)
        for y, row in enumerate(rows)
        for x, cell in enumerate(row)
        if y and str(cell).replace(",", "").replace(".", "").isdigit()
    ]
    return rng.choice(found)


def figure(rows: Grid, rng: random.Random) -> None:
    """Put something else where a number stands."""
    y, x = _figure_cell(rows, rng)
    rows[y][x] = rng.choice(_FIGURES)


def near_figure(rows: Grid, rng: random.Random) -> None:
    """Damage a number a little: a digit, a comma, a footnote, a unit more or less."""
    y, x = _figure_cell(rows, rng)
    text = str(rows[y][x])
    at = rng.randrange(len(text))
    ways = [
        text + rng.choice("0123456789"),
        text + rng.choice(("(1)", "1)", "*", "r", "e", " t", "%", "\xa0", " ", ".", ",")),
        rng.choice(("e", "r", "~", "-", ">", "<", "(", " ")) + text,
        text[:at] + text[at + 1 :],
        text[:at] + rng.choice("0123456789") + text[at + 1 :],
        text[:at] + rng.choice(",. ;'") + text[at:],
        text.replace(",", "."),
        text.replace(",", ""),
        text.replace(".", ","),
        text[::-1],
    ]
    rows[y][x] = rng.choice(ways)


def name(rows: Grid, rng: random.Random) -> None:
    """Put another name, unit or year into any cell."""
    y, x = _cell(rows, rng)
    rows[y][x] = rng.choice(_NAMES)


def letter(rows: Grid, rng: random.Random) -> None:
    """Change, drop or add a letter of any cell."""
    y, x = _cell(rows, rng)
    text = str(rows[y][x])
    at = rng.randrange(len(text) + 1)
    rows[y][x] = rng.choice(
        (text[:at] + text[at + 1 :], text[:at] + rng.choice("abXYZ19,. ") + text[at:], text.swapcase())
    )


def swapped_cells(rows: Grid, rng: random.Random) -> None:
    """Change two cells of a row for each other."""
    y, x = _cell(rows, rng)
    z = rng.randrange(len(rows[y]))
    rows[y][x], rows[y][z] = rows[y][z], rows[y][x]


def shifted(rows: Grid, rng: random.Random) -> None:
    """Move the cells of a row to the side from some column on."""
    y, x = _cell(rows, rng)
    row = rows[y]
    if rng.random() < 0.5:
        rows[y] = [*row[:x], rng.choice(("", "(1)", "Estimated.")), *row[x:-1]]
    else:
        rows[y] = [*row[:x], *row[x + 1 :], ""]


def longer(rows: Grid, rng: random.Random) -> None:
    """Add a cell to a row or take one away."""
    y, x = _cell(rows, rng)
    if rng.random() < 0.5:
        rows[y].insert(x, rng.choice(("", "1", "note")))
    else:
        del rows[y][x]


def lost_row(rows: Grid, rng: random.Random) -> None:
    """Leave out a row."""
    del rows[rng.randrange(len(rows))]


def doubled_row(rows: Grid, rng: random.Random) -> None:
    """Repeat a row, at times with another figure."""
    y = rng.randrange(len(rows))
    rows.insert(rng.randrange(y, len(rows)) + 1, list(rows[y]))
    if rng.random() < 0.6 and y:
        near_figure([[], rows[y]], rng) if any(str(c).isdigit() for c in rows[y]) else name(
            [[], rows[y]], rng
        )


def moved_row(rows: Grid, rng: random.Random) -> None:
    """Put a row elsewhere."""
    row = rows.pop(rng.randrange(1, len(rows)))
    rows.insert(rng.randrange(1, len(rows) + 1), row)


def blank_row(rows: Grid, rng: random.Random) -> None:
    """Add a row without cells, with blank ones, or the names of the columns once more."""
    rows.insert(rng.randrange(len(rows) + 1), rng.choice(([""], [""] * len(rows[0]), list(rows[0]))))


def cut_rows(rows: Grid, rng: random.Random) -> None:
    """End the file early, between two rows."""
    del rows[rng.randrange(1, len(rows)) :]


def lost_column(rows: Grid, rng: random.Random) -> None:
    """Leave out a column."""
    x = rng.randrange(max(len(row) for row in rows))
    for row in rows:
        if x < len(row):
            del row[x]


def doubled_column(rows: Grid, rng: random.Random) -> None:
    """Repeat a column."""
    x = rng.randrange(max(len(row) for row in rows))
    for row in rows:
        if x < len(row):
            row.insert(x, row[x])


def moved_column(rows: Grid, rng: random.Random) -> None:
    """Change two columns for each other, with their names or without."""
    width = min(len(row) for row in rows if len(row) > 2)
    x, z = rng.randrange(width), rng.randrange(width)
    for y, row in enumerate(rows):
        if len(row) >= width and (y or rng.random() < 0.5):
            row[x], row[z] = row[z], row[x]


def head(rows: Grid, rng: random.Random) -> None:
    """Damage the name of a column."""
    y = rng.randrange(min(6, len(rows)))
    if rows[y]:
        letter([[], rows[y]], rng) if rng.random() < 0.7 else name([[], rows[y]], rng)


_GRIDS: tuple[Callable[[Grid, random.Random], None], ...] = (
    figure, figure, near_figure, near_figure, name, name, letter, swapped_cells, shifted, longer, lost_row,
    doubled_row, moved_row, blank_row, cut_rows, lost_column, doubled_column, moved_column, head,
)  # fmt: skip


def flipped(data: bytes, rng: random.Random) -> bytes:
    """Change some bytes."""
    made = bytearray(data)
    for _ in range(rng.choice((1, 1, 1, 2, 8))):
        made[rng.randrange(len(made))] = rng.randrange(256)
    return bytes(made)


def cut(data: bytes, rng: random.Random) -> bytes:
    """End the file early, anywhere."""
    return data[: rng.randrange(len(data))]


def lost_bytes(data: bytes, rng: random.Random) -> bytes:
    """Leave out, repeat or blank a piece."""
    at, size = rng.randrange(len(data)), rng.choice((1, 2, 16, 512))
    piece = data[at : at + size]
    middle = rng.choice((b"", piece + piece, b"\0" * len(piece), bytes(rng.randrange(256) for _ in piece)))
    return data[:at] + middle + data[at + size :]


def marks(data: bytes, rng: random.Random) -> bytes:
    """Lose, add or move the marks that part cells and rows."""
    mark = rng.choice((b'"', b",", b"\n"))
    places = [i for i in range(len(data)) if data[i : i + 1] == mark]
    if not places:
        return flipped(data, rng)
    at = rng.choice(places)
    return data[:at] + rng.choice((b"", mark + mark, b";", b"\t", b'"')) + data[at + 1 :]


def encoded(data: bytes, rng: random.Random, encoding: str) -> bytes:
    """Save the text in another encoding, or as one that it is not."""
    text = data.decode(encoding)
    twice = text.encode().decode("cp1252", "replace").encode()
    return rng.choice(
        (
            text.encode(),
            text.encode("cp1252", "replace"),
            text.encode("latin-1", "replace"),
            text.encode("ascii", "replace"),
            text.encode("ascii", "ignore"),
            text.encode("utf-16"),
            text.encode("utf-16-le"),
            text.encode("utf-8-sig"),
            twice,
            twice.decode().encode("cp1252", "replace"),
            text.encode("cp437", "replace"),
            text.replace("\n", "\r\n").encode(encoding),
            text.replace("\n", "\r").encode(encoding),
            text.replace(",", ";").encode(encoding),
            text.replace(",", "\t").encode(encoding),
            text.replace('"', "").encode(encoding),
            text.encode() + text[: len(text) // 2].encode("cp1252", "replace"),
        )
    )


#: names of all kinds
KINDS: tuple[str, ...] = tuple(
    dict.fromkeys(
        [*(way.__name__ for way in _GRIDS), "flipped", "cut", "lost_bytes", "marks", "encoded", "two"]
    )
)


def damaged(form: Format, rng: random.Random, data: bytes | None = None) -> tuple[str, bytes]:
    """Damage a file of a format.

    Parameters
    ----------
    form
        The format.
    rng
        Generator.
    data
        Bytes of a real file; without them the small one is taken.

    Returns
    -------
    tuple
        Kind of damage and the bytes.
    """
    ways: Sequence[Callable[[bytes, random.Random], bytes]] = (flipped, cut, lost_bytes, marks)
    if data is not None or rng.random() < 0.28:
        found = form.write(form.grid()) if data is None else data
        if form.encoding and rng.random() < 0.35:
            return "encoded", encoded(found, rng, form.encoding)
        way = rng.choice(ways)
        return way.__name__, way(found, rng)
    rows = form.grid()
    chosen = rng.choice(_GRIDS)
    chosen(rows, rng)
    if rng.random() < 0.1 and len(rows) > 3 and all(len(row) > 1 for row in rows):
        figure(rows, rng) if any(str(c).isdigit() for row in rows[1:] for c in row) else None
        return "two", form.write(rows)
    return chosen.__name__, form.write(rows)
