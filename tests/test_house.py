"""The rules of the house that no linter knows."""

from __future__ import annotations

import re
import subprocess
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
LOCKS = ("requirements.txt", "requirements-run.txt")


def _pinned(name: str) -> dict[str, str]:
    text = (ROOT / name).read_text(encoding="utf-8")
    return dict(re.findall(r"^([A-Za-z0-9_.-]+)==([^\s;\\]+)", text, flags=re.MULTILINE))


def _tracked() -> list[Path]:
    done = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip("not a git checkout")
    return [ROOT / line for line in done.stdout.splitlines() if (ROOT / line).is_file()]


@pytest.mark.parametrize("lock", LOCKS)
def test_locks_hold_hashes_and_no_address(lock) -> None:
    text = (ROOT / lock).read_text(encoding="utf-8")
    assert "://" not in text
    assert "--index" not in text
    assert "--find-links" not in text
    assert text.count("--hash=sha256:") >= len(_pinned(lock))


def test_every_dependency_is_locked() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    core = [*project["project"]["dependencies"], *project["project"]["optional-dependencies"]["report"]]
    groups = project["dependency-groups"]
    for lock, wanted in (
        ("requirements-run.txt", core + groups["build"]),
        ("requirements.txt", core + groups["dev"]),
    ):
        pinned = _pinned(lock)
        for requirement in wanted:
            name = re.split(r"[<>=\[ ]", requirement)[0]
            assert name in pinned, f"{name} is not in {lock}: run `make lock`"


def test_what_runs_is_a_part_of_what_is_tested() -> None:
    tested = _pinned("requirements.txt")
    assert _pinned("requirements-run.txt").items() <= tested.items()


def test_files_hold_one_idea() -> None:
    code = [path for path in _tracked() if path.suffix in (".py", ".ts", ".svelte")]
    assert code
    lengths = {path.relative_to(ROOT): len(path.read_text(encoding="utf-8").splitlines()) for path in code}
    assert not {path: length for path, length in lengths.items() if length > 500}


def test_nothing_points_outside_the_project() -> None:
    outside = re.compile(r"\.\./shared|/work/|/root/|/home/\w")
    for path in _tracked():
        if path.suffix in (".py", ".md", ".toml", ".csv", ".cff", ".txt", ".yml") and path != Path(__file__):
            found = outside.search(path.read_text(encoding="utf-8"))
            assert found is None, f"{path.relative_to(ROOT)}: {found and found.group()}"


def test_texts_are_sorted_and_used_sections_exist() -> None:
    catalogue = ROOT / "src" / "monazite" / "core" / "text" / "en.toml"
    sections = tomllib.loads(catalogue.read_text(encoding="utf-8"))
    for name, texts in sections.items():
        assert list(texts) == sorted(texts), f"[{name}] is not sorted"


def test_every_text_of_the_command_line_is_used() -> None:
    catalogue = ROOT / "src" / "monazite" / "core" / "text" / "en.toml"
    texts = tomllib.loads(catalogue.read_text(encoding="utf-8"))["cli"]
    code = "\n".join(
        path.read_text(encoding="utf-8") for path in (ROOT / "src" / "monazite" / "cli").glob("*.py")
    )
    for key in texts:
        family = key.partition("_")[0]
        assert f'"cli.{key}"' in code or f'f"cli.{family}_{{' in code, f"cli.{key} is said nowhere"
