"""What all shocks and instruments share: checks of their fields, and the way to TOML and back."""

from __future__ import annotations

import json
import math
import re
import tomllib
from collections.abc import Sequence
from dataclasses import fields
from typing import Any, ClassVar, Self

from monazite.core.checks import is_number, is_text, is_texts, is_whole
from monazite.core.errors import ArgumentError, UnknownName

__all__ = ["Document", "check_share", "check_time", "names", "one_name", "price", "share_above"]

_MONTH = re.compile(r"^\d{4}-(0[1-9]|1[0-2])$")


class Document:
    """A frozen dataclass that is written as TOML and read back unchanged.

    Class attributes: ``written`` is the order of keys (that of the fields when empty), ``needed`` are those
    that must be there, ``tables`` fields that hold pairs of a name and a value. What is None is left out.

    Examples
    --------
    >>> from monazite.market.scenario import Tariff
    >>> tariff = Tariff(by="USA", on="dy_oxide", rate=0.25, start="2027-01")
    >>> print(tariff.to_toml(), end="")
    by = "USA"
    on = ["dy_oxide"]
    rate = 0.25
    kind = "import"
    value = "origin"
    to = ["ALL"]
    start = "2027-01"
    months = 12
    >>> Tariff.from_toml(tariff.to_toml()) == tariff
    True
    """

    written: ClassVar[tuple[str, ...]] = ()
    needed: ClassVar[tuple[str, ...]] = ("by", "on")
    tables: ClassVar[tuple[str, ...]] = ()

    def to_toml(self) -> str:
        """The shock as a TOML document that `from_toml` reads back unchanged."""
        known = tuple(field.name for field in fields(self))  # type: ignore[arg-type]
        lines, tables = [], []
        for key in self.written or known:
            value = getattr(self, key)
            if value is None:
                continue
            if key not in self.tables:
                lines.append(f"{key} = {_plain(value)}")
            elif value:
                tables += [f"[{key}]", *(f"{name} = {_plain(part)}" for name, part in value)]
        return "\n".join([*lines, *tables]) + "\n"

    @classmethod
    def from_toml(cls, text: str) -> Self:
        """Read a shock from TOML; a key it does not know is refused by name."""
        try:
            found: dict[str, Any] = tomllib.loads(text)
        except tomllib.TOMLDecodeError as problem:
            raise ArgumentError("market.toml", problem=str(problem)) from problem
        known = tuple(field.name for field in fields(cls))  # type: ignore[arg-type]
        for key in found:
            if key not in known:
                raise UnknownName("key", key, known)
        for key in cls.needed:
            if key not in found:
                raise ArgumentError("market.toml_lacks", key=key, needed=", ".join(cls.needed))
        try:
            return cls(**found)
        except (TypeError, ValueError, AttributeError) as problem:
            if isinstance(problem, ArgumentError):
                raise
            raise ArgumentError("market.toml", problem=str(problem)) from problem


def _plain(value: object) -> str:
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Sequence):
        return "[" + ", ".join(_plain(part) for part in value) + "]"
    return repr(value)


def names(name: str, given: object) -> tuple[str, ...]:
    """A name or a list of names as a tuple; what is neither, or an empty list, is refused.

    Examples
    --------
    >>> names("on", "dy_oxide"), names("to", ["IND", "USA"])
    (('dy_oxide',), ('IND', 'USA'))
    """
    if not is_texts(given):
        raise ArgumentError("market.text_expected", name=name, given=given)
    found = (given,) if isinstance(given, str) else tuple(given)  # type: ignore[arg-type]
    if not found:
        raise ArgumentError("error.group_empty")
    return found


def one_name(name: str, given: object) -> str:
    """One name; anything else is refused."""
    if not is_text(given) or not str(given).strip():
        raise ArgumentError("market.one_name_expected", name=name, given=given)
    return str(given)


def check_time(start: object, months: object) -> None:
    """Refuse a start that is no month, and a length that is no whole number of at least one."""
    if not is_whole(months, 1):
        raise ArgumentError("error.whole_expected", name="months", least=1, given=months)
    if start is not None and not (is_text(start) and _MONTH.match(str(start))):
        raise ArgumentError("market.month_expected", given=start)


def check_share(name: str, given: object) -> float:
    """A number between 0 and 1."""
    if not is_number(given) or not 0.0 <= float(given) <= 1.0:  # type: ignore[arg-type]
        raise ArgumentError("error.fraction_expected", name=name, given=given)
    return float(given)  # type: ignore[arg-type]


def share_above(name: str, given: object) -> float:
    """A finite number above −1: a rise, a fall by less than all, a rate."""
    if not is_number(given) or not math.isfinite(float(given)) or float(given) <= -1.0:  # type: ignore[arg-type]
        raise ArgumentError("market.share_above", name=name, given=given)
    return float(given)  # type: ignore[arg-type]


def price(name: str, given: object) -> float:
    """A finite number above zero."""
    if not is_number(given) or not math.isfinite(float(given)) or float(given) <= 0.0:  # type: ignore[arg-type]
        raise ArgumentError("error.positive_expected", name=name, given=given)
    return float(given)  # type: ignore[arg-type]
