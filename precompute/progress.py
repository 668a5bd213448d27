"""How far long work has come: a bar on a terminal, plain lines elsewhere."""

import sys
from collections.abc import Callable
from time import monotonic

from tqdm import tqdm

SECONDS_BETWEEN_LINES = 10.0


def show(what: str, total: int) -> Callable[[], None]:
    """Begin to show progress on `total` pieces of `what`; call the result after each piece."""
    bar = tqdm(total=total, desc=what, unit="", disable=not sys.stderr.isatty(), leave=False)
    done, last, began = 0, monotonic(), monotonic()

    def step() -> None:
        nonlocal done, last
        done += 1
        bar.update()
        if done == total:
            bar.close()
            print(f"{what}: {total} in {monotonic() - began:.1f} s", file=sys.stderr)
        elif bar.disable and monotonic() - last > SECONDS_BETWEEN_LINES:
            last = monotonic()
            left = (last - began) / done * (total - done)
            rate = done / (last - began)
            print(f"{what}: {done}/{total}, {rate:.1f}/s, {left:.0f} s left", file=sys.stderr)

    return step
