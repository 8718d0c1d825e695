"""A manifest is plain JSON and the same for the same inputs."""

from __future__ import annotations

import json

from hypothesis import given, settings
from hypothesis import strategies as st

import monazite
from monazite.core.manifest import Manifest, content_hash, package_versions

parts = st.lists(st.one_of(st.binary(max_size=8), st.text(max_size=8), st.integers()), max_size=5)


@settings(max_examples=40)
@given(parts, parts)
def test_different_inputs_have_different_hashes(one: list[object], other: list[object]) -> None:
    as_bytes = [[item.encode() if isinstance(item, str) else item for item in side] for side in (one, other)]
    text = [[str(item).encode() if isinstance(item, int) else item for item in side] for side in as_bytes]
    assert (content_hash(*one) == content_hash(*other)) == (text[0] == text[1])


def test_a_manifest_is_plain_json_and_stable() -> None:
    made = [
        Manifest.create(
            inputs=[b"x", {"b": 1, "a": 2}], method="assess/1", base_year={"gallium": 2022}, seed=7
        )
        for _ in range(2)
    ]
    assert made[0].to_dict() == made[1].to_dict() == json.loads(json.dumps(made[0].to_dict()))
    assert made[0].to_dict()["base_year"] == {"gallium": 2022}


def test_versions_name_what_is_installed_and_leave_out_the_rest() -> None:
    found = package_versions(["polars", "no-such-package"])
    assert found["monazite"] == monazite.__version__
    assert "polars" in found
    assert "no-such-package" not in found
