"""How every command meets the world: any locale, any stream, and a person who interrupts it."""

import os
import sys
from collections.abc import Callable
from io import TextIOWrapper

INTERRUPTED = 130
"""Exit code of what Ctrl-C ended, as shells have it."""


def run(main: Callable[[], int]) -> int:
    """Run the command `main`; return its exit code.

    Characters that a stream has no code for are escaped. Output that nobody takes, on a full disk
    or in a pipe that was closed, is a failure, and no traceback.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        code = main()
        if sys.stdout:
            sys.stdout.flush()
    except KeyboardInterrupt:
        return INTERRUPTED
    except OSError as error:
        _fall_silent(error)
        return 1
    return code


def _fall_silent(error: OSError) -> None:
    """Say what `error` was if that is possible, and lead what is still buffered nowhere."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        if not isinstance(error, BrokenPipeError):
            print(
                f"cannot write what there is to say: {error.strerror}", file=sys.stderr, flush=True
            )
    except OSError:
        os.dup2(nowhere, 2)
    os.dup2(nowhere, 1)
    os.close(nowhere)
