"""A market problem is checked before anything is solved."""

import dataclasses

import numpy as np
import pytest
from scipy import sparse

from monazite.core.errors import ArgumentError
from monazite.market import Problem


def arrays() -> dict[str, object]:
    return {
        "A": [[1.0, -1.0, 0.0], [0.0, 1.0, -1.0]],
        "b": [0.0, 0.0],
        "c": [1.0, 1.0, -10.0],
        "a": [1.0, 1.0, 1.0],
        "lower": [0.0, 0.0, 0.0],
        "upper": [5.0, np.inf, 5.0],
        "y0": [2.0, 4.0],
        "throughput": [1.0, 1.0],
    }


def test_what_is_given_is_copied_and_frozen() -> None:
    given = arrays()
    given["c"] = np.array([1.0, 1.0, -10.0])
    problem = Problem(**given)
    given["c"][0] = 99.0
    assert problem.c[0] == 1.0
    with pytest.raises(ValueError, match="read-only"):
        problem.c[0] = 2.0
    assert problem.shape == (2, 3)


def test_a_changed_problem_shares_the_network() -> None:
    problem = Problem(**arrays())
    changed = dataclasses.replace(problem, upper=[0.0, 1.0, 2.0])
    assert changed.A is problem.A
    assert changed.upper.tolist() == [0.0, 1.0, 2.0]


def test_coefficients_given_twice_add_up() -> None:
    twice = sparse.coo_array(([1.0, 1.0, -1.0, -3.0], ([0, 0, 0, 1], [0, 0, 1, 2])), shape=(2, 3))
    problem = Problem(**{**arrays(), "A": twice})
    assert problem.A.toarray().tolist() == [[2.0, -1.0, 0.0], [0.0, 0.0, -3.0]]


@pytest.mark.parametrize(
    ("name", "value", "key"),
    [
        ("b", [0.0], "market.wrong_shape"),
        ("c", [1.0, 1.0], "market.wrong_shape"),
        ("a", [[1.0, 1.0, 1.0]], "market.wrong_shape"),
        ("y0", ["cheap", "dear"], "market.wrong_shape"),
        ("a", [1.0, 0.0, 1.0], "market.not_positive"),
        ("a", [1.0, -1e-9, 1.0], "market.not_positive"),
        ("throughput", [1.0, 0.0], "market.not_positive"),
        ("c", [1.0, np.nan, 1.0], "market.not_finite"),
        ("b", [np.inf, 0.0], "market.not_finite"),
        ("lower", [np.inf, 0.0, 0.0], "market.not_finite"),
        ("upper", [np.nan, 0.0, 0.0], "market.not_finite"),
        ("upper", [-np.inf, 0.0, 0.0], "market.not_finite"),
        ("upper", [1.0, 1.0, -1.0], "market.crossed_bounds"),
        ("A", [[1.0, np.nan, 0.0], [0.0, 1.0, -1.0]], "market.not_finite"),
        ("A", "no matrix", "market.not_a_matrix"),
        ("A", np.zeros((0, 3)), "market.not_a_matrix"),
    ],
)
def test_what_cannot_be_a_market_is_refused(name: str, value: object, key: str) -> None:
    with pytest.raises(ArgumentError) as caught:
        Problem(**{**arrays(), name: value})
    assert caught.value.key == key


def test_a_refusal_says_where() -> None:
    with pytest.raises(ArgumentError, match="activity 2"):
        Problem(**{**arrays(), "upper": [1.0, 1.0, -1.0]})
    with pytest.raises(ArgumentError, match="position 1"):
        Problem(**{**arrays(), "a": [1.0, 0.0, 1.0]})
