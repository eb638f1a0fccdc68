"""The front end as Kapre layers, and the whole network from waveform to logits.

The reference that the twin in :mod:`antithesis.spectra` is held against. Kapre computes its
spectrograms with TensorFlow alone, so that this module needs that back end; the trainable part in
:mod:`antithesis.training.network` does not.
"""

from __future__ import annotations

from typing import Any

import kapre
import keras
import numpy as np
import tensorflow as tf
from keras import layers

from antithesis.fourier import SAMPLE_RATE
from antithesis.spectra import FrontEnd


def mel_layers(front_end: FrontEnd) -> list[Any]:
    """Waveforms (n, samples, 1) to mel spectrograms (n, frames, mels)."""
    filters = {
        "sample_rate": SAMPLE_RATE,
        "n_freq": front_end.mel_window // 2 + 1,
        "n_mels": front_end.n_mels,
        "norm": None,
    }
    return [
        *_power_layers(front_end.mel_window, front_end.mel_hop),
        kapre.ApplyFilterbank("mel", filters, data_format="channels_last"),
        layers.Reshape((front_end.mel_frames, front_end.n_mels)),
        ToUnit(front_end.floor_db),
    ]


def fine_layers(front_end: FrontEnd) -> list[Any]:
    """Waveforms (n, samples, 1) to long-window powers (n, frames, bins)."""
    return [
        *_power_layers(front_end.fine_window, front_end.fine_hop),
        layers.Reshape((front_end.fine_frames, front_end.fine_window // 2 + 1)),
    ]


def build(front_end: FrontEnd) -> keras.Model:
    """Normalized waveforms (n, samples) and band edges (n, bands + 1) in, both views out."""
    sound = keras.Input((front_end.n_samples,), name="sound")
    edges = keras.Input((front_end.fine_bands + 1,), name="edges", dtype="float64")
    waveform = layers.Reshape((front_end.n_samples, 1))(sound)
    mel = waveform
    for layer in mel_layers(front_end):
        mel = layer(mel)
    powers = waveform
    for layer in fine_layers(front_end):
        powers = layer(powers)
    fine = Bands(front_end.floor_db)([powers, edges])
    return keras.Model([sound, edges], [mel, fine], name="front_end")


def join(front_end: FrontEnd, network: keras.Model) -> keras.Model:
    """The front end and a trained network as one model, from waveform to logits."""
    views = build(front_end)
    key = keras.Input((1,), name="key")
    mel, fine = views.outputs
    return keras.Model([*views.inputs, key], network([mel, fine, key]), name="antithesis_whole")


def _power_layers(window: int, hop: int) -> list[Any]:
    return [
        kapre.STFT(
            n_fft=window,
            hop_length=hop,
            input_data_format="channels_last",
            output_data_format="channels_last",
        ),
        kapre.Magnitude(),
        Squared(2.0 / window),
    ]


@keras.saving.register_keras_serializable("antithesis")
class Squared(layers.Layer):
    """``(scale * x) ** 2``."""

    def __init__(self, scale: float, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.scale = scale

    def call(self, x: Any) -> Any:
        """Keras's own contract."""
        return tf.square(x * self.scale)

    def get_config(self) -> dict[str, Any]:
        """Keras's own contract."""
        return {**super().get_config(), "scale": self.scale}


@keras.saving.register_keras_serializable("antithesis")
class ToUnit(layers.Layer):
    """Powers to decibels with the floor at -1 and full scale at 1.

    Kapre's own MagnitudeToDecibel counts from each clip's maximum, which would hide the level.
    """

    def __init__(self, floor_db: float, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.floor_db = floor_db

    def call(self, x: Any) -> Any:
        """Keras's own contract."""
        floor = tf.cast(10.0 ** (self.floor_db / 10.0), x.dtype)
        db = 10.0 / np.log(10.0) * tf.math.log(tf.maximum(x, floor))
        return tf.cast(1.0 - 2.0 * db / self.floor_db, tf.float32)

    def get_config(self) -> dict[str, Any]:
        """Keras's own contract."""
        return {**super().get_config(), "floor_db": self.floor_db}


@keras.saving.register_keras_serializable("antithesis")
class Bands(layers.Layer):
    """Energies between edges counted in bins; see :func:`antithesis.spectra.bands`."""

    def __init__(self, floor_db: float, **kwargs: Any) -> None:
        super().__init__(**kwargs, autocast=False)
        self._to_unit = ToUnit(floor_db)
        self.floor_db = floor_db

    def call(self, powers_and_edges: Any) -> Any:
        """Keras's own contract."""
        powers = tf.cast(powers_and_edges[0], tf.float64)  # (n, frames, bins)
        edges = tf.cast(powers_and_edges[1], tf.float64)  # (n, bands + 1)
        padded = tf.pad(tf.cumsum(powers, axis=2), ((0, 0), (0, 0), (1, 0)))
        low = tf.minimum(tf.cast(tf.floor(edges), tf.int32), powers.shape[2] - 1)
        rest = (edges - tf.cast(low, tf.float64))[:, None]
        at_edges = _pick(padded, low) + rest * _pick(powers, low)
        return self._to_unit(at_edges[..., 1:] - at_edges[..., :-1])

    def get_config(self) -> dict[str, Any]:
        """Keras's own contract."""
        return {**super().get_config(), "floor_db": self.floor_db}


def _pick(rows: Any, columns: Any) -> Any:
    """``rows`` (n, frames, bins) at ``columns`` (n, k), as (n, frames, k)."""
    picked = tf.gather(tf.transpose(rows, (0, 2, 1)), columns, batch_dims=1)  # (n, k, frames)
    return tf.transpose(picked, (0, 2, 1))
