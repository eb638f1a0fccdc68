"""What finds matches, ready to begin at once; a process of its own has compiled it.

A compiler leaves 130 MB behind, which a daemon that runs for weeks is not to keep: where kernels
are not compiled yet, another process does it, and what it leaves on the disk is loaded here.
"""

from __future__ import annotations

import hashlib
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol

import antithesis
from antithesis.audio import Sound
from antithesis.files import write_whole
from antithesis.fourier import SAMPLE_RATE
from antithesis.preset import Preset
from daemon import child

if TYPE_CHECKING:
    from antithesis.grid import Grid
    from antithesis.matching import Match

STAMP: Final = "kernels.compiled"
_COMPILED: Final = ("realtime.py", "jackevents.py", "capture/jackcopy.py")  # of the daemon's own
_SEARCH_S: Final = 0.5  # brings every kernel along
# It ends with the daemon, however that ends.
_PROGRAM: Final = """
import os, sys, threading
threading.Thread(target=lambda: (sys.stdin.read(), os._exit(1)), daemon=True).start()
from daemon.matchers import compile_kernels
compile_kernels()
"""


class Search(Protocol):
    """A match under way: an iterator of ever better ones."""

    def __iter__(self) -> Iterator[Match]: ...

    def close(self) -> None:
        """Leave it; what was found stays."""

    def candidates(self) -> Sequence[Match]:
        """Matches that sound different: the last one, then others, nearest first."""


class Matcher(Protocol):
    """What finds matches."""

    def __call__(
        self,
        sound: Sound,
        *,
        budget_s: float,
        locked: Mapping[str, float],
        stop: Callable[[], bool],
    ) -> Search:
        """Search for matches, each better than the one before, with plain values that are `locked`.

        Ends after `budget_s` seconds, or soon after `stop` says so, but not before the first.
        """


def say_all() -> None:
    """The grid of a route that says all."""


def load_matcher(grid: Callable[[], Grid | None] = say_all) -> Matcher:
    """The network and the search, warm: the first file need not wait for compilers.

    `grid` tells what the presets to come have to be on.
    """
    matches = _matcher(grid)  # first, for what is wrong with the weights is not to be waited for
    _have_kernels()
    next(iter(matches(_warm_up_sound(), budget_s=0.0, locked={}, stop=lambda: True)))
    return matches


def compile_kernels() -> None:
    """Search for a while, so that whatever is needed is compiled, and kept on the disk."""
    import daemon.capture.jackcopy  # these two compile what they have
    import daemon.jackevents  # noqa: F401

    search = _matcher(say_all)
    for _ in search(_warm_up_sound(), budget_s=_SEARCH_S, locked={}, stop=lambda: False):
        pass


def _have_kernels() -> None:
    """Wait until kernels are compiled, by a process of its own; beside them it is said for which.

    Where it fails, whoever comes to need them compiles them.
    """
    from antithesis.jit import kept_in
    from antithesis.synth.blocks import render_in_groups

    stamp, ours = kept_in(render_in_groups) / STAMP, _fingerprint()
    if stamp.exists() and stamp.read_text("utf-8", "replace") == ours:
        return
    command = [sys.executable, "-P", "-c", _PROGRAM]
    with subprocess.Popen(command, env=child.inherited(), stdin=subprocess.PIPE) as compiler:
        if compiler.wait() == 0:
            with suppress(OSError):  # a full disk: the next start looks again
                write_whole(stamp, ours.encode())


def _fingerprint() -> str:
    """What kernels are compiled from and for: sources, compiler, processor."""
    import numba
    from llvmlite.binding import get_host_cpu_name

    home = Path(antithesis.__file__).parent
    ours = (*sorted(home.rglob("*.py")), *(Path(__file__).parent / name for name in _COMPILED))
    sources = [(p.name, p.stat().st_size, p.stat().st_mtime_ns) for p in ours]
    about = (sources, numba.__version__, sys.version, get_host_cpu_name())
    return hashlib.sha256(repr(about).encode()).hexdigest()


def _matcher(grid: Callable[[], Grid | None]) -> Matcher:
    from antithesis.matching import match
    from antithesis.network import load_network
    from antithesis.pitch import note_from_chunks, note_from_name

    network = load_network()

    def matches(
        sound: Sound,
        *,
        budget_s: float,
        locked: Mapping[str, float],
        stop: Callable[[], bool],
    ) -> Search:
        key = sound.played
        return match(
            sound.samples,
            network,
            budget_s=budget_s,
            note=key.note if key else None,
            named=note_from_name(sound.source) or note_from_chunks(sound.source),
            velocity=key.velocity if key else None,
            gate_s=key.gate_s if key else None,
            locked=locked,
            grid=grid(),
            stop=stop,
        )

    return matches


def _warm_up_sound() -> Sound:
    from antithesis.synth import render_notes

    return Sound(render_notes(Preset.init().normalized[None], 60, 100, 0.5)[0], SAMPLE_RATE)
