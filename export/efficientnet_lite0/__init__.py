"""EfficientNet-Lite0 as an ONNX file: a trained network that comes from packages, not torchvision."""
