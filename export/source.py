"""What an export needs of a network, wherever it comes from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from numpy.typing import NDArray

from export.manifest import Classifier, Input, Layer, Weights
from export.network import Operation


@dataclass(frozen=True)
class About:
    """What the manifest says of a network besides its layers."""

    architecture: str | None
    input: Input
    categories: tuple[str, ...]
    weights: Weights
    opset: int
    producers: dict[str, str]
    remarks: tuple[str, ...]
    """Lines for the person who builds."""


class Source(Protocol):
    """A network that can be described, written as ONNX, and compared with what was written."""

    about: About
    reference: str
    """What the written file is compared with, in words."""

    def operations(self) -> Sequence[Operation]:
        """Return every tensor, in forward order; the last are the answers."""

    def onnx(self, names: tuple[str, ...]) -> bytes:
        """Return a self-contained ONNX file with the outputs `names`; the last are the answers.

        The input is float32 (batch, 3, crop, crop), with a free batch size where the network has
        one; outputs are (batch, channels, height, width) or (batch, numbers).
        """

    def verify(self, data: bytes, names: tuple[str, ...]) -> float:
        """Return the largest difference of the file's outputs from the network's own tensors, each
        relative to its largest absolute value; raises VerificationError above TOLERANCE.
        """

    def pictures(self) -> Sequence[NDArray[Any]]:
        """Return inputs of the file, float32, for each batch size that it is tried with."""

    def arrays(self, layers: Sequence[Layer], classifier: Classifier | None) -> Mapping[str, Any]:
        """Return what ModelManifest.arrays describes."""
