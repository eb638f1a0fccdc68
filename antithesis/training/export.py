"""From a trained Keras model to the two files the companion reads: weights and card."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import keras
import numpy as np

from antithesis.encoding import HEADS
from antithesis.network import CARD_VERSION
from antithesis.parameters import fingerprint
from antithesis.spectra import FrontEnd


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
    """Write ``path`` (.onnx) and the card beside it (.json)."""
    dummies: list[Any] = [np.zeros((1, *shape.shape[1:]), np.float32) for shape in model.inputs]
    model(dummies)  # Keras exports only what has been called once
    model.export(str(path), format="onnx", verbose=False)
    text = json.dumps(model_card, indent=2) + "\n"
    path.with_suffix(".json").write_text(text, encoding="utf-8")
