"""ONNX and photos in, tile sheets and indices out. Works without PyTorch."""

import os

# onnxruntime gives this machine a number and reports models and errors to Microsoft from the moment
# when it is imported, unless it was told before not to.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
