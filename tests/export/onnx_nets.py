"""Small ONNX models made by hand, in the manners of different exporters, with random weights."""

from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

LIGHT = Path(onnx.__file__).parent / "backend/test/data/light"
"""The onnx package's own models: real graphs whose weights all are one number."""
SIDE = 32
RGB = "[input]\npixels = 1\nmean = [0.4, 0.5, 0.6]\nstd = [0.2, 0.25, 0.3]\n"
RAW = "[input]\npixels = 255\nmean = 0\nstd = 1\n"
GREY = "[input]\npixels = 255\nmean = 127.5\nstd = 64\n"


class Net:
    """A graph that is written node by node; tensors are named by the caller."""

    def __init__(self, shape, kind=TensorProto.FLOAT, seed=0):
        self.random = np.random.default_rng(seed)
        self.nodes, self.stored = [], {}
        self.input = helper.make_tensor_value_info("data", kind, shape)

    def const(self, name, array):
        self.stored[name] = np.asarray(array)
        return name

    def weight(self, name, *shape):
        spread = np.sqrt(2 / np.prod(shape[1:] or (2,)))
        return self.const(name, self.random.normal(0, spread, shape).astype(np.float32))

    def add(self, op, inputs, output, name="", **attributes):
        inputs = [inputs] if isinstance(inputs, str) else inputs
        outputs = [output] if isinstance(output, str) else output
        self.nodes.append(helper.make_node(op, inputs, outputs, name=name, **attributes))
        return output

    def model(self, *outputs, opset=13, kind=TensorProto.FLOAT):
        values = [helper.make_tensor_value_info(name, kind, shape) for name, shape in outputs]
        tensors = [numpy_helper.from_array(array, name) for name, array in self.stored.items()]
        graph = helper.make_graph(self.nodes, "net", [self.input], values, tensors)
        opsets = [helper.make_opsetid("", opset)]
        return helper.make_model(graph, opset_imports=opsets, ir_version=8)

    def save(self, folder, text, *outputs, name="net", **options):
        return save(folder, self.model(*outputs, **options), text, name)


def save(folder, model, text=None, name="net"):
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.onnx"
    onnx.save(model, path)
    if text is not None:
        path.with_suffix(".toml").write_text(text)
    return path


def plain(folder, text=RGB):
    """PyTorch's names; a residual block, a batch norm, pools, a linear layer, softmax."""
    net = Net(["n", 3, SIDE, SIDE])
    net.add(
        "Conv",
        ["data", net.weight("conv1.weight", 8, 3, 3, 3), net.weight("conv1.bias", 8)],
        "/conv1/Conv_output_0",
        pads=[1, 1, 1, 1],
        strides=[2, 2],
    )
    norm = [
        net.const("s", net.random.uniform(0.5, 1.5, 8).astype(np.float32)),
        net.weight("b", 8),
        net.weight("m", 8),
        net.const("v", net.random.uniform(0.5, 1.5, 8).astype(np.float32)),
    ]
    norm_out = net.add(
        "BatchNormalization", ["/conv1/Conv_output_0", *norm], "/bn1/BatchNormalization_output_0"
    )
    relu = net.add("Relu", norm_out, "/relu/Relu_output_0")
    inner = net.add(
        "Conv",
        [relu, net.weight("w2", 8, 4, 3, 3)],
        "/layer1/layer1.0/conv1/Conv_output_0",
        pads=[1, 1, 1, 1],
        group=2,
    )
    total = net.add("Add", [inner, relu], "/layer1/layer1.0/Add_output_0")
    block = net.add("Relu", total, "/layer1/layer1.0/relu_1/Relu_output_0")
    pool = net.add(
        "MaxPool", block, "/pool/MaxPool_output_0", kernel_shape=[3, 3], strides=[2, 2], ceil_mode=1
    )
    mean = net.add("GlobalAveragePool", pool, "/avgpool/GlobalAveragePool_output_0")
    flat = net.add("Flatten", mean, "/Flatten_output_0")
    net.add(
        "Gemm", [flat, net.weight("fc.weight", 5, 8), net.weight("fc.bias", 5)], "logits", transB=1
    )
    net.add("Softmax", "logits", "prob", axis=1)
    return net.save(folder, text, ("prob", ["n", 5]))


def keras(folder, text=RAW, kind=TensorProto.FLOAT, sigmoid=False):
    """Keras's names and layout: NHWC, constants for channels, SAME padding, MatMul and Add."""
    net = Net(["n", SIDE, SIDE, 3], kind)
    first = "data"
    if kind != TensorProto.FLOAT:
        first = net.add("Cast", first, "model/cast/Cast:0", to=TensorProto.FLOAT)
    net.const("mean", np.float32([10, 20, 30]))
    net.const("size", np.float32(1 / 64))
    net.add("Sub", [first, "mean"], "model/norm/sub:0")
    net.add("Mul", ["model/norm/sub:0", "size"], "model/norm/mul:0")
    net.add("Transpose", "model/norm/mul:0", "model/conv1/transposed", perm=[0, 3, 1, 2])
    net.add(
        "Conv",
        ["model/conv1/transposed", net.weight("model/conv1/w:0", 6, 3, 3, 3)],
        "model/conv1/Conv2D:0",
        auto_pad="SAME_UPPER",
        strides=[2, 2],
    )
    net.add("Transpose", "model/conv1/Conv2D:0", "nhwc", perm=[0, 2, 3, 1])
    net.add("Add", ["nhwc", net.weight("beta", 6)], "model/conv1/BiasAdd:0")
    net.add("Sigmoid", "model/conv1/BiasAdd:0", "model/swish/Sigmoid:0")
    net.add("Mul", ["model/conv1/BiasAdd:0", "model/swish/Sigmoid:0"], "model/swish/mul:0")
    net.add("Concat", ["model/swish/mul:0", "model/conv1/BiasAdd:0"], "model/join/concat:0", axis=3)
    net.add("ReduceMean", "model/join/concat:0", "model/pool/Mean:0", axes=[1, 2], keepdims=0)
    classes = 1 if sigmoid else 4
    bias = np.full(classes, 3, np.float32)
    net.add(
        "MatMul",
        ["model/pool/Mean:0", net.weight("model/fc/w:0", 12, classes)],
        "model/fc/MatMul:0",
    )
    net.add("Add", ["model/fc/MatMul:0", net.const("fc_b", bias)], "model/fc/BiasAdd:0")
    net.add("Sigmoid" if sigmoid else "Softmax", "model/fc/BiasAdd:0", "Identity:0")
    return net.save(folder, text, ("Identity:0", ["n", classes]))


def odd(folder, text=RGB):
    """Bare names; a shuffle of channels, a slice, LRN, a pad, constant weights, a last convolution."""
    net = Net([1, 3, SIDE, SIDE], seed=1)
    net.const("shape", np.int64([8, 3, 3, 3]))
    net.add(
        "ConstantOfShape",
        "shape",
        "one",
        value=numpy_helper.from_array(np.float32([0.02]), "value"),
    )
    net.add("Add", ["one", net.weight("noise", 8, 3, 3, 3)], "computed")
    net.add("Pad", ["data", net.const("pads", np.int64([0, 0, 2, 1, 0, 0, 1, 2]))], "r0")
    net.add("Conv", ["r0", "computed"], "r1", dilations=[2, 1])
    net.add("LRN", "r1", "r2", size=3)
    net.add("Clip", ["r2", net.const("lo", np.float32(0)), net.const("hi", np.float32(6))], "r3")
    five, four = (
        net.const("five", np.int64([0, 2, 4, 31, 33])),
        net.const("four", np.int64([0, 8, 31, 33])),
    )
    net.add("Reshape", ["r3", five], "r4")
    net.add("Transpose", "r4", "r5", perm=[0, 2, 1, 3, 4])
    net.add("Reshape", ["r5", four], "r6")
    net.add("Split", "r6", ["r7", "r8"], axis=1)
    net.add("Mul", ["r7", "r8"], "r9")
    net.add("Unsqueeze", [net.weight("gain", 4), net.const("ax", np.int64([1, 2]))], "gains")
    net.add("Mul", ["r9", "gains"], "r10")
    net.add("Add", ["r10", net.weight("offset", 4, 1, 1)], "r11")
    net.add("GlobalAveragePool", "r11", "r12")
    net.add("Conv", ["r12", net.weight("last", 5, 4, 1, 1), net.weight("last_b", 5)], "r13")
    net.add("Softmax", "r13", "r14", axis=1)
    return net.save(folder, text, ("r14", [1, 5, 1, 1]))


def grey(folder, text=GREY, kind=TensorProto.FLOAT):
    """One channel, in whole numbers or not."""
    net = Net(["n", 1, SIDE, SIDE], kind)
    first = "data"
    if kind != TensorProto.FLOAT:
        first = net.add("Cast", first, "numbers", to=TensorProto.FLOAT)
    net.add("Conv", [first, net.weight("w", 4, 1, 3, 3)], "c")
    net.add("Relu", "c", "r")
    net.add("GlobalAveragePool", "r", "p")
    net.add("Flatten", "p", "f")
    net.add("Gemm", ["f", net.weight("v", 4, 3)], "logits", alpha=0.5)
    return net.save(folder, text, ("logits", ["n", 3]))


def session(path):
    return onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])


def run_all(path, names, picture):
    """Run a file with tensors in it handed out: another way to it than the exporter's own."""
    model = onnx.load(path)
    there = {output.name for output in model.graph.output}
    model.graph.output.extend(onnx.ValueInfoProto(name=n) for n in names if n not in there)
    ready = onnxruntime.InferenceSession(
        model.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    return dict(zip(names, ready.run(names, {ready.get_inputs()[0].name: picture}), strict=True))
