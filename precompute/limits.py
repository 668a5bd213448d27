"""What one photo may ask for at most, so that no file can take the machine away."""

import re
from dataclasses import dataclass, fields, replace

from precompute.errors import PhotoError, PrecomputeError

_AMOUNT = re.compile(r"(\d+(?:\.\d+)?)([kMG]?)")
_FACTORS = {"": 1, "k": 10**3, "M": 10**6, "G": 10**9}


@dataclass(frozen=True)
class Limits:
    """The most that a photo may have or take."""

    bytes: int = 100_000_000
    """Of the file."""
    pixels: int = 120_000_000
    aspect: int = 100
    """The longer side divided by the shorter one."""
    frames: int = 1000
    """Frames or pages; the first one is shown."""
    scans: int = 100
    """Passes of a progressive JPEG over the picture. A file of 140 kB with 2500 takes 40 seconds."""
    metadata: int = 10_000_000
    """Bytes of EXIF in a JPEG; bytes of text and profiles in a PNG, unpacked. Pillow joins segments
    of EXIF one by one, which takes 40 seconds for 98 MB; cameras write 64 kB."""
    memory: int = 3_000_000_000
    """Bytes that decoding may take (on Linux, where it can be limited)."""
    seconds: int = 60
    """For decoding and computing."""

    def check(self, name: str, found: float, what: str) -> None:
        """Raise PhotoError if `found` is more than the limit `name`; `what` says what was found."""
        limit = getattr(self, name)
        if found > limit:
            raise self.exceeded(name, what)

    def exceeded(self, name: str, what: str) -> PhotoError:
        """Return the error for a photo beyond the limit `name`: it says how to raise the limit."""
        limit = getattr(self, name)
        return PhotoError(
            f"{what}; the limit of {name} is {readable(limit)}: raise it with LIMITS={name}=…"
        )


DEFAULT = Limits()


def parse_limits(text: str) -> Limits:
    """Return the limits that `text` sets, such as "pixels=200M seconds=120"; the others stay.

    Raises PrecomputeError with every fault.
    """
    known = [field.name for field in fields(Limits)]
    faults = []
    chosen = {}
    for word in text.replace(",", " ").split():
        name, _, amount = word.partition("=")
        match = _AMOUNT.fullmatch(amount)
        value = int(float(match[1]) * _FACTORS[match[2]]) if match else 0
        if name not in known:
            faults.append(f"'{name}' is no limit: there are {', '.join(known)}")
        elif value < 1:
            faults.append(
                f"{name} is '{amount}': expected a number of at least 1, such as 50 or 2G"
            )
        chosen[name] = value
    if faults:
        raise PrecomputeError(f"limits: {'; '.join(faults)}")
    return replace(DEFAULT, **chosen)


def readable(amount: int) -> str:
    """Return an amount as parse_limits() takes it: 120M."""
    for unit in ("G", "M", "k"):
        if amount >= _FACTORS[unit]:
            return f"{amount / _FACTORS[unit]:.4g}{unit}"
    return str(amount)
