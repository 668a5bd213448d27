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

import artifacts
from export import receptive_field as rf
from export.errors import ExportError, LayersError
from export.manifest import PICTURE, Classifier, Layer, Pair
from export.torchvision_import import feature_extraction

DEFAULT_LAYERS = "stem+blocks"
ALL_LAYERS = "all"

_MODULES: dict[type[nn.Module], str] = {
    nn.Conv2d: "convolution",
    nn.BatchNorm2d: "batch norm",
    nn.ReLU: "relu",
    nn.MaxPool2d: "max pool",
    nn.AvgPool2d: "average pool",
    nn.AdaptiveAvgPool2d: "global average pool",
    nn.Linear: "linear",
    nn.Dropout: "dropout",
}
_FUNCTIONS: dict[Any, str] = {
    operator.add: "add",
    torch.add: "add",
    torch.flatten: "flatten",
    torch.cat: "concatenate",
}
_POINTWISE = {"batch norm", "relu", "dropout"}
_WINDOWED = {"convolution", "max pool", "average pool"}
_KEEPS_SIGN = {"max pool", "average pool", "global average pool", "flatten", "dropout", "add"}


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


def describe(graph: Graph, crop: int) -> tuple[tuple[Layer, ...], Classifier | None]:
    """Return every tensor of the graph, in forward order, and the classifier at its end.

    Shapes are those of a `crop` × `crop` picture. No layer is marked as exported.
    """
    with torch.inference_mode():
        tensors = keep(graph, tuple(graph.nodes))(torch.zeros(1, 3, crop, crop))
    shapes = {
        name: tuple(tensor.shape[1:]) for name, tensor in zip(graph.nodes, tensors, strict=True)
    }
    names = {node: name for name, node in graph.nodes.items()}
    views: dict[str, rf.View | None] = {PICTURE: rf.PICTURE}
    layers: dict[str, Layer] = {}
    for name, node in graph.nodes.items():
        module = graph.model.get_submodule(str(node.target)) if node.op == "call_module" else None
        op = _operation(node, module)
        inputs = tuple(names.get(source, PICTURE) for source in node.all_input_nodes)
        kernel, stride, padding, dilation = (
            (
                _pair(module.kernel_size),
                _pair(module.stride),
                _pair(module.padding),
                _pair(getattr(module, "dilation", 1)),
            )
            if op in _WINDOWED and module is not None
            else (None, None, None, None)
        )
        known = [views[source] for source in inputs]
        views[name] = _view(op, known, kernel, stride, padding, dilation)
        shape = shapes[name]
        seen = views[name]
        layers[name] = Layer(
            name=name,
            slug=artifacts.slug(name),
            title=_title(name, op, kernel, stride, [layers[i].op for i in inputs if i in layers]),
            op=op,
            stage=_stage(name, seen is not None),
            block=_block(name, seen is not None),
            inputs=inputs,
            exported=False,
            spatial=len(shape) == 3 and seen is not None,
            signed=_signed(op, [layers[i].signed for i in inputs if i in layers]),
            channels=shape[0],
            height=shape[1] if len(shape) == 3 else 1,
            width=shape[2] if len(shape) == 3 else 1,
            parameters=sum(p.numel() for p in module.parameters()) if module is not None else 0,
            kernel=kernel,
            stride=stride,
            padding=padding,
            dilation=dilation,
            groups=getattr(module, "groups", None) if op == "convolution" else None,
            receptive_field=rf.receptive_field(seen) if seen is not None else None,
        )
    return tuple(layers.values()), _classifier(layers)


def choose(layers: tuple[Layer, ...], choice: str) -> tuple[str, ...]:
    """Return the names of the tensors to export, in forward order; the logits are always in.

    `stem+blocks` leaves out the batch norms that only a ReLU reads: such a map is the map of the
    convolution before it, multiplied by one number and shifted by another, so the picture is the
    same up to contrast and sign; and where it is cut off shows in the ReLU's map. Raises
    LayersError.
    """
    shown = [layer.name for layer in layers if layer.spatial]
    pooled = [layer.name for layer in layers if layer.op == "global average pool"]
    logits = layers[-1].name
    if choice == ALL_LAYERS:
        chosen = {*shown, *pooled, logits}
    elif choice == DEFAULT_LAYERS:
        read_by_sum = {i for layer in layers if layer.op == "add" for i in layer.inputs}
        rescaled = {layer.name for layer in layers if layer.op == "batch norm"} - read_by_sum
        chosen = {*shown, *pooled, logits} - rescaled
    else:
        chosen = {name.strip() for name in choice.split(",") if name.strip()}
        unknown = sorted(chosen - {layer.name for layer in layers})
        if unknown or not chosen & set(shown):
            named = f"unknown layer {', '.join(map(repr, unknown))}" if unknown else "no layer"
            raise LayersError(
                f"{named}: give {DEFAULT_LAYERS}, {ALL_LAYERS}, or names with commas between them; "
                f"known layers are {', '.join(shown)}"
            )
        chosen.add(logits)
    return tuple(layer.name for layer in layers if layer.name in chosen)


def _operation(node: fx.Node, module: nn.Module | None) -> str:
    if module is not None:
        return _MODULES.get(type(module), type(module).__name__.lower())
    return _FUNCTIONS.get(node.target, getattr(node.target, "__name__", str(node.target)))


def _view(
    op: str,
    inputs: list[rf.View | None],
    kernel: Pair | None,
    stride: Pair | None,
    padding: Pair | None,
    dilation: Pair | None,
) -> rf.View | None:
    """Return what the result of `op` sees; None where that is everything, or not known."""
    known = [view for view in inputs if view is not None]
    if len(known) < len(inputs) or not known:
        return None
    if kernel and stride and padding and dilation:
        return rf.window(known[0], kernel, stride, padding, dilation)
    if op in _POINTWISE:
        return known[0]
    if op in {"add", "concatenate"}:
        return rf.union(known)
    return None


def _signed(op: str, inputs: list[bool]) -> bool:
    if op == "relu":
        return False
    return any(inputs) if op in _KEEPS_SIGN and inputs else True


def _classifier(layers: dict[str, Layer]) -> Classifier | None:
    """Return the linear layer on global averages that the graph ends in, if it does."""
    chain = [list(layers.values())[-1]]
    while len(chain[-1].inputs) == 1 and chain[-1].inputs[0] in layers and not chain[-1].spatial:
        chain.append(layers[chain[-1].inputs[0]])
    ops = [layer.op for layer in chain if layer.op != "dropout"]
    if ops[:3] == ["linear", "flatten", "global average pool"] and chain[-1].spatial:
        return Classifier(features=chain[-1].name, logits=chain[0].name)
    return None


def _stage(name: str, spatial: bool) -> str:
    first, _, rest = name.partition(".")
    return first if rest else ("stem" if spatial else "head")


def _block(name: str, spatial: bool) -> str:
    parts = name.split(".")
    return ".".join(parts[:2]) if len(parts) > 2 else _stage(name, spatial)


def _title(
    name: str, op: str, kernel: Pair | None, stride: Pair | None, input_ops: list[str]
) -> str:
    size = f"{kernel[0]}×{kernel[1]} " if kernel else ""
    step = f", stride {stride[0]}" if stride and stride[0] > 1 else ""
    place = " on the shortcut" if ".downsample." in name else ""
    if op == "add":
        return "sum of branch and shortcut"
    if op == "relu":
        return "ReLU after the sum: the block's output" if "add" in input_ops else "ReLU"
    return f"{size}{op}{step}{place}"


def _pair(value: int | tuple[int, ...] | Any) -> Pair:
    return (value, value) if isinstance(value, int) else (int(value[0]), int(value[1]))
