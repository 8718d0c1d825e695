"""``monazite data products``, ``facilities`` and ``capacity``: what is in it, who owns it, what idles."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from monazite.cli import options as opt
from monazite.core.text import say

if TYPE_CHECKING:
    import polars as pl

Product = Annotated[str | None, typer.Argument(metavar="[PRODUCT]", help=say("cli.arg_product"))]
OneChain = Annotated[str | None, typer.Option("--chain", metavar="CHAIN", help=say("cli.opt_chain_one"))]
Owner = Annotated[str | None, typer.Option("--owner", metavar="STATE_OR_NAME", help=say("cli.opt_owner"))]
Shares = Annotated[bool, typer.Option("--shares", help=say("cli.opt_shares"))]

_MOST = 60
_NAMED = 2
_SEEN = 0.005


def products(product: Product = None, json: opt.Json = False, csv: opt.Csv = False) -> None:
    """List the products, or tell what one needs, who makes it and who makes what it needs."""
    from monazite.cli import output
    from monazite.facts.products import load_products, product_sources, product_table
    from monazite.facts.products import products as listed

    output.Door(json=json, csv=csv)
    if product is None:
        _print(listed(), json=json, csv=csv)
        return
    table = product_table(product)
    sources = product_sources(table)
    if json:
        about = load_products().products.filter(_is(product)).row(0, named=True)
        _document(about, table, sources)
        return
    if csv:
        sys.stdout.write(table.write_csv())
        return
    import polars as pl

    from monazite.cli.twins import print_view
    from monazite.views.products import product_content, product_makers

    about = load_products().products.filter(_is(product)).row(0, named=True)
    console = output.console()
    name, counted = about["name"], about["counted"]
    measures = set(table["measure"])
    if "content_per_unit" in measures:
        print_view(console, product_content(table, name=name, counted=counted, sources=sources))
        console.print()
    if "maker_share" in measures:
        print_view(console, product_makers(table, name=name, sources=sources))
        console.print()
    _grid(_readable(table.filter(pl.col("measure") != "maker_share")))


def facilities(
    chain: OneChain = None,
    place: opt.Place = None,
    owner: Owner = None,
    shares: Shares = False,
    json: opt.Json = False,
    csv: opt.Csv = False,
) -> None:
    """List facilities with their holders, or the states' shares of what is made."""
    from monazite.cli import output
    from monazite.core.errors import ArgumentError
    from monazite.facts.facilities import facilities as listed
    from monazite.facts.facilities import owner_shares
    from monazite.facts.places import resolve

    output.Door(json=json, csv=csv)
    code = resolve(place)[0] if place is not None else None
    if not shares:
        frame = listed(chain, place=place, owner=owner)
        if not (json or csv):
            frame = _told(frame).select(
                "facility", "place", "activity", "capacity", "year", "phase", "owners", "source"
            )
        _print(frame, json=json, csv=csv)
        return
    if chain is None:
        raise ArgumentError("cli.shares_need_chain")
    import polars as pl

    frame = owner_shares(chain)
    if code is not None:
        frame = frame.filter(pl.col("place") == code)
    if owner is not None:
        frame = frame.filter(pl.col("by") == owner.upper())
    if not (json or csv):
        frame = _shared(frame.filter(pl.col("value").is_not_null()))
    _print(frame, json=json, csv=csv)


def capacity(
    chain: OneChain = None, place: opt.Place = None, json: opt.Json = False, csv: opt.Csv = False
) -> None:
    """List what stands idle, is being built or is announced."""
    from monazite.cli import output
    from monazite.facts.facilities import capacity as listed

    output.Door(json=json, csv=csv)
    frame = listed(chain, place=place)
    if not (json or csv):
        frame = _priced(_told(frame)).select(
            "phase", "project", "place", "activity", "capacity", "begins", "restart", "source"
        )
    _print(frame, json=json, csv=csv)


def _is(product: str) -> pl.Expr:
    import polars as pl

    return pl.col("product") == product


def _document(about: dict[str, object], table: pl.DataFrame, sources: pl.DataFrame) -> None:
    from monazite.cli import output

    document = {**about, "table": table.to_dicts(), "sources": sources.to_dicts()}
    sys.stdout.write(output.dumps(document) + "\n")


def _print(frame: pl.DataFrame, *, json: bool, csv: bool) -> None:
    from monazite.cli import output

    if json:
        sys.stdout.write(output.dumps(frame) + "\n")
    elif csv:
        sys.stdout.write(frame.write_csv())
    else:
        _grid(frame)


def _grid(frame: pl.DataFrame) -> None:
    from monazite.cli import output
    from monazite.cli.show import grid

    if frame.height:
        grid(output.console(), frame, most=_MOST)
    else:
        sys.stdout.write(say("cli.none_found") + "\n")


def _readable(table: pl.DataFrame) -> pl.DataFrame:
    """Put each figure of a product on one line: what, of what or where, when, how much, whence."""
    import polars as pl

    from monazite.views import words

    told = _figures(table, "value", digits=4)
    about = [
        words.commodity(commodity) if commodity else words.place(by or place) if by or place else ""
        for commodity, place, by in table.select("commodity", "place", "by").iter_rows()
    ]
    return table.select(
        pl.col("measure").map_elements(words.measure, return_dtype=pl.String),
        pl.Series("about", about, dtype=pl.String),
        "period",
        pl.Series("figure", told, dtype=pl.String),
        "basis",
        "source",
    )


def _told(frame: pl.DataFrame) -> pl.DataFrame:
    """Write a capacity with unit, basis, mark and range in place of the number."""
    import polars as pl

    told = [
        f"{text}, {basis}" if basis else text
        for text, basis in zip(_figures(frame, "capacity"), frame["basis"].to_list(), strict=True)
    ]
    return frame.with_columns(pl.Series("capacity", told, dtype=pl.String))


def _figures(frame: pl.DataFrame, column: str, digits: int = 3) -> list[str]:
    """Return figures in words: value and unit, the mark of its kind, its range."""
    from monazite.cli.show import MARKS
    from monazite.views.numbers import interval, quantity
    from monazite.views.view import quality

    texts = []
    for value, low, high, unit, kind, status in frame.select(
        column, "low", "high", "unit", "kind", "status"
    ).iter_rows():
        text = f"{quantity(value, unit, digits=digits)} {MARKS[quality(kind, status, value)]}"
        within = interval(low, high, None)
        texts.append(f"{text} ({within})" if within else text)
    return texts


def _shared(frame: pl.DataFrame) -> pl.DataFrame:
    """Put the shares at a place on one line, role by role, each with what it could be at most."""
    import polars as pl

    from monazite.views import words
    from monazite.views.numbers import percent

    rows: dict[tuple[str, str], dict[str, str]] = {}
    for row in frame.iter_rows(named=True):
        line = rows.setdefault((row["activity"], row["place"]), {"period": row["period"]})
        text = f"{row['by']} {percent(row['value'])}"
        if row["high"] is not None and row["high"] > row["value"] + _SEEN:
            text += " " + say("cli.at_most", share=percent(row["high"]))
        line[row["role"]] = f"{line[row['role']]}, {text}" if row["role"] in line else text
        line["covered"] = percent(min(row["covered"] / row["total"], 1.0)) if row["total"] else ""
        line["source"] = _first(row["source"].split(";"))
    columns = ("equity", "control", "offtake", "covered", "period", "source")
    return pl.DataFrame(
        [
            (words.commodity(activity), words.place(place), *(line.get(name) for name in columns))
            for (activity, place), line in rows.items()
            if place == "WLD"
            or any(line.get(role, "unknown 100").find("unknown 100") for role in columns[:3])
        ],
        schema=["activity", "place", *columns],
        orient="row",
    )


def _first(names: list[str]) -> str:
    """Return the first names of a list and how many more there are."""
    more = len(names) - _NAMED
    told = "; ".join(names[:_NAMED])
    return f"{told} " + say("cli.and_more", count=more) if more > 0 else told


def _priced(frame: pl.DataFrame) -> pl.DataFrame:
    """Write the price or condition of a restart, and when it stopped or would begin, in one column each."""
    import polars as pl

    from monazite.views.numbers import interval, quantity

    texts, dates = [], []
    columns = ("restart_price", "price_low", "price_high", "price_unit", "price_is", "condition")
    for price, low, high, unit, which, condition in frame.select(columns).iter_rows():
        parts = [condition] if condition and price is None else []
        if price is not None:
            within = interval(low, high, unit)
            told = f"{quantity(price, unit, digits=4)}{f' ({within})' if within else ''}"
            parts.insert(0, say(f"cli.price_{which}", price=told))
        texts.append("; ".join(parts) or None)
    for since, start, lag in frame.select("since", "start", "lag").iter_rows():
        parts = [say("cli.idle_since", since=since)] if since else []
        parts += [str(start)] if start else []
        parts += [say("cli.lag", months=lag)] if lag is not None else []
        dates.append("; ".join(parts) or None)
    return frame.with_columns(
        pl.Series("restart", texts, dtype=pl.String), pl.Series("begins", dates, dtype=pl.String)
    )
