"""What can go wrong while feature maps are computed."""


class PrecomputeError(Exception):
    """The computation cannot go on; the message says what is wrong and what to do next."""


class PhotoError(PrecomputeError):
    """One photo cannot be used; the others can."""


class NonFiniteError(PhotoError):
    """The network gave NaN or infinity for a photo."""


class ProviderError(PrecomputeError):
    """onnxruntime cannot run the model the way it was asked to."""
