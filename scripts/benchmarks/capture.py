"""Listening and capturing, as a user has it: a daemon that hears a JACK server, and a key pressed.

The way from the key is timed from outside: an order goes to the daemon by OSC, and its answer says
when the built-in synth had confirmed the first preset.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter, process_time, sleep, time

import numpy as np

from antithesis.sampling import musical
from antithesis.synth import render_notes
from benchmarks.jackserver import NoServer, Player, server
from benchmarks.measure import Effort, Missing, Row
from daemon import child, config
from daemon.capture.listener import Listener
from daemon.orders import order
from daemon.ports import free_port
from daemon.presses import Action

SHARE_GOAL, FIRST_GOAL_MS = 3.0, 250.0
GATE_S, SOUND_S, QUIET_S = 0.5, 1.2, 0.3
FEWEST = 5
SEED = 6


def rows(effort: Effort) -> Iterator[Row | Missing]:
    """What listening takes of a core, and how long a key takes to a preset."""
    try:
        with server():
            yield _share(max(effort.seconds, 2.0))
            yield from _presses(max(FEWEST, round(effort.seconds)))
    except NoServer as error:
        yield Missing("listening, and the way from a key", str(error))


def _share(seconds: float) -> Row:
    """Of this process, all its threads, while nothing but listening goes on in it."""
    with Listener(backend="jack") as ear:
        while ear.take is None:
            sleep(0.05)
        before, began = process_time(), perf_counter()
        sleep(seconds)
        share = (process_time() - before) / (perf_counter() - began) * 100
        note = f"JACK, 2 channels, {ear.take.device.sample_rate} Hz, periods of 1024"
    return Row("listening: share of a core", share, "%", SHARE_GOAL, note)


def _presses(count: int) -> Iterator[Row]:
    with TemporaryDirectory() as folder, Player("bench player") as player:
        orders = free_port()
        with _daemon(Path(folder), orders) as daemon:
            child.hear(daemon, "listening to everything")
            taken, refused = _timed(player, orders, count)
    note = f"{count - refused} of {count} sounds; median {np.median(taken):.0f} ms"
    tail = float(np.percentile(taken, 95))
    yield Row("key to the first preset confirmed: 95 % in", tail, "ms", FIRST_GOAL_MS, note)


def _daemon(home: Path, orders: int) -> AbstractContextManager[subprocess.Popen[str]]:
    settings: dict[str, dict[str, object]] = {
        "watch": {"folder": str(home / "drops")},
        "match": {"budget_s": 0.0},
        "host": {"route": "builtin"},
        "synth": {"port": free_port(), "wav": str(home / "synth.wav")},
        "state": {"folder": str(home / "state")},
        "orders": {"port": orders},
        "capture": {"backend": "jack"},
    }
    path = home / "config.toml"
    path.write_text(config.as_toml(config.changed(config.Config(), settings)), "utf-8")
    environment = {config.ENVIRONMENT_VARIABLE: str(path)}
    return child.running("start", environment=environment, stderr=subprocess.STDOUT)


def _timed(player: Player, orders: int, count: int) -> tuple[list[float], int]:
    """Milliseconds from a press to its preset, for sounds that are over; and how many were none."""
    presets = musical(np.random.default_rng(SEED), count)
    sounds = render_notes(
        presets.normalized, presets.note, presets.velocity, GATE_S, duration_s=SOUND_S
    )
    taken, refused = [], 0
    for sound in sounds:
        loud = sound / max(float(np.abs(sound).max()), 1e-6)
        player.play(np.asarray(0.3 * loud, np.float32))
        sleep(SOUND_S + QUIET_S)
        began = time()
        answer = order(orders, Action.CAPTURE)
        if answer is None or not answer.well:
            refused += 1
        else:
            taken.append((float(str(answer.facts["at"])) - began) * 1000)
        sleep(1.0)  # its clip and its files are written
    return taken, refused
