"""From shards to one Summary: what is finished is kept on disk, what is lost is tried in parts."""

import hashlib
from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import artifacts
from precompute.progress import Step
from precompute.workers import LostTaskError
from survey.engines import Engine
from survey.errors import SurveyError
from survey.job import Item, Job, Shard
from survey.summary import Layout, Summary
from survey.worker import survey_shard

Progress = Callable[[str, int], Step]
"""Called with what is done and how many there are; returns what to call with how many more are done."""
FEWEST, MOST = 512, 4096
"""Photos in a shard: enough that its start costs little, few enough that little is lost with it."""


def each_of(photos: int) -> int:
    """Return how many photos a shard should have. The result of a survey does not depend on it.

    It is a power of two, so that a few photos more or less leave most shards as they are.
    """
    return min(max(rounded(photos) // 64, FEWEST), MOST)


def rounded(photos: int) -> int:
    """Return the power of two that is not above a number of photos; 1 for none."""
    return 1 << max(photos.bit_length() - 1, 0)


def photo_key(item: Item) -> bytes:
    """Return everything that the figures of a photo depend on, but for the model."""
    name = artifacts.escaped(item.name)
    return artifacts.encode((name, item.offset, item.size, item.modified, item.label))


@dataclass(frozen=True)
class Finished:
    """The shards in `folder`, each in a file that is named by everything that it was made from."""

    folder: Path
    key: str
    """Fingerprint of what is the same for all of them."""

    def path(self, shard: Shard) -> Path:
        """Return the file of a shard."""
        digest = hashlib.sha256(self.key.encode())
        for item in shard:
            digest.update(photo_key(item))
        return self.folder / f"{digest.hexdigest()}.npz"

    def read(self, shard: Shard) -> tuple[list[Summary], list[Shard]]:
        """Return the summaries of a shard or of its parts, and those that have to be computed."""
        try:
            return [Summary.from_bytes(self.path(shard).read_bytes())], []
        except (FileNotFoundError, SurveyError):  # a damaged one is computed again
            pass
        found, missing = [], []
        halves = halves_of(shard) if len(shard) > 1 else []
        if any(self.path(half).exists() for half in halves):
            for half in halves:
                summaries, rest = self.read(half)
                found += summaries
                missing += rest
            return found, missing
        return [], [shard]

    def write(self, shard: Shard, data: bytes) -> None:
        """Keep the summary of a shard."""
        artifacts.write(self.path(shard), data)


def halves_of(shard: Shard) -> list[Shard]:
    """Return the two parts in which a shard of two photos or more is tried when it was lost."""
    return [shard[: len(shard) // 2], shard[len(shard) // 2 :]]


def gather(
    engine: Engine,
    job: Job,
    layout: Layout,
    shards: Sequence[Shard],
    finished: Finished,
    progress: Progress,
) -> tuple[Summary, dict[str, str]]:
    """Return the summary of all photos of `shards`, and why some of them were lost, by name.

    What `finished` holds is not computed again, and `progress` is told of the rest. Lost photos are
    none that cannot be read: the next run may well have more luck. Raises what survey_shard raises.
    """
    total = Summary.nothing(layout)
    missing = []
    for shard in shards:
        found, rest = finished.read(shard)
        for one in found:
            total = total.merge(one)
        missing += rest
    lost: dict[str, str] = {}
    if missing:
        left = sum(map(len, missing))
        kept = sum(map(len, shards)) - left
        step = progress(f"photos ({kept} done before)" if kept else "photos", left)
        with closing(_computed(engine, partial(survey_shard, job), missing)) as computed:
            for shard, result in computed:
                if isinstance(result, LostTaskError):
                    why = f"{result}, which damaged pictures can cause, or want of memory"
                    lost[shard[0].name] = why
                else:
                    finished.write(shard, result)
                    total = total.merge(Summary.from_bytes(result))
                step(len(shard))
    return total.merge(Summary.unusable(layout, lost)), lost


def _computed(
    engine: Engine, work: Callable[[Shard], bytes], shards: Sequence[Shard]
) -> Generator[tuple[Shard, bytes | LostTaskError], None, None]:
    """Yield shards with their summaries, as they are done.

    Where a shard takes its process along, its halves are tried, down to the photo that is to blame.
    """
    while shards:
        halves: list[Shard] = []
        for shard, result in engine.map(work, shards):
            if isinstance(result, LostTaskError) and len(shard) > 1:
                halves += halves_of(shard)
            else:
                yield shard, result
        shards = halves
