"""What cannot be shown is refused in one line, with the reason and what to do."""

import numpy as np
import onnx
import onnx_nets as nets
import pytest
from onnx import TensorProto, helper

from export.__main__ import main


def refused(capsys, path, folder, *options):
    """Return what the export says; it writes nothing."""
    out = folder / "out"
    assert main(["--model", str(path), "--out", str(out), *options]) == 1
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith("export: ")
    assert printed.err.count("\n") == 1
    assert "Traceback" not in printed.err
    assert not out.exists()
    return printed.err


def small(shape=("n", 3, 32, 32), kind=TensorProto.FLOAT, last=("Softmax",), classes=3):
    """A network of one convolution and one linear layer, ending in the operators `last`."""
    net = nets.Net(list(shape), kind)
    net.add("Conv", ["data", net.weight("w", 4, 3, 3, 3)], "c")
    net.add("GlobalAveragePool", "c", "p")
    net.add("Flatten", "p", "f")
    net.add("Gemm", ["f", net.weight("v", 4, classes)], "t0")
    for number, op in enumerate(last):
        net.add(op, f"t{number}", f"t{number + 1}")
    return net.model((f"t{len(last)}", ["n", classes]), kind=TensorProto.FLOAT)


def with_node(op, domain=""):
    model = small()
    model.graph.node[1].op_type, model.graph.node[1].domain = op, domain
    if domain:
        model.opset_import.append(helper.make_opsetid(domain, 1))
    return model


def two_inputs():
    model = small()
    other = helper.make_tensor_value_info("other", TensorProto.FLOAT, [1])
    model.graph.input.append(other)
    return model


def elsewhere():
    model = small()
    tensor = model.graph.initializer[0]
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    entry = tensor.external_data.add()
    entry.key, entry.value = "location", "../../etc/passwd"
    return model


def opset(version):
    model = small()
    model.opset_import[0].version = version
    return model


def not_a_number():
    model = small()
    weight = model.graph.initializer[0]
    array = onnx.numpy_helper.to_array(weight).copy()
    array[0, 0, 0, 0] = np.nan
    weight.CopyFrom(onnx.numpy_helper.from_array(array, "w"))
    return model


def no_maps():
    net = nets.Net(["n", 3, 32, 32])
    net.add("Flatten", "data", "f")
    net.add("Gemm", ["f", net.weight("v", 3 * 32 * 32, 3)], "t")
    return net.model(("t", ["n", 3]))


def ending(*steps, classes=1, shape=("n", 1)):
    """A network of one convolution whose averages go through `steps`: operator, more inputs."""
    net = nets.Net(["n", 3, 32, 32])
    net.add("Conv", ["data", net.weight("w", 4, 3, 3, 3)], "c")
    net.add("GlobalAveragePool", "c", "p")
    net.add("Flatten", "p", "f")
    net.add("Gemm", ["f", net.weight("v", 4, classes)], "t0")
    for number, (op, *more) in enumerate(steps):
        inputs = [net.const(f"k{number}{i}", one) for i, one in enumerate(more)]
        net.add(op, [f"t{number}", *inputs], f"t{number + 1}")
    return net.model((f"t{len(steps)}", list(shape)))


def clipped():
    low, high = np.float32(1e-7), np.float32(1 - 1e-7)
    return ending(("Sigmoid",), ("Clip", low, high))


def maps_as_answers():
    net = nets.Net(["n", 3, 32, 32])
    net.add("Conv", ["data", net.weight("w", 4, 3, 3, 3)], "c")
    return net.model(("c", ["n", 4, 30, 30]))


def sequences():
    net = nets.Net(["n", 3, 32, 32])
    net.add("Conv", ["data", net.weight("w", 4, 3, 3, 3)], "c")
    net.add("SplitToSequence", "c", "s", axis=1)
    net.add("SequenceAt", ["s", net.const("i", np.int64(0))], "a")
    net.add("GlobalAveragePool", "a", "p")
    net.add("Flatten", "p", "f")
    return net.model(("f", ["n", 1]))


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (clipped, "its only answer is made by "),
        (lambda: ending(("Softmax",)), "its only answer is made by Softmax"),
        (maps_as_answers, "its answers have the shape (1, 4, 30, 30), and only one number"),
        (sequences, "makes lists of tensors (SplitToSequence)"),
        (lambda: small(("n", 3, -1, -1)), "pictures of any size: write size = 224"),
        (two_inputs, "takes 2 inputs (data, other), and a photo is one"),
        (elsewhere, "keeps its weights in another file: save it as one"),
        (lambda: opset(6), "uses opset 6, and 7 is the oldest"),
        (lambda: opset(99), "uses opset 99, and "),
        (lambda: with_node("Foo"), "is no valid ONNX model: "),
        (lambda: with_node("Foo", "com.example"), "uses Foo of 'com.example'"),
        (lambda: small(("n", 3, 32, 48)), "takes pictures of 48 × 32 pixels, and only square"),
        (lambda: small(("n", 4, 32, 32)), "no picture in grey or colour"),
        (lambda: small((8, 3, 32, 32)), "takes 8 pictures at once"),
        (lambda: small(("n", 3, "h", "w")), "pictures of any size: write size = 224"),
        (lambda: small(last=("Sigmoid",)), "each of its 3 answers is a yes or no of its own"),
        (lambda: small(last=("Softmax", "Abs")), "gives probabilities, and not by a softmax"),
        (not_a_number, "the model gives NaN or infinity in "),
        (no_maps, "has no feature maps"),
    ],
)
def test_models_that_cannot_be_shown(tmp_path, capsys, make, said):
    path = nets.save(tmp_path, make(), nets.RGB)
    assert said in refused(capsys, path, tmp_path)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "has no operators"),
        (b"<!DOCTYPE html><html>", "is a web page"),
        (b"PK\x03\x04rest", "is a zip archive"),
        (b"\xff\xfe\x00garbage", "is no ONNX file, or a damaged one"),
        (b"version https://git-lfs.github.com/spec/v1", "is a Git LFS pointer"),
    ],
)
def test_files_that_are_no_models(tmp_path, capsys, content, said):
    path = tmp_path / "net.onnx"
    path.write_bytes(content)
    assert said in refused(capsys, path, tmp_path)


def test_a_file_that_is_not_there(tmp_path, capsys):
    assert "which does not exist" in refused(capsys, tmp_path / "none.onnx", tmp_path)


def test_without_a_description_it_says_what_to_write(tmp_path, capsys):
    path = nets.save(tmp_path, small())
    said = refused(capsys, path, tmp_path)
    assert f"write it into {tmp_path / 'net.toml'}, such as input = {{size = 224, " in said
    example = said.split("such as ")[1].strip()
    path.with_suffix(".toml").write_text(example.replace("224", "32"))
    assert main(["--model", str(path), "--out", str(tmp_path / "out")]) == 0


def test_properties_of_the_file_say_as_much(tmp_path):
    model = small()
    for key, value in (
        ("Image.BitmapPixelFormat", "Bgr8"),
        ("Image.NominalPixelRange", "Normalized_1_1"),
    ):
        model.metadata_props.add(key=key, value=value)
    path = nets.save(tmp_path, model)
    assert main(["--model", str(path), "--out", str(tmp_path / "out")]) == 0


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[input", "cannot be read as TOML"),
        ("[input]\npixels = 1\nmean = 0\n", "missing required field `std`"),
        (nets.RGB + "colour = 1\n", "unknown field `colour`"),
        (nets.RGB.replace("1\n", "7\n", 1), "is no description of a model"),
        (nets.RGB.replace("[0.2, 0.25, 0.3]", "[0.2, 0, 0.3]"), "std is 0, and it is divided by"),
        (nets.RGB + "size = 64\n", "size is 64, and the model takes 32 × 32"),
        (nets.RGB + "resize = 16\n", "resize is 16, and a crop of 32"),
        ('labels = "two.txt"\n' + nets.RGB, "two.txt names 2 classes, and the model has 3"),
        ('labels = "none.txt"\n' + nets.RGB, "no names of classes at "),
        ('answers = "x"\n' + nets.RGB, "has no output 'x'"),
    ],
)
def test_descriptions_that_cannot_be_right(tmp_path, capsys, text, said):
    (tmp_path / "two.txt").write_text("ash\nbirch\n")
    assert said in refused(capsys, nets.save(tmp_path, small(), text), tmp_path)


@pytest.mark.parametrize("weights", ["imagenet1k_v1", "random:x", "random:-1"])
def test_other_weights_than_its_own(tmp_path, capsys, weights):
    path = nets.save(tmp_path, small(), nets.RGB)
    said = refused(capsys, path, tmp_path, "--weights", weights)
    assert "an ONNX file brings its weights" in said


def test_another_file_than_the_hash_is_of(tmp_path, capsys):
    path = nets.save(tmp_path, small(), nets.RGB)
    assert "is another file: expected SHA-256" in refused(
        capsys, path, tmp_path, "--sha256", "0" * 64
    )
