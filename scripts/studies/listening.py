"""Networks that differ in what they look at alone, trained side by side on the same sounds."""

from __future__ import annotations

import math
import multiprocessing
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from tqdm import tqdm

from antithesis.encoding import HEADS, WIDTH, probabilities
from antithesis.training import stream
from studies.asking import BATCH, Answers, ask, batches
from studies.views import Batch, Ear, Mels

Floats = npt.NDArray[np.float64]

_HIGHEST_RATE: Final = 1.5e-3  # as in scripts/train.py
_RISE: Final = 0.1  # of a training


@dataclass(frozen=True)
class Plan:
    """Who is trained and how long, and on how many sounds the answers are compared."""

    ears: tuple[Ear, ...]
    sounds: int
    passes: int
    minutes: float
    asked: int
    width: float
    jobs: int

    def share(self, sounds: int, seconds: float) -> float:
        """0 at the start, 1 at the end, by sounds or minutes, whichever is nearer its end."""
        by_sounds = sounds / (self.sounds * self.passes)
        return min(1.0, max(by_sounds, seconds / (60.0 * self.minutes)))


@dataclass(frozen=True)
class _Learner:
    ear: Ear
    model: Any

    @property
    def name(self) -> str:
        return self.ear.name

    @property
    def sizes(self) -> frozenset[Mels]:
        return frozenset([self.ear.mels] if self.ear.mels else [])

    def learn(self, seen: Batch, rate: float) -> float:
        """One step; the loss."""
        self.model.optimizer.learning_rate.assign(rate)
        labels = np.stack([seen.places, seen.weights], axis=-1)
        return float(self.model.train_on_batch(self.ear.inputs(seen), labels))

    def answer(self, seen: Batch) -> Floats:
        logits = np.asarray(self.model.predict_on_batch(self.ear.inputs(seen)))
        return probabilities(logits.reshape(-1, len(HEADS), WIDTH))


def study(plan: Plan) -> Answers:
    """Train all ears on the same sounds, then ask them of the same others."""
    with multiprocessing.get_context("spawn").Pool(plan.jobs) as pool:
        learners = [_learner(ear, plan.width) for ear in plan.ears]
        fresh = batches(pool, stream.Recipe(batch=BATCH, degraded=0.0), learners)
        trained = _train(learners, _passes(fresh, plan), plan)
        return Answers(trained, dict(ask(learners, pool, plan.asked)))


def _passes(fresh: Iterator[Batch], plan: Plan) -> Iterator[Batch]:
    """Each batch as it is rendered, then all again in other orders."""
    kept = []
    for one in islice(fresh, -(-plan.sounds // BATCH)):
        kept.append(one)
        yield one
    for again in range(1, plan.passes):
        for index in np.random.default_rng(again).permutation(len(kept)):
            yield kept[index]


def _rate(share: float) -> float:
    """Of learning: a short rise, then half a cosine down to nothing."""
    return _HIGHEST_RATE * min(1.0, share / _RISE) * (0.5 + 0.5 * math.cos(math.pi * share))


def _learner(ear: Ear, width: float) -> _Learner:
    import keras

    from antithesis.training import network

    keras.utils.set_random_seed(ear.seed)
    whole = network.build(ear.front_end, width)
    # Without the conditionals: the question is what is heard, head by head.
    model = keras.Model(whole.inputs[:3], whole.get_layer("logits").output, name="ear")
    optimizer = keras.optimizers.AdamW(_HIGHEST_RATE, weight_decay=0.01, global_clipnorm=1.0)
    optimizer.build(model.trainable_variables)  # or the first step is traced twice
    model.compile(optimizer, loss=_loss)
    return _Learner(ear, model)


def _loss(places_and_weights: Any, logits: Any) -> Any:
    """Mean nats a head over what is audible."""
    from keras import ops

    from antithesis.training.network import cross_entropies

    nats = cross_entropies(places_and_weights[..., 0], logits)
    weights = places_and_weights[..., 1]
    return ops.sum(nats * weights) / ops.maximum(ops.sum(weights), 1.0)


def _train(learners: list[_Learner], sounding: Iterator[Batch], plan: Plan) -> int:
    """Every ear a step a batch until the budget is spent; how many sounds they were shown."""
    started = time.monotonic()
    sounds = 0
    total = plan.sounds * plan.passes
    with tqdm(total=total, unit=" sounds", smoothing=0.02, mininterval=5) as bar:
        for seen in sounding:
            share = plan.share(sounds + BATCH, time.monotonic() - started)
            losses = [each.learn(seen, _rate(share)) for each in learners]
            if not all(map(math.isfinite, losses)):
                raise SystemExit(f"losses are {losses} after {sounds} sounds: train again")
            sounds += BATCH
            bar.update(BATCH)
            said = " ".join(f"{loss:.2f}" for loss in losses)
            bar.set_postfix_str(f"{share:.1%}, losses {said}", refresh=False)
            if share >= 1.0:
                break
    return sounds
