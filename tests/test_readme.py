"""The examples of the README and of the tutorial run as they stand."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PAGES = ("README.md", "docs/tutorial.md")
LINKED = ("README.md", *(str(path.relative_to(ROOT)) for path in sorted((ROOT / "docs").rglob("*.md"))))


def _blocks(page: str, language: str) -> list[str]:
    text = (ROOT / page).read_text(encoding="utf-8")
    return re.findall(rf"```{language}\n(.*?)```", text, flags=re.DOTALL)


@pytest.mark.parametrize("page", PAGES)
def test_python_examples_run(page, capsys) -> None:
    blocks = _blocks(page, "python")
    assert blocks
    names: dict[str, object] = {}
    for block in blocks:
        exec(compile(block, page, "exec"), names)
    assert capsys.readouterr().out.strip()


def test_readme_example_is_short() -> None:
    (block,) = _blocks("README.md", "python")
    assert len([line for line in block.splitlines() if line.strip()]) <= 12


@pytest.mark.parametrize("page", [*PAGES, "docs/cli.md", "docs/data.md", "docs/import.md"])
def test_commands_named_exist_with_their_options(page, call) -> None:
    """Every command line in the pages parses: its options are those that --help tells."""
    lines = [line.split("#")[0].strip() for block in _blocks(page, "console") for line in block.splitlines()]
    told: dict[tuple[str, ...], str] = {}
    for line in lines:
        words = shlex.split(line)
        if not words or words[0] != "monazite":
            continue
        command = tuple(words[1:3] if words[1] == "data" else words[1:2])
        if command not in told:
            told[command] = call(*command, "--help", env={"COLUMNS": "200", "NO_COLOR": "1"}).stdout
        for word in words:
            if word.startswith("--"):
                assert word in told[command], f"{page}: {line}"


@pytest.mark.parametrize("page", LINKED)
def test_links_lead_somewhere(page) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)#]+)\)", text):
        if not target.startswith("http"):
            assert ((ROOT / page).parent / target).exists(), f"{page} → {target}"
