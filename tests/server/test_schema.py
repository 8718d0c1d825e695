"""Whatever is asked of the API, in any form: it answers as it describes itself, and never fails."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.config import SchemathesisConfig

from monazite.server import create_app

LOCAL = {"host": "127.0.0.1"}
CONFIG = SchemathesisConfig.from_str("""
base-url = "http://127.0.0.1"
[generation]
deterministic = true
database = "none"
[checks]
# a name that fits the schema may still be no name of ours: refused as the contract says
positive_data_acceptance.enabled = false
[phases.examples]
enabled = false
[phases.stateful]
enabled = false
[[operations]]
include-path = "/api/data/check"  # any text is a table, if one with mistakes
checks.negative_data_rejection.enabled = false
""")
APP = create_app()
api = schemathesis.openapi.from_asgi("/api/openapi.json", APP, config=CONFIG, headers=LOCAL)


@pytest.fixture(scope="module", autouse=True)
def _ended() -> Iterator[None]:
    yield
    APP.state.studies.close()
    APP.state.runs.close()
    APP.state.readings.close()


@api.parametrize()
@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
def test_no_question_makes_the_server_fail(case: schemathesis.Case) -> None:
    case.call_and_validate(headers=LOCAL)
