"""The text catalogue: every sentence meant for a user is a key with named values.

``en.toml`` holds sections (``[error]``, ``[assess]``, …); a key is ``"section.name"`` and its text a
``str.format`` template.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

__all__ = ["has", "keys", "say", "template"]

_FOLDER = Path(__file__).parent


@lru_cache(maxsize=4)
def _catalogue(language: str) -> dict[str, str]:
    """Flatten ``<language>.toml`` into ``{"section.name": template}``."""
    with (_FOLDER / f"{language}.toml").open("rb") as file:
        sections = tomllib.load(file)
    flat: dict[str, str] = {}

    def walk(prefix: str, node: Mapping[str, Any]) -> None:
        for name, value in node.items():
            key = f"{prefix}.{name}" if prefix else name
            if isinstance(value, Mapping):
                walk(key, value)
            else:
                flat[key] = str(value)

    walk("", sections)
    return flat


def _plain(value: object) -> object:
    """Let a list of names read as ``a, b, c``; leave everything else to ``str.format``."""
    if isinstance(value, (list, tuple, set, frozenset)):
        items = sorted(value, key=str) if isinstance(value, (set, frozenset)) else value
        return ", ".join(str(item) for item in items)
    return value


def say(key: str, /, **values: object) -> str:
    """Return the text of a key with its values filled in.

    Parameters
    ----------
    key
        ``"section.name"`` in ``core/text/en.toml``.
    **values
        The named values of the template; lists are joined by commas.

    Returns
    -------
    str
        One or more sentences for a reader.

    Raises
    ------
    KeyError
        If the key is not in the catalogue or the template needs a value that was not given. Both are
        mistakes of the program, never of its user.

    Examples
    --------
    >>> say("word.place")
    'place'
    >>> say("error.number_expected", name="cut", given="half")
    "cut must be a number, but 'half' was given"
    """
    catalogue = _catalogue("en")
    if key not in catalogue:
        raise KeyError(f"no text for key {key!r} in core/text/en.toml")
    return catalogue[key].format(**{name: _plain(value) for name, value in values.items()})


def template(key: str) -> str:
    """Return the text of a key with the places for its values left open, for a door that fills them itself.

    Examples
    --------
    >>> template("word.place")
    'place'
    """
    return _catalogue("en")[key]


def has(key: str) -> bool:
    """Tell whether the catalogue has a text for a key.

    Examples
    --------
    >>> has("word.place"), has("word.no_such_word")
    (True, False)
    """
    return key in _catalogue("en")


def keys() -> list[str]:
    """List every key of the catalogue, sorted.

    Examples
    --------
    >>> "word.place" in keys()
    True
    """
    return sorted(_catalogue("en"))
