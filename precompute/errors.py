"""What can go wrong while feature maps are computed."""

import artifacts


class PrecomputeError(Exception):
    """The computation cannot go on; the message says what is wrong and what to do next."""


class PhotoError(PrecomputeError):
    """One photo cannot be used; the others can."""


class NonFiniteError(PhotoError):
    """The network gave NaN or infinity for a photo."""


class ModelError(PrecomputeError):
    """The model's files are not what their manifest says."""


class ProviderError(PrecomputeError):
    """onnxruntime cannot run the model the way it was asked to."""


def one_line(error: BaseException) -> str:
    """Return what somebody else's exception says, in one printable line of no more than 200 letters."""
    text = artifacts.printable(" ".join(str(error).split())) or type(error).__name__
    return text[:200]
