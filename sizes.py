"""Amounts of bytes as people write them: 500MB, 1GB, 1.5 GB. A kilobyte has 1000 bytes."""

import argparse
import re

_AMOUNT = re.compile(r"(\d+(?:\.\d+)?)\s*([kMGT]?)(?:B|bytes?)?", re.IGNORECASE)
_FACTORS = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9, "t": 10**12}


def parse_size(text: str) -> int | None:
    """Return the bytes that `text` stands for, or None for "none", which is no limit.

    Raises ValueError, whose message says what is expected.
    """
    if text.strip().lower() == "none":
        return None
    match = _AMOUNT.fullmatch(text.strip())
    size = round(float(match[1]) * _FACTORS[match[2].lower()]) if match else 0
    if size < 1:
        raise ValueError(
            f"invalid size '{text}': expected one such as 500MB, 1GB or 1.5GB, or none"
        )
    return size


def size_argument(text: str) -> int | None:
    """Return what an option of a command says, as parse_size() does, with its message."""
    try:
        return parse_size(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def readable(size: int) -> str:
    """Return a number of bytes with at most three significant digits: "1.5 GB", "820 kB"."""
    for unit, factor in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if size >= factor * 0.9995:  # 999,999 bytes are 1 MB, not 1000 kB
            value = size / factor
            return f"{value:.{2 if value < 9.995 else 1 if value < 99.95 else 0}f} {unit}".replace(
                ".00 ", " "
            )
    return f"{size} bytes" if size != 1 else "1 byte"
