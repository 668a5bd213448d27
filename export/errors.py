"""What can go wrong while a model is exported."""

import artifacts


class ExportError(Exception):
    """The export cannot go on; the message says what is wrong and what to do next."""


class WeightsError(ExportError):
    """The weights cannot be used with this architecture."""


class LabelsError(ExportError):
    """The names of the classes cannot be read, or are not as many as the model has outputs."""


class GivenError(ExportError):
    """Somebody's model cannot be shown, or its description cannot be right."""


class LayersError(ExportError):
    """A layer was asked for that the model's graph does not have."""


class VerificationError(ExportError):
    """The ONNX file computes something else than the network that it was made from."""


class NoCopyError(ExportError):
    """The model can have no copy for browsers; the export goes on without."""


def one_line(error: BaseException | str) -> str:
    """Return what somebody else's exception says, on one line of at most 200 characters."""
    text = artifacts.printable(" ".join(str(error).split()))
    return (text or type(error).__name__)[:200]
