"""Random panels brought to random presets by mouse, on an X display and a window of our own.

    python scripts/panel_trials.py                       100 of them by each method
    python scripts/panel_trials.py --count 10 --method text
    python scripts/panel_trials.py --picture models/pictures/panel.png

Needs Xvfb and tkinter (scripts/system_parts.py has the packages). The panel is drawn in plain
shapes, or by the plug-in's own bitmaps where MIKA_MICRO_BITMAPS names their folder. The status is 1
if any control ended elsewhere than it should.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from antithesis.parameters import N_PARAMETERS, PARAMETERS  # noqa: E402
from antithesis.preset import Preset  # noqa: E402
from daemon.mouse.panel import HEIGHT, WIDTH  # noqa: E402
from daemon.mouse.turning import Method  # noqa: E402
from daemon.senders import open_sender  # noqa: E402
from tests.screens import TOLERANCES, row, window  # noqa: E402
from tests.xserver import XServer  # noqa: E402

EXACT = 1e-9
STEPPED = np.array([p.steps is not None for p in PARAMETERS])


def main() -> None:
    """Try each method, and tell the worst."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--count", type=int, default=100, help="presets by each method (100)")
    parser.add_argument("--first", type=int, default=0, help="the number of the first (0)")
    parser.add_argument("--method", nargs="+", type=Method, default=list(Method))
    parser.add_argument("--scale", type=float, default=1.0, help="of the window (1)")
    parser.add_argument("--picture", type=Path, help="draw a panel before and after, instead")
    options = parser.parse_args()
    with XServer("1920x1080") as server:  # room for a panel of twice its size
        os.environ |= server.environment
        os.environ.pop("WAYLAND_DISPLAY", None)
        if options.picture:
            return draw(options.picture)
        numbers = range(options.first, options.first + options.count)
        well = [tried(method, numbers, options.scale) for method in options.method]
    sys.exit(0 if all(well) else 1)


def draw(target: Path) -> None:
    """A random panel, and below it what became of it by wheel."""
    from PIL import Image, ImageGrab

    with window(x=0, y=0) as shown, open_sender(row(Method.WHEEL)) as sender:
        rng = np.random.default_rng([20, 1])
        shown.tell("set", list(rng.random(N_PARAMETERS)))
        sender.look()
        before = ImageGrab.grab().crop((0, 0, WIDTH, HEIGHT))
        sender.send(Preset.from_normalized(rng.random(N_PARAMETERS)))
        shown.held()
        after = ImageGrab.grab().crop((0, 0, WIDTH, HEIGHT))
    both = Image.new("RGB", (WIDTH, 2 * HEIGHT + 10), "white")
    both.paste(before, (0, 0))
    both.paste(after, (0, HEIGHT + 10))
    both.resize((both.width * 3 // 4, both.height * 3 // 4)).quantize(64).save(target)


def tried(method: Method, numbers: range, scale: float) -> bool:
    """Whether all presets arrived."""
    off, seconds = np.zeros((len(numbers), N_PARAMETERS)), []
    with window(scale=scale) as shown, open_sender(row(method)) as sender:
        for place, trial in enumerate(numbers):
            rng = np.random.default_rng([20, trial])
            shown.tell("set", list(rng.random(N_PARAMETERS)))
            preset = Preset.from_normalized(rng.random(N_PARAMETERS))
            sender.look()
            begun = time.monotonic()
            delivery = sender.send(preset)
            seconds.append(time.monotonic() - begun)
            miss = off[place] = abs(np.array(shown.held()) - preset.normalized)
            if miss.max() > TOLERANCES[method]:
                print(f"  {trial}: {PARAMETERS[int(miss.argmax())].id} off by {miss.max():.4f}")
                print(f"    {delivery}", flush=True)
    stepped, rest = off[:, STEPPED].max(), off[:, ~STEPPED].max()
    arrived = (off[:, STEPPED] < EXACT).all(axis=1) & (off.max(axis=1) <= TOLERANCES[method])
    print(
        f"{method:6} {arrived.sum()} of {len(numbers)} arrived; at most off: stepped {stepped:.1e},"
        f" continuous {rest:.5f}; {np.median(seconds):.1f} s each (median)",
        flush=True,
    )
    return bool(arrived.all())


if __name__ == "__main__":
    main()
