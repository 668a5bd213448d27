"""Indices in, a static website out. Needs neither NumPy nor onnxruntime."""
