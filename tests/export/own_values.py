"""What a model computes, value by value, by another way than the exporter's: every tensor is copied
the moment it is there, while the model overwrites tensors as it always does."""

import torch
from torch import fx

from export.torchvision_import import feature_extraction


class _Copying(fx.Interpreter):
    def __init__(self, model, graph, names):
        super().__init__(fx.GraphModule(model, graph))
        self.names, self.kept = names, {}

    def run_node(self, n):
        result = super().run_node(n)
        if isinstance(result, torch.Tensor) and n in self.names:
            self.kept[self.names[n]] = result.clone()
        return result


def own_values(model, picture):
    """Return name to tensor for all that `model` computes from `picture`, as it lies in memory."""
    tracer = feature_extraction.NodePathTracer()
    run = _Copying(model, tracer.trace(model), tracer.node_to_qualname)
    with torch.inference_mode():
        answer = run.run(picture.clone())
        assert torch.equal(answer, model(picture.clone()))
    return run.kept
