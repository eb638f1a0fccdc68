"""Train the network on sounds rendered as it goes.

    python scripts/train.py --minutes 90 --checkpoints /somewhere/outside/git
    python scripts/train.py --minutes 90 --checkpoints /somewhere/outside/git --resume
    python scripts/train.py --minutes 90 --begin mika --rate 7e-4 --seed 5 --checkpoints ANOTHER
    python scripts/train.py --keys

Stopped at any moment, it goes on from its last checkpoint with the next sounds of the same stream,
none of them twice as often as asked for; of those that were to come again (`--uses`) the last few
thousand do not. The third command trains weights that were exported before further, on sounds of
another seed. At the end it writes models/NAME.onnx and its card models/NAME.json; NAME is `mine`
unless `--name` says otherwise, and `mika` are the weights that ship. The last command asks these
weights about every key of some thousand sounds, and adds to the card how their keys are told.
"""

from __future__ import annotations

import argparse
import json
import math
import multiprocessing
import os
import time
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

# One core each for those who render; before numpy reads it.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import numpy as np
from tqdm import tqdm

from antithesis.files import write_whole
from antithesis.spectra import FrontEnd
from antithesis.training import stream

REPOSITORY = Path(__file__).resolve().parent.parent
VALIDATION_SEED = 7_000_000
VALIDATION_BATCHES = 16
KEY_SOUNDS = 4000
MIXED_BATCHES = 64


@dataclass
class Progress:
    """How far a training has come; kept beside its checkpoint."""

    chosen: dict[str, Any]  # of the options, what has to stay as it is
    step: int = 0
    drawn: int = 0  # batches of the stream
    seconds: float = 0.0
    begun_with: dict[str, Any] | None = None  # how the weights were trained that it began with

    def share(self, options: argparse.Namespace) -> float:
        """0 at the start, 1 at the end, by sounds or minutes, whichever is nearer its end."""
        by_sounds = self.sounds(options) / options.sounds
        return min(1.0, max(by_sounds, self.seconds / (60.0 * options.minutes)))

    def sounds(self, options: argparse.Namespace) -> int:
        """How many have been rendered and trained on, however often each."""
        return self.step * options.batch // options.uses


def main() -> None:
    """Train, validate, keep checkpoints, export."""
    options = parse()
    if options.keys:
        fit_keys(options)
        return
    recipe = stream.Recipe(seed=options.seed, batch=options.batch)
    front_end = FrontEnd()
    options.checkpoints.mkdir(parents=True, exist_ok=True)
    with multiprocessing.get_context("spawn").Pool(options.workers) as pool:
        import keras

        from antithesis.training import export

        validation = validation_set(pool, front_end)
        model, progress = restore(options, front_end, validation)
        print(f"{model.count_params():,} weights, {keras.backend.backend()} back end")
        rng = np.random.default_rng((options.seed, progress.drawn))
        new = stream_batches(pool, recipe, front_end, progress, 3 * options.workers)
        batches = shuffled(new, options.uses, rng)
        train(model, batches, validation, progress, options)
    scores = validate(model, validation)
    training: dict[str, Any] = {
        "recipe": recipe.as_dict(),
        "sounds": progress.sounds(options),
        "uses of each": options.uses,
        "rate": options.rate,
        "minutes": round(progress.seconds / 60, 1),
        "validation": scores,
    }
    if before := progress.begun_with:
        in_all = {key: training[key] + before[key] for key in ("sounds", "minutes")}
        training |= {**in_all, "begun with": before}
    path = options.models / f"{options.name}.onnx"
    export.export(model, export.card(front_end, training), path)
    model.save(options.checkpoints / f"{options.name}.keras")
    print(f"wrote {path} and its card: {json.dumps(scores)}; now fit its keys (--keys)")


def fit_keys(options: argparse.Namespace) -> None:
    """Fit how the weights' doubts tell the key, and add that to their card."""
    from antithesis.training import keys

    path = options.models / f"{options.name}.json"
    card = card_of(options, options.name)
    count = int(options.sounds) if math.isfinite(options.sounds) else KEY_SOUNDS
    bar = tqdm(total=count, unit=" sounds", smoothing=0.02)
    with bar, multiprocessing.get_context("spawn").Pool(options.workers) as pool:
        work = partial(key_lessons, path.with_suffix(".onnx"))
        taught: list[keys.Lessons] = []
        for part in pool.imap(work, range(-(-count // stream.HANDFUL))):
            taught.append(part)
            bar.update(stream.HANDFUL)
    kept, back = keys.Lessons.joined(taught[::2]), keys.Lessons.joined(taught[1::2])
    ranks = back.ranks(keys.fit(kept))
    weights = keys.fit(keys.Lessons.joined(taught))
    right = {f"first {n}": round(float(np.mean(ranks < n)), 3) for n in (1, 4, 12)}
    card["keys"] = {
        "sounds": len(ranks) + len(kept.rows),
        "right": right,
        "weights": [round(w, 5) for w in weights],
    }
    path.write_text(json.dumps(card, indent=2) + "\n", encoding="utf-8")
    print(f"wrote {path}: of sounds held back, the right key is among the {json.dumps(right)}")


def card_of(options: argparse.Namespace, name: str):
    """The card of exported weights."""
    return json.loads((options.models / f"{name}.json").read_text(encoding="utf-8"))


def key_lessons(weights: Path, index: int):
    """In a process of its own: some sounds, asked about on every key."""
    from antithesis.training import keys
    from evaluation.systems import network

    return keys.lessons(network(weights), index)


def parse() -> argparse.Namespace:
    """Options; the card of the weights says what was chosen."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--name", default="mine", help="of the files written")
    parser.add_argument("--models", type=Path, default=REPOSITORY / "models", help="their folder")
    parser.add_argument("--minutes", type=float, default=math.inf, help="stop after so long")
    parser.add_argument("--sounds", type=float, default=math.inf, help="stop after so many")
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--uses", type=int, default=1, help="of each sound, in other company")
    parser.add_argument("--begin", metavar="NAME", help="with the weights of NAME.onnx there")
    parser.add_argument("--rate", type=float, default=1.5e-3, help="learning rate at its highest")
    parser.add_argument("--width", type=int, default=1, help="channels, as a multiple")
    parser.add_argument("--workers", type=int, default=max(1, (os.cpu_count() or 2) // 2))
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--checkpoints", type=Path, default=REPOSITORY / "checkpoints")
    parser.add_argument("--resume", action="store_true", help="go on from the last checkpoint")
    parser.add_argument(
        "--keys", action="store_true", help="only fit the keys of weights there are"
    )
    options = parser.parse_args()
    if not options.keys and options.minutes == options.sounds == math.inf:
        parser.error("say when to stop: --minutes or --sounds")
    return options


def restore(options: argparse.Namespace, front_end: FrontEnd, validation: Sequence[stream.Batch]):
    """The model and how far it is: new, from exported weights, or from the checkpoint."""
    import keras

    from antithesis.training import network, taking_up

    if options.resume:
        progress = resumed(options)
        custom = {"loss": network.loss, "Conditionals": network.Conditionals}
        model = keras.models.load_model(options.checkpoints / "last.keras", custom_objects=custom)
        return model, progress
    model = network.build(front_end, options.width)
    progress = Progress(chosen(options))
    if options.begin:
        heard = zip(*(inputs(batch)[:3] for batch in validation), strict=True)
        path = options.models / f"{options.begin}.onnx"
        taking_up.take_up(model, path, [np.concatenate(column) for column in heard])
        progress.begun_with = card_of(options, options.begin)["training"]
    optimizer = keras.optimizers.AdamW(options.rate, weight_decay=0.01, global_clipnorm=1.0)
    model.compile(optimizer, loss=network.loss)
    return model, progress


def chosen(options: argparse.Namespace) -> dict[str, Any]:
    """What a training that goes on must not change: its sounds, and how it learns from them."""
    return {name: getattr(options, name) for name in ("seed", "batch", "uses", "rate")}


def resumed(options: argparse.Namespace) -> Progress:
    """How far the training has come that left its checkpoint there."""
    state = options.checkpoints / "progress.json"
    if not state.exists():
        raise SystemExit(f"nothing to resume in {options.checkpoints}: name its --checkpoints")
    progress = Progress(**json.loads(state.read_text(encoding="utf-8")))
    if progress.chosen != chosen(options):
        words = " ".join(f"--{name} {value}" for name, value in progress.chosen.items())
        raise SystemExit(f"{options.checkpoints} was begun with {words}: give the same again")
    return progress


def train(model, batches, validation, progress: Progress, options: argparse.Namespace) -> None:
    """One step a batch until the budget is spent."""
    bar = tqdm(unit=" sounds", unit_scale=True, smoothing=0.02, mininterval=5)
    bar.update(progress.sounds(options))
    started = time.monotonic() - progress.seconds
    saved = time.monotonic()
    loss = float("nan")
    while (share := progress.share(options)) < 1.0:
        model.optimizer.learning_rate.assign(options.rate * learning_rate(share, progress.step))
        batch = next(batches)
        loss = float(model.train_on_batch(inputs(batch), labels(batch)))
        if not math.isfinite(loss):
            raise SystemExit(f"loss is {loss} after batch {progress.step}: resume from before it")
        progress.step += 1
        progress.seconds = time.monotonic() - started
        bar.update(progress.sounds(options) - bar.n)
        if progress.step % 50 == 0:
            rest = progress.seconds * (1 / max(share, 1e-6) - 1) / 60
            bar.set_postfix_str(f"{share:.1%}, {rest:.0f} min left, loss {loss:.3f}")
        if time.monotonic() - saved > 300:
            save(model, progress, options)
            saved = time.monotonic()
            scores = json.dumps(validate(model, validation))
            bar.write(f"{progress.sounds(options):,} sounds: {scores}")
    save(model, progress, options)
    bar.close()


def learning_rate(share: float, step: int) -> float:
    """A short rise, then half a cosine down to nothing."""
    return min(1.0, (step + 1) / 200) * (0.5 + 0.5 * math.cos(math.pi * share))


def save(model, progress: Progress, options: argparse.Namespace) -> None:
    """Keep a checkpoint; the old one stays until the new one is whole."""
    aside = options.checkpoints / "next.keras"
    model.save(aside)
    aside.replace(options.checkpoints / "last.keras")
    write_whole(options.checkpoints / "progress.json", json.dumps(asdict(progress)).encode())


def stream_batches(
    pool, recipe, front_end, progress: Progress, ahead: int
) -> Iterator[stream.Batch]:
    """The batches that were not drawn yet in order, so many rendered ahead of their use."""
    waiting: deque = deque()
    index = progress.drawn
    while True:
        while len(waiting) < ahead:
            waiting.append(pool.apply_async(stream.batch, (recipe, front_end, index)))
            index += 1
        batch = waiting.popleft().get()
        progress.drawn += 1
        yield batch


def shuffled(
    new: Iterator[stream.Batch], uses: int, rng: np.random.Generator
) -> Iterator[stream.Batch]:
    """Batches of the same size in which each sound comes so often, in ever other company."""
    if uses == 1:
        yield from new
        return
    rows: list[tuple[np.ndarray, ...]] = []
    for batch in new:
        rows += [*zip(*batch.columns, strict=True)] * uses
        size = len(batch.key)
        while len(rows) > MIXED_BATCHES * size:
            for last in range(len(rows) - 1, len(rows) - 1 - size, -1):
                other = rng.integers(last + 1)
                rows[last], rows[other] = rows[other], rows[last]
            yield stream.Batch(*map(np.stack, zip(*rows[-size:], strict=True)))
            del rows[-size:]


def inputs(batch: stream.Batch) -> list[np.ndarray]:
    """What the network is shown, and told."""
    return [batch.mel, batch.fine, batch.key, batch.places]


def labels(batch: stream.Batch) -> np.ndarray:
    """What it should have said, (n, heads, 2)."""
    return np.stack([batch.places, batch.weights], axis=-1)


def validation_set(pool, front_end: FrontEnd) -> list[stream.Batch]:
    """Sounds never trained on, the same for every training."""
    recipe = stream.Recipe(seed=VALIDATION_SEED)
    jobs = [(recipe, front_end, index) for index in range(VALIDATION_BATCHES)]
    return pool.starmap(stream.batch, jobs)


def validate(model, validation: Sequence[stream.Batch]) -> dict[str, float]:
    """Nats a head, alone and given those before it, and the share of choices that are right.

    Over what is audible.
    """
    from antithesis.encoding import HEADS, WIDTH, likeliest, probabilities
    from antithesis.training.network import cross_entropies

    nats, right, heard = np.zeros(2), np.zeros(len(HEADS)), np.zeros(len(HEADS))
    for batch in validation:
        logits = np.asarray(model.predict_on_batch(inputs(batch)))
        each = [np.asarray(cross_entropies(batch.places, logits[:, k])) for k in (0, 1)]
        nats += [(row * batch.weights).sum() for row in each]
        guesses = likeliest(probabilities(logits[:, 0].reshape(-1, len(HEADS), WIDTH)))
        right += ((np.round(guesses) == np.round(batch.places)) * batch.weights).sum(0)
        heard += batch.weights.sum(0)
    alone, given = (round(float(value), 4) for value in nats / heard.sum())
    scores = {"loss": alone, "given those before": given}
    for k, head in enumerate(HEADS):
        if head.choice:
            scores[head.id] = round(float(right[k] / max(heard[k], 1)), 4)
    return scores


if __name__ == "__main__":
    main()
