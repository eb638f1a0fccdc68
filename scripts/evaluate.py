"""How near the matches come, beside the baselines they have to beat.

    python scripts/evaluate.py                        the network and the baselines, held-out part
    python scripts/evaluate.py --budget 2 10          our matcher after 2 and 10 s, too
    python scripts/evaluate.py --full --json full.json --picture full.png
    python scripts/evaluate.py --quick                a few targets of each set, for CI
    python scripts/evaluate.py --budget 2 --steps 127                on a way of 7 bits, too
    python scripts/evaluate.py --read full.json --per-parameter      tables again, nothing is run
    python scripts/evaluate.py --families --budget 2 10              FM, plucks ..., factory presets
    python scripts/evaluate.py --recordings DIR --budget 10          the real plug-in's sounds
    python scripts/evaluate.py --elsewhere --budget 2 10 --rivals    other instruments, captures
    python scripts/evaluate.py --learned DIR --library 1000 10000    an MLP, the network of 2019
    python scripts/evaluate.py --budget 2 --rivals --times 1 10      CMA-ES with 10 times as much

Everything is scored on the frozen development targets, or on families drawn from a fixed seed, by
the exact synth, rendered three times at vibrato phases that nobody could have fitted. The tables
are Markdown, progress goes to stderr.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

# A core each for as many targets at once; before numpy and numba read it.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("NUMBA_NUM_THREADS", "1")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")  # TensorFlow's, where rivals learn

from tqdm import tqdm

from evaluation import elsewhere, families, recordings, results, tables, targets
from evaluation.learned import Learned
from evaluation.others import Rivals
from evaluation.results import Results
from evaluation.scoring import QUICK_METRICS
from evaluation.work import Plan, run_all

QUICK_TARGETS, QUICK_LIBRARY, QUICK_SOUNDS, QUICK_BUDGET_S = 5, 200, 200, 1.0
FULL_BUDGETS_S = (2.0, 10.0)


def main(arguments: list[str] | None = None) -> None:
    """Run or read, print the tables, keep what was asked for."""
    options = parse(arguments)
    if options.recordings:
        print(real(options))
        return
    if options.elsewhere:
        plan = elsewhere.Plan(
            tuple(options.budget), prepared(options), options.weights, options.seed
        )
        print(elsewhere.evaluate(plan, options.limit, options.jobs))
        return
    found = results.read(options.read) if options.read else run(options)
    print(tables.report(found, options.per_parameter))
    if options.json:
        results.write(found, options.json, tables.figures(found))
    if options.picture:
        from evaluation import picture

        picture.draw(found, options.picture)
    if options.shares:
        from evaluation import picture

        try:
            picture.draw_shares(found, options.shares)
        except ValueError as error:
            raise SystemExit(f"--shares: {error}") from None


def parse(arguments: list[str] | None) -> argparse.Namespace:
    """Options, with those that --quick and --full stand for filled in."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--set", nargs="+", choices=families.ORDER, default=targets.SETS, help="sets of targets")
    add("--families", action="store_true", help="the stress sets, and the factory presets")
    add("--part", choices=targets.PARTS, default="held-out", help="held out are the odd ids")
    add("--limit", type=int, help="targets of each set")
    add("--budget", type=float, nargs="+", default=[], metavar="SECONDS", help="of searching")
    add("--library", type=int, nargs="+", default=[1000], help="presets to find the nearest in")
    add("--rivals", action="store_true", help="search by others' methods with as many renders")
    add("--times", type=int, nargs="+", default=[1], help="as many renders, for their CMA-ES")
    add("--renders", type=int, nargs="+", default=[], help="for CMA-ES, whatever ours took")
    add("--learned", type=Path, metavar="DIR", help="rivals that learn; kept there once trained")
    add("--sounds", type=int, default=20_000, help="for these to learn from")
    add("--steps", type=int, help="what a way of so many steps a knob leaves (MIDI: 127)")
    add("--wmfcc", action="store_true", help="measure wMFCC, too")
    add("--jobs", type=int, default=os.cpu_count() or 1, help="targets at once, a core each")
    add("--seed", type=int, default=0, help="of every search and random start")
    add("--weights", type=Path, help="another network than the one that ships (.onnx)")
    add("--json", type=Path, help="keep all answers and scores in this file")
    add("--picture", type=Path, help="draw the distances into this file (.png)")
    add("--shares", type=Path, help="draw what is right against seconds into this file (.png)")
    add("--per-parameter", action="store_true", help="a table of all 38 parameters")
    add("--read", type=Path, nargs="+", metavar="FILE", help="make tables of kept answers")
    add("--recordings", type=Path, metavar="DIR", help="match recordings of the real plug-in")
    add("--elsewhere", action="store_true", help="match sounds that no Mika Micro made")
    add("--quick", action="store_true", help="a few targets, in a minute or two")
    add("--full", action="store_true", help="2 and 10 s, rivals that search, all parameters")
    options = _filled(parser.parse_args(arguments))
    kept = options.json or options.picture or options.shares
    if (options.recordings or options.elsewhere) and kept:
        parser.error("--recordings and --elsewhere print their tables; they keep nothing")
    return options


def _filled(options: argparse.Namespace) -> argparse.Namespace:
    if options.quick:
        options.limit = options.limit or QUICK_TARGETS
        options.budget = options.budget or [QUICK_BUDGET_S]
        options.library = [min(size, QUICK_LIBRARY) for size in options.library]
        options.sounds = min(options.sounds, QUICK_SOUNDS)
    if options.families:
        options.set = families.FAMILIES
    if options.full:
        options.budget = options.budget or list(FULL_BUDGETS_S)
        options.rivals = options.per_parameter = True
    return options


def prepared(options: argparse.Namespace) -> Rivals:
    """Who answers beside us; those that learn have learnt."""
    learned = Learned(options.learned, options.sounds) if options.learned else None
    if learned:
        learned.prepare(options.jobs)
    return Rivals(
        libraries=tuple(sorted(size for size in options.library if size)),
        learned=learned,
        searching=options.rivals,
        times=tuple(options.times),
        renders=tuple(options.renders),
    )


def run(options: argparse.Namespace) -> Results:
    """Answers of all systems to the chosen targets."""
    plan = Plan(
        budgets_s=tuple(sorted(options.budget)),
        rivals=prepared(options),
        metrics=(*QUICK_METRICS, "wmfcc") if options.wmfcc else QUICK_METRICS,
        seed=options.seed,
        weights=options.weights,
        steps=options.steps,
    )
    chosen = targets.choose(options.set, options.part, options.limit)
    chosen += families.choose(options.set, options.limit)
    rows = run_all(plan, chosen, options.jobs)
    said = {key: str(value) for key, value in vars(options).items() if value}
    return Results(tuple(rows), said)


def real(options: argparse.Namespace) -> str:
    """The table of the recordings."""
    scored = recordings.evaluate(
        options.recordings, options.weights, options.budget or [10.0], options.seed
    )
    rows = [
        [name, system, f"{d['mss_db']:.2f}", f"{d[recordings.BEST_PHASE]:.2f}",
         f"{d['sot']:.4f}", f"{d['rms_cos']:.3f}", f"{d['log_mel_l1_db']:.2f}", str(answer.note),
         f"{answer.elapsed_s:.2f}"]
        for name, system, answer, d in tqdm(scored, unit=" answers", file=sys.stderr)
    ]  # fmt: skip
    header = ["recording", "system", "MSS, dB", "at the best phase", "SOT", "RMS-cos",
              "log-mel L1, dB", "key", "s"]  # fmt: skip
    return tables.table(header, rows)


if __name__ == "__main__":
    main()
