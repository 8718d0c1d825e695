"""Real names in every combination that the API's description allows reach what lies behind the refusals.

``test_schema.py`` asks whatever fits the description, and what does not; hardly any of that is a name of
ours. Here most parameters are: places, chains, commodities, views, cells, facts, and a run that is done.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import schemathesis
from fastapi import FastAPI
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.config import SchemathesisConfig

HOST = "http://127.0.0.1"
RUN = {"by": "CHN", "on": ["gallium"], "months": 2, "horizon": 2}
NAMES: dict[str, list[str | int]] = {
    "place": ["IND", "QUAD", "China", "usa", "IND,USA", "WLD", "ATA", "TWN"],
    "state": ["CHN", "USA", "BRA", "QUAD"],
    "chain": ["gallium"],
    "thing": ["gallium_4n", "dy_oxide", "gallium", "led_laser"],
    "variable": ["trade", "output", "price", "coefficient"],
    "year": [2022, 2024],
    "view": ["dependence", "chokepoint", "chain", "map", "relief", "timeline", "shortage", "table"],
    "start": ["2025-01", "2023-06", "2199-12"],
    "control": ["CN-GAGE-2023", "CN-REE-APR2025"],
    "fact": list(range(0, 400, 7)),
}
BOUND = {
    "query.subject": "place", "query.group": "place", "query.place": "place", "query.by": "state",
    "query.chain": "chain", "query.commodity": "thing", "query.year": "year", "query.variable": "variable",
    "query.fact": "fact", "query.cell": "cell", "path.view": "view", "path.run": "run",
    "body.by": "state", "body.on.[*]": "thing", "body.to": "place", "body.group": "place",
    "body.year": "year",
    "body.chain.[*]": "chain", "body.start": "start", "body.control": "control", "body.brief.[*]": "place",
}  # fmt: skip


@pytest.fixture(scope="module")
def described(
    app: FastAPI, client: TestClient, finish: Callable[..., dict[str, Any]]
) -> schemathesis.BaseSchema:
    """The API's description, and names for its parameters."""
    run = finish(RUN)
    assert run["state"] == "done"
    pages = [
        client.get(f"/api/runs/{run['id']}/answer").json(),
        client.get("/api/assess?subject=IND&chain=gallium").json(),
    ]
    cells = [item["cell_id"] for page in pages for item in page["why"]]
    names = NAMES | {"cell": cells, "run": [run["id"]]}
    config = SchemathesisConfig.from_dict(
        {
            "base-url": HOST,
            "generation": {"deterministic": True, "database": "none", "mode": "positive"},
            "phases": {phase: {"enabled": False} for phase in ("examples", "coverage", "stateful")},
            # a name that fits the description may still be none of ours
            "checks": {"positive_data_acceptance": {"enabled": False}},
            "dictionaries": {name: {"values": values} for name, values in names.items()},
            "parameters": {at: {"dictionary": name, "probability": 0.85} for at, name in BOUND.items()},
        }
    )
    return schemathesis.openapi.from_dict(app.openapi(), config=config)


PATHS = (
    "GET /api/assess", "GET /api/assess/explain", "GET /api/assess/table.{form}",
    "GET /api/assess/views/{view}.{form}", "POST /api/runs", "GET /api/runs", "GET /api/runs/{run}",
    "DELETE /api/runs/{run}", "GET /api/runs/{run}/answer", "GET /api/runs/{run}/explain",
    "GET /api/runs/{run}/table.{form}", "GET /api/runs/{run}/views/{view}.{form}", "GET /api/data/facts",
    "GET /api/data/facts.{form}", "GET /api/data/explain",
)  # fmt: skip
ASKED: set[str] = set()
ANSWERED: set[str] = set()


@pytest.mark.parametrize("path", PATHS)
def test_real_names_are_answered_as_described(
    described: schemathesis.BaseSchema, client: TestClient, none_begun: list[str], path: str
) -> None:
    ASKED.add(path)
    method, _, where = path.partition(" ")
    operation = described[where][method]
    seen: set[int] = set()

    @settings(
        max_examples=12, deadline=None, derandomize=True, database=None, phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(case=operation.as_strategy())
    def ask(case: schemathesis.Case) -> None:
        if "/assess" in where:
            case.query.setdefault("chain", ["gallium"])  # all of them at once take long
        sent = case.as_transport_kwargs(base_url=HOST)
        sent.pop("cookies", None)
        response = client.request(**sent)
        seen.add(response.status_code)
        case.validate_response(response)

    ask()
    assert seen <= {200, 202, 400, 404, 409, 422}
    if seen & {200, 202}:
        ANSWERED.add(path)


def test_most_paths_gave_an_answer() -> None:
    if len(ASKED) == len(PATHS):
        assert len(ANSWERED) > len(PATHS) / 2, ANSWERED
