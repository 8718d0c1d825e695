"""The API of questions: assess at once, stress and brief as runs."""

from __future__ import annotations

from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from threading import Lock
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Body, Depends, Query, Request
from pydantic import ValidationError
from starlette.responses import Response

from monazite import facts, report
from monazite.answer import Answer
from monazite.api import SupplyNetwork, load
from monazite.core.cache import code_hash
from monazite.core.errors import ArgumentError
from monazite.core.manifest import content_hash
from monazite.core.settings import cache_folder
from monazite.core.text import say
from monazite.facts.places import resolve
from monazite.market.ensemble import ensemble
from monazite.market.ensemble import run_name as ensemble_name
from monazite.market.folder import Progress
from monazite.market.runs import Folder, Runs, State
from monazite.market.scenario import Control, ExportControl, limits
from monazite.market.scenario.catalogue import Catalogue
from monazite.market.scenario.draws import Draws
from monazite.network import layout
from monazite.server import shapes, wire
from monazite.server.questions import (
    AssessQuestion,
    BriefQuestion,
    CellQuestion,
    RunQuestion,
    StressQuestion,
    StudyQuestion,
    WrongType,
    exact,
    whose,
)
from monazite.stress import base_of, finish, prepare, run_name, run_of
from monazite.study import source_of, study, work

__all__ = ["NotReady", "router", "warm"]

router = APIRouter(prefix="/api", default_response_class=wire.Json, dependencies=[Depends(exact)])

_KEPT = 32
_LISTED = 50
#: runs that the page knows; what the command line or a study's scenarios leave is none of them
_KINDS = ("stress", "study", "brief")
#: only one answer is computed at a time: a second request for the same waits for it and then finds it
_LOCK = Lock()

Asked = Annotated[AssessQuestion, Query()]
CellId = Annotated[str, Query(pattern=r"^[0-9a-f]{12}$", description="A cell of the answer's table")]
Whose = Annotated[str | None, Query(max_length=200, description="Whose exposure is answered")]
Form = Literal["csv", "json", "svg", "vega"]
TableForm = Literal["csv", "json"]
_OK: dict[int | str, dict[str, Any]] = {
    400: {"model": shapes.ErrorPage}, 403: {"model": shapes.ErrorPage}, 404: {"model": shapes.ErrorPage},
    422: {"model": shapes.ErrorPage},
}  # fmt: skip


def answers(model: type[shapes.Shape], *more: int) -> dict[int | str, dict[str, Any]]:
    """Return the answers of a path for the API's description."""
    return {200: {"model": model}, **_OK, **{status: {"model": shapes.ErrorPage} for status in more}}


def files(*media: str, status: tuple[int, ...] = ()) -> dict[int | str, dict[str, Any]]:
    """Return the answers of a path that gives files of these types."""
    told: dict[str, Any] = {"content": {name: {} for name in media}, "description": "The file"}
    return {200: told, **_OK, **{code: {"model": shapes.ErrorPage} for code in status}}


_TABLE = ("text/csv", "application/json")
_VIEW = (*_TABLE, "image/svg+xml")


def json_only(request: Request) -> None:
    """Refuse a body that does not say that it is JSON (no form of another site's page can say so)."""
    media = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media != "application/json":
        raise WrongType("server.json_expected", given=media[:80] or say("server.nothing"))


class NotReady(ArgumentError):
    """The run has no answer yet, or was cancelled, or failed."""


class NoRun(ArgumentError):
    """There is no such run."""


#: only one world is read at a time; an answer from a world that is there does not wait for it
_READING = Lock()


def _world(chains: tuple[str, ...], year: int | None) -> SupplyNetwork:
    with _READING:
        return _read(chains, year)


@lru_cache(maxsize=_KEPT)
def _read(chains: tuple[str, ...], year: int | None) -> SupplyNetwork:
    return load(list(chains) or None, year)


def _asked_of(question: AssessQuestion) -> SupplyNetwork:
    chains = question.chain
    if not chains and question.commodity:
        chain = facts.commodity_chains().get(question.commodity)
        chains = (chain,) if chain else ()
    return _world(chains, question.year)


@lru_cache(maxsize=_KEPT)
def _assessment(question: AssessQuestion) -> Answer:
    net = _asked_of(question)
    return net.assess(whose(question.subject), by=question.by, commodity=question.commodity)


def _assess(question: AssessQuestion) -> Answer:
    whose(question.subject)  # before anything is read
    _asked_of(question)  # a world that is being read holds up nobody else
    with _LOCK:
        return _assessment(question)


def _asked(question: AssessQuestion) -> dict[str, Any]:
    return question.model_dump(exclude_none=True, exclude_defaults=True) | {"subject": question.subject}


@router.get("/assess", responses=answers(shapes.AnswerPage), summary="How exposed a place or group is")
def assess(question: Asked) -> Response:
    """Assess and lay out."""
    return wire.Json(_assess_page(question))


@lru_cache(maxsize=_KEPT)
def _assess_page(question: AssessQuestion) -> dict[str, Any]:
    asked = _asked(question)
    return wire.answer_page(
        _assess(question), asked, title=question.title(), base="/api/assess", ask=wire.query(asked)
    )


@router.get("/assess/explain", responses=answers(shapes.Explanation), summary="Why a cell is what it is")
def assess_explain(asked: Annotated[CellQuestion, Query()]) -> Response:
    """Explain one cell."""
    return wire.Json(wire.explain(_assess(asked.question()), asked.cell))


@router.get(
    "/assess/table.{form}",
    responses=files(*_TABLE),
    response_class=Response,
    summary="The whole table of the answer",
)
def assess_table(form: TableForm, question: Asked) -> Response:
    """Return the table."""
    return wire.download(_assess(question), "table", form)


@router.get("/assess/views/{view}.{form}", responses=files(*_VIEW), summary="One picture, as data or drawn")
def assess_view(view: str, form: Form, question: Asked) -> Response:
    """Return a view."""
    return wire.download(_assess(question), view, form)


@router.post(
    "/runs",
    responses=answers(shapes.RunPage, 413, 415) | {202: {"model": shapes.RunPage}},
    summary="Begin a run",
    dependencies=[Depends(json_only)],
)
def begin(request: Request, question: Annotated[RunQuestion, Body()]) -> Response:
    """Begin a run, or find the one that answers the question already."""
    runs: Runs = request.app.state.runs
    if isinstance(question, BriefQuestion):
        folder = _begin_brief(runs, question)
    elif isinstance(question, StudyQuestion):
        folder = _begin_study(request.app.state.studies, question)
    else:
        folder = _begin_stress(runs, question)
    page = _run_page(runs, folder)
    return wire.Json(page, status_code=200 if page["state"] == "done" else 202)


def _begin_stress(runs: Runs, question: StressQuestion) -> Folder:
    shock = question.shock()
    chains, year = base_of(shock, chains=question.chain, year=question.year)
    belief = None if question.belief == "foresight" else question.belief
    net = _world(tuple(chains), year)
    with _LOCK:
        named = prepare(net.network, shock, question.horizon, belief)
        limits(layout(net.network), named)  # what it cannot hit is told now, not by a run that fails
        if question.group:
            whose(question.group)
    name = run_name(chains, year, named, question.horizon, belief)
    asked = question.asked() | {"horizon": question.horizon, "belief": question.belief}
    asked.pop("group", None)
    manifest = {"kind": "stress", "title": question.title(), "question": asked}
    return runs.submit(name, manifest, run_of, list(chains), year, named, question.horizon, belief)


def _begin_study(runs: Runs, question: StudyQuestion) -> Folder:
    """Begin a study; its scenarios lie in a folder of their own, which any door finds again."""
    _, source = _studied(question)
    if question.group:
        whose(question.group)
    asked = question.asked()
    asked.pop("group", None)
    manifest = {"kind": "study", "title": question.title(), "question": asked}
    return runs.submit(_study_name(source, question), manifest, study_of, source)


def _studied(question: StudyQuestion) -> tuple[SupplyNetwork, Draws | Catalogue]:
    """Return the world and the scenarios of a study; what cannot be studied is told here."""
    shock = question.shock()
    net = _world(*_base(question, shock))
    with _LOCK:
        return net, source_of(
            net.network, shock, samples=question.samples, seed=question.seed, months=question.horizon
        )


def _base(question: StudyQuestion, shock: Control | ExportControl) -> tuple[tuple[str, ...], int]:
    chains, year = base_of(shock, chains=question.chain, year=question.year)
    return tuple(chains), year


def _study_name(source: Draws | Catalogue, question: StudyQuestion) -> str:
    return content_hash("study", ensemble_name(source, work), question.headline)


def study_of(source: Draws | Catalogue, *, progress: Progress) -> str:
    """Compute the scenarios of a study and name their folder: what a worker process is asked for."""
    return ensemble(source, work, progress=progress).name


def _begin_brief(runs: Runs, question: BriefQuestion) -> Folder:
    subjects = list(dict.fromkeys(question.brief))
    for subject in subjects:
        resolve(subject)
    inputs = [facts.load([chain]).content_hash for chain in facts.chains()]
    name = content_hash("brief", subjects, inputs, code_hash(Path(report.__file__).parent.parent))
    manifest = {"kind": "brief", "title": question.title(), "question": question.model_dump()}
    return runs.submit(name, manifest, report.brief_page, subjects)


def _folder(name: str) -> Folder:
    try:
        folder = Folder(name)
    except ArgumentError:
        raise NoRun("server.no_run") from None
    if not folder.exists or not _ours(folder.manifest):
        raise NoRun("server.no_run")
    return folder


def _ours(manifest: dict[str, Any]) -> bool:
    """Tell whether a run is one of the page's."""
    return bool(manifest) and manifest.get("kind", "stress") in _KINDS


def _run_page(runs: Runs, folder: Folder) -> dict[str, Any]:
    state: State = runs.state(folder)
    manifest = folder.manifest
    question = manifest.get("question")
    question = question if isinstance(question, dict) else {}
    kind = manifest.get("kind", "stress")
    ask = {k: v for k, v in question.items() if (k, v) not in (("horizon", 24), ("belief", 2))}
    page = f"/api/runs/{folder.name}/brief.html" if kind == "brief" else f"/{kind}?{wire.query(ask)}"
    return {
        "id": folder.name, "kind": kind, "title": manifest.get("title", folder.name), "state": state.name,
        "done": state.done, "of": state.of, "seconds": round(state.seconds, 2),
        "left": None if state.left is None else round(state.left, 1), "step": state.step,
        "rate": None if state.rate is None else round(state.rate, 3), "error": state.error, "page": page,
        "question": question,
    }  # fmt: skip


@router.get("/runs", responses=answers(shapes.RunList), summary="The runs that were asked for, latest first")
def listed(request: Request) -> Response:
    """List runs."""
    found: list[tuple[float, Folder]] = []
    for file in (cache_folder() / "runs").glob("*/manifest.json"):
        with suppress(OSError, ArgumentError):  # it went meanwhile, or is no run of ours
            found.append((file.stat().st_mtime, Folder(file.parent.name)))
    found.sort(key=lambda pair: pair[0], reverse=True)
    kept = [folder for _, folder in found if _ours(folder.manifest)][:_LISTED]
    return wire.Json({"runs": [_run_page(request.app.state.runs, folder) for folder in kept]})


@router.get("/runs/{run}", responses=answers(shapes.RunPage), summary="How a run goes")
def run_state(request: Request, run: str) -> Response:
    """Return how far a run is."""
    return wire.Json(_run_page(request.app.state.runs, _folder(run)))


@router.delete("/runs/{run}", responses=answers(shapes.RunPage), summary="Stop a run")
def stop(request: Request, run: str) -> Response:
    """Stop a run; one that has ended stays as it is."""
    folder = _folder(run)
    request.app.state.runs.cancel(folder)
    return wire.Json(_run_page(request.app.state.runs, folder))


def _answer(runs: Runs, run: str, group: str | None) -> Answer:
    folder = _folder(run)
    state = runs.state(folder)
    kind = folder.manifest.get("kind")
    if kind not in _FINISHED:
        raise NoRun("server.no_answer")
    if state.name != "done":
        raise NotReady(f"server.run_{state.name}")
    with _LOCK:
        return _FINISHED[kind](run, group or None)


@lru_cache(maxsize=_KEPT)
def _stress(run: str, group: str | None) -> Answer:
    folder = Folder(run)
    try:
        question = StressQuestion(**folder.manifest["question"])
    except (KeyError, TypeError, ValidationError):  # written down by another version of this program
        raise NotReady("server.run_old") from None
    shock = question.shock()
    chains, year = base_of(shock, chains=question.chain, year=question.year)
    belief = None if question.belief == "foresight" else question.belief
    net = _world(tuple(chains), year)
    named = prepare(net.network, shock, question.horizon, belief)
    if run_name(chains, year, named, question.horizon, belief) != run:
        raise NotReady("server.run_old")
    members = whose(group) if group else None
    return Answer(finish(net.network, named, folder.result(), belief=belief, group=members))


@lru_cache(maxsize=_KEPT)
def _study(run: str, group: str | None) -> Answer:
    try:
        question = StudyQuestion(**Folder(run).manifest["question"])
    except (KeyError, TypeError, ValidationError):  # written down by another version of this program
        raise NotReady("server.run_old") from None
    shock = question.shock()
    net = _world(*_base(question, shock))
    asked: dict[str, Any] = {
        "samples": question.samples, "seed": question.seed, "months": question.horizon,
    }  # fmt: skip
    source = source_of(net.network, shock, **asked)
    scenarios = Folder(ensemble_name(source, work))
    # without its scenarios, or by other facts or code than now, it would be computed here, and everybody wait
    if _study_name(source, question) != run or scenarios.state().name != "done":
        raise NotReady("server.run_old")
    members = whose(group) if group else None
    return Answer(study(net.network, shock, headline=question.headline, group=members, **asked))


#: how the answer of a run is made of what it left
_FINISHED = {"stress": _stress, "study": _study}


def _end(group: str | None) -> str:
    return wire.query({"group": group})


@router.get("/runs/{run}/answer", responses=answers(shapes.AnswerPage, 409), summary="The answer of a run")
def run_answer(request: Request, run: str, group: Whose = None) -> Response:
    """Lay out the answer of a stress or a study."""
    answer = _answer(request.app.state.runs, run, group)
    return wire.Json(_run_answer(run, group, id(answer)))


@lru_cache(maxsize=_KEPT)
def _run_answer(run: str, group: str | None, _which: int) -> dict[str, Any]:
    manifest = Folder(run).manifest
    asked = manifest["question"] | ({"group": group} if group else {})
    with _LOCK:
        answer = _FINISHED[manifest["kind"]](run, group or None)
    return wire.answer_page(
        answer, asked, title=manifest.get("title", run), base=f"/api/runs/{run}", ask=_end(group)
    )


@router.get(
    "/runs/{run}/explain", responses=answers(shapes.Explanation, 409), summary="Why a cell is what it is"
)
def run_explain(request: Request, run: str, cell: CellId, group: Whose = None) -> Response:
    """Explain one cell of the answer."""
    return wire.Json(wire.explain(_answer(request.app.state.runs, run, group), cell))


@router.get(
    "/runs/{run}/table.{form}",
    responses=files(*_TABLE, status=(409,)),
    response_class=Response,
    summary="The whole table of the answer",
)
def run_table(request: Request, run: str, form: TableForm, group: Whose = None) -> Response:
    """Return the table of the answer."""
    return wire.download(_answer(request.app.state.runs, run, group), "table", form)


@router.get(
    "/runs/{run}/views/{view}.{form}",
    responses=files(*_VIEW, status=(409,)),
    response_class=Response,
    summary="One picture, as data or drawn",
)
def run_view(request: Request, run: str, view: str, form: Form, group: Whose = None) -> Response:
    """Return a view of the answer."""
    return wire.download(_answer(request.app.state.runs, run, group), view, form)


@router.get(
    "/runs/{run}/brief.html",
    responses=files("text/html", status=(409,)),
    summary="The brief of a run",
)
def run_brief(request: Request, run: str) -> Response:
    """Return a brief; it holds its own styles and no script."""
    folder = _folder(run)
    state = request.app.state.runs.state(folder)
    if folder.manifest.get("kind") != "brief":
        raise NoRun("server.no_answer")
    if state.name != "done":
        raise NotReady(f"server.run_{state.name}")
    policy = (
        "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; "
        "form-action 'none'; frame-ancestors 'none'"
    )
    return Response(
        str(folder.result()),
        media_type="text/html; charset=utf-8",
        headers={"Content-Security-Policy": policy},
    )


def warm() -> None:
    """Read the latest worlds ahead of the first question."""
    first = ("rare_earths",)  # what the page asks about when nobody has chosen
    for chain in [*first, *(name for name in facts.chains() if name not in (*first, "toy"))]:
        _world((chain,), None)
