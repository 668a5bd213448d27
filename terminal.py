"""How every command meets the world: any locale, any stream, and a person who interrupts it."""

import os
import signal
import sys
from collections.abc import Callable
from io import TextIOWrapper
from types import FrameType, TracebackType

INTERRUPTED = 130
"""Exit code of what Ctrl-C ended, as shells have it."""


def run(main: Callable[[], int]) -> int:
    """Run the command `main`; return its exit code.

    Characters that a stream has no code for are escaped. Output that nobody takes, on a full disk
    or in a pipe that was closed, is a failure, and no traceback. Where Ctrl-C or SIGTERM ends it,
    what is half done is cleared away first. Everybody may read the files and folders that it makes,
    as a web server must.
    """
    os.umask(0o022)
    signal.signal(signal.SIGTERM, _end)
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


def _end(number: int, _: FrameType | None) -> None:
    raise SystemExit(128 + number)


def _report(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """Say where a fault is; of Ctrl-C nobody wants to know."""
    if not issubclass(kind, KeyboardInterrupt):
        sys.__excepthook__(kind, error, trace)


sys.excepthook = _report  # from now on: run() begins when PyTorch is loaded, which takes seconds
