"""The built page: its files, and the paths that it answers."""

from __future__ import annotations

import mimetypes
from pathlib import Path

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from monazite.core.text import say
from monazite.server.wire import Json

__all__ = ["FOLDER", "PATHS", "asset", "missing", "page"]

#: where the build of ``ui/`` lies
FOLDER = Path(__file__).with_name("page")
#: paths at which the page itself is answered
PATHS = (
    "/", "/assess", "/stress", "/study", "/data", "/data/coverage", "/data/products", "/data/facilities",
    "/data/import",
)  # fmt: skip
_LONG = "public, max-age=31536000, immutable"


def page(*, status: int = 200) -> Response:
    """Return the page, or a word on how to build it."""
    index = FOLDER / "index.html"
    if not index.is_file():
        return PlainTextResponse(say("server.not_built"), status_code=503)
    return Response(
        index.read_bytes(),
        status,
        media_type="text/html; charset=utf-8",
        headers={"Cache-Control": "no-cache"},
    )


def asset(name: str) -> Response | None:
    """Return a file of the page by its path below the page's folder, None where there is none."""
    try:
        file = (FOLDER / name).resolve()
        if not file.is_relative_to(FOLDER.resolve()) or not file.is_file() or file.name == "index.html":
            return None
        data = file.read_bytes()
    except (OSError, ValueError):
        return None
    kind = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
    if file.suffix == ".js":
        kind = "text/javascript"
    text = kind.startswith("text/") or kind.endswith(("json", "xml"))
    kept = _LONG if name.startswith("assets/") else "no-cache"
    return Response(
        data, media_type=f"{kind}; charset=utf-8" if text else kind, headers={"Cache-Control": kept}
    )


def missing(request: Request) -> Response:
    """Return that there is nothing at a path: JSON under the API, the page elsewhere."""
    path = request.url.path
    if path == "/api" or path.startswith("/api/"):
        body = {"error": {"message": say("server.no_path"), "kind": "NotFound", "nearest": []}}
        return Json(body, status_code=404)
    if path.startswith("/assets/") or "text/html" not in request.headers.get("accept", "text/html"):
        return PlainTextResponse(say("server.no_path"), status_code=404)
    found = page(status=404)
    return found if found.status_code == 404 else PlainTextResponse(say("server.no_path"), status_code=404)
