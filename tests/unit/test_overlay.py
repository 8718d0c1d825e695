"""A user's own figures: written whole or not at all, beside the packaged ones, removable; their effects."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from monazite.core.errors import ArgumentError, FactsError, UnknownName
from monazite.facts import overlay
from monazite.facts.effects import EFFECTS, effect_of
from monazite.facts.folder import packaged
from monazite.facts.importing import prepared, written
from monazite.facts.overlay import (
    laid_over,
    newest_trade,
    overlay_facts,
    overlay_folder,
    overlay_key,
    overlay_sources,
    overlay_trade,
    remove_vintage,
    vintages,
)
from monazite.facts.readers.customs import TradeReading
from monazite.facts.readers.reading import (
    FACTS_SCHEMA,
    OTHER_SCHEMA,
    SKIPPED_SCHEMA,
    TRADE_SCHEMA,
    Reading,
    read_official,
)
from monazite.facts.rules import FACT_COLUMNS
from monazite.facts.table import load
from monazite.facts.vintages import compare, facts_of, rank, side

#: the survey of this year, which the package does not have
ENTRY = {
    "citation": "Survey of mines, issue of 2031", "url": "https://example.org", "licence": "public domain",
    "published": "2031-02", "retrieved": "", "next_version": "next year's",
}  # fmt: skip


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "overlay"
    monkeypatch.setenv("MONAZITE_OVERLAY", str(folder))
    return folder


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "survey.csv"
    path.write_text("figures")
    return path


def _fact(**cells: str | None) -> dict[str, Any]:
    """One fact of the toy chain: what its mine gives in the United States."""
    row: dict[str, Any] = dict.fromkeys(FACT_COLUMNS)
    row |= {
        "variable": "output", "activity": "mine_toy", "place": "USA", "period": "2024", "value": "21",
        "unit": "t/yr", "basis": "gross weight", "kind": "reported", "status": "ok", "source": "survey_2031",
        "chain": "toy", "row": 2,
    }  # fmt: skip
    basis = facts_of(["toy"]).filter(variable="output", activity="mine_toy")["basis"][0]
    return row | {"basis": basis} | cells


def _reading(
    *facts: dict[str, Any], source: str = "survey_2031", trade: pl.DataFrame | None = None
) -> Reading:
    rows = [fact | {"row": number} for number, fact in enumerate(facts, start=2)]
    return Reading(
        format="test", title="Survey of mines, 2031", vintage="2031", source=source,
        facts=pl.DataFrame(rows, schema=dict(FACTS_SCHEMA)), trade=trade,
        other=pl.DataFrame(schema=dict(OTHER_SCHEMA)), skipped=pl.DataFrame(schema=dict(SKIPPED_SCHEMA)),
        problems=(), rows=len(rows), source_entry=ENTRY,
    )  # fmt: skip


def _write(file: Path, reading: Reading, published: str | None = None) -> overlay.Vintage:
    plan = prepared(file, reading, published)
    return written(plan, effect_of(plan.reading))


def _flows(*rows: tuple[Any, ...]) -> pl.DataFrame:
    whole = [
        ("baci_hs92_v203101", year, hs, "HS1992", a, b, "both", v, q, 2 + n)
        for n, (year, hs, a, b, v, q) in enumerate(rows)
    ]
    return pl.DataFrame(whole, schema=dict(TRADE_SCHEMA), orient="row")


def _trade_reading(trade: pl.DataFrame) -> TradeReading:
    empty = _reading()
    return TradeReading(
        format="baci", title="BACI 2031", vintage="V203101", source="baci_hs92_v203101", facts=empty.facts,
        trade=trade, other=empty.other, skipped=empty.skipped, problems=(), rows=trade.height,
        source_entry=ENTRY | {"published": "2031-01"}, kept=trade.height,
    )  # fmt: skip


def test_without_imports_there_is_nothing_and_no_folder_is_made(own_folder) -> None:
    assert (vintages(), overlay_key(), overlay_trade(), overlay_sources()) == ((), "", [], ())
    assert overlay_facts("toy").is_empty()
    assert not own_folder.exists()


def test_a_folder_that_cannot_be_read_is_named_and_a_file_in_its_place_too(
    file, own_folder, monkeypatch
) -> None:
    own_folder.write_text("no folder")
    with pytest.raises(FactsError, match="Not a directory"):
        vintages()
    with pytest.raises(FactsError, match="MONAZITE_OVERLAY names another folder"):
        _write(file, _reading(_fact()))

    def closed(_: Path) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "iterdir", closed)
    with pytest.raises(FactsError, match="Permission denied"):
        vintages()


def test_the_folder_follows_the_environment(monkeypatch, tmp_path) -> None:
    monkeypatch.delenv("MONAZITE_OVERLAY")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert overlay_folder() == tmp_path / "monazite" / "overlay"
    monkeypatch.delenv("XDG_DATA_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert overlay_folder() == tmp_path / ".local" / "share" / "monazite" / "overlay"


def test_an_import_is_one_folder_that_can_be_read_and_removed(file, own_folder) -> None:
    item = _write(file, _reading(_fact(), _fact(place="CHN", value="79")))
    assert [path.name for path in own_folder.iterdir()] == [item.id]
    assert item.id.startswith("survey_2031-")
    assert sorted(path.name for path in item.folder.rglob("*") if path.is_file()) == [
        "manifest.json", "sources.toml", "toy.csv",
    ]  # fmt: skip
    facts = overlay_facts("toy")
    assert facts.columns == ["row", *FACT_COLUMNS, "vintage"]
    assert facts.select("place", "value", "vintage").rows() == [
        ("USA", "21", item.id),
        ("CHN", "79", item.id),
    ]
    manifest = json.loads((item.folder / "manifest.json").read_text())
    assert (manifest["source"], manifest["facts"], manifest["published"]) == (
        "survey_2031",
        {"toy": 2},
        "2031-02",
    )
    key = overlay_key()
    assert len(key) == 16
    remove_vintage(item.id)
    assert not list(own_folder.iterdir())
    assert overlay_key() == ""


def test_the_packaged_files_are_untouched(file) -> None:
    path = packaged().chains / "toy" / "facts.csv"
    before = path.read_bytes()
    _write(file, _reading(_fact()))
    assert path.read_bytes() == before


def test_the_key_follows_the_content(file) -> None:
    item = _write(file, _reading(_fact()))
    before = overlay_key()
    path = item.facts("toy")
    assert path is not None
    path.write_text(path.read_text().replace(",21,", ",22,"))
    assert overlay_key() not in ("", before)


@pytest.mark.parametrize("step", ["write_csv", "write_text", "chmod", "rename"])
@pytest.mark.parametrize("error", [OSError("disk full"), KeyboardInterrupt(), MemoryError()])
def test_an_import_cut_short_leaves_nothing(file, own_folder, monkeypatch, step, error) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise error

    monkeypatch.setattr(pl.DataFrame if step == "write_csv" else Path, step, fail)
    with pytest.raises(FactsError if isinstance(error, OSError) else type(error)):
        _write(file, _reading(_fact()))
    monkeypatch.undo()
    monkeypatch.setenv("MONAZITE_OVERLAY", str(own_folder))
    assert not list(own_folder.iterdir())
    assert vintages() == ()
    _write(file, _reading(_fact()))
    assert len(vintages()) == 1


def test_what_a_killed_import_left_is_no_import_and_is_swept(file, own_folder, monkeypatch) -> None:
    rest = own_folder / ".new-abc" / "facts"
    rest.mkdir(parents=True)
    (rest / "toy.csv").write_text("half a t")
    assert vintages() == ()
    assert overlay_key() == ""
    _write(file, _reading(_fact()))
    assert rest.exists(), "another import may be at work there"
    monkeypatch.setattr(overlay, "_STALE", -1.0)
    remove_vintage(vintages()[0].id)
    _write(file, _reading(_fact()))
    assert not rest.exists()


def test_the_same_file_or_figures_are_not_imported_twice(file, tmp_path) -> None:
    item = _write(file, _reading(_fact()))
    other = tmp_path / "other.csv"
    other.write_text("other figures")
    for path, place in ((file, "CHN"), (other, "USA")):
        with pytest.raises(ArgumentError, match=f"--remove {item.id} --write"):
            _write(path, _reading(_fact(place=place)))
    assert len(vintages()) == 1
    _write(other, _reading(_fact(place="CHN")))
    assert len(vintages()) == 2, "extracts of one source stand beside each other"


def test_the_same_flows_are_not_imported_twice(file, tmp_path) -> None:
    flow = (2031, "260300", "CHL", "CHN", 1.0, 1.0)
    _write(file, _trade_reading(_flows(flow)))
    other = tmp_path / "other.zip"
    other.write_text("other flows")
    with pytest.raises(ArgumentError, match="remove it first"):
        _write(other, _trade_reading(_flows(flow, (2031, "260300", "PER", "CHN", 1.0, 1.0))))
    _write(other, _trade_reading(_flows((2030, *flow[1:]))))
    assert len(overlay_trade()) == 2


def test_names_and_dates_are_checked(file) -> None:
    with pytest.raises(ArgumentError, match="nothing has been imported"):
        remove_vintage("survey")
    item = _write(file, _reading(_fact()), published="2031-03")
    assert item.manifest["published"] == "2031-03"
    with pytest.raises(UnknownName, match=item.id):
        remove_vintage(item.id[:-1])
    with pytest.raises(ArgumentError, match="no day"):
        prepared(file, _reading(_fact()), "yesterday")


def test_a_file_without_anything_of_a_chain_is_not_written(file, own_folder) -> None:
    with pytest.raises(FactsError, match="nothing of"):
        _write(file, _reading())
    assert not own_folder.exists()


def test_a_broken_import_is_named_with_its_folder(file) -> None:
    item = _write(file, _reading(_fact()))
    (item.folder / "manifest.json").write_text("{")
    with pytest.raises(FactsError, match=f"--remove {item.id} --write"):
        vintages()
    with pytest.raises(FactsError, match=item.id):
        remove_vintage("another")
    remove_vintage(item.id)
    assert vintages() == ()


def test_a_table_damaged_after_its_import_is_named(file) -> None:
    item = _write(file, _reading(_fact()))
    path = item.facts("toy")
    assert path is not None
    path.write_text(path.read_text() + "stray,cells\n")
    with pytest.raises(FactsError, match=f"row 3.*--remove {item.id} --write"):
        overlay_facts("toy")


def test_sources_of_an_import_are_known_with_it(file) -> None:
    item = _write(file, _reading(_fact()))
    (path,) = overlay_sources()
    assert path == item.sources
    (entry,) = overlay.imported_sources().values()
    assert entry[0] == item.id
    assert entry[1]["citation"] == ENTRY["citation"]
    assert entry[1]["retrieved"], "the day of the import"


def _effects(*facts: dict[str, Any]) -> list[tuple[str, str | None]]:
    return effect_of(_reading(*facts)).facts.select("effect", "chosen").rows()


def test_new_changed_same_and_contradicting_figures_are_told_apart() -> None:
    own = facts_of(["toy"]).filter(variable="output", activity="mine_toy", place="USA").row(0, named=True)
    same = {"source": own["source"], "kind": own["kind"]}
    assert set(EFFECTS) == {"new", "changed", "same", "contradicts", "agrees", "silent"}
    assert _effects(_fact(period="2031")) == [("new", "survey_2031")]
    assert _effects(_fact(value=own["value"], **same)) == [("same", own["source"])]
    assert _effects(_fact(value="99", **same)) == [("changed", own["source"])]
    assert _effects(_fact(value=own["value"]))[0][0] == "agrees"
    assert _effects(_fact(value="99"))[0][0] == "contradicts"
    assert _effects(_fact(value=None, status="withheld"))[0][0] == "silent"


def test_the_choice_is_the_kind_then_the_day() -> None:
    assert _effects(_fact(value="99", kind="reported"))[0][1] == "survey_2031"
    assert rank(1.0, "estimated", "2031") > rank(1.0, "reported", "1999")
    assert rank(1.0, "reported", "2026-02") < rank(1.0, "reported", "2026") < rank(1.0, "reported", "2025-12")
    assert rank(None, "reported", "2031") > rank(1.0, "modelled", "1999")


def test_units_are_converted_before_figures_are_compared() -> None:
    own = facts_of(["toy"]).filter(variable="output", activity="mine_toy", place="USA")["value"][0]
    assert _effects(_fact(value=str(float(own) / 1000.0), unit="kt/yr"))[0][0] == "agrees"


def test_a_fact_that_its_chain_cannot_take_is_left_out_and_counted() -> None:
    effect = effect_of(_reading(_fact(), _fact(activity="mine_toyy", place="CHN")))
    assert effect.facts.height == 1
    (reason,) = effect.left_out["reason"].to_list()
    assert "did you mean 'mine_toy'" in reason


def test_another_publishers_rest_of_the_world_is_left_out(tmp_path) -> None:
    effect = effect_of(_reading(_fact(place="ROW", value="5")))
    assert effect.facts.is_empty()
    assert "rest of the world" in effect.left_out["reason"][0]
    (tmp_path / "sources.toml").write_text('[sources.survey_2031]\ncitation = "ours"\n')
    mine = tmp_path / "mine.csv"
    pl.DataFrame([_fact(place="ROW", value="5")]).select(FACT_COLUMNS).write_csv(mine)
    assert effect_of(read_official(mine)).facts.height == 1, "whoever writes a table means the chain's rest"


def test_the_same_publishers_rest_of_the_world_is_kept_of_other_years(file) -> None:
    own = facts_of(packaged().names()).filter(variable="output", place="ROW", source="usgs_mcs2026")
    row = own.row(0, named=True) | {"source": "usgs_mcs2031", "row": 2}
    kept = effect_of(_reading(row, row | {"period": "2031"}, source="usgs_mcs2031")).facts
    assert kept["period"].to_list() == [row["period"], "2031"]


def test_flows_of_a_newer_release_are_compared_with_the_packaged_one() -> None:
    known = pl.read_parquet(packaged().chains.parent / "trade" / "trade.parquet")
    old = known.filter(hs="260300", year=2024, source="baci_hs92").drop_nulls("quantity_t").row(0, named=True)
    rows = [
        (2024, "260300", old["exporter"], old["importer"], old["value_usd"], old["quantity_t"]),
        (2031, "260300", "CHL", "CHN", 1.0, 1.0),
    ]
    trade = effect_of(_trade_reading(_flows(*rows))).trade.filter(chain="copper")
    columns = ["year", "flows", "new", "changed", "same"]
    assert trade.select(columns).rows() == [(2024, 1, 0, 0, 1), (2031, 1, 1, 0, 0)]
    assert trade["gone"][0] == known.filter(hs="260300", year=2024, source="baci_hs92").height - 1
    changed = effect_of(_trade_reading(_flows((*rows[0][:5], 2.0 * rows[0][5])))).trade
    assert changed.filter(chain="copper")["changed"].to_list() == [1]


def test_imported_flows_have_the_columns_of_the_packaged_table(file) -> None:
    item = _write(file, _trade_reading(_flows((2031, "260300", "CHL", "CHN", 1.0, None))))
    (path,) = overlay_trade()
    assert path == item.trade
    assert pl.read_parquet(path).schema == pl.read_parquet_schema(
        packaged().chains.parent / "trade" / "trade.parquet"
    )


def test_the_newest_release_stands_alone_and_declarations_by_state() -> None:
    def row(source: str, reporter: str = "both", exporter: str = "CHL") -> tuple[Any, ...]:
        return source, 2024, "260300", exporter, "CHN", reporter

    rows = [
        row("baci_hs92"),
        row("baci_hs92", exporter="PER"),
        row("baci_hs92_v203101"),
        row("baci_hs92_v203101"),
        row("comtrade", "exporter"),
        row("comtrade", "exporter", "PER"),
        row("comtrade_v20310101", "exporter"),
    ]
    columns = ["source", "year", "hs", "exporter", "importer", "reporter"]
    table = pl.DataFrame(rows, schema=columns, orient="row")
    days = {
        "baci_hs92": "2026-01",
        "baci_hs92_v203101": "2031-01",
        "comtrade": "2025",
        "comtrade_v20310101": "2031",
    }
    left = newest_trade(table, days)
    assert left.select("source", "exporter").rows() == [
        ("baci_hs92_v203101", "CHL"), ("comtrade", "PER"), ("comtrade_v20310101", "CHL"),
    ]  # fmt: skip


def test_laying_over_keeps_one_row_for_each_source_and_subject() -> None:
    own = facts_of(["toy"]).drop("chain").with_columns(correction=pl.lit("mended"))
    first = own.row(0, named=True)
    cells = {name: first[name] for name in FACT_COLUMNS}
    more = pl.DataFrame([cells, _fact(place="CHN")], schema=dict.fromkeys(FACT_COLUMNS, pl.String))
    both = laid_over(own, more)
    assert both.height == own.height + 1
    assert both["correction"].null_count() == 1, "the same figure leaves the packaged row with its correction"
    other = laid_over(own, more.with_columns(value=pl.lit("7")))
    assert other.height == own.height + 1
    assert other["correction"].null_count() == 2


def test_a_table_of_ones_own_is_read_with_its_sources(tmp_path) -> None:
    path = tmp_path / "mine.csv"
    fact = _fact(source="ours", kind="estimated")
    pl.DataFrame([fact]).select(FACT_COLUMNS).write_csv(path)
    assert read_official(path).problems[0].key == "data.unknown_source"
    lines = "\n".join(f'{name} = "{text}"' for name, text in (ENTRY | {"retrieved": "2031-03"}).items())
    (tmp_path / "sources.toml").write_text(f"[sources.ours]\n{lines}\n")
    reading = read_official(path)
    assert not reading.problems
    assert effect_of(reading).facts["chosen"].to_list() == ["toy"], "reported before estimated"
    item = _write(path, reading)
    assert item.id.startswith("mine-")
    assert overlay_facts("toy")["value"].to_list() == ["21"]
    assert load(["toy"], 2024).select("output", activity="mine_toy", place="USA")["value"].to_list() == [20.0]
    assert list(overlay.imported_sources()) == ["ours"]


def test_a_source_that_another_import_cites_stays(tmp_path) -> None:
    lines = "\n".join(f'{name} = "{text}"' for name, text in (ENTRY | {"retrieved": "2031-03"}).items())
    (tmp_path / "sources.toml").write_text(f"[sources.ours]\n{lines}\n")
    items = []
    for name, place in (("one", "USA"), ("two", "CHN")):
        path = tmp_path / f"{name}.csv"
        pl.DataFrame([_fact(source="ours", place=place)]).select(FACT_COLUMNS).write_csv(path)
        items.append(_write(path, read_official(path)))
    assert len(overlay_sources()) == 1
    with pytest.raises(ArgumentError, match=f"remove {items[1].id} first"):
        remove_vintage(items[0].id)
    remove_vintage(items[1].id)
    remove_vintage(items[0].id)
    assert vintages() == ()


def test_two_vintages_are_compared_subject_by_subject(file, tmp_path) -> None:
    item = _write(file, _reading(_fact(value="40"), _fact(period="2031", value="1")))
    whole = compare(side("packaged"), side("current"), ["toy"])
    assert set(whole["difference"]) == {"same", "changed", "only_second"}
    found = compare(side("packaged"), side(item.id), ["toy"])
    changed = found.filter(difference="changed").row(0, named=True)
    assert (changed["first"], changed["second"], changed["ratio"]) == (20.0, 40.0, 2.0)
    assert found.filter(difference="only_second")["period"].to_list() == ["2031"]
    assert set(compare(side(item.id), side(item.id))["difference"]) == {"same"}
    with pytest.raises(UnknownName, match="survey_2031"):
        side("survey_2031-")
    with pytest.raises(UnknownName, match="toy"):
        compare(side("packaged"), side(item.id), ["toyy"])


def test_greatest_changes_come_first(file, tmp_path) -> None:
    facts = facts_of(["toy"]).filter(variable="output", activity="mine_toy").sort("place")
    rows = facts.to_dicts()
    item = _write(file, _reading(*(_fact(place=row["place"], value=str(float(row["value"]) * times))
                                   for row, times in zip(rows, (1.1, 0.1), strict=True))))  # fmt: skip
    ratios = compare(side("packaged"), side(item.id), ["toy"]).filter(difference="changed")["ratio"].to_list()
    assert ratios == pytest.approx([0.1, 1.1])


def test_a_folder_of_chains_is_a_vintage(tmp_path) -> None:
    home = tmp_path / "own" / "toy"
    home.mkdir(parents=True)
    for path in (packaged().chains / "toy").glob("*.csv"):
        text = path.read_text()
        (home / path.name).write_text(text.replace("mine_toy,USA,,2024,20,", "mine_toy,USA,,2024,30,"))
    found = compare(side("packaged"), side(str(home.parent)), ["toy"]).filter(pl.col("difference") != "same")
    assert found.select("place", "first", "second", "difference").rows() == [("USA", 20.0, 30.0, "changed")]


@pytest.mark.parametrize(("day", "value"), [("2031-02", 21.0), ("1999", 20.0)])
def test_what_is_said_to_be_chosen_is_what_is_loaded(tmp_path, day, value) -> None:
    path = tmp_path / "mine.csv"
    pl.DataFrame([_fact(source="ours")]).select(FACT_COLUMNS).write_csv(path)
    lines = "\n".join(f'{name} = "{text}"' for name, text in (ENTRY | {"published": day}).items())
    (tmp_path / "sources.toml").write_text(f"[sources.ours]\n{lines}\n")
    chosen = effect_of(read_official(path)).facts["chosen"].item()
    before = load(["toy"], 2024).content_hash
    item = _write(path, read_official(path))
    facts = load(["toy"], 2024)
    (row,) = facts.select("output", activity="mine_toy", place="USA").iter_rows(named=True)
    assert (row["source"], row["value"]) == (chosen, value)
    assert facts.content_hash != before
    remove_vintage(item.id)
    assert load(["toy"], 2024).content_hash == before


def test_flows_of_a_newer_release_are_loaded(file) -> None:
    _write(file, _trade_reading(_flows((2024, "260300", "CHL", "CHN", 5e9, 2e6))))
    flows = load(["copper"], 2024).select("trade", commodity="copper_concentrate", place="CHL")
    assert set(flows["source"]) == {"baci_hs92_v203101"}


def test_a_flow_of_ones_own_meets_the_flow_of_the_customs_lines() -> None:
    flow = {
        "variable": "trade", "commodity": "copper_concentrate", "activity": None, "place": "CHL",
        "partner": "CHN", "period": "2024", "basis": "contained metal", "chain": "copper", "value": "1",
    }  # fmt: skip
    (row,) = effect_of(_reading(_fact(**flow))).facts.iter_rows(named=True)
    assert (row["effect"], row["other_source"]) == ("contradicts", "baci_hs92")
    assert row["other_value"] > 1e5
