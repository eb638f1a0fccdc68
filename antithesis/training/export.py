"""From a trained Keras model to the three files the companion reads.

The part that hears (.onnx), the conditionals' tables (.npz), and the card (.json).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import keras
import numpy as np
import onnx
import onnx.helper
import onnx.numpy_helper

from antithesis.conditionals import write_conditionals
from antithesis.encoding import HEADS
from antithesis.network import CARD_VERSION
from antithesis.parameters import fingerprint
from antithesis.spectra import FrontEnd
from antithesis.training import network

_SMALLEST_HALVED = 1024  # numbers in a table


def card(front_end: FrontEnd, training: Mapping[str, object]) -> dict[str, object]:
    """What a model is: its table, its ears, its heads and how it was trained."""
    return {
        "table": fingerprint(),
        "front_end": asdict(front_end),
        "version": CARD_VERSION,
        "heads": [head.id for head in HEADS],
        "training": dict(training),
    }


def export(model: keras.Model, model_card: Mapping[str, object], path: Path) -> None:
    """Write ``path`` (.onnx), and beside it the conditionals (.npz) and the card (.json).

    Weights are kept in float16, half as large, and computed with in float32.
    """
    hearing = network.hearing(model)
    dummies: list[Any] = [np.zeros((1, *shape.shape[1:]), np.float32) for shape in hearing.inputs]
    hearing(dummies)  # Keras exports only what has been called once
    hearing.export(str(path), format="onnx", verbose=False)
    onnx.save(_halved(_looking_once(onnx.load(str(path)))), str(path))
    layer = model.get_layer("conditionals")
    tables = {table.name: np.asarray(table.value) for table in layer.weights}
    write_conditionals(path.with_suffix(".npz"), tables)
    text = json.dumps(model_card, indent=2) + "\n"
    path.with_suffix(".json").write_text(text, encoding="utf-8")


def _looking_once(whole: Any) -> Any:
    """The model with the one sound that it is asked about on many keys heard by its mels once."""
    graph = whole.graph
    at = next(i for i, x in enumerate(graph.node) if x.op_type == "Concat" and "key" in x.input)
    joining = graph.node[at]
    mel, fine, _ = joining.input
    size, each = f"{fine}_size", f"{mel}_of_each"
    joining.input[0] = each
    graph.node.insert(at, onnx.helper.make_node("Expand", [mel, size], [each]))
    graph.node.insert(at, onnx.helper.make_node("Shape", [fine], [size]))
    return whole


def _halved(whole: Any) -> Any:
    """The model with its large tables in float16, each brought back when it is loaded."""
    graph = whole.graph
    casts = []
    for table in graph.initializer:
        values = onnx.numpy_helper.to_array(table)
        if values.dtype != np.float32 or values.size < _SMALLEST_HALVED:
            continue
        name = table.name
        halves = onnx.numpy_helper.from_array(values.astype(np.float16), f"{name}_half")
        table.CopyFrom(halves)
        cast = onnx.helper.make_node("Cast", [halves.name], [name], to=onnx.TensorProto.FLOAT)
        casts.append(cast)
    nodes = [*casts, *graph.node]
    del graph.node[:]
    graph.node.extend(nodes)
    return whole
