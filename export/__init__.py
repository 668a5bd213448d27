"""Weights in, one ONNX file and its manifest out: the only stage that needs PyTorch."""
