"""The forward graph of a model: traced out of place, and described tensor by tensor.

torchvision's models overwrite tensors as they go: `ReLU(inplace=True)` turns the batch norm's
output into its own, and `out += identity` turns the branch into the sum. Whoever captures the
tensors along the way (with forward hooks, say) then finds batch norms that are never negative.
Here every operation is made to return a new tensor before anything is captured.
"""

import copy
import math
import operator
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import fx, nn
from torch.fx.passes.shape_prop import ShapeProp
from torch.nn import functional

from export import network
from export.errors import ExportError
from export.manifest import PICTURE, Pair
from export.network import Operation, Window
from export.torchvision_import import feature_extraction, stochastic_depth

_MODULES: dict[type[nn.Module], str] = {
    nn.AdaptiveAvgPool2d: "adaptive average pool",
    nn.AvgPool2d: "average pool",
    nn.BatchNorm2d: "batch norm",
    nn.Conv2d: network.CONVOLUTION,
    nn.Dropout: network.SAME,
    nn.Flatten: "flatten",
    nn.GELU: "gelu",
    nn.Hardsigmoid: "hard sigmoid",
    nn.Hardswish: "hard swish",
    nn.Identity: network.SAME,
    nn.LayerNorm: "layer norm",
    nn.Linear: "linear",
    nn.MaxPool2d: "max pool",
    nn.ReLU: "relu",
    nn.ReLU6: "relu6",
    nn.SiLU: "silu",
    nn.Sigmoid: "sigmoid",
}
_FUNCTIONS: dict[Any, str] = {
    operator.add: "add",
    operator.getitem: "slice",
    operator.mul: "multiply",
    stochastic_depth: network.SAME,
    torch.add: "add",
    torch.cat: "concatenate",
    torch.flatten: "flatten",
    torch.mul: "multiply",
    torch.relu: "relu",
    torch.sigmoid: "sigmoid",
    torch.unsqueeze: "slice",
    functional.adaptive_avg_pool2d: "adaptive average pool",
    functional.avg_pool2d: "average pool",
    functional.dropout: network.SAME,
    functional.layer_norm: "layer norm",
    functional.max_pool2d: "max pool",
    functional.relu: "relu",
}
_METHODS: dict[str, str] = {
    "contiguous": network.SAME,
    "flatten": "flatten",
    "mean": "mean",
    "relu": "relu",
    "reshape": "reshape",
    "view": "reshape",
}
_OF_ONE = {
    "add": network.SCALE,
    "concatenate": network.SAME,
    "multiply": network.SCALE,
}
"""What these do to a single tensor: the other operand is a number for each channel, or for all."""
_WINDOWED = {network.CONVOLUTION, "max pool", "average pool"}
_LOCAL = {
    "add",
    "batch norm",
    "channel shuffle",
    "concatenate",
    "gelu",
    "hard sigmoid",
    "hard swish",
    "layer norm",
    "multiply",
    "relu",
    "relu6",
    network.SCALE,
    "sigmoid",
    "silu",
    "slice",
}
_ANY_ORDER = {
    "add",
    "gelu",
    "layer norm",
    "linear",
    "multiply",
    "relu",
    network.SAME,
    network.SCALE,
}
"""What is done at every position by itself, wherever the channels lie."""

Order = tuple[int, ...]
"""Which axis of a tensor is the batch, which the channels, which rows and which columns."""
_FIRST: Order = (0, 1, 2, 3)
_LAST: Order = (0, 3, 1, 2)
"""Where the channels are the last axis."""


@dataclass(frozen=True)
class Graph:
    """A traced model and its tensors, as for a picture of one size."""

    model: nn.Module
    """The model itself, its modules made to work out of place."""
    traced: fx.Graph
    nodes: dict[str, fx.Node]
    """Graph name to node, in forward order: all that are maps, or numbers for the whole picture."""
    operations: tuple[Operation, ...]
    """Of `nodes`, in the same order."""
    orders: dict[fx.Node, Order]
    """Of those that are maps."""


def trace(model: nn.Module, crop: int) -> Graph:
    """Return the graph of `model` for a `crop` × `crop` picture, with every operation out of place.

    Tensors that are no maps and no vectors, such as the halves of channels that a shuffle takes
    apart, become part of the operation that they lead to. Raises ExportError where FX cannot trace
    the model or an operation must work in place.
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
    names = {
        node: name
        for node, name in tracer.node_to_qualname.items()
        if node.op not in {"placeholder", "output", "get_attr"}
    }
    with torch.inference_mode():
        ShapeProp(fx.GraphModule(model, traced)).propagate(torch.zeros(1, 3, crop, crop))
    described = _Description(model, traced, names)
    nodes = {name: node for node, name in names.items()}
    named = {one.name: nodes[one.name] for one in described.operations}
    return Graph(model, traced, named, tuple(described.operations), described.orders)


def keep(graph: Graph, names: tuple[str, ...]) -> fx.GraphModule:
    """Return a module that maps the input to the tuple of the tensors called `names`.

    Maps have the shape (batch, channels, rows, columns), whatever their order was on the way.
    """
    copies: dict[fx.Node, fx.Node] = {}
    kept = fx.Graph()
    kept.graph_copy(graph.traced, copies)
    taps = []
    for name in names:
        node = graph.nodes[name]
        order = graph.orders.get(node, _FIRST)
        tap = copies[node]
        taps.append(tap if order == _FIRST else kept.call_function(torch.permute, (tap, order)))
    kept.output(tuple(taps))
    module = fx.GraphModule(graph.model, kept).eval()
    module.graph.eliminate_dead_code()
    module.recompile()
    return module


def parameters(graph: Graph) -> Iterator[tuple[str, torch.Tensor]]:
    """Yield the arrays of ModelManifest.arrays that belong to single layers, by name."""
    for one in graph.operations:
        node = graph.nodes[one.name]
        module = graph.model.get_submodule(str(node.target)) if node.op == "call_module" else None
        if one.op == network.CONVOLUTION:
            assert isinstance(module, (nn.Conv2d, nn.Linear))
            weight = module.weight
            yield f"{one.name}.weight", weight if weight.ndim == 4 else weight[:, :, None, None]
            if module.bias is not None:
                yield f"{one.name}.bias", module.bias
        elif isinstance(module, nn.BatchNorm2d):
            scale, shift = _affine(module)
            yield f"{one.name}.scale", scale
            yield f"{one.name}.shift", shift
        elif one.op == network.SCALE:
            constant = _constant(graph.model, node).expand(one.shape[0])
            is_sum = _FUNCTIONS[node.target] == "add"
            yield f"{one.name}.scale", torch.ones_like(constant) if is_sum else constant
            yield f"{one.name}.shift", constant if is_sum else torch.zeros_like(constant)


def _constant(model: nn.Module, node: fx.Node) -> torch.Tensor:
    """Return what a sum or product adds or multiplies with: one number, or one for each channel."""
    numbers = [given for given in node.args if not isinstance(given, fx.Node)]
    named = [one for one in node.all_input_nodes if one.op == "get_attr"]
    (found,) = [*numbers, *(operator.attrgetter(str(one.target))(model) for one in named)]
    return torch.as_tensor(found, dtype=torch.float32).flatten()


class _Description:
    """What is known of every node of a graph, gathered in forward order."""

    def __init__(self, model: nn.Module, traced: fx.Graph, names: dict[fx.Node, str]) -> None:
        self.operations: list[Operation] = []
        self.orders: dict[fx.Node, Order] = {}
        self._model, self._names = model, names
        self._shapes: dict[fx.Node, tuple[int, ...]] = {}
        self._origins: dict[fx.Node, tuple[str, ...]] = {}
        """What a node is computed from, or itself, of all that is listed; and the picture."""
        self._shuffled: set[fx.Node] = set()
        """Nodes that are no maps and have exchanged axes."""
        for node in traced.nodes:
            if node.op == "placeholder":
                self._origins[node] = (PICTURE,)
                self._shapes[node], self.orders[node] = node.meta["tensor_meta"].shape, _FIRST
            elif node in names:
                self._note(node, node.meta.get("tensor_meta"))

    def _note(self, node: fx.Node, result: Any) -> None:
        sources = [source for source in node.all_input_nodes if source in self._origins]
        origins = tuple(dict.fromkeys(name for one in sources for name in self._origins[one]))
        if not origins or result is None:
            return  # a size, or something that does not depend on the picture
        self._origins[node] = origins
        shape = tuple(getattr(result, "shape", ()))  # chunks are several tensors, and have none
        if len(shape) not in {2, 4}:
            if self._shuffled & set(sources) or _target(node) in {"transpose", "permute"}:
                self._shuffled.add(node)
            return
        self._shapes[node] = shape
        order = next((self.orders[one] for one in sources if one in self.orders), _FIRST)
        module = self._module(node)
        op = self._op(node, module, sources, order)
        if len(shape) == 4:
            self.orders[node] = order = _reordered(node, order)
            shape = tuple(shape[axis] for axis in order)
        window = None
        if op == network.CONVOLUTION and isinstance(module, nn.Linear):
            window = Window((1, 1), (1, 1), (0, 0))
        elif op in _WINDOWED:
            window = _window(vars(module) if module is not None else _settings(node))
        self.operations.append(
            Operation(
                name=self._names[node],
                op=op,
                inputs=origins,
                shape=shape[1:],
                window=window,
                local=op in _LOCAL,
                groups=getattr(module, "groups", 1) if op == network.CONVOLUTION else None,
                parameters=self._parameters(node, module),
            )
        )
        self._origins[node] = (self._names[node],)

    def _module(self, node: fx.Node) -> nn.Module | None:
        return self._model.get_submodule(str(node.target)) if node.op == "call_module" else None

    def _parameters(self, node: fx.Node, module: nn.Module | None) -> int:
        if module is not None:
            return sum(one.numel() for one in module.parameters())
        named = [str(n.target) for n in node.all_input_nodes if n.op == "get_attr"]
        found = [operator.attrgetter(name)(self._model) for name in named]
        return sum(one.numel() for one in found if isinstance(one, nn.Parameter))

    def _op(
        self, node: fx.Node, module: nn.Module | None, sources: list[fx.Node], order: Order
    ) -> str:
        """Return the word of export/network.py for what `node` does."""
        shape = self._shapes[node]
        if module is not None:
            op = _MODULES.get(type(module), type(module).__name__.lower())
        elif node.op == "call_method":
            op = _METHODS.get(str(node.target), str(node.target))
        else:
            op = _FUNCTIONS.get(node.target, getattr(node.target, "__name__", str(node.target)))
        if len(sources) == 1:
            op = _OF_ONE.get(op, op)
        if op == "reshape" and self._shuffled & set(sources):
            op = "channel shuffle"
        if len(shape) == 4 and _target(node) in {"permute", "transpose"}:
            op = network.SAME  # keep() undoes it
        elif order != _FIRST and len(shape) == 4 and op not in _ANY_ORDER:
            raise ExportError(f"{self._names[node]}: {op} of maps whose axes are in another order")
        if op == "linear" and len(shape) == 4 and order == _LAST:
            return network.CONVOLUTION  # at every position by itself: a window of one pixel
        if op in {"adaptive average pool", "mean"}:
            if math.prod(shape[2:]) == 1 and math.prod(shape) == shape[0] * shape[1]:
                return "global average pool"
            if op != "mean" and shape == self._shapes[sources[0]]:
                return network.SAME
        return "flatten" if op == "reshape" and len(shape) == 2 else op


def _target(node: fx.Node) -> str:
    """Return the name of the function or method that a node calls."""
    return getattr(node.target, "__name__", str(node.target))


def _reordered(node: fx.Node, order: Order) -> Order:
    """Return where the axes of maps lie after a node whose maps came in `order`."""
    target = _target(node)
    if target == "permute":
        given = node.args[1] if isinstance(node.args[1], (list, tuple)) else node.args[1:]
        moved = [int(axis) % 4 for axis in given]
    elif target == "transpose":
        moved = list(_FIRST)
        one, other = (int(axis) % 4 for axis in node.args[1:3])
        moved[one], moved[other] = other, one
    else:
        return order
    return tuple(moved.index(axis) for axis in order)


def _settings(node: fx.Node) -> dict[str, Any]:
    """Return the settings of a pooling that is called as a function."""
    names = ["kernel_size", "stride", "padding"]
    names += ["dilation"] if node.target is functional.max_pool2d else []
    given = dict(zip(names, node.args[1:], strict=False)) | node.kwargs
    return {"padding": 0, **given, "stride": given.get("stride") or given["kernel_size"]}


def _window(settings: dict[str, Any]) -> Window:
    return Window(
        kernel=_pair(settings["kernel_size"]),
        stride=_pair(settings["stride"]),
        padding=_pair(settings["padding"]),
        dilation=_pair(settings.get("dilation", 1)),
    )


def _pair(value: int | tuple[int, ...] | Any) -> Pair:
    return (value, value) if isinstance(value, int) else (int(value[0]), int(value[1]))


def _affine(norm: nn.BatchNorm2d) -> tuple[torch.Tensor, torch.Tensor]:
    """Return what a trained batch norm multiplies each channel with, and what it adds then.

    (x − mean) / sqrt(variance + eps) · weight + bias (Ioffe and Szegedy, "Batch normalization",
    2015), with the running mean and variance, as one factor and one summand.
    """
    assert norm.running_mean is not None
    assert norm.running_var is not None
    scale = (norm.running_var.double() + norm.eps).rsqrt()
    if norm.affine:
        scale = scale * norm.weight
    shift = -norm.running_mean * scale
    if norm.affine:
        shift = shift + norm.bias
    return scale.float(), shift.float()
