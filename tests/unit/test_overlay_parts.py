"""An import of which a part is gone: told, never read as if it were whole."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from monazite.core.errors import FactsError
from monazite.facts.overlay import overlay_facts, overlay_trade
from monazite.facts.rules import FACT_COLUMNS


@pytest.fixture
def vintage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An import of one fact, as its folder holds it."""
    monkeypatch.setenv("MONAZITE_OVERLAY", str(tmp_path))
    home = tmp_path / "survey-0a1b2c"
    (home / "facts").mkdir(parents=True)
    told = {"source": "survey", "imported": "2026-11-24", "sha256": "0", "facts": {"toy": 1}, "trade": 0}
    (home / "manifest.json").write_text(json.dumps(told), encoding="utf-8")
    row = [
        "output",
        "",
        "mine_toy",
        "CHN",
        "",
        "2024",
        "81",
        "",
        "",
        "t/yr",
        "metal",
        "reported",
        "ok",
        "x",
        "",
        "",
    ]
    text = ",".join(FACT_COLUMNS) + "\n" + ",".join(row) + "\n"
    (home / "facts" / "toy.csv").write_text(text, encoding="utf-8")
    return home


def test_a_whole_import_is_read(vintage: Path) -> None:
    assert vintage.is_dir()
    assert overlay_facts("toy")["value"].to_list() == ["81"]
    assert overlay_trade() == []


def test_a_table_that_is_gone_is_told(vintage: Path) -> None:
    (vintage / "facts" / "toy.csv").unlink()
    with pytest.raises(FactsError, match=r"toy\.csv is missing or cut short"):
        overlay_facts("toy")


def test_a_table_with_fewer_rows_is_told(vintage: Path) -> None:
    manifest = json.loads((vintage / "manifest.json").read_text(encoding="utf-8"))
    (vintage / "manifest.json").write_text(json.dumps(manifest | {"facts": {"toy": 2}}), encoding="utf-8")
    with pytest.raises(FactsError, match="missing or cut short"):
        overlay_facts("toy")


def test_trade_that_is_gone_is_told(vintage: Path) -> None:
    manifest = json.loads((vintage / "manifest.json").read_text(encoding="utf-8"))
    (vintage / "manifest.json").write_text(json.dumps(manifest | {"trade": 5}), encoding="utf-8")
    with pytest.raises(FactsError, match=r"trade\.parquet"):
        overlay_trade()
