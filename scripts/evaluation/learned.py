"""Rivals that learn, as it was done before: one guess, the mean squared error, a fixed set.

Two of them, on the same random sounds of the prior (:mod:`evaluation.lessons`), seeds apart from
those of the targets. Both are told note, velocity and gate, and guess all 38 normalized parameters
through a sigmoid: no masks, no equivalent presets made one, no distributions, no search.

*MLP on librosa features*: three dense layers on their mean and deviation and the RMS envelope.

*2019 network*: what the study had, a Kapre mel spectrogram, a plain two-dimensional Keras CNN, a
regression on a fixed random set. The study heard 1,188 sounds of one note in which nine parameters
varied, their labels linear in plain units; here it gets as many sounds as the MLP, all 38 in
normalized units, and how the sounds were played, since notes vary.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from tqdm import tqdm

from antithesis.parameters import N_PARAMETERS
from evaluation import features, lessons
from evaluation.lessons import Lessons
from evaluation.scoring import Answer
from evaluation.systems import Case, rated

MLP = "MLP on librosa features"
STUDY = "2019 network"
_BATCH = 64
_HELD_BACK = 0.1  # of the sounds, which tell when to stop
_SEED = 1


@dataclass(frozen=True)
class Rival:
    """A network to be, what of a lesson it hears, and how long it may learn."""

    file: str
    build: Callable[[Lessons], Any]
    hears: Callable[[Lessons], npt.NDArray[np.floating]]
    epochs: int
    patience: int


@dataclass(frozen=True)
class Learned:
    """A folder in which the rivals are kept, and how many sounds they learn from."""

    folder: Path
    sounds: int

    def prepare(self, jobs: int) -> None:
        """Make and train what is not there yet, with progress on stderr."""
        missing = {name: one for name, one in RIVALS.items() if not self._kept(one).exists()}
        if not missing:
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        heard = self._lessons(jobs)
        for name, rival in missing.items():
            _keep(_trained(name, rival, heard).save, self._kept(rival))

    def _lessons(self, jobs: int) -> Lessons:
        path = self.folder / f"sounds-{self.sounds}.npz"
        if not path.exists():
            _keep(lessons.make(self.sounds, jobs).save, path)
        return Lessons.load(path)

    def _kept(self, rival: Rival) -> Path:
        return self.folder / f"{rival.file}-{self.sounds}.keras"

    def answers(self, case: Case) -> Iterator[tuple[str, Answer]]:
        """What each of them says of a sound; they were trained by :meth:`prepare`."""
        target = case.target
        sounds = features.heard(case.sound[None])
        one = Lessons(
            features.statistics(sounds[0])[None],
            features.spectrograms(sounds).astype(np.float16),
            lessons.played(target.note, target.velocity, target.gate_s),
            labels=np.empty((1, 0), np.float32),
        )
        for name, rival in RIVALS.items():
            guess = _loaded(self._kept(rival)).predict_on_batch([rival.hears(one), one.played])
            yield name, rated(case, np.asarray(guess[0], np.float64))


def _keep(save: Callable[[Path], None], path: Path) -> None:
    """Save aside first, so that what stopped half-way is not taken for the whole."""
    aside = path.with_stem("half")
    save(aside)
    aside.replace(path)


@cache
def _loaded(path: Path) -> Any:
    import keras

    return keras.models.load_model(path, compile=False)


def _mlp(heard: Lessons) -> Any:
    from keras import Input, Model, layers

    scale = layers.Normalization()
    scale.adapt(heard.statistics)
    inputs = Input((heard.statistics.shape[1],)), Input((3,))
    x = layers.Concatenate()([scale(inputs[0]), inputs[1]])
    for _ in range(3):
        x = layers.Dropout(0.1)(layers.Dense(512, "relu")(x))
    return Model(inputs, layers.Dense(N_PARAMETERS, "sigmoid")(x))


def _study(heard: Lessons) -> Any:
    from keras import Input, Model, layers

    inputs = Input(heard.spectrograms.shape[1:]), Input((3,))
    x = inputs[0]  # (85, 64, 1): frames, mels, channel
    for channels in (8, 16, 32, 64):
        x = layers.Conv2D(channels, 3, padding="same", activation="relu")(x)
        x = layers.MaxPooling2D(2)(x)  # to (5, 4, 64)
    x = layers.Concatenate()([layers.Flatten()(x), inputs[1]])
    x = layers.Dropout(0.2)(layers.Dense(256, "relu")(x))
    return Model(inputs, layers.Dense(N_PARAMETERS, "sigmoid")(x))


RIVALS = {
    MLP: Rival("mlp", _mlp, lambda heard: heard.statistics, epochs=60, patience=8),
    STUDY: Rival("study", _study, lambda heard: heard.spectrograms, epochs=20, patience=3),
}


def _trained(name: str, rival: Rival, heard: Lessons) -> Any:
    """The network at its best on what is held back."""
    import keras

    keras.utils.set_random_seed(_SEED)
    model = rival.build(heard)
    model.compile("adam", loss="mse")
    learning = round((1 - _HELD_BACK) * len(heard.labels))
    bar = tqdm(total=rival.epochs * learning, desc=name, unit=" sounds", file=sys.stderr)

    def told(_: int, losses: dict[str, float]) -> None:
        bar.update(learning)
        bar.set_postfix_str(f"loss {losses['loss']:.4f}, held back {losses['val_loss']:.4f}")

    with bar:
        model.fit(
            [rival.hears(heard), heard.played],
            heard.labels,
            batch_size=_BATCH,
            epochs=rival.epochs,
            validation_split=_HELD_BACK,
            verbose=0,
            callbacks=[
                keras.callbacks.EarlyStopping(patience=rival.patience, restore_best_weights=True),
                keras.callbacks.LambdaCallback(on_epoch_end=told),
            ],
        )
    return model
