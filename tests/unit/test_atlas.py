"""The atlas is written from the data, is up to date, and tells what a reader must know of each chain."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import pytest

from monazite import facts
from monazite.facts.counting import count
from monazite.facts.coverage import coverage_of

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
sys.path.insert(0, str(ROOT / "tools"))

import atlas  # noqa: E402
import atlas_pages  # noqa: E402

SECTIONS = (
    "Goods", "Activities", "Who leads in", "Trade", "End uses", "What is known", "What balancing moved",
    "What is assumed", "Differences between sources", "Sources",
)  # fmt: skip


def test_the_pages_are_those_of_the_packaged_facts(capsys: pytest.CaptureFixture[str]) -> None:
    code = atlas.main(["--check"])
    assert code == 0, capsys.readouterr().out + "run: python tools/atlas.py"


def test_an_old_page_and_old_facts_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    kept = json.loads(atlas.KEPT.read_text(encoding="utf-8"))
    kept["gallium"]["facts"] = "another"
    own = tmp_path / "reconciled.json"
    own.write_text(json.dumps(kept), encoding="utf-8")
    monkeypatch.setattr(atlas, "KEPT", own)
    monkeypatch.setattr(atlas, "pages", lambda _: {"sources.md": "new"})
    (tmp_path / "sources.md").write_text("old", encoding="utf-8")
    assert atlas.write(check=True, folder=tmp_path) == 1
    told = capsys.readouterr().out
    assert "the facts of gallium have changed" in told
    assert "docs/sources.md is out of date" in told
    assert (tmp_path / "sources.md").read_text(encoding="utf-8") == "old"


@pytest.mark.parametrize("chain", facts.chains())
def test_a_page_tells_what_there_is_of_its_chain(chain: str) -> None:
    text = (DOCS / "atlas" / f"{chain}.md").read_text(encoding="utf-8")
    heads = re.findall(r"^## (.*)$", text, flags=re.MULTILINE)
    assert [any(head.startswith(wanted) for head in heads) for wanted in SECTIONS] == [True] * len(SECTIONS)
    table = facts.load([chain])
    for name in (*table.commodities["commodity"], *table.activities.filter(type="mine")["activity"]):
        assert f"`{name}`" in text
    assert "nan" not in text.lower().split()
    assert "None" not in re.sub(r"None\.|none", "", text)


def test_every_source_has_its_section_with_licence_and_next_version() -> None:
    text = (DOCS / "sources.md").read_text(encoding="utf-8")
    sections = dict(re.findall(r"^## (\w+)\n(.*?)(?=^## |\Z)", text, flags=re.MULTILINE | re.DOTALL))
    assert set(sections) == set(count(None).sources["source"])
    for name, section in sections.items():
        for what in ("Licence", "Facts", "Next version"):
            assert f"- {what}: " in section, (name, what)


def test_the_index_says_what_the_coverage_says() -> None:
    text = (DOCS / "atlas" / "index.md").read_text(encoding="utf-8")
    for sentence in coverage_of().findings():
        assert sentence in text
    for chain in facts.chains():
        assert f"({chain}.md)" in text


def test_a_draw_is_the_same_again_and_says_where_to_look(capsys: pytest.CaptureFixture[str]) -> None:
    assert atlas.main(["--draw", "5", "--seed", "7"]) == 0
    first = capsys.readouterr().out
    assert first.count("   source ") == first.count("   where: ") == 5
    atlas.main(["--draw", "5", "--seed", "7"])
    assert capsys.readouterr().out == first
    atlas.main(["--draw", "5", "--seed", "8"])
    assert capsys.readouterr().out != first
    assert "source assumption" not in first


def test_a_table_keeps_its_columns_whatever_stands_in_it() -> None:
    lines = atlas_pages.table(("a", "b"), [("x|y", "two\nlines"), (None, 1)])
    assert lines == ["| a | b |", "| --- | --- |", "| x\\|y | two lines |", "|  | 1 |", ""]
    assert atlas_pages.table(("a",), []) == ["None.", ""]
