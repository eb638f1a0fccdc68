"""The trainable part, in plain Keras 3: any back end runs it."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import layers, ops

from antithesis.encoding import HEADS, LIVE, WIDTH
from antithesis.spectra import FrontEnd


def build(front_end: FrontEnd, width: int = 1) -> keras.Model:
    """Two views and the key in, logits (n, heads * WIDTH) out; ``width`` multiplies channels."""
    mel = keras.Input((front_end.mel_frames, front_end.n_mels), name="mel")
    fine = keras.Input((front_end.fine_frames, front_end.fine_bands), name="fine")
    key = keras.Input((1,), name="key")
    heard = layers.Concatenate()([_mel_branch(mel, width), _fine_branch(fine, width), key])
    x = layers.Dense(512 * width)(heard)
    x = layers.Activation("silu")(layers.LayerNormalization()(x))
    x = layers.Add()([x, _activated(layers.Dense(512 * width), x)])
    logits = layers.Dense(len(HEADS) * WIDTH, name="logits")(x)
    return keras.Model([mel, fine, key], logits, name="antithesis")


def _activated(layer: Any, x: Any) -> Any:
    return layers.Activation("silu")(layers.LayerNormalization()(layer(x)))


def _convolve(x: Any, channels: int, size: int, stride: int) -> Any:
    x = layers.Conv1D(channels, size, strides=stride, padding="same", use_bias=False)(x)
    return layers.Activation("relu")(layers.BatchNormalization(momentum=0.95)(x))


def _mel_branch(mel: Any, width: int) -> Any:
    """Convolutions over time with mel bands as channels; time is kept to the end.

    Two-dimensional ones cost three times as much for a machine without a GPU.
    """
    x = mel  # (198, 64)
    for channels, size, stride in ((128, 5, 2), (192, 3, 2), (256, 3, 2), (256, 3, 1)):
        x = _convolve(x, channels * width, size, stride)  # to (25, 256)
    x = _convolve(x, 64 * width, 1, 1)  # (25, 64)
    return _activated(layers.Dense(256 * width), layers.Flatten()(x))


def _fine_branch(fine: Any, width: int) -> Any:
    """Convolutions over frequency; the few frames of the long window are channels."""
    x = layers.Permute((2, 1))(fine)  # (360, 9)
    for channels, size in ((48, 9), (64, 7), (96, 5), (128, 3)):
        x = _convolve(x, channels * width, size, 2)  # to (23, 128)
    return _activated(layers.Dense(256 * width), layers.Flatten()(x))


def masked_loss(places_and_weights: Any, logits: Any) -> Any:
    """Cross-entropy per head against the two bins around the place, inaudible heads left out.

    ``places_and_weights`` (n, heads, 2), ``logits`` (n, heads * WIDTH); the mean over heard heads.
    """
    table = ops.reshape(logits, (-1, len(HEADS), WIDTH))
    table = ops.where(ops.convert_to_tensor(LIVE), table, -1e9)
    logs = ops.log_softmax(table, axis=-1)
    places = places_and_weights[..., :1]
    weights = places_and_weights[..., 1]
    bins = ops.convert_to_tensor(np.arange(WIDTH, dtype=np.float32))
    shares = ops.maximum(0.0, 1.0 - ops.abs(bins - places))  # two neighbours, together 1
    losses = -ops.sum(shares * ops.where(ops.convert_to_tensor(LIVE), logs, 0.0), axis=-1)
    return ops.sum(losses * weights) / ops.maximum(ops.sum(weights), 1.0)
