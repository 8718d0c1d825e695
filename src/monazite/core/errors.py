"""The errors of Monazite: each says what is wrong, where, and how to mend it.

An error is built from a key of the text catalogue and named values. ``exit_code`` is what the command
line returns: 1 failed, 2 a wrong argument, 4 facts missing or refused.
"""

from __future__ import annotations

from collections.abc import Iterable
from difflib import SequenceMatcher

from monazite.core.text import has, say

__all__ = [
    "ArgumentError",
    "FactsError",
    "MonaziteError",
    "Refused",
    "SolverError",
    "UnknownName",
    "nearest_names",
]

_LISTED = 12


class MonaziteError(Exception):
    """Base of all errors that Monazite raises on purpose.

    Parameters
    ----------
    key
        Key of the sentence in the text catalogue, such as ``"error.group_empty"``.
    **values
        The named values of that sentence.

    Attributes
    ----------
    key, values
        As given.
    exit_code
        Exit code of the command line.

    Examples
    --------
    >>> str(MonaziteError("error.group_empty"))
    'the group is empty; give at least one place'
    """

    exit_code: int = 1

    def __init__(self, key: str, /, **values: object) -> None:
        self.key = key
        self.values = values
        super().__init__(say(key, **values))

    def __reduce__(self) -> tuple[object, ...]:
        """Pickle by key and values, so that an error survives the way back from a worker process."""
        return (_rebuild, (type(self), self.key, self.values))


class ArgumentError(MonaziteError, ValueError):
    """An argument is wrong: exit code 2."""

    exit_code = 2


class UnknownName(ArgumentError):
    """A name is not known; the message gives the nearest right one.

    Parameters
    ----------
    kind
        What the name should be: a word of the catalogue's ``[word]`` section, such as ``"place"``.
    name
        The name as given.
    known
        The right names.
    nearest
        The nearest right name, where the caller knows better than spelling (a state's code by its name).

    Attributes
    ----------
    nearest : tuple of str
        The nearest right names, best first; may be empty.

    Examples
    --------
    >>> print(UnknownName("commodity", "galium_4n", ["gallium_4n", "dy_oxide"]))
    unknown commodity 'galium_4n'; did you mean 'gallium_4n'?
    """

    def __init__(
        self, kind: str, name: object, known: Iterable[str] = (), *, nearest: str | None = None
    ) -> None:
        names = sorted({str(item) for item in known})
        self.kind = kind
        self.name = str(name)
        self.known = names
        self.nearest = nearest_names(self.name, names) if nearest is None else (nearest,)
        word = say(f"word.{kind}") if has(f"word.{kind}") else kind
        if self.nearest:
            super().__init__("error.unknown_name", kind=word, name=self.name, nearest=self.nearest[0])
        else:
            listed = names[:_LISTED] + (["…"] if len(names) > _LISTED else [])
            super().__init__("error.unknown_name_far", kind=word, name=self.name, known=listed)

    def __reduce__(self) -> tuple[object, ...]:
        """Pickle by the arguments."""
        return (_rebuild_name, (self.kind, self.name, self.known, self.nearest[0] if self.nearest else None))


class FactsError(MonaziteError):
    """A facts table is wrong or a fact is missing: exit code 4."""

    exit_code = 4


class Refused(MonaziteError):
    """The question is understood but must not be answered on these facts: exit code 4."""

    exit_code = 4


class SolverError(MonaziteError):
    """No solver reached the tolerance: exit code 1."""

    exit_code = 1


def nearest_names(name: str, known: Iterable[str], *, most: int = 3, cutoff: float = 0.55) -> tuple[str, ...]:
    """Find the known names nearest to a name, best first, without regard to case, space or hyphen.

    Of names as near as each other one of the same letters comes first, then one that begins alike.

    Parameters
    ----------
    name
        The name as given.
    known
        The right names.
    most
        How many to return at most.
    cutoff
        Least similarity, 0 to 1 (`difflib` ratio).

    Examples
    --------
    >>> nearest_names("India", ["IND", "CHN"], cutoff=0.5)
    ('IND',)
    >>> nearest_names("DY-Oxide", ["dy_oxide", "la_oxide"])[0]
    'dy_oxide'
    """

    def plain(text: str) -> str:
        return text.strip().casefold().replace("-", "_").replace(" ", "_")

    by_plain: dict[str, str] = {}
    for item in known:
        by_plain.setdefault(plain(item), item)
    given = plain(name)
    matcher = SequenceMatcher(b=given)
    ranked = []
    for item in by_plain:
        matcher.set_seq1(item)
        if matcher.real_quick_ratio() >= cutoff and matcher.ratio() >= cutoff:
            swapped = sorted(item) == sorted(given)
            ranked.append((-matcher.ratio(), not swapped, item[:1] != given[:1], item))
    return tuple(by_plain[item] for *_, item in sorted(ranked)[:most])


def _rebuild(cls: type[MonaziteError], key: str, values: dict[str, object]) -> MonaziteError:
    error = cls.__new__(cls)
    MonaziteError.__init__(error, key, **values)
    return error


def _rebuild_name(kind: str, name: str, known: list[str], nearest: str | None) -> UnknownName:
    return UnknownName(kind, name, known, nearest=nearest)
