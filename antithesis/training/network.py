"""The trainable part, in plain Keras 3: any back end runs it.

Two networks in one. What *hears* says of each head by itself what is likely; the *conditionals*
correct that by what the heads before it are, so that whole presets can be drawn
(:mod:`antithesis.conditionals`). In training they are told the truth of those.
"""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import layers, ops

from antithesis.conditionals import EMBEDDED, HIDDEN, ORDER
from antithesis.encoding import HEADS, LIVE, WIDTH
from antithesis.spectra import FrontEnd

_BLOCKS = 3  # residual ones, where both views have come together
_BINS = np.arange(WIDTH, dtype=np.float32)
_RANK = np.argsort(ORDER)
_BEFORE = (_RANK[:, None] < _RANK).astype(np.float32)  # (from, to)


def build(front_end: FrontEnd, width: float = 1) -> keras.Model:
    """Two views, the key and the true places (n, heads) in, logits (n, 2, heads * WIDTH) out.

    The first are each head's by itself, the second's are given the heads before it; ``width``
    multiplies channels.
    """
    mel = keras.Input((front_end.mel_frames, front_end.n_mels), name="mel")
    fine = keras.Input((front_end.fine_frames, front_end.fine_bands), name="fine")
    key = keras.Input((1,), name="key")
    heard = layers.Concatenate()([_mel_branch(mel, width), _fine_branch(fine, width), key])
    x = layers.Dense(round(512 * width))(heard)
    x = layers.Activation("silu")(layers.LayerNormalization()(x))
    for _ in range(_BLOCKS):
        x = layers.Add()([x, _activated(layers.Dense(round(512 * width)), x)])
    logits = layers.Dense(len(HEADS) * WIDTH, name="logits")(x)
    told = layers.Dense(len(HEADS) * HIDDEN, name="told")(x)
    places = keras.Input((len(HEADS),), name="places")
    # What is likely by itself is learnt from the audible alone, as if nothing else were asked.
    given = ops.stop_gradient(logits) + Conditionals(name="conditionals")([told, places])
    both = layers.Reshape((2, -1))(layers.Concatenate()([logits, given]))
    return keras.Model([mel, fine, key, places], both, name="antithesis")


def hearing(model: keras.Model) -> keras.Model:
    """The part that hears: logits (n, heads * WIDTH), and what the conditionals are told."""
    outputs = [model.get_layer(name).output for name in ("logits", "told")]
    return keras.Model(model.inputs[:3], outputs, name="hearing")


class Conditionals(layers.Layer):
    """Corrections (n, heads * WIDTH) of each head's logits by the places of the heads before it.

    Masked as in MADE (Germain et al., 2015), for a fixed order of the heads.
    """

    def build(self, _: Any) -> None:
        """Make the tables; corrections begin at nothing."""
        heads = len(HEADS)
        wide = keras.initializers.VarianceScaling(2.0, mode="fan_in")
        self.values = self.add_weight((heads, WIDTH, EMBEDDED), wide, name="values")
        self.links = self.add_weight((heads * EMBEDDED, heads * HIDDEN), wide, name="links")
        self.mixing = self.add_weight((heads, HIDDEN, HIDDEN), "glorot_uniform", name="mixing")
        self.corrections = self.add_weight((heads, HIDDEN, WIDTH), "zeros", name="corrections")
        self.built = True

    def call(self, inputs: Any) -> Any:
        """``inputs``: what is told of the sound (n, heads * HIDDEN), and the places (n, heads)."""
        told, places = inputs
        values = ops.einsum("nhw,hwd->nhd", _shares(places), self.values)
        mask = np.kron(_BEFORE, np.ones((EMBEDDED, HIDDEN), np.float32))
        links = self.links * ops.convert_to_tensor(mask)
        heard = told + ops.reshape(values, (-1, len(HEADS) * EMBEDDED)) @ links
        hidden = ops.silu(ops.reshape(heard, (-1, len(HEADS), HIDDEN)))
        hidden = hidden + ops.silu(ops.einsum("nkm,kmp->nkp", hidden, self.mixing))
        return ops.reshape(
            ops.einsum("nkm,kmw->nkw", hidden, self.corrections), (-1, len(HEADS) * WIDTH)
        )


def _shares(places: Any) -> Any:
    """Places (n, heads) as shares (n, heads, WIDTH) of the two bins around each."""
    return ops.maximum(0.0, 1.0 - ops.abs(ops.convert_to_tensor(_BINS) - places[..., None]))


def _activated(layer: Any, x: Any) -> Any:
    return layers.Activation("silu")(layers.LayerNormalization()(layer(x)))


def _convolve(x: Any, channels: int, size: int, stride: int) -> Any:
    x = layers.Conv1D(channels, size, strides=stride, padding="same", use_bias=False)(x)
    return layers.Activation("relu")(layers.BatchNormalization(momentum=0.95)(x))


def _mel_branch(mel: Any, width: float) -> Any:
    """Convolutions over time with mel bands as channels; time is kept to the end.

    Two-dimensional ones cost three times as much for a machine without a GPU.
    """
    x = mel  # (198, 64)
    for channels, size, stride in ((128, 5, 2), (192, 3, 2), (256, 3, 2), (256, 3, 1)):
        x = _convolve(x, round(channels * width), size, stride)  # to (25, 256)
    x = _convolve(x, round(64 * width), 1, 1)  # (25, 64)
    return _activated(layers.Dense(round(256 * width)), layers.Flatten()(x))


def _fine_branch(fine: Any, width: float) -> Any:
    """Convolutions over frequency; the few frames of the long window are channels."""
    x = layers.Permute((2, 1))(fine)  # (360, 9)
    for channels, size in ((64, 9), (96, 7), (160, 5), (256, 3)):
        x = _convolve(x, round(channels * width), size, 2)  # to (23, 256)
    return _activated(layers.Dense(round(256 * width)), layers.Flatten()(x))


def loss(places_and_weights: Any, logits: Any) -> Any:
    """Cross-entropies of both kinds of logits (n, 2, heads * WIDTH), added.

    ``places_and_weights`` (n, heads, 2): a head counts where it is heard. But draws need every
    head, and what cannot be heard stands at its default: there the conditionals learn just that.
    """
    alone, given = (cross_entropies(places_and_weights[..., 0], logits[:, k]) for k in (0, 1))
    weights = places_and_weights[..., 1]
    return ops.sum(alone * weights) / ops.maximum(ops.sum(weights), 1.0) + ops.mean(given)


def cross_entropies(places: Any, logits: Any) -> Any:
    """Nats (n, heads) of logits (n, heads * WIDTH) against the two bins around the places."""
    live = ops.convert_to_tensor(LIVE)
    table = ops.where(live, ops.reshape(logits, (-1, len(HEADS), WIDTH)), -1e9)
    logs = ops.where(live, ops.log_softmax(table, axis=-1), 0.0)
    return -ops.sum(_shares(places) * logs, axis=-1)
