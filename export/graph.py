"""The forward graph of a model: traced out of place, and described tensor by tensor.

torchvision's models overwrite tensors as they go: `ReLU(inplace=True)` turns the batch norm's
output into its own, and `out += identity` turns the branch into the sum. Whoever captures the
tensors along the way (with forward hooks, say) then finds batch norms that are never negative.
Here every operation is made to return a new tensor before anything is captured.
"""

import copy
import operator
from dataclasses import dataclass
from typing import Any

import torch
from torch import fx, nn

from export import network
from export.errors import ExportError
from export.manifest import PICTURE, Pair
from export.network import Operation, Window
from export.torchvision_import import feature_extraction

_MODULES: dict[type[nn.Module], str] = {
    nn.Conv2d: "convolution",
    nn.BatchNorm2d: "batch norm",
    nn.ReLU: "relu",
    nn.MaxPool2d: "max pool",
    nn.AvgPool2d: "average pool",
    nn.AdaptiveAvgPool2d: "global average pool",
    nn.Linear: "linear",
    nn.Dropout: network.SAME,
}
_FUNCTIONS: dict[Any, str] = {
    operator.add: "add",
    torch.add: "add",
    torch.flatten: "flatten",
    torch.cat: "concatenate",
}
_WINDOWED = {"convolution", "max pool", "average pool"}
_LOCAL = {"batch norm", "relu", "add", "concatenate"}


@dataclass(frozen=True)
class Graph:
    """A traced model and the names of its tensors."""

    model: nn.Module
    """The model itself, its modules made to work out of place."""
    traced: fx.Graph
    nodes: dict[str, fx.Node]
    """Graph name to node, in forward order."""


def trace(model: nn.Module) -> Graph:
    """Return the graph of `model`, with every operation out of place and every tensor tapped.

    Raises ExportError where FX cannot trace the model or an operation must work in place.
    """
    model = copy.deepcopy(model).eval()
    for module in model.modules():
        if getattr(module, "inplace", False):
            module.inplace = False
    tracer = feature_extraction.NodePathTracer()
    traced = tracer.trace(model)
    for node in traced.nodes:
        if node.kwargs.get("inplace"):
            node.update_kwarg("inplace", False)
        if node.op == "call_method" and str(node.target).endswith("_"):
            raise ExportError(
                f"{node.name} calls {node.target}, which works in place: not supported"
            )
    nodes = {
        name: node
        for node, name in tracer.node_to_qualname.items()
        if node.op not in {"placeholder", "output"}
    }
    return Graph(model, traced, nodes)


def keep(graph: Graph, names: tuple[str, ...]) -> fx.GraphModule:
    """Return a module that maps the input to the tuple of the tensors called `names`."""
    copies: dict[fx.Node, fx.Node] = {}
    kept = fx.Graph()
    kept.graph_copy(graph.traced, copies)
    kept.output(tuple(copies[graph.nodes[name]] for name in names))
    module = fx.GraphModule(graph.model, kept).eval()
    module.graph.eliminate_dead_code()
    module.recompile()
    return module


def operations(graph: Graph, crop: int) -> list[Operation]:
    """Return every tensor of the graph, in forward order, as for a `crop` × `crop` picture."""
    with torch.inference_mode():
        tensors = keep(graph, tuple(graph.nodes))(torch.zeros(1, 3, crop, crop))
    names = {node: name for name, node in graph.nodes.items()}
    found = []
    for (name, node), tensor in zip(graph.nodes.items(), tensors, strict=True):
        module = graph.model.get_submodule(str(node.target)) if node.op == "call_module" else None
        op = _operation(node, module)
        found.append(
            Operation(
                name=name,
                op=op,
                inputs=tuple(names.get(source, PICTURE) for source in node.all_input_nodes),
                shape=tuple(tensor.shape[1:]),
                window=_window(module) if op in _WINDOWED and module is not None else None,
                local=op in _LOCAL,
                groups=getattr(module, "groups", None) if op == network.CONVOLUTION else None,
                parameters=sum(p.numel() for p in module.parameters()) if module else 0,
            )
        )
    return found


def _operation(node: fx.Node, module: nn.Module | None) -> str:
    if module is not None:
        return _MODULES.get(type(module), type(module).__name__.lower())
    return _FUNCTIONS.get(node.target, getattr(node.target, "__name__", str(node.target)))


def _window(module: nn.Module) -> Window:
    return Window(
        kernel=_pair(module.kernel_size),
        stride=_pair(module.stride),
        padding=_pair(module.padding),
        dilation=_pair(getattr(module, "dilation", 1)),
    )


def _pair(value: int | tuple[int, ...] | Any) -> Pair:
    return (value, value) if isinstance(value, int) else (int(value[0]), int(value[1]))
