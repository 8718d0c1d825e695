"""Floor 8: the command line. Thin: parse, call, print. Results on stdout, everything else on stderr.

Exit codes: 0 fine, 1 failed, 2 usage, 3 a threshold given by the user is crossed, 4 facts missing or refused.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and leave with its exit code; no error of ours ever shows a trace.

    Parameters
    ----------
    arguments
        Words of the command line without the program's name; by default those of the process.

    Raises
    ------
    SystemExit
        Always, with the exit code.
    """
    from monazite.core.errors import MonaziteError
    from monazite.core.text import say

    words = list(sys.argv[1:] if arguments is None else arguments)
    # may stand anywhere: whoever meets an error adds it at the end of the line
    debug = "--debug" in words
    words = [word for word in words if word != "--debug"]
    try:
        from monazite.cli.app import app

        app(args=words, prog_name="monazite")
    except MonaziteError as error:
        if debug:
            raise
        sys.stderr.write(say("cli.error", message=error) + "\n")
        raise SystemExit(error.exit_code) from None
    except BrokenPipeError:
        # the reader of our output left (`| head`): keep the interpreter's own last flush silent too
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise SystemExit(0) from None
    except Exception as error:
        if debug:
            raise
        text = say("cli.unexpected", kind=type(error).__name__, message=" ".join(str(error).split()))
        sys.stderr.write(say("cli.error", message=text) + "\n")
        raise SystemExit(1) from None
