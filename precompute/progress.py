"""How far long work has come: a bar on a terminal, plain lines elsewhere."""

import sys
from time import monotonic
from typing import Protocol

from tqdm import tqdm

SECONDS_BETWEEN_LINES = 10.0


class Step(Protocol):
    """What is called when `count` more pieces are done."""

    def __call__(self, count: int = 1) -> None: ...


def show(what: str, total: int) -> Step:
    """Begin to show progress on `total` pieces of `what`; call the result after each, or some."""
    bar = tqdm(total=total, desc=what, unit="", disable=not sys.stderr.isatty(), leave=False)
    done, last, began = 0, monotonic(), monotonic()

    def step(count: int = 1) -> None:
        nonlocal done, last
        done += count
        bar.update(count)
        if done == total:
            bar.close()
            print(f"{what}: {total} in {monotonic() - began:.1f} s", file=sys.stderr)
        elif bar.disable and monotonic() - last > SECONDS_BETWEEN_LINES:
            last = monotonic()
            left = (last - began) / done * (total - done)
            rate = done / (last - began)
            print(f"{what}: {done}/{total}, {rate:.1f}/s, {left:.0f} s left", file=sys.stderr)

    return step
