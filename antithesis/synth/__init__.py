"""Mika Micro 2.0.1, modelled to the last sample.

Mika Micro is Andrew Minnich's free subtractive synth (MIT licence, 2018). The model follows the
mathematics of its published sources; two forms of it live here:

- :class:`Synth` and :func:`render`: the equations sample by sample, all eight voices, live;
- :func:`render_notes`: many presets, one note each, the same numbers in a fraction of the time.
"""

from antithesis.synth.events import Event, EventKind
from antithesis.synth.live import Synth
from antithesis.synth.notes import check_key, render_into, render_notes
from antithesis.synth.offline import render

__all__ = ["Event", "EventKind", "Synth", "check_key", "render", "render_into", "render_notes"]
