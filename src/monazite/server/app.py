"""The application: guard, errors in words, the API, the page."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.middleware.gzip import GZipMiddleware
from starlette.responses import Response
from starlette.routing import Match

from monazite import __version__
from monazite.core.errors import MonaziteError
from monazite.core.text import has, say
from monazite.draw.palette import stylesheet
from monazite.market.runs import Runs
from monazite.server import asking, coverage, data, facilities, importing, page, products, start, wire
from monazite.server.guard import Guard, security_headers, too_large
from monazite.server.questions import WrongType

__all__ = ["build"]

_STATUS: dict[type[MonaziteError], int] = {asking.NotReady: 409, asking.NoRun: 404, WrongType: 415}
#: mistakes that are told one by one
_TOLD = 8
#: methods that a path may have, and those of a file of the page
_FILE = ("GET", "HEAD")
_METHODS = (*_FILE, "POST", "DELETE")
_SMALL = 1000
_SHOWN = 80


def build() -> FastAPI:
    """Return the application."""
    app = FastAPI(
        title="Monazite",
        version=__version__,
        description=say("server.api"),
        openapi_url="/api/openapi.json",
        docs_url=None,  # its pages would load a script from elsewhere
        redoc_url=None,
        lifespan=_life,
        redirect_slashes=False,
        default_response_class=wire.Json,
        telemetry={"tracing": False, "metrics": False, "logs": False, "auto_configure": False},
    )
    app.state.runs = Runs(1, apart=True)
    app.state.studies = Runs(1, apart=True)  # of their own, so that a short question need not wait for one
    app.state.readings = importing.Readings()
    routers = (asking.router, data.router, coverage.router, products.router, facilities.router)
    for router in (start.router, *routers, importing.router):
        app.include_router(router)
    _add_page(app)
    app.add_exception_handler(MonaziteError, _told)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(Exception, _unforeseen)
    app.add_middleware(GZipMiddleware, minimum_size=_SMALL)
    app.add_middleware(Guard)
    return app


@asynccontextmanager
async def _life(app: FastAPI) -> AsyncIterator[None]:
    """Read the worlds ahead of the first question; at the end stop what still goes on."""
    threading.Thread(target=_warm, daemon=True).start()
    try:
        yield
    finally:
        for runs in (app.state.studies, app.state.runs):
            runs.close()
        app.state.readings.close()


def _warm() -> None:
    with suppress(MonaziteError):
        asking.warm()


def _add_page(app: FastAPI) -> None:
    for path in page.PATHS:
        app.add_api_route(path, _page, methods=["GET", "HEAD"], include_in_schema=False)
    app.add_api_route("/theme.css", _theme, methods=["GET", "HEAD"], include_in_schema=False)


def _page() -> Response:
    return page.page()


def _theme() -> Response:
    return Response(stylesheet(), media_type="text/css", headers={"Cache-Control": "no-cache"})


def _told(_: Request, error: Exception) -> Response:
    """Answer an error of ours in its own words."""
    assert isinstance(error, MonaziteError)
    status = _STATUS.get(type(error)) or wire.status_of(error)
    return wire.Json(wire.error_page(error), status_code=status)


def _invalid(_: Request, error: Exception) -> Response:
    """Answer a question that is not in the form asked for: each mistake in words."""
    assert isinstance(error, RequestValidationError)
    found = error.errors()
    told = list(dict.fromkeys(_mistakes(found[:_TOLD])))
    if len(found) > _TOLD:
        told.append(say("server.more_mistakes", count=len(found) - _TOLD))
    body = {"error": {"message": " ".join(told), "kind": "ArgumentError", "nearest": []}}
    return wire.Json(body, status_code=400)


def _mistakes(errors: Any) -> Iterator[str]:
    for item in errors:
        where = _where(item["loc"])[:_SHOWN]
        kind = item["type"]
        if kind == "json_invalid":
            yield say("server.invalid_json", at=item["loc"][-1])
        elif kind == "value_error":
            told = str(item["ctx"]["error"])
            yield say("server.invalid_at", name=where, what=told) if where else wire.sentence(told)
        elif where:
            yield say("server.invalid_at", name=where, what=_mistake(kind, where, item))
        else:
            yield say("server.invalid_body")


def _mistake(kind: str, where: str, item: Mapping[str, Any]) -> str:
    """Say what is wrong with a value: what its name asks for where that is known, else what its type does."""
    given = str(item.get("input"))[:_SHOWN]
    values = {name: str(value)[:_SHOWN] for name, value in item.get("ctx", {}).items()}
    keys = [f"server.invalid_{kind}"]
    if kind not in ("missing", "extra_forbidden"):
        keys.insert(0, f"server.form_{where}")
    return next((say(key, given=given, **values) for key in keys if has(key)), "") or say(
        "server.invalid", given=given
    )


def _where(place: Sequence[int | str]) -> str:
    """Return where a mistake is, in the words of who asked.

    Examples
    --------
    >>> _where(("query", "year")), _where(("body", "brief", "brief", 0)), _where(("body",))
    ('year', 'brief.0', '')
    >>> _where(("body", "stress", "belief", "literal['foresight']"))
    'belief'
    """
    parts = list(place[1:])
    if place[0] == "body" and parts and parts[0] in ("stress", "study", "brief"):
        parts = parts[1:]
    if parts and parts[0] == "belief":  # what follows is which of its forms was tried
        parts = parts[:1]
    return ".".join(map(str, parts))


def _http(request: Request, error: Exception) -> Response:
    """Answer what the framework refuses: no such path, another method, too large a body."""
    assert isinstance(error, HTTPException)
    if error.status_code == 404:
        return _elsewhere(request)
    headers = dict(error.headers or {})
    if error.status_code == 405:
        headers["Allow"] = ", ".join(_methods(request) or _FILE)
    key = f"server.http_{error.status_code}"
    if error.status_code == 413:
        message = too_large(request.scope["path"])
    else:
        message = say(key) if has(key) else say("server.http")
    body = {"error": {"message": message, "kind": "Refused", "nearest": []}}
    return wire.Json(body, status_code=error.status_code, headers=headers)


def _methods(request: Request) -> list[str]:
    """Return the methods that a path answers, whichever route each belongs to."""
    routes = request.app.router.routes
    return [
        method
        for method in _METHODS
        if any(route.matches({**request.scope, "method": method})[0] is Match.FULL for route in routes)
    ]


def _elsewhere(request: Request) -> Response:
    """Answer a path that no route has: a file of the page, or that there is nothing."""
    found = page.asset(request.scope["path"].removeprefix("/"))
    if found is None:
        return page.missing(request)
    if request.method in _FILE:
        return found
    return _http(request, HTTPException(405))


def _unforeseen(_: Request, error: Exception) -> Response:
    """Answer what should not have happened, without a trace."""
    message = say("server.unforeseen", kind=type(error).__name__)
    body = {"error": {"message": message, "kind": "Unforeseen", "nearest": []}}
    return wire.Json(body, status_code=500, headers=security_headers())  # it does not come past the guard
