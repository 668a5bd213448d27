"""Makes the Keras models of this folder, and what Keras itself computes: TensorFlow is needed once.

Made with Python 3.11, tensorflow-cpu 2.21.0, keras 3.15.1, tf2onnx 1.17.0, numpy 2.4.6 and onnx
1.23.2 on x86-64. Beside this file lie keras_tf2onnx.onnx, which tests read as somebody's file, and
keras_tf2onnx.npz with a picture and what some of its layers give for it in Keras itself.

    python tests/export/data/make_keras.py tests/export/data
"""

import os
import sys
from pathlib import Path

os.environ |= {
    "TF_CPP_MIN_LOG_LEVEL": "3",
    "TF_ENABLE_ONEDNN_OPTS": "0",
    "KERAS_BACKEND": "tensorflow",
}

import keras
import numpy as np
from keras import layers

SIDE = 64
CLASSES = 10
KEPT = ("stem_relu", "depthwise_relu6", "sum", "pool", "average", "answers")
"""Layers whose values are kept: (rows, columns, channels), as Keras has them."""


def network() -> keras.Model:
    """Return a small classifier of (64, 64, 3) pictures that joins what joins in larger ones."""
    picture = keras.Input((SIDE, SIDE, 3), name="picture")
    x = layers.Conv2D(8, 3, strides=2, padding="same", use_bias=False, name="stem_conv")(picture)
    x = layers.BatchNormalization(name="stem_norm")(x)
    x = layers.ReLU(name="stem_relu")(x)
    x = layers.DepthwiseConv2D(3, strides=2, padding="same", name="depthwise")(x)
    x = layers.ReLU(6.0, name="depthwise_relu6")(x)
    x = layers.Conv2D(16, 1, name="project")(x)
    branch = layers.Conv2D(16, 3, padding="same", activation="relu", name="branch")(x)
    x = layers.Add(name="sum")([branch, x])
    wide = layers.Conv2D(8, 5, padding="same", activation="relu", name="wide")(x)
    x = layers.Concatenate(name="join")([x, wide])
    x = layers.MaxPooling2D(3, strides=2, padding="same", name="pool")(x)
    x = layers.Conv2D(32, 1, activation="relu", name="head")(x)
    x = layers.GlobalAveragePooling2D(name="average")(x)
    x = layers.Dense(CLASSES, activation="softmax", name="answers")(x)
    return keras.Model(picture, x, name="small")


def fill(model: keras.Model, seed: int) -> None:
    """Give every weight a value that no other part of the program could have put there.

    Kernels are He-normal; a batch norm gets a mean, a variance and a scale that are not 0 and 1.
    """
    rng = np.random.default_rng(seed)
    for weight in model.weights:
        kind, shape = weight.path.rpartition("/")[2], weight.shape
        if kind == "kernel":
            depthwise = "depthwise" in weight.path
            fan_in = np.prod(shape[:2] if depthwise else shape[:-1])
            value = rng.normal(0, np.sqrt(2 / fan_in), shape)
        elif kind in {"gamma", "moving_variance"}:
            value = rng.uniform(0.5, 1.5, shape)
        else:
            value = rng.normal(0, 0.2, shape)
        weight.assign(value.astype(np.float32))


def picture() -> np.ndarray:
    """Return pixels from 0 to 255 that differ by row, column and channel: uint8 (64, 64, 3)."""
    rng = np.random.default_rng(1)
    coarse = rng.integers(0, 256, (8, 8, 3)).repeat(8, axis=0).repeat(8, axis=1)
    fine = rng.integers(-40, 41, (SIDE, SIDE, 3))
    return np.clip(coarse + fine, 0, 255).astype(np.uint8)


def main(folder: Path) -> None:
    model = network()
    fill(model, seed=0)
    pixels = picture()
    every = keras.Model(model.input, [model.get_layer(name).output for name in KEPT])
    values = every(pixels[None] / np.float32(255), training=False)
    kept = {name: value.numpy()[0] for name, value in zip(KEPT, values, strict=True)}
    model.predict(pixels[None] / np.float32(255), verbose=0)  # Keras exports what was called
    model.export(folder / "keras_tf2onnx.onnx", format="onnx", verbose=False)
    np.savez_compressed(folder / "keras_tf2onnx.npz", picture=pixels, **kept)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
