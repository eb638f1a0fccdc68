"""From the exported files back to a Keras model that can be trained on.

What is exported hears in float16 and has its batch normalizations folded; this undoes both.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
import onnx
import onnx.numpy_helper

from antithesis.errors import ModelError
from antithesis.network import load_network
from antithesis.training import network

Floats = npt.NDArray[np.float32]


def take_up(model: keras.Model, path: Path, heard: Sequence[Floats]) -> None:
    """Give a new ``model`` the weights exported to ``path`` (.onnx) and beside it (.npz).

    ``heard``: mels, fine views and keys of some hundred sounds, by which the means and variances
    are found that batch normalizations go by. ModelError if the files are missing, or of another
    network or parameter table.
    """
    load_network(path)  # which refuses what this version cannot go by
    graph = _Graph(path)
    layers = _in_order([layer.name for layer in model.layers if layer.weights])
    tables = layers.pop("conditionals")
    _take_tables(model.get_layer(*tables), path.with_suffix(".npz"))
    normalizations: list[tuple[Any, Any]] = []
    for kind, names in layers.items():
        exported = graph.layers(kind)
        if len(names) != len(exported):
            raise ModelError(f"{path} has {len(exported)} of {kind}, this network {len(names)}")
        for name, tables in zip(names, exported, strict=True):
            layer = model.get_layer(name)
            if isinstance(layer, keras.layers.BatchNormalization):
                normalizations.append((layer, graph.folded(*tables)))
            else:
                _set(layer, graph.weights(tables))
    for layer, (scale, offset) in normalizations:
        one_less = np.full_like(scale, 1.0 - layer.epsilon)
        _set(layer, [scale, offset, np.zeros_like(scale), one_less])
    _unfold(model, normalizations, heard)


def _unfold(model: keras.Model, normalizations: Any, heard: Sequence[Floats]) -> None:
    """Let each batch normalization go by what it is shown, and answer as it did."""
    shown = keras.Model(network.hearing(model).inputs, [x.input for x, _ in normalizations])
    for (layer, (scale, offset)), values in zip(
        normalizations, shown.predict(list(heard), verbose=0), strict=True
    ):
        mean, variance = values.mean(axis=(0, 1)), values.var(axis=(0, 1))
        spread = np.sqrt(variance + layer.epsilon)
        layer.set_weights([scale * spread, offset + scale * mean, mean, variance])


def _take_tables(layer: Any, path: Path) -> None:
    with np.load(path) as tables:
        _set(layer, [tables[weight.name].astype(np.float32) for weight in layer.weights])


def _set(layer: Any, weights: Sequence[Floats]) -> None:
    shapes = [tuple(weight.shape) for weight in layer.weights]
    if shapes != [weight.shape for weight in weights]:
        raise ModelError(
            f"{layer.name} has other sizes in the exported files than in this version's network: "
            "train anew, without --begin"
        )
    layer.set_weights(list(weights))


def _in_order(names: Iterable[str]) -> dict[str, list[str]]:
    """Names by the kind of their layer, in the order in which Keras has numbered them."""
    kinds: dict[str, list[str]] = {}
    for name in sorted(names, key=lambda name: int(_numbered(name)[2] or 0)):
        kinds.setdefault(_numbered(name)[1], []).append(name)
    return kinds


class _Graph:
    """An exported graph, asked for the tables of its layers."""

    def __init__(self, path: Path) -> None:
        graph = onnx.load(str(path)).graph
        self._tables = {
            table.name.removesuffix("_half"): onnx.numpy_helper.to_array(table).astype(np.float32)
            for table in graph.initializer
        }
        self._nodes = list(graph.node)
        # The exporter appends a number to the name of each layer; epsilons are nobody's.
        named = (re.match(r"hearing_\d+/(\w+)_\d+/(?!add/)", name) for name in self._tables)
        self._layers: dict[str, list[str]] = {}
        for match in filter(None, named):
            self._layers.setdefault(match[1], []).append(match.string)

    def layers(self, kind: str) -> list[list[str]]:
        """The layers of a kind in order, each as its tables' names in the order of their use."""
        names = _in_order(self._layers).get(kind, [])
        return [sorted(self._layers[name], key=self._use) for name in names]

    def weights(self, tables: Sequence[str]) -> list[Floats]:
        """Of a convolution, a dense layer or a layer normalization, as Keras has them."""
        first, *rest = (self._tables[name] for name in tables)
        if first.ndim == 4:  # (out, in, 1, size) of a convolution
            return [first[:, :, 0].transpose(2, 1, 0)]
        return [first.squeeze(), *(table.squeeze() for table in rest)]

    def folded(self, scale: str) -> tuple[Floats, Floats]:
        """Scale and offset that a batch normalization has become."""
        scaled = next(node for node in self._nodes if scale in node.input).output[0]
        adding = next(node for node in self._nodes if scaled in node.input)
        (offset,) = (name for name in adding.input if name in self._tables)
        return self._tables[scale].ravel(), self._tables[offset].ravel()

    def _use(self, name: str) -> int:
        return next(k for k, node in enumerate(self._nodes) if name in node.input)


def _numbered(name: str) -> re.Match[str]:
    match = re.fullmatch(r"(.*?)(?:_(\d+))?", name)
    assert match is not None  # every name does
    return match
