"""The pages of the atlas: Markdown from the counted facts, the same from the same data."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import polars as pl
from atlas_differences import entries

from monazite import facts
from monazite.facts import FactTable, packaged
from monazite.facts.counting import KNOWN, Counted
from monazite.facts.coverage import Coverage
from monazite.views import words
from monazite.views.coverage import FAMILIES
from monazite.views.numbers import number, percent

__all__ = ["chain_page", "index_page", "sources_page"]

_LEADERS = 3
_WRITTEN = "Written by `python tools/atlas.py` from the packaged facts; do not edit."
_SHORT = 160
_MOST = 40


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> list[str]:
    """A Markdown table, or a dash where it has no row."""
    lines = ["| " + " | ".join(_cell(value) for value in row) + " |" for row in rows]
    if not lines:
        return ["None.", ""]
    return ["| " + " | ".join(head) + " |", "|" + " --- |" * len(head), *lines, ""]


def _cell(value: object) -> str:
    return "" if value is None else str(value).replace("|", "\\|").replace("\n", " ").replace("\xa0", " ")


def _figure(row: dict[str, Any]) -> str:
    ends = (
        "" if row["low"] is None or row["high"] is None else f" ({number(row['low'])}–{number(row['high'])})"
    )
    return f"{number(row['value'])}{ends}"


def chain_page(name: str, counted: Counted, coverage: Coverage, kept: dict[str, Any] | None) -> str:
    """One chain: what it is, who leads, what is traded, how it is known, what is assumed."""
    base = facts.load([name])
    year = str(base.year)
    own = counted.facts.filter(chain=name)
    lines = [f"# {words.chain(name)}", "", _WRITTEN, "", *_about(name, base, coverage), ""]
    lines += ["## Goods", "", *_goods(base)]
    lines += ["## Activities", "", *_activities(base)]
    lines += [f"## Who leads in {year}", "", *_leaders(base)]
    lines += ["## Trade", "", *_trade(name, base)]
    lines += ["## End uses", "", *_uses(base)]
    lines += ["## What is known", "", *_known(name, coverage)]
    lines += ["## What balancing moved", "", *_moved(kept)]
    lines += ["## What is assumed", "", *_assumed(base, own)]
    lines += ["## Differences between sources", "", *_differences(name)]
    lines += ["## Sources", "", *_cited(own, counted)]
    return "\n".join(lines).rstrip() + "\n"


def _about(name: str, base: FactTable, coverage: Coverage) -> list[str]:
    totals = coverage.table.filter(measure="facts_total", chain=name)
    counts = dict(totals.select("known", "value").iter_rows())
    told = ", ".join(f"{counts[kind]:,.0f} {kind.replace('_', ' ')}" for kind in KNOWN if kind in counts)
    stages = sorted(base.commodities["stage"].unique().to_list(), key=words.stage_order)
    steps = []
    for stage in stages:
        names = base.commodities.filter(stage=stage)["name"].to_list()
        more = f" and {len(names) - 6} more" if len(names) > 6 else ""
        steps.append(f"- {words.stage(stage)}: {', '.join(names[:6])}{more}")
    years = ", ".join(str(year) for year in facts.years(name))
    hosts = packaged().chains / name / "hosts.csv"
    lines = [f"Base years: {years}. Facts: {sum(counts.values()):,.0f} ({told}).", "", *steps]
    if hosts.is_file():
        rows = pl.read_csv(hosts, infer_schema_length=0).drop_nulls("host")
        told = "; ".join(
            f"{words.commodity(row['name'])} at {words.commodity(row['host'])} "
            f"({words.chain(row['host_chain']).lower()})"
            for row in rows.iter_rows(named=True)
        )
        if told:
            lines += ["", f"By-product of other chains, and joined to them where they are loaded: {told}."]
    return lines


def _goods(base: FactTable) -> list[str]:
    prices = {
        row["commodity"]: row
        for row in base.select("price").filter(pl.col("place").is_null()).iter_rows(named=True)
    }
    placed = base.select("price").filter(pl.col("place").is_not_null())
    rows = []
    for good in base.commodities.iter_rows(named=True):
        price = prices.get(good["commodity"])
        if price is None:
            some = placed.filter(commodity=good["commodity"])
            price = some.row(0, named=True) if some.height else None
        shown = (
            ""
            if price is None
            else f"{_figure(price)}{' in ' + words.place(price['place']) if price['place'] else ''}"
        )
        rows.append((
            f"{good['name']} (`{good['commodity']}`)", words.stage(good["stage"]), good["basis"], good["hs"],
            shown, price and price["kind"], price and price["source"], good["help"],
        ))  # fmt: skip
    return table(("good", "stage", "basis", "HS", "price, USD/kg", "kind", "source", "what it is"), rows)


def _activities(base: FactTable) -> list[str]:
    coefficients = base.select("coefficient").filter(pl.col("place").is_null())
    rows = []
    for doing in base.activities.filter(pl.col("type") != "use").iter_rows(named=True):
        parts = coefficients.filter(activity=doing["activity"])
        takes = [
            f"{number(abs(row['value']))} {words.inline(words.commodity(row['commodity']))}"
            for row in parts.filter(pl.col("value") < 0).iter_rows(named=True)
        ]
        gives = [
            f"{number(row['value'])} {words.inline(words.commodity(row['commodity']))}"
            for row in parts.filter(pl.col("value") > 0).iter_rows(named=True)
        ]
        rows.append((
            f"{doing['name']} (`{doing['activity']}`)", doing["type"], words.stage(doing["stage"]),
            "; ".join(takes[:4]), "; ".join(gives[:4]), doing["help"],
        ))  # fmt: skip
    return table(("activity", "type", "stage", "takes, t per t", "gives", "what it does"), rows)


def _leaders(base: FactTable) -> list[str]:
    """The largest makers of each good, by the figures before balancing."""
    made = base.select("output", period=str(base.year)).drop_nulls("value").filter(pl.col("value") > 0)
    names = base.activities.select("activity", "stage", "reference")
    made = made.join(names, on="activity", how="left")
    rows = []
    order = {name: words.stage_order(name) for name in made["stage"].unique().to_list()}
    made = made.with_columns(rank=pl.col("stage").replace_strict(order, return_dtype=pl.Int64))
    for (_, stage, good), part in made.sort("rank", maintain_order=True).group_by(
        ["rank", "stage", "reference"], maintain_order=True
    ):
        total = float(part["value"].sum())
        places = part.group_by("place").agg(
            pl.col("value").sum(), pl.col("kind").sort_by("value", descending=True).first()
        ).sort("value", "place", descending=[True, False])  # fmt: skip
        leaders = [
            f"{words.place(row['place'])} {percent(row['value'] / total)} ({row['kind']})"
            for row in places.head(_LEADERS).iter_rows(named=True)
        ]
        reported = float(part.filter(kind="reported")["value"].sum()) / total
        rows.append((
            words.stage(str(stage)), words.commodity(str(good)), ", ".join(leaders), places.height,
            number(total), percent(reported),
        ))  # fmt: skip
    return table(("stage", "good", "leading", "states", "sum, t", "reported"), rows)


def _trade(name: str, base: FactTable) -> list[str]:
    path = packaged().chains / name / "lines.csv"
    flows = base.select("trade")
    lines = []
    if path.is_file():
        rows, before = [], None
        for row in pl.read_csv(path, infer_schema_length=0).iter_rows(named=True):
            caveat = "as above" if row["caveat"] and row["caveat"] == before else row["caveat"]
            before = row["caveat"]
            ends = f" ({row['factor_low']}–{row['factor_high']})" if row["factor_low"] else ""
            band = (
                f"{row['price_low'] or '0'}–{row['price_high'] or '∞'}"
                if row["price_low"] or row["price_high"]
                else ""
            )
            rows.append((
                words.commodity(row["commodity"]), row["hs"], f"{row['factor']}{ends}", row["share"], band,
                row["complete"], row["period"], row["source"], caveat,
            ))  # fmt: skip
        lines += ["Customs lines from which flows are made:", ""]
        lines += table(
            (
                "good",
                "line",
                "t of the good per t",
                "share",
                "USD/kg",
                "whole trade",
                "year",
                "factor from",
                "caveat",
            ),
            rows,
        )
    rows = []
    for (good,), part in flows.group_by(["commodity"], maintain_order=True):
        largest = part.sort("value", "place", descending=[True, False], nulls_last=True).row(0, named=True)
        kinds = dict(part.group_by("kind").len().sort("kind").iter_rows())
        rows.append((
            words.commodity(str(good)), part.height, number(part["value"].sum()),
            f"{words.place(largest['place'])} → {words.place(largest['partner'])} {number(largest['value'])}",
            ", ".join(f"{count} {kind}" for kind, count in kinds.items()),
        ))  # fmt: skip
    lines += [
        f"Flows known in {base.year} (others are estimated when the chain is balanced, and marked modelled):",
        "",
    ]
    return lines + table(("good", "flows", "sum, t", "largest, t", "kinds"), rows)


def _uses(base: FactTable) -> list[str]:
    shares = base.select("use_share").filter(pl.col("place").is_null()).drop_nulls("value")
    rows = [
        (words.commodity(row["activity"]), words.commodity(row["commodity"]), percent(row["value"]),
         "" if row["low"] is None else f"{percent(row['low'])}–{percent(row['high'])}", row["kind"],
         row["source"])
        for row in shares.iter_rows(named=True)
    ]  # fmt: skip
    used = base.select("use", period=str(base.year)).drop_nulls("value")
    done = set(shares["commodity"].to_list())
    for (good,), part in used.filter(~pl.col("commodity").is_in(list(done))).group_by(
        ["commodity"], maintain_order=True
    ):
        total = float(part["value"].sum())
        if not total:
            continue
        by = part.group_by("activity", maintain_order=True).agg(
            pl.col("value").sum(),
            pl.col("kind").mode().sort().first(),
            pl.col("source").mode().sort().first(),
        )
        rows += [
            (words.commodity(row["activity"]), words.commodity(str(good)), percent(row["value"] / total),
             f"sum {number(row['value'])} t", row["kind"], row["source"])
            for row in by.sort("value", descending=True, maintain_order=True).iter_rows(named=True)
        ]  # fmt: skip
    return table(("end use", "takes", "share of the good", "range or tonnes", "kind", "source (most)"), rows)


def _known(name: str, coverage: Coverage) -> list[str]:
    cells = coverage.table.filter(measure="leading_share", chain=name)
    shares = coverage.table.filter(pl.col("commodity").is_null(), measure="reported_share", chain=name)
    share = {(row["stage"], row["period"]): row["value"] for row in shares.iter_rows(named=True)}
    years = cells["period"].unique().sort().to_list()
    found = {(row["stage"], row["period"]): row for row in cells.iter_rows(named=True)}
    stages = sorted(cells["stage"].unique().to_list(), key=words.stage_order)
    rows = []
    for stage in stages:
        told = []
        for year in years:
            row = found[stage, year]
            if row["known"] in ("missing", "withheld"):
                told.append("none" if row["known"] == "missing" else "withheld")
                continue
            of = "" if row["denominator"] == "tonnes" else " of the facts"
            told.append(f"{row['known']} {percent(row['value'])}{of}")
        rows.append((words.stage(stage), *told, percent(share.get((stage, coverage.year)))))
    hollow = [
        words.stage(stage).lower() for stage in stages if found[stage, coverage.year]["known"] == "missing"
    ]
    lines = [
        "How most of the tonnes of each stage are known (of the number of facts where no tonnes are).", "",
        f"Last column: the part of the world's tonnes that rests on reported figures in {coverage.year}.", "",
        *table(("stage", *years, f"reported {coverage.year}"), rows),
    ]  # fmt: skip
    if hollow:
        lines += [f"No public figure in {coverage.year}: {', '.join(hollow)}.", ""]
    return lines


def _moved(kept: dict[str, Any] | None) -> list[str]:
    if not kept:
        return ["Not computed.", ""]
    chi = kept["chi2_per_dof"]
    kinds = ", ".join(f"{count} {kind}" for kind, count in kept["kinds"].items())
    told = (
        "nothing was over-determined"
        if chi is None
        else f"χ²/dof = **{chi}** on {kept['dof']} degrees of freedom"
    )
    outside = "" if chi is None or 0.5 <= chi <= 2 else (
        ". Below 0.5: ranges are wide beside what the figures disagree by" if chi < 0.5
        else ". Above 2: figures contradict each other by more than their σ allow; the worst are below"
    )  # fmt: skip
    lines = [
        f"Loaded alone for {kept['year']}: {told}{outside}. Activities that run: {kinds}.", "",
        f"Adjustments beyond 3.3 of their own standard deviations: {kept['outliers'] or 'none'}.", "",
        "Largest adjustments (t/yr):", "",
    ]  # fmt: skip
    rows = [
        (
            row["name"],
            row["kind"],
            number(row["estimate"]),
            number(row["reconciled"]),
            number(row["r"], digits=2),
        )
        for row in kept["worst"]
    ]
    lines += table(("flow", "kind", "stated", "balanced", "adjustment ÷ own sd"), rows)
    if kept["margins"]:
        rows = [(row["name"], number(row["stated"]), number(row["reconciled"])) for row in kept["margins"]]
        lines += [
            "Processes that lose money at the stated prices (USD/kg of level; the nearest prices mend it):",
            "",
        ]
        lines += table(("process", "stated", "balanced"), rows)
    return lines


def _assumed(base: FactTable, own: pl.DataFrame) -> list[str]:
    rows = (
        own.filter(known="assumed")
        .group_by("variable")
        .len()
        .sort("len", "variable", descending=[True, False])
    )
    lines = ["Facts without a public figure, each with a range and a reason in its note:", ""]
    lines += [
        ", ".join(f"{count} {name}" for name, count in rows.iter_rows()) + "." if rows.height else "None.",
        "",
    ]
    some = base.frame.filter(
        pl.col("variable").is_in(["coefficient", "use_share", "output", "price"]), pl.col("kind") == "assumed"
    )
    told = [
        (row["variable"], words.commodity(row["activity"]) if row["activity"] else "",
         words.commodity(row["commodity"]) if row["commodity"] else "",
         words.place(row["place"]) if row["place"] else "", f"{_figure(row)} {row['unit']}",
         _clip(row["note"]))
        for row in some.filter(pl.col("variable") != "output").head(_MOST).iter_rows(named=True)
    ]  # fmt: skip
    outputs = some.filter(variable="output").group_by("activity", "note", maintain_order=True)
    told += [
        ("output", words.commodity(str(activity)), "", _places(part),
         f"sum {number(part['value'].sum())} t/yr",
         _clip(str(note or "")))
        for (activity, note), part in outputs
    ]  # fmt: skip
    if told:
        lines += ["Those that shape the chain:", ""]
        lines += table(("variable", "activity", "good", "place", "figure", "why"), told)
    return lines


def _places(part: pl.DataFrame) -> str:
    names = [words.place(name) for name in part.sort("value", descending=True, nulls_last=True)["place"]]
    more = f" and {len(names) - 4} more" if len(names) > 5 else ""
    return ", ".join(names[: 4 if more else 5]) + more


def _clip(text: str | None) -> str:
    text = text or ""
    return text if len(text) <= _SHORT else text[: _SHORT - 1].rstrip() + "…"


def _differences(name: str) -> list[str]:
    rows = entries().filter(chain=name)
    told = [
        (row["variable"], row["activity"] or row["commodity"] or "all", row["place"] or "all",
         row["period"] or "all", (row["sources"] or "").replace(";", ","), row["ratio"], row["reason"])
        for row in rows.iter_rows(named=True)
    ]  # fmt: skip
    return table(("variable", "of", "place", "year", "sources", "ratio", "why they differ"), told)


def _cited(own: pl.DataFrame, counted: Counted) -> list[str]:
    counts = own.group_by("source").len().sort("len", "source", descending=[True, False])
    told = dict(counted.sources.select("source", "citation").iter_rows())
    rows = [
        (f"[{name}](../sources.md#{name})", told.get(name, ""), count) for name, count in counts.iter_rows()
    ]
    return table(("source", "citation", "facts"), rows)


def index_page(counted: Counted, coverage: Coverage, kept: dict[str, Any]) -> str:
    """All chains side by side."""
    totals = coverage.table.filter(measure="facts_total").drop_nulls("chain")
    rows = []
    for name in sorted(counted.chains, key=_place):
        counts = dict(totals.filter(chain=name).select("known", "value").iter_rows())
        stages = coverage.stages.filter(chain=name)
        hollow = stages.filter(known="missing").height
        chi = kept.get(name, {}).get("chi2_per_dof")
        rows.append((
            f"[{words.chain(name)}]({name}.md)", stages.height, hollow or "", f"{sum(counts.values()):,.0f}",
            *(f"{sum(counts.get(kind, 0) for kind in kinds):,.0f}" for kinds in
              (("reported",), ("estimated", "derived"), ("assumed", "modelled"), ("withheld", "missing"))),
            "" if chi is None else chi, kept.get(name, {}).get("outliers", ""),
        ))  # fmt: skip
    head = ("chain", "stages", "hollow", "facts", "reported", "estimated, derived", "assumed",
            "withheld, missing", "χ²/dof", "beyond 3.3 sd")  # fmt: skip
    lines = [
        "# The atlas",
        "",
        _WRITTEN,
        "",
        *coverage.findings(),
        "",
        "![What is known of each stage of each chain, year by year](known.svg)",
        "",
        *table(head, rows),
    ]
    lines += [
        "The map of the same, and every count: `monazite data coverage`, or the page `/data/coverage`.",
        "Sources: [sources.md](../sources.md).",
    ]
    return "\n".join(lines).rstrip() + "\n"


def _place(name: str) -> tuple[int, str]:
    order = [chain for chains in FAMILIES.values() for chain in chains]
    return (order.index(name) if name in order else len(order), name)


def sources_page(counted: Counted) -> str:
    """One section a source: citation, licence, dates, what rests on it, how to get the next version."""
    by = counted.facts.group_by("source", "chain").len()
    notes = counted.facts.filter(pl.col("variable") == "trade", pl.col("note").is_not_null())
    lines = ["# Sources", "", _WRITTEN, "",
             f"{counted.sources.height} sources are cited, by the facts of {len(counted.chains)} chains.",
             ""]  # fmt: skip
    for row in counted.sources.iter_rows(named=True):
        own = by.filter(source=row["source"]).sort("len", "chain", descending=[True, False])
        rests = ", ".join(f"{words.chain(chain).lower()} {count:,}" for _, chain, count in own.iter_rows())
        kinds = (
            counted.facts.filter(source=row["source"])
            .group_by("known")
            .len()
            .sort("len", "known", descending=[True, False])
        )
        lines += [f"## {row['source']}", "", f"{row['citation']}.".replace("..", "."), ""]
        told = [("Address", row["url"]), ("Licence", row["licence"]), ("Published", row["published"]),
                ("Retrieved", row["retrieved"]), ("Facts", f"{row['facts']:,}: {rests}"),
                ("Known as", ", ".join(f"{count:,} {known}" for known, count in kinds.iter_rows())),
                ("Next version", row["next_version"]),
                ("Caveats", _caveats(notes, row["source"]))]  # fmt: skip
        lines += [f"- {name}: {value}" for name, value in told if value]
        lines += [""]
    return "\n".join(lines).rstrip() + "\n"


def _caveats(notes: pl.DataFrame, source: str) -> str:
    """The caveats of the customs lines whose flows the source gives."""
    chains = notes.filter(source=source)["chain"].unique().sort().to_list()
    found: dict[str, None] = {}
    for name in chains:
        path = packaged().chains / name / "lines.csv"
        if path.is_file():
            caveats = pl.read_csv(path, infer_schema_length=0)["caveat"].drop_nulls().to_list()
            found |= dict.fromkeys(caveats)
    return "; ".join(list(found)[:12])
