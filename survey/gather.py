"""From shards to one Summary: what is finished is kept on disk, what is lost is tried in parts."""

from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import artifacts
import store
from precompute.progress import Step
from precompute.workers import LostTaskError
from survey.engines import Engine
from survey.errors import SurveyError
from survey.job import Job, Shard
from survey.summary import Layout, Summary
from survey.worker import survey_shard

Progress = Callable[[str, int], Step]
"""Called with what is done and how many there are; returns what to call with how many more are done."""
FEWEST, MOST = 256, 4096
"""Photos in a shard: enough that its start costs little, few enough that little is lost with it."""


def each_of(photos: int) -> int:
    """Return how many photos a shard should have. The result of a survey does not depend on it."""
    return min(max(photos // 64, FEWEST), MOST)


@dataclass(frozen=True)
class Finished:
    """The shards in `folder`, each in a file that is named by everything that it was made from."""

    folder: Path
    key: str
    """Fingerprint of what is the same for all of them."""

    def path(self, shard: Shard) -> Path:
        """Return the file of a shard."""
        photos = [(one.name, one.offset, one.size, one.modified, one.label) for one in shard]
        return self.folder / f"{store.key_of(self.key, photos)}.npz"

    def read(self, shard: Shard) -> Summary | None:
        """Return the summary of a shard, or None where it has to be computed."""
        try:
            return Summary.from_bytes(self.path(shard).read_bytes())
        except (FileNotFoundError, SurveyError):  # a damaged one is computed again
            return None

    def write(self, shard: Shard, data: bytes) -> None:
        """Keep the summary of a shard."""
        artifacts.write(self.path(shard), data)


def gather(
    engine: Engine,
    job: Job,
    layout: Layout,
    shards: Sequence[Shard],
    finished: Finished,
    progress: Progress,
) -> Summary:
    """Return the summary of all photos of `shards`.

    What `finished` holds is not computed again, and `progress` is told of the rest. Raises what
    survey_shard raises.
    """
    total = Summary.nothing(layout)
    missing = []
    for shard in shards:
        done = finished.read(shard)
        if done is None:
            missing.append(shard)
        else:
            total = total.merge(done)
    if not missing:
        return total
    left = sum(map(len, missing))
    kept = sum(map(len, shards)) - left
    step = progress(f"photos ({kept} done before)" if kept else "photos", left)
    work = partial(survey_shard, job)
    with closing(_computed(engine, work, layout, missing)) as computed:
        for shard, data in computed:
            finished.write(shard, data)
            total = total.merge(Summary.from_bytes(data))
            step(len(shard))
    return total


def _computed(
    engine: Engine, work: Callable[[Shard], bytes], layout: Layout, shards: Sequence[Shard]
) -> Generator[tuple[Shard, bytes], None, None]:
    """Yield every shard with its summary, as they are done.

    Where a shard takes its process along, its halves are tried, down to the photo that is to blame.
    """
    while shards:
        halves: list[Shard] = []
        for shard, result in engine.map(work, shards):
            if not isinstance(result, LostTaskError):
                yield shard, result
            elif len(shard) > 1:
                halves += [shard[: len(shard) // 2], shard[len(shard) // 2 :]]
            else:
                why = f"{result}, which damaged pictures can cause, or want of memory"
                yield shard, Summary.unusable(layout, {shard[0].name: why}).to_bytes()
        shards = halves
