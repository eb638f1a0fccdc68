"""The trained network at run time: onnxruntime and the light front end, without TensorFlow."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from antithesis import keys, spectra
from antithesis.conditionals import HIDDEN, Conditionals, read_conditionals
from antithesis.encoding import HEADS, WIDTH, probabilities
from antithesis.errors import ModelError
from antithesis.parameters import fingerprint
from antithesis.spectra import FrontEnd
from antithesis.synth.live import note_frequency

Floats = npt.NDArray[np.float64]
Floats32 = npt.NDArray[np.float32]

MODEL: Final = "mika"
CARD_VERSION: Final = 2
"""Of the card beside the weights; a card that does not say is of the first."""


@dataclass(frozen=True)
class Prediction:
    """What the network expects of n sounds, or of one for n keys."""

    logits: Floats32  # (n, heads, WIDTH), of each head by itself
    told: Floats32  # (n, heads, HIDDEN), what the conditionals are told
    conditionals: Conditionals

    def of(self, rows: npt.ArrayLike) -> Prediction:
        """Some of the n."""
        some = np.asarray(rows, np.intp)
        return Prediction(self.logits[some], self.told[some], self.conditionals)

    @property
    def distributions(self) -> Floats:
        """Of each head by itself, (n, heads, WIDTH)."""
        return probabilities(self.logits)

    def draw(
        self,
        rows: npt.ArrayLike,
        rng: np.random.Generator,
        sharpness: npt.ArrayLike,
        *,
        known: Floats | None = None,
        keep: npt.NDArray[np.bool_] | None = None,
    ) -> Floats:
        """Whole presets as places (m, heads), one for each of ``rows`` (m,) of the n.

        Heads that agree with each other, for each is drawn given those before it; see
        :meth:`antithesis.conditionals.Conditionals.draw` for the rest.
        """
        of = np.asarray(rows, np.intp)
        places = np.zeros((len(of), len(HEADS))) if known is None else known
        kept = np.zeros(places.shape, np.bool_) if keep is None else keep
        return self.conditionals.draw(
            self.logits[of], self.told[of], rng, sharpness, known=places, keep=kept
        )


@dataclass(frozen=True)
class Network:
    """A trained network with the front end it was trained on."""

    front_end: FrontEnd
    card: dict[str, Any]
    session: Any  # onnxruntime.InferenceSession
    conditionals: Conditionals
    key_weights: Floats  # (keys.SIGNS,)

    def predict(self, sounds: npt.NDArray[np.floating], notes: npt.ArrayLike) -> Prediction:
        """What to expect of sounds (n, samples) at 44.1 kHz with keys (n,).

        One sound (1, samples) is asked about with each of the keys.
        """
        asked = np.atleast_1d(np.asarray(notes, np.float64))
        normal = spectra.normalize(sounds, self.front_end.n_samples)
        seen = spectra.views(self.front_end, normal, [note_frequency(float(key)) for key in asked])
        feed = {"mel": seen.mel, "fine": seen.fine, "key": key_input(asked)}
        logits, told = self.session.run(None, feed)
        n, heads = len(logits), len(HEADS)
        tables = logits.reshape(n, heads, WIDTH), told.reshape(n, heads, HIDDEN)
        return Prediction(*tables, self.conditionals)


def key_input(notes: npt.ArrayLike) -> npt.NDArray[np.float32]:
    """Keys as the network reads them, (n, 1), about -1 to 1."""
    return np.asarray(keys.height(np.atleast_1d(notes)), np.float32)[:, None]


def model_path(name: str = MODEL) -> Path:
    """Where a model's weights are: inside the installed package, or in a checkout's models/."""
    package = Path(__file__).parent
    for folder in (package / "_models", package.parent / "models"):
        path = folder / f"{name}.onnx"
        if path.exists():
            return path
    raise ModelError(f"no weights '{name}.onnx' beside the package: install Antithesis again")


def load_network(path: Path | None = None, *, threads: int = 1) -> Network:
    """Load weights (.onnx) and their card (.json beside them).

    Raises:
        ModelError: a file is missing, or was trained for another parameter table or other heads.
    """
    weights = path or model_path()
    try:
        card = json.loads(weights.with_suffix(".json").read_text(encoding="utf-8"))
        front_end = FrontEnd(**card["front_end"])
        told = card["keys"]["weights"] if "keys" in card else keys.unfitted()
        key_weights = np.array(told, np.float64)
        version = int(card.get("version", 1))
    except (OSError, ValueError, KeyError, TypeError) as trouble:
        raise ModelError(f"{weights}: its card is unreadable ({trouble}): train it again") from None
    if version != CARD_VERSION:
        remedy = "update Antithesis" if version > CARD_VERSION else "train it again"
        raise ModelError(
            f"{weights}: of version {version}, and this Antithesis knows {CARD_VERSION}: {remedy},"
            " or install Antithesis again with its own weights"
        )
    if card.get("table") != fingerprint() or card.get("heads") != [head.id for head in HEADS]:
        raise ModelError(f"{weights}: trained for another parameter table: train it again")
    if key_weights.shape != (keys.SIGNS,):
        raise ModelError(
            f"{weights}: its keys have {key_weights.size} weights, not {keys.SIGNS}: fit them again"
            " (scripts/train.py --keys)"
        )
    session = _session(weights, threads)
    conditionals = read_conditionals(weights.with_suffix(".npz"))
    return Network(front_end, card, session, conditionals, key_weights)


def _session(weights: Path, threads: int) -> Any:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    try:
        return onnxruntime.InferenceSession(
            str(weights), options, providers=["CPUExecutionProvider"]
        )
    except Exception as trouble:  # noqa: BLE001 - onnxruntime's own share no other base
        raise ModelError(f"{weights}: not a model onnxruntime can load ({trouble})") from None
