"""Pure. Readable names for the tensors of an ONNX graph, from what its exporter left in it.

PyTorch's exporters leave the path of modules, in names such as
`/layer1/layer1.0/conv1/Conv_output_0` or beside a node; Keras's leave a path too
(`model/conv1/BiasAdd:0`); some leave nothing but a number, and then the name of the weights may
tell, or what the tensor is and which one of its kind it is: `conv3`.
"""

import ast
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

LONGEST = 100
_RESERVED = {"input", "classifier.weight", "classifier.bias"}
"""What the picture, and what browsers get besides, are called."""
_ENDINGS = (".json", ".png", ".pca", ".summary")
"""What later stages add to names of layers to name files."""
_SHORT = {
    "average pool": "avgpool",
    "batch norm": "bn",
    "concatenate": "concat",
    "convolution": "conv",
    "global average pool": "avgpool",
    "global max pool": "maxpool",
    "local response norm": "lrn",
    "max pool": "maxpool",
    "multiply": "mul",
}
_BARE = re.compile(r"[A-Za-z]?_?\d*")
_NUMBERED = re.compile(r"(?:_+\d+)+$")
_TORCH = re.compile(r"^/?(.*?)([A-Za-z]+(?:_\d+)?)_output_\d+$")
_CALLS = {"StatefulPartitionedCall", "PartitionedCall", "Identity"}
_INNER = {"batchnorm", "cast", "convolution", "depthwise", "separable_conv2d"}
"""What TensorFlow calls parts of a layer."""
_ADDED = re.compile(r"_?[A-Z][A-Za-z]*__\d+$")
"""What tf2onnx adds to the name of the tensor before."""
_OF_WEIGHTS = re.compile(r"[._](weight|kernel|w)(_\d+)?$")
_OPERATORS = {
    "add addv2 avgpool avgpool2d batchnorm batchnormalization biasadd cast clip concat concatv2 conv "
    "conv2d conv2dbackpropinput convolution depthwise depthwiseconv2dnative div dropout elu flatten "
    "fusedbatchnorm fusedbatchnormv3 gemm globalaveragepool hardsigmoid hardswish identity leakyrelu "
    "matmul maximum maxpool maxpool2d mean minimum mul pad readvariableop relu relu6 reshape rsqrt "
    "separable_conv2d sigmoid softmax squeeze strided_slice sub sum swish tanh transpose truediv fwd "
    "merged_input"
}
_WORDS = frozenset(word for line in _OPERATORS for word in line.split())


@dataclass(frozen=True)
class Named:
    """What is known of one tensor."""

    tensor: str
    op: str
    node: str = ""
    """The name of the node that computes it."""
    scopes: str = ""
    """What PyTorch's exporter noted beside the node: a list of module paths, as text."""
    weight: str = ""
    """The name of the node's weights."""


def readable(tensors: Sequence[Named]) -> list[str]:
    """Return a name for each of `tensors`, which are in forward order; no two are the same, even
    without regard to case.
    """
    paths = _without_common([_path(one) for one in tensors])
    inside = {scope[:i] for scope, _ in filter(None, paths) for i in range(len(scope))}
    inside |= {(*scope, leaf) for scope, leaf in filter(None, paths) if leaf}
    ends = {path[0]: number for number, path in enumerate(paths) if path and path[1] is None}
    counts: Counter[str] = Counter()
    names: list[str] = []
    taken = {name.casefold() for name in _RESERVED}
    for number, (one, path) in enumerate(zip(tensors, paths, strict=True)):
        short = _short(one.op)
        if path is None:
            counts[short] += 1
            name = f"{short}{'_' * short[-1].isdigit()}{counts[short]}"
        else:
            scope, leaf = path
            whole = leaf is None and scope and ends[scope] == number and scope not in inside
            name = ".".join(scope if whole else (*scope, leaf or short))
        names.append(_unique(_safe(name) or short, taken))
    return names


Path = tuple[tuple[str, ...], str | None]
"""A path of modules, and a name within the last; None where that is only what it does."""


def _path(one: Named) -> Path | None:
    return next(_candidates(one), None)


def _candidates(one: Named) -> Iterator[Path]:
    """Yield what may tell where a tensor belongs, the most telling first."""
    if modules := _noted(one.scopes):
        yield modules, None
        return
    for name in (one.tensor, one.node):
        match = _TORCH.match(name)
        if match or name.startswith("/"):
            above = (match[1] if match else name.rpartition("/")[0]).strip("/")
            if above:
                yield _modules(above.split("/")), None
            return
    for name in (one.tensor, one.node):
        slashed = name.removeprefix("node_").split(":")[0].split("/")
        *scope, leaf = [part for part in slashed if part not in _CALLS] or [""]
        if scope or not _is_bare(leaf, one.op):
            yield _shortened(scope, leaf, one.op)
            return
        if weight := _of_weight(one.weight):
            yield weight
            return


def _of_weight(weight: str) -> Path | None:
    """Return the module that weights are called after."""
    path = weight.split(":")[0]
    module = _OF_WEIGHTS.sub("", path)
    if "/" not in path:
        known = module != path and not _is_bare(module, "")
        return (tuple(module.split(".")), None) if known else None
    *scope, leaf = [part for part in module.split("/") if part not in _CALLS and not _is_word(part)]
    if module == path or not scope:
        return ((*scope, leaf), None) if scope and _is_word(path.rpartition("/")[2]) else None
    return tuple(scope), leaf


def _noted(scopes: str) -> tuple[str, ...]:
    """Return the path of modules that PyTorch's exporter noted: the last entry is the node's."""
    try:
        noted = ast.literal_eval(scopes) if scopes else []
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return ()
    if not isinstance(noted, list) or not all(isinstance(one, str) for one in noted):
        return ()
    *modules, _ = noted or [""]
    return (
        tuple(next((one for one in reversed(modules) if one), "").split("."))
        if any(modules)
        else ()
    )


def _modules(parts: Sequence[str]) -> tuple[str, ...]:
    """Return PyTorch's path: `layer1/layer1.0/conv1` is layer1.0.conv1."""
    path: list[str] = []
    for part in parts:
        if path and part.startswith(f"{'.'.join(path)}."):
            path = part.split(".")
        elif path and part.startswith(f"{path[-1]}."):
            path = [*path[:-1], *part.split(".")]
        else:
            path += part.split(".")
    return tuple(path)


def _shortened(scope: list[str], leaf: str, op: str) -> Path:
    """Return a path without the operators in it that only say what is done."""
    before = _ADDED.sub("", leaf)
    if before != leaf:
        return tuple(scope if _is_word(before) else [*scope, before]), _short(op)
    if not _is_word(leaf):
        return tuple(scope), leaf
    while scope and _NUMBERED.sub("", scope[-1]).casefold() in _INNER:
        scope = scope[:-1]
    return tuple(scope), None


def _is_word(part: str) -> bool:
    return _NUMBERED.sub("", part).casefold() in _WORDS


def _is_bare(name: str, op: str) -> bool:
    """Tell whether a name is but a number, or an operator and a number."""
    plain = _NUMBERED.sub("", name)
    return bool(_BARE.fullmatch(name)) or _is_word(plain) or plain.casefold() == op.casefold()


def _without_common(paths: list[Path | None]) -> list[Path | None]:
    """Return paths without the modules that all of them begin with: `gpu_0`, `model`."""
    known = [path for path in paths if path]
    while known and all(scope for scope, _ in known) and len({scope[0] for scope, _ in known}) == 1:
        if any(len(scope) == 1 and leaf is None for scope, leaf in known):
            break
        known = [(scope[1:], leaf) for scope, leaf in known]
    parts = [part for scope, leaf in known for part in (*scope, leaf) if part]
    if all(part.endswith("_1") for part in parts):  # Keras counts how often a model was called
        known = [
            (tuple(part[:-2] for part in scope), leaf[:-2] if leaf else None)
            for scope, leaf in known
        ]
    rest = iter(known)
    return [next(rest) if path else None for path in paths]


def _short(op: str) -> str:
    return _SHORT.get(op, op.replace(" ", "_"))


def _safe(name: str) -> str:
    """Return `name` with what needs no escaping anywhere, so that it is its own slug."""
    plain = re.sub(r"[^A-Za-z0-9._-]+", "_", name)
    plain = re.sub(r"\.{2,}", ".", plain).strip("._-")
    return plain if len(plain) <= LONGEST else plain[-LONGEST:].lstrip("._-")


def _unique(name: str, taken: set[str]) -> str:
    found, number = name, 0
    while found.casefold() in taken or found.casefold().endswith(_ENDINGS):
        number += 1
        found = f"{name}_{number}"
    taken.add(found.casefold())
    return found
