"""How often the sound just heard is cut where it begins: notes drawn by chance, in many scenes.

    python scripts/onset_trials.py                            200 scenes of each kind, five minutes
    python scripts/onset_trials.py --count 20 --kinds alone "close, same key"
    python scripts/onset_trials.py --fit --seed 101           writes antithesis/data/onset_odds.json

In each scene the last note is asked for. `right` is the share that is cut within 5 ms of where it
begins, `near` within 60 ms; `cut` begins amid the note, `before` is something before it, or
nothing. `struck` is `right` among notes that do not swell (within 20 ms of the key they are within
20 dB of their loudest). `again` is what is right, or is when the key is pressed once more. `extra`
counts beginnings amid a note, for each note. What is fitted on one seed is to be tried on another.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from itertools import islice, product
from pathlib import Path

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize

Floats = npt.NDArray[np.float64]

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from antithesis.evidence import ODDS, Odds  # noqa: E402
from antithesis.onsets import beginnings, sounds  # noqa: E402
from benchmarks.scenes import KINDS, RATE, Scene, scenes  # noqa: E402

WITHIN_S = 0.005
NEAR_S = 0.06
STRICTNESS = 1.25  # what begins amid a note counts so many times as much as what is missed
UNITS = 8  # of the layer
SIMPLER = 1e-3  # what large weights cost
LEAST_S = 0.05  # what began later is not what a finger answers to


@dataclass(frozen=True)
class Trial:
    """What became of a scene."""

    outcome: str
    again: bool
    struck: bool
    extra: float


def tried(scene: Scene) -> Trial:
    """Ask for the last note of a scene."""
    wanted = scene.notes[-1]
    newest = len(scene.samples) - LEAST_S * RATE
    found = [heard.start for heard in sounds(scene.samples, RATE) if heard.start <= newest]
    off_s = [wanted.late_by(start) / RATE for start in reversed(found)]
    extra = sum(min(abs(each.late_by(s)) for each in scene.notes) > NEAR_S * RATE for s in found)
    return Trial(
        _outcome(off_s[0] if off_s else -np.inf),
        any(abs(off) <= WITHIN_S for off in off_s[:2]),
        wanted.note.struck,
        extra / len(scene.notes),
    )


def _outcome(off_s: float) -> str:
    if abs(off_s) <= WITHIN_S:
        return "right"
    if abs(off_s) <= NEAR_S:
        return "near"
    return "cut" if off_s > 0 else "before"


def drawn(kind: str, presets: str, count: int, seed: int) -> Iterator[Scene]:
    """So many scenes of a kind, with notes of a distribution."""
    rng = np.random.default_rng([seed, *kind.encode(), *presets.encode()])
    return islice(scenes(rng, kind, presets), count)


def trials(kind: str, presets: str, count: int, seed: int) -> list[Trial]:
    """What becomes of them."""
    return [tried(scene) for scene in drawn(kind, presets, count, seed)]


def lessons(kind: str, presets: str, count: int, seed: int) -> list[Floats]:
    """The evidence for each place where a sound may begin in them, and whether one does.

    What begins in music before the note is neither.
    """
    found = []
    for scene in drawn(kind, presets, count, seed):
        for begun in beginnings(scene.samples, RATE):
            off = min((each.late_by(begun.start) for each in scene.notes), key=abs)
            if abs(off) <= NEAR_S * RATE / 4:
                found.append(np.append(begun.evidence.values, 1.0))
            elif off > NEAR_S * RATE or not kind.startswith("over"):
                found.append(np.append(begun.evidence.values, 0.0))
    return found


def fitted(taught: Floats) -> Odds:
    """What the evidence says, by logistic regression behind a layer of tanh."""
    values, begins = taught[:, :-1], taught[:, -1] > 0
    mean, scale = values.mean(axis=0), values.std(axis=0) + 1e-9
    values, sign = (values - mean) / scale, np.where(begins, 1.0, -1.0)
    counts = np.where(begins, 1.0, STRICTNESS) / len(values)
    n = values.shape[1]

    def apart(weights: Floats) -> tuple[Floats, Floats, Floats, float]:
        hidden, bias, out, offset = np.split(weights, [n * UNITS, (n + 1) * UNITS, (n + 2) * UNITS])
        return hidden.reshape(n, UNITS), bias, out, float(offset[0])

    def loss(weights: Floats) -> tuple[float, Floats]:
        hidden, bias, out, offset = apart(weights)
        told = np.tanh(values @ hidden + bias)
        odds = sign * (told @ out + offset)
        pull = -sign * counts * 0.5 * (1.0 - np.tanh(odds / 2))
        back = np.outer(pull, out) * (1.0 - told**2)
        slopes = (values.T @ back + 2 * SIMPLER * hidden, back.sum(axis=0))
        slope = np.concatenate([slopes[0].ravel(), slopes[1], told.T @ pull + 2 * SIMPLER * out])
        price = SIMPLER * float((hidden**2).sum() + (out**2).sum())
        return float(counts @ np.logaddexp(0.0, -odds)) + price, np.append(slope, pull.sum())

    first = np.random.default_rng(0).normal(0.0, 0.2, (n + 2) * UNITS + 1)
    hidden, bias, out, offset = apart(minimize(loss, first, jac=True, method="L-BFGS-B").x)
    hidden = hidden / scale[:, None]
    return Odds(hidden, bias - mean @ hidden, out, offset)


def write(odds: Odds) -> None:
    """Keep what was learnt where the finder looks for it."""
    learnt = {name: np.round(value, 4).tolist() for name, value in asdict(odds).items()}
    ODDS.write_text(json.dumps(learnt) + "\n", "utf-8")


def row(found: list[Trial]) -> str:
    """Shares in percent, and the extra beginnings of a note."""
    counts = Counter(trial.outcome for trial in found)
    struck = [trial.outcome == "right" for trial in found if trial.struck]
    shares = [counts[name] / len(found) for name in ("right", "near", "cut", "before")]
    shares += [float(np.mean(struck or [False])), float(np.mean([t.again for t in found]))]
    extra = np.mean([trial.extra for trial in found])
    return "".join(f"{100 * share:8.1f}" for share in shares) + f"{extra:8.2f}"


def main() -> None:
    """Try each kind of scene with each kind of preset."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--kinds", nargs="+", choices=KINDS, default=list(KINDS))
    parser.add_argument("--presets", nargs="+", default=["musical", "uniform"])
    parser.add_argument("--fit", action="store_true", help="learn the odds instead")
    options = parser.parse_args()
    cases = list(product(options.presets, options.kinds))
    names = [f"{presets} {kind}" for presets, kind in cases]
    work = lessons if options.fit else trials
    with ProcessPoolExecutor() as workers:
        found = workers.map(
            work,
            *([kind for _, kind in cases], [presets for presets, _ in cases]),
            *([options.count] * len(cases), [options.seed] * len(cases)),
        )
        if options.fit:
            write(fitted(np.array([lesson for each in found for lesson in each])))
            return
        print(f"{'':32}   right    near     cut  before  struck   again   extra")
        for name, outcomes in zip(names, found, strict=True):
            print(f"{name:32}{row(outcomes)}", flush=True)


if __name__ == "__main__":
    main()
