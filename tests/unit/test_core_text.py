"""The text catalogue: every key resolves, every key used in code exists, words stay neutral."""

from __future__ import annotations

import re
import string
from pathlib import Path

import pytest

from monazite.core import text
from monazite.core.text import keys

PACKAGE = Path(text.__file__).resolve().parents[2]
CATALOGUE = Path(text.__file__).parent / "en.toml"
SECTIONS = ("assess", "brief", "cli", "data", "error", "market", "network", "stress", "view", "word")


def test_every_section_is_there() -> None:
    given = re.findall(r"^\[([\w.]+)\]", CATALOGUE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    assert set(SECTIONS) <= set(given)
    assert len(given) == len(set(given))


def test_every_text_is_a_well_formed_template_of_named_values() -> None:
    for key in keys():
        for _, name, _, _ in string.Formatter().parse(text._catalogue("en")[key]):
            assert name is None or name.split(".")[0].split("[")[0].isidentifier(), key


def test_a_list_reads_as_words() -> None:
    assert text.say("error.unknown_name_far", kind="x", name="y", known=["a", "b"]).endswith("known: a, b")
    assert text.say("error.unknown_name_far", kind="x", name="y", known={"b", "a"}).endswith("known: a, b")


def test_an_unknown_key_or_a_missing_value_is_a_mistake_of_the_program() -> None:
    with pytest.raises(KeyError, match="no_such"):
        text.say("error.no_such")
    with pytest.raises(KeyError, match="given"):
        text.say("error.number_expected", name="cut")


def test_every_key_written_out_in_code_exists() -> None:
    call = re.compile(r"""(?:\bsay|Error|Refused|Unknown)\(\s*["']([a-z]+\.[a-z_0-9]+)["']""")
    missing = {
        (path.name, key)
        for path in PACKAGE.rglob("*.py")
        for key in call.findall(path.read_text(encoding="utf-8"))
        if not text.has(key)
    }
    assert not missing


def test_every_problem_of_the_facts_has_its_text() -> None:
    call = re.compile(r"""\bproblem\(\s*f?["']([a-z_]+)["']""")
    keys = {
        key
        for path in (PACKAGE / "facts").glob("*.py")
        for key in call.findall(path.read_text(encoding="utf-8"))
    }
    assert len(keys) > 20
    assert not {key for key in keys if not text.has(f"data.{key}")}


@pytest.mark.parametrize("word", ["adversar", "enem", "hostile", "rogue", "weaponi", "risk score"])
def test_words_are_neutral(word: str) -> None:
    body = "\n".join(
        line for line in CATALOGUE.read_text(encoding="utf-8").splitlines() if not line.startswith("#")
    )
    assert word not in body.casefold()
