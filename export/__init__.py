"""Weights in, one ONNX file and its manifest out: the only stage that needs PyTorch."""

import os

# onnxruntime gives this machine a number and reports models and errors to Microsoft from the moment
# when it is imported, unless it was told before not to.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
