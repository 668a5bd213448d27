"""torchvision's models, importable beside any build of torch.

torchvision's wheel on PyPI is compiled against the CUDA build of torch. Beside a CPU build its C
extension cannot be loaded, the detection operators it would have declared do not exist, and
`import torchvision` fails with "operator torchvision::nms does not exist". Classification models
use none of those operators, so it is enough to declare their schemas before the import.
"""

import importlib.util
from pathlib import Path

import torch

_SCHEMAS = (
    "nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
    "qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
)


def _extension_loads() -> bool:
    spec = importlib.util.find_spec("torchvision")
    if spec is None or spec.origin is None:
        return True  # let the import itself say that torchvision is missing
    for extension in sorted(Path(spec.origin).parent.glob("_C*.so")):
        try:
            torch.ops.load_library(str(extension))
        except OSError:
            continue
        return True
    return False


if not _extension_loads():
    # A Library takes its declarations back when it is collected: keep it as long as this module.
    _library = torch.library.Library("torchvision", "DEF")
    for _schema in _SCHEMAS:
        _library.define(_schema)

from torchvision import models  # noqa: E402
from torchvision.models import feature_extraction  # noqa: E402
from torchvision.ops import stochastic_depth  # noqa: E402

__all__ = ["feature_extraction", "models", "stochastic_depth"]
