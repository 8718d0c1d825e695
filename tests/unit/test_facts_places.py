"""Places are ISO codes, groups are dated, wrong names get the nearest right one."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monazite.core.errors import ArgumentError, UnknownName
from monazite.facts.places import groups, members, memberships, name_of, nearest_place, places, resolve


def test_every_state_of_iso_3166_and_the_two_sums() -> None:
    codes = list(places())
    assert len(codes) == 249 + 2
    assert codes[-2:] == ["ROW", "WLD"]
    assert all(len(code) == 3 and code.isupper() for code in codes)
    assert len(set(places().values())) == len(codes)


def test_every_place_of_the_first_network_is_known() -> None:
    wanted = [
        "USA",
        "IND",
        "JPN",
        "AUS",
        "CAN",
        "FRA",
        "DEU",
        "GBR",
        "ITA",
        "CHN",
        "KOR",
        "TWN",
        "MYS",
        "VNM",
        "THA",
        "MMR",
        "LAO",
        "BRA",
        "EST",
        "RUS",
        "NGA",
        "ROW",
    ]
    assert set(wanted) <= set(places())


def test_groups_have_the_members_they_have() -> None:
    assert groups()["QUAD"] == ("AUS", "IND", "JPN", "USA")
    assert groups()["G7"] == ("CAN", "DEU", "FRA", "GBR", "ITA", "JPN", "USA")
    assert len(groups()["EU27"]) == 27
    assert "GBR" not in groups()["EU27"]
    for rows in memberships().values():
        for place, start, until in rows:
            assert place in places()
            assert date.fromisoformat(start)
            assert not until or date.fromisoformat(until) > date.fromisoformat(start)


@pytest.mark.parametrize(
    ("on", "count"),
    [("1957", None), ("1958-01-01", 6), ("2004-04-30", 14), ("2004-05", 24), (date(2014, 1, 1), 27)],
)
def test_membership_is_dated(on: str | date, count: int | None) -> None:
    if count is None:
        with pytest.raises(ArgumentError, match="group is empty"):
            members("EU27", on)
    else:
        assert len(members("EU27", on)) == count


def test_a_place_a_name_a_group_or_a_list() -> None:
    assert resolve("IND") == resolve("india") == resolve(" India ") == ("IND",)
    assert resolve(["USA", "QUAD", "USA"]) == ("USA", "AUS", "IND", "JPN")


@pytest.mark.parametrize(
    ("given_", "near"),
    [("INDD", "IND"), ("QUADD", "QUAD"), ("Indai", "IND"), ("Germny", "DEU"), ("CHNN", "CHN")],
)
def test_a_wrong_name_gets_the_nearest_code(given_: str, near: str) -> None:
    with pytest.raises(UnknownName, match=f"'{given_}'; did you mean '{near}'"):
        resolve(given_)


@pytest.mark.parametrize("nothing", [[], ()])
def test_an_empty_group_is_refused(nothing: list[str]) -> None:
    with pytest.raises(ArgumentError, match="group is empty"):
        resolve(nothing)


def test_names_for_a_reader() -> None:
    assert (name_of("VNM"), name_of("ROW"), name_of("QUAD")) == ("Vietnam", "Rest of the world", "QUAD")
    with pytest.raises(UnknownName):
        name_of("XXX")


@given(st.text(max_size=12))
def test_any_text_is_resolved_or_refused_with_a_code_that_resolves(text: str) -> None:
    near = nearest_place(text)
    try:
        found = resolve(text)
    except UnknownName as error:
        refused = error
    else:
        assert set(found) <= set(places())
        return
    assert near is None or (refused.nearest == (near,) and resolve(near))
