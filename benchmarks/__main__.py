"""python -m benchmarks: our maps against the usual notebook route, and against their own floor.

Both routes run in this process, one after the other for each photo, with one thread each. Runs in
the export environment, which has PyTorch and matplotlib.
"""

import os

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[_name] = "1"

import argparse
import sys
import tempfile
from pathlib import Path

from benchmarks.floor import floor_report
from benchmarks.notebook import notebook_report
from benchmarks.png import png_report
from export.build import export

ROOT = Path(__file__).parent.parent


def main() -> int:
    """Run the measurements that were asked for and print them."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--photos", type=int, default=5, help="photos to measure on (5)")
    parser.add_argument(
        "--layers", default="stem+blocks", help="layers, as for make export (stem+blocks)"
    )
    options = parser.parse_args()
    photos = sorted((ROOT / "examples").glob("*.jpg"))[: options.photos]
    with tempfile.TemporaryDirectory() as folder:
        done = export("resnet18", "bundled", options.layers, Path(folder))
        for report in (notebook_report, floor_report, png_report):
            for line in report(done.path, photos):
                print(line, flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
