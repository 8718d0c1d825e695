"""The cache folder follows the environment, is made only when written, and never breaks an answer."""

from __future__ import annotations

from pathlib import Path

import pytest

from monazite.core.settings import cache_folder, data_folder, read_cached, write_atomic, write_cached


def test_the_environment_says_where(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("MONAZITE_CACHE", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_folder() == tmp_path / "monazite"
    monkeypatch.setenv("XDG_CACHE_HOME", "not/absolute")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    assert cache_folder() == tmp_path / "home" / ".cache" / "monazite"
    monkeypatch.setenv("MONAZITE_CACHE", str(tmp_path / "own"))
    assert cache_folder() == tmp_path / "own"


def test_nothing_is_made_until_something_is_written(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("MONAZITE_CACHE", str(tmp_path / "own"))
    assert read_cached("a/b") is None
    assert not (tmp_path / "own").exists()
    assert write_cached("a/b", b"kept") == tmp_path / "own" / "a" / "b"
    assert read_cached("a/b") == b"kept"
    assert [item.name for item in (tmp_path / "own" / "a").iterdir()] == ["b"]


def test_a_cache_that_cannot_be_written_is_no_error(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("MONAZITE_CACHE", str(tmp_path / "file"))
    assert write_cached("a", b"x") is None
    assert read_cached("a") is None


def test_a_write_that_fails_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "file"
    write_atomic(file, b"old")

    def refuse(*_: object) -> None:
        raise OSError("no")

    monkeypatch.setattr(Path, "replace", refuse)
    with pytest.raises(OSError, match="no"):
        write_atomic(file, b"new")
    assert file.read_bytes() == b"old"
    assert [item.name for item in tmp_path.iterdir()] == ["file"]


def test_the_packaged_tables_are_there() -> None:
    assert (data_folder() / "schema" / "facts.csv").is_file()
