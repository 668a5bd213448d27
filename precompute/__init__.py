"""ONNX and photos in, tile sheets and indices out. Works without PyTorch."""
