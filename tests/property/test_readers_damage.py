"""Damaged official files: refused by name, or read as they now stand; no traceback, no misreading."""

from __future__ import annotations

import random
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2]))

from tools.damage import FORMATS, facts_of, judge, run
from tools.damage_kinds import KINDS, damaged

from monazite.facts.readers.reading import read_official


@pytest.mark.parametrize("form", FORMATS, ids=lambda form: form.name)
def test_a_sound_file_is_read_whole_and_as_a_plain_reading_has_it(form, tmp_path) -> None:
    path = tmp_path / form.file
    path.write_bytes(form.write(form.grid()))
    reading = read_official(path)
    assert not reading.problems
    assert reading.format == form.name
    assert sum(reading.counts().values()) == reading.rows > 5
    figures = facts_of(reading, path)
    assert len(figures) > 8
    assert judge(form, path) == ("read", "")


@pytest.mark.parametrize("form", FORMATS, ids=lambda form: form.name)
def test_damaged_files_are_refused_or_read_as_they_stand(form) -> None:
    outcomes = run(40, 11, {form.name})
    bad = [f"{item.seed} {item.kind}: {item.result}: {item.detail}" for item in outcomes if item.bad]
    assert not bad, "\n".join(bad)
    results = {item.result for item in outcomes}
    assert results == {"refused", "read"}
    assert all(item.detail for item in outcomes if item.result == "refused")


def test_the_damage_is_the_same_for_the_same_seed_and_of_every_kind() -> None:
    form = FORMATS[0]
    one, two = (damaged(form, random.Random("seed")) for _ in range(2))
    assert one == two
    met = {damaged(form, random.Random(f"{index}"))[0] for index in range(400)}
    assert met == set(KINDS)


def test_the_judge_sees_a_misreading(tmp_path, monkeypatch) -> None:
    """The comparison itself can fail: a reader that takes a comma for a point is found out."""
    from monazite.facts.readers import cells

    form = FORMATS[0]
    path = tmp_path / form.file
    path.write_bytes(form.write(form.grid()))
    monkeypatch.setattr(cells, "_number", lambda text: float(text.replace(",", ".", 1).replace(",", "")))
    result, detail = judge(form, path)
    assert result == "refused", "the places no longer add up to the world total"
    assert "add up" in detail
    import monazite.facts.readers.usgs_mcs as reader

    monkeypatch.setattr(reader, "sum_problems", lambda sums: [])
    result, detail = judge(form, path)
    assert result == "misread"
    assert "not in the file" in detail
