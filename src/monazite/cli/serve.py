"""``monazite serve``: the web page, on this machine alone."""

from __future__ import annotations

import socket
import sys
from typing import Annotated

import typer

from monazite.core.text import say

PORT = 8765
#: the only address listened on: the page has no accounts
HOST = "127.0.0.1"
_TRIES = 20

Port = Annotated[
    int | None, typer.Option("--port", metavar="N", min=0, max=65535, help=say("cli.opt_port", port=PORT))
]
Open = Annotated[bool, typer.Option("--open", help=say("cli.opt_open"))]


def command(port: Port = None, open_: Open = False) -> None:
    """Serve the page until Ctrl-C."""
    from monazite.server import create_app

    app = create_app()
    import uvicorn

    bound = _bind(port)
    url = f"http://{HOST}:{bound.getsockname()[1]}/"
    sys.stdout.write(say("cli.serving", url=url) + "\n")
    sys.stdout.flush()
    if open_:
        import webbrowser

        webbrowser.open(url)
    config = uvicorn.Config(
        app, log_level="warning", access_log=False, server_header=False, timeout_graceful_shutdown=3
    )
    uvicorn.Server(config).run(sockets=[bound])


def _bind(port: int | None) -> socket.socket:
    """Take the port asked for, or the first free one from the usual one on.

    Raises
    ------
    MonaziteError
        The port asked for is taken or may not be used.
    """
    from monazite.core.errors import MonaziteError

    wanted = [port] if port is not None else [*range(PORT, PORT + _TRIES), 0]
    for number in wanted:
        bound = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            bound.bind((HOST, number))
            bound.listen()
        except OSError as error:
            bound.close()
            if port is not None:
                raise MonaziteError("cli.port_taken", port=port, reason=error.strerror) from None
        else:
            return bound
    raise MonaziteError("cli.port_taken", port=PORT, reason="")
