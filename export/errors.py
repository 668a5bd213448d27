"""What can go wrong while a model is exported."""


class ExportError(Exception):
    """The export cannot go on; the message says what is wrong and what to do next."""


class WeightsError(ExportError):
    """The weights cannot be used with this architecture."""


class LabelsError(ExportError):
    """The names of the classes cannot be read, or are not as many as the model has outputs."""


class LayersError(ExportError):
    """A layer was asked for that the model's graph does not have."""


class VerificationError(ExportError):
    """The ONNX file computes something else than PyTorch does."""


class NoCopyError(ExportError):
    """The model can have no copy for browsers; the export goes on without."""
