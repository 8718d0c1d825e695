"""A product: how much of each material one of it needs, and who makes each of them.

Input: ``table``
    What `monazite.facts.products.product_table` returns: a result table whose ``activity`` is the product.
    `product_content` draws the rows of measure ``content_per_unit``, `product_makers` those of
    ``maker_share``; ``need_share`` is told in the headline of the first.

Data of the views
    As of `monazite.views.ranking` and of `monazite.views.chokepoint`, whose pictures these are.
"""

from __future__ import annotations

from dataclasses import replace

import polars as pl

from monazite.core.text import say
from monazite.views import words
from monazite.views.chokepoint import chokepoint
from monazite.views.numbers import percent, quantity
from monazite.views.ranking import ranking
from monazite.views.view import View

__all__ = ["product_content", "product_makers"]

#: bases that weigh the good as it is
_WHOLE = ("gross weight", "metal", "oxide", "finished magnet", "finished component")
_MOST = 24
_HALF = 0.5


def product_content(
    table: pl.DataFrame, *, name: str, counted: str, sources: pl.DataFrame | None = None
) -> View:
    """Make the bars of kilograms per product, with their ranges.

    Parameters
    ----------
    table
        As the head of this module says.
    name
        What a reader calls the product.
    counted
        What one unit of it is.
    sources
        Frame of sources, in the order of their footnotes.

    Raises
    ------
    ArgumentError
        If nothing is known of what is in it.

    Examples
    --------
    >>> from monazite.facts.products import product_table
    >>> view = product_content(product_table("industrial_motor"), name="Motor", counted="7.5 kW motor")
    >>> view.encoding["picture"], view.data["unit"][0]
    ('bars', 'kg/unit')
    """
    drawn = ranking(
        table.with_columns(use=pl.lit(None, pl.String)),
        measure="content_per_unit",
        top=_MOST,
        sources=sources,
    )
    first = drawn.data.row(0, named=True)
    sentence = say(
        "view.product_sentence",
        name=name,
        counted=counted,
        count=table.filter(pl.col("measure") == "content_per_unit").height,
        chains=table.filter(pl.col("measure") == "content_per_unit")["chain"].n_unique(),
        most=words.inline(first["label"]),
        text=first["text"],
    )
    needs = table.filter(pl.col("measure") == "need_share").sort("value", descending=True)
    if needs.height:
        top = needs.row(0, named=True)
        sentence += " " + say(
            "view.product_need",
            commodity=words.inline(words.commodity(top["commodity"])),
            share=percent(top["value"]),
            year=top["period"],
        )
    guessed = drawn.data.filter(pl.col("kind") == "assumed").height
    notes = [say("view.product_unit", counted=counted), *drawn.notes]
    own = table.filter(pl.col("measure") == "content_per_unit", ~pl.col("basis").is_in(_WHOLE))
    goods = [
        say("view.product_basis", good=words.inline(words.commodity(row["commodity"])), basis=row["basis"])
        for row in own.iter_rows(named=True)
    ]
    if goods:
        notes.append(say("view.product_bases", goods=goods))
    if guessed > _HALF * drawn.data.height:
        notes.append(say("view.product_assumed", count=guessed, of=drawn.data.height))
    return replace(
        drawn,
        name="product_content",
        title=say("view.product_title", name=name),
        sentence=sentence,
        notes=tuple(notes),
    )


def product_makers(table: pl.DataFrame, *, name: str, sources: pl.DataFrame | None = None) -> View:
    """Make the matrix material × state: who makes what the product needs.

    Parameters
    ----------
    table, name, sources
        As in `product_content`.

    Raises
    ------
    ArgumentError
        If nothing is known of who makes it.

    Examples
    --------
    >>> from monazite.facts.products import product_table
    >>> product_makers(product_table("industrial_motor"), name="Motor").encoding["picture"]
    'matrix'
    """
    drawn = chokepoint(table, measure="maker_share", sources=sources)
    shares = table.filter(pl.col("measure") == "maker_share")
    largest = shares.sort("value", descending=True).unique("commodity", keep="first", maintain_order=True)
    counts = largest.group_by("by", maintain_order=True).agg(
        pl.len(), most=pl.col("value").filter(pl.col("value") > _HALF).len()
    )
    lead = counts.sort("len", descending=True, maintain_order=True).row(0, named=True)
    peak = largest.filter(pl.col("by") == lead["by"]).row(0, named=True)
    return replace(
        drawn,
        name="product_makers",
        title=say("view.makers_title", name=name),
        sentence=say(
            "view.makers_sentence",
            state=words.place(lead["by"]),
            count=lead["len"],
            of=largest.height,
            half=lead["most"],
            commodity=words.inline(words.commodity(peak["commodity"])),
            share=quantity(peak["value"], "share"),
        ),
    )
