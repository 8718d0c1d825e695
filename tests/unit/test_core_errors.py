"""Errors say what is wrong and the nearest right name, carry an exit code, and survive a worker process."""

from __future__ import annotations

import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monazite.core.errors import (
    ArgumentError,
    FactsError,
    MonaziteError,
    Refused,
    SolverError,
    UnknownName,
    nearest_names,
)


@pytest.mark.parametrize(
    ("kind", "code"),
    [(MonaziteError, 1), (ArgumentError, 2), (FactsError, 4), (Refused, 4), (SolverError, 1)],
)
def test_exit_codes(kind: type[MonaziteError], code: int) -> None:
    error = kind("error.group_empty")
    assert error.exit_code == code
    assert (error.key, error.values) == ("error.group_empty", {})
    assert isinstance(error, MonaziteError)


def test_unknown_name_is_a_wrong_argument_with_the_nearest_name() -> None:
    error = UnknownName("commodity", "galium_4n", ["gallium_7n", "gallium_4n", "dy_oxide"])
    assert error.exit_code == 2
    assert error.nearest[0] == "gallium_4n"
    assert str(error) == "unknown commodity 'galium_4n'; did you mean 'gallium_4n'?"


def test_a_name_near_nothing_lists_what_is_known() -> None:
    assert str(UnknownName("stage", "zzz", ["mine", "refine"])) == "unknown stage 'zzz'; known: mine, refine"


def test_a_long_list_is_cut() -> None:
    text = str(UnknownName("place", "????", [f"N{number:03}" for number in range(300)]))
    assert text.endswith("…")
    assert len(text) < 120


@pytest.mark.parametrize(
    "error",
    [
        MonaziteError("error.number_expected", name="cut", given="half"),
        ArgumentError("error.group_empty"),
        UnknownName("place", "Germny", ["CHN"], nearest="DEU"),
        UnknownName("place", "?", ["CHN"]),
    ],
)
def test_errors_survive_pickling(error: MonaziteError) -> None:
    back = pickle.loads(pickle.dumps(error))
    assert type(back) is type(error)
    assert str(back) == str(error)
    assert vars(back) == vars(error)


@given(st.lists(st.text("abcdefg_", min_size=4, max_size=9), min_size=1, max_size=8, unique=True), st.data())
def test_a_known_name_is_its_own_nearest_however_it_is_written(names: list[str], data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(names))
    assert nearest_names(name.upper().replace("_", "-"), names)[0] == name
