"""Floor 8: the web door. Thin: read the question, call, serialise; it also ships the built page.

Needs the extra ``server``. Nothing here listens but on the address it is given, 127.0.0.1 by default, and
nothing leaves the machine.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fastapi import FastAPI

__all__ = ["create_app"]


def create_app() -> FastAPI:
    """Make the application: the API under ``/api`` and the page beside it.

    Raises
    ------
    MonaziteError
        The extra ``server`` is not installed.

    Examples
    --------
    >>> create_app().title
    'Monazite'
    """
    from monazite.core.errors import MonaziteError

    try:
        import fastapi
    except ImportError as error:
        raise MonaziteError("error.extra_missing", package="fastapi", extra="server") from error
    del fastapi
    from monazite.server.app import build

    return build()
