"""What the page must know before anything is asked: names of everything, and its text."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from fastapi import APIRouter, Depends
from starlette.responses import Response

from monazite import __version__, facts
from monazite.core.text import keys, template
from monazite.facts.controls import controls
from monazite.facts.places import groups, inline, members, places
from monazite.server import shapes, wire
from monazite.server.asking import answers
from monazite.server.questions import exact
from monazite.views import words

__all__ = ["router"]

router = APIRouter(prefix="/api", default_response_class=wire.Json, dependencies=[Depends(exact)])

#: questions that show what can be asked
EXAMPLES: dict[str, dict[str, Any]] = {
    "assess": {"subject": "IND", "chain": ["rare_earths"]},
    "stress": {"by": "CHN", "on": ["dy_oxide"], "cut": 1.0, "months": 12},
}
_NOWHERE = ("WLD",)


@router.get("/start", responses=answers(shapes.Start), summary="Names of everything, and the page's text")
def start() -> Response:
    """Return places, groups, chains, commodities, end uses, controls, and the page's text."""
    return wire.Json(_start())


@lru_cache(maxsize=1)
def _start() -> dict[str, Any]:
    chains = [name for name in facts.chains() if name != "toy"]
    chains.sort(key=lambda name: name != EXAMPLES["assess"]["chain"][0])
    things, uses = [], []
    for chain in chains:
        goods, ends = facts.named(chain)
        things += [
            {"name": name, "label": inline(words.commodity(name)), "chain": chain, "stage": stage}
            for name, stage in goods
        ]
        uses += [{"name": name, "label": words.commodity(name), "chain": chain} for name in ends]
    return {
        "version": __version__,
        "text": {key.removeprefix("page."): template(key) for key in keys() if key.startswith("page.")},
        "places": [_named(code, name) for code, name in places().items() if code not in _NOWHERE],
        "groups": [_named(name, words.place(name)) | {"members": list(members(name))} for name in groups()],
        "chains": [
            _named(name, inline(words.chain(name))) | {"years": list(facts.years(name))} for name in chains
        ],
        "things": things,
        "uses": uses,
        "controls": [_control(row) for row in controls().values()],
        "examples": EXAMPLES,
    }


def _named(name: str, label: str) -> dict[str, Any]:
    return {"name": name, "label": label}


def _control(row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        **{name: str(row[name]) for name in ("id", "title", "by", "announced", "status")},
        "paths": sorted({path["kind"] for path in row["paths"]}),
    }
