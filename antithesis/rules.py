"""Which parameters do nothing: what the panel greys out, and, a different matter, what is heard.

Two tables of data. `PANEL` is Mika Micro's own grey-out rules, exactly: a greyed control ignores
the mouse, and the panel looks at exact zeros and nothing else. `HEARING` says which parameters
matter to the sound of what is played; it is what learning and scoring count. A row names parameters
and a condition that each of them needs; a parameter in no row is always live.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from antithesis.parameters import (
    BY_ID,
    FM_MODES,
    MAXIMUM,
    MINIMUM,
    N_PARAMETERS,
    VOICE_MODES,
    WAVEFORMS,
    quantize,
)

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

NOISE = WAVEFORMS.index("noise")
OFF, OSC1, OSC2 = range(len(FM_MODES))
POLY, MONO, LEGATO = range(len(VOICE_MODES))


@dataclass(frozen=True)
class Knobs:
    """Presets in plain units (..., 38); `k["kOscMix"]` is one column of them, shape (...)."""

    plain: Floats

    def __getitem__(self, id: str) -> Floats:
        return np.asarray(self.plain[..., BY_ID[id].index])

    def used(self, id: str) -> Bools:
        """Not exactly zero."""
        return np.asarray(self[id] != 0)

    def at(self, id: str, choice: int) -> Bools:
        """Switched to one of its choices."""
        return np.asarray(self[id] == choice)

    def voice(self, id: str) -> Floats:
        """A reversed parameter as the voice reads it: a rate in 1/s, or the mix."""
        index = BY_ID[id].index
        return np.asarray(MINIMUM[index] + MAXIMUM[index] - self[id])


@dataclass(frozen=True)
class Played(Knobs):
    """Presets and how they are played; each field broadcasts against the presets."""

    note_off: Bools
    velocity: Floats
    gate_s: Floats
    single_note: Bools
    from_load: Bools


K = TypeVar("K", bound=Knobs)
Rule = tuple[tuple[str, ...], Callable[[K], Bools]]


# What the panel looks at.


def _osc1_shown(k: Knobs) -> Bools:
    return k["kOscMix"] > 0


def _osc2_shown(k: Knobs) -> Bools:
    return k["kOscMix"] < 1


def _osc1_pitch_shown(k: Knobs) -> Bools:
    return _osc1_shown(k) & ~k.at("kOsc1Wave", NOISE)


def _osc2_pitch_shown(k: Knobs) -> Bools:
    return _osc2_shown(k) & ~k.at("kOsc2Wave", NOISE)


def _fm_shown(k: Knobs) -> Bools:
    first, second = k.at("kFmMode", OSC1), k.at("kFmMode", OSC2)
    return (first & _osc1_pitch_shown(k)) | (second & _osc2_pitch_shown(k))


def _filter_on(k: Knobs) -> Bools:
    return k.used("kFilterEnabled")


def _mod_envelope_shown(k: Knobs) -> Bools:
    return k.used("kModEnvFm") | k.used("kModEnvCutoff")


def _vibrato_shown(k: Knobs) -> Bools:
    amount = k["kLfoAmount"]
    targets = k.used("kLfoFm") | k.used("kLfoCutoff")
    return targets | (amount < 0) | ((amount > 0) & _osc2_shown(k))


def _glides(k: Knobs) -> Bools:
    return ~k.at("kVoiceMode", POLY)


_FM_AMOUNTS = ("kFmCoarse", "kFmFine", "kVolEnvFm", "kModEnvFm", "kLfoFm")
_CUTOFF_AMOUNTS = ("kVolEnvCutoff", "kModEnvCutoff", "kLfoCutoff")
_FILTER = ("kFilterCutoff", "kFilterResonance", "kFilterKeyTrack", *_CUTOFF_AMOUNTS)
_MOD_ENVELOPE = ("kModEnvA", "kModEnvD", "kModEnvS", "kModEnvR", "kModEnvV")
_VIBRATO = ("kLfoFrequency", "kLfoDelay")

PANEL: tuple[Rule[Knobs], ...] = (
    (("kOsc1Wave",), _osc1_shown),
    (("kOsc1Coarse", "kOsc1Fine"), lambda k: _osc1_pitch_shown(k) | _fm_shown(k)),
    (("kOsc1Split",), _osc1_pitch_shown),
    (("kOsc2Wave",), _osc2_shown),
    (("kOsc2Coarse", "kOsc2Fine", "kOsc2Split"), _osc2_pitch_shown),
    (_FM_AMOUNTS, _fm_shown),
    (_FILTER, _filter_on),
    (_MOD_ENVELOPE, _mod_envelope_shown),
    (_VIBRATO, _vibrato_shown),
    (("kGlideSpeed",), _glides),
)


# What the ear gets. `m` is the mix as the voice reads it: 0 is oscillator 1 alone.


def _osc1_heard(k: Knobs) -> Bools:
    return k.voice("kOscMix") < 0.99


def _osc2_heard(k: Knobs) -> Bools:
    return k.voice("kOscMix") > 0.01


def _osc1_tonal(k: Knobs) -> Bools:
    return _osc1_heard(k) & ~k.at("kOsc1Wave", NOISE)


def _osc2_tonal(k: Knobs) -> Bools:
    return _osc2_heard(k) & ~k.at("kOsc2Wave", NOISE)


def _any_tonal(k: Knobs) -> Bools:
    return _osc1_tonal(k) | _osc2_tonal(k)


def _fm_reaches(k: Knobs) -> Bools:
    """The mode points at an oscillator that is heard and has a pitch to modulate."""
    first, second = k.at("kFmMode", OSC1), k.at("kFmMode", OSC2)
    return (first & _osc1_tonal(k)) | (second & _osc2_tonal(k))


def _fm_deep(k: Knobs) -> Bools:
    """The depth is not zero throughout."""
    constant = abs(k["kFmCoarse"] + k["kFmFine"]) > 0
    return constant | k.used("kVolEnvFm") | k.used("kModEnvFm") | k.used("kLfoFm")


def _fm_mode_told(k: Knobs) -> Bools:
    """Off says that there is no FM; a mode of no depth says nothing."""
    return _any_tonal(k) & (k.at("kFmMode", OFF) | _fm_deep(k))


def _mod_envelope_heard(k: Knobs) -> Bools:
    return (_fm_reaches(k) & k.used("kModEnvFm")) | (_filter_on(k) & k.used("kModEnvCutoff"))


def _vibrato_amount_heard(k: Knobs) -> Bools:
    """A positive amount reaches oscillator 2 only; zero says that neither wavers."""
    return np.where(k["kLfoAmount"] > 0, _osc2_tonal(k), _any_tonal(k))


def _vibrato_heard(k: Knobs) -> Bools:
    pitch = k.used("kLfoAmount") & _vibrato_amount_heard(k)
    return pitch | (_fm_reaches(k) & k.used("kLfoFm")) | (_filter_on(k) & k.used("kLfoCutoff"))


def _velocity_matters(p: Played) -> Bools:
    """Full sensitivity would change the level by 1 dB, about the least that one hears."""
    return (p.velocity / 128) ** 1.25 < 10 ** (-1 / 20)


def _attack_ends(id: str) -> Callable[[Played], Bools]:
    """The attack, aimed at 1.1, reaches 1 before the key is let go."""
    return lambda p: math.log(11) / p.voice(id) < p.gate_s


def _glide_heard(p: Played) -> Bools:
    """A second note is reached by a glide; so is a mono voice's first one, from 440 Hz at load."""
    return _glides(p) & (~p.single_note | (p.at("kVoiceMode", MONO) & p.from_load))


HEARING: tuple[Rule[Played], ...] = (
    (tuple(id for id in BY_ID if id != "kMasterVolume"), lambda k: k["kMasterVolume"] > 0),
    (("kOsc1Wave",), _osc1_heard),
    # Oscillator 1's pitch also drives FM, when there is some.
    (("kOsc1Coarse", "kOsc1Fine"), lambda k: _osc1_tonal(k) | (_fm_reaches(k) & _fm_deep(k))),
    # Split noise is louder in its first 50 ms, as its second copy fades; that much is let pass.
    (("kOsc1Split",), _osc1_tonal),
    (("kOsc2Wave",), _osc2_heard),
    (("kOsc2Coarse", "kOsc2Fine", "kOsc2Split"), _osc2_tonal),
    (("kFmMode",), _fm_mode_told),
    (_FM_AMOUNTS, _fm_reaches),
    # To a single note cutoff and key tracking are one number, but each of them moves it: both
    # count, and making presets one that share it out differently is for a canonical form.
    (_FILTER, _filter_on),
    (("kVolEnvD", "kVolEnvS"), _attack_ends("kVolEnvA")),
    (("kVolEnvD",), lambda k: k["kVolEnvS"] < 1),
    (("kVolEnvR",), lambda p: p.note_off),
    (("kVolEnvV",), _velocity_matters),
    (_MOD_ENVELOPE, _mod_envelope_heard),
    (("kModEnvD", "kModEnvS"), _attack_ends("kModEnvA")),
    (("kModEnvD",), lambda k: k["kModEnvS"] < 1),
    (("kModEnvR",), lambda p: p.note_off),
    (("kModEnvV",), _velocity_matters),
    (("kLfoAmount",), _vibrato_amount_heard),
    (_VIBRATO, _vibrato_heard),
    (("kVoiceMode",), lambda p: ~p.single_note | p.from_load),
    (("kGlideSpeed",), _glide_heard),
)


def greyed(plain: npt.ArrayLike) -> Bools:
    """Which controls the panel greys out, for presets (..., 38) in plain units: bool (..., 38)."""
    knobs = Knobs(quantize(plain))
    return ~_live(PANEL, knobs, knobs.plain.shape[:-1])


def audible(
    plain: npt.ArrayLike,
    *,
    note_off: npt.ArrayLike = True,
    velocity: npt.ArrayLike = 100,
    gate_s: npt.ArrayLike = math.inf,
    single_note: npt.ArrayLike = True,
    from_load: npt.ArrayLike = False,
) -> Bools:
    """Which parameters can be heard, for presets (..., 38) in plain units: bool (..., 38).

    Args:
        plain: The presets.
        note_off: The key is let go before the sound ends.
        velocity: MIDI velocity of the note, 1 to 127.
        gate_s: Seconds from the key's press to its release, or to the sound's end.
        single_note: Nothing is played but one note.
        from_load: That note is the first since the synth was loaded, so that a mono voice glides
            to it from 440 Hz. Otherwise the mode of a single note counts as unheard.

    What says how a preset is played may be scalars or arrays that broadcast against (...).
    """
    presets = quantize(plain)
    playing = [np.asarray(flag, dtype=np.bool_) for flag in (note_off, single_note, from_load)]
    numbers = [np.asarray(number, dtype=np.float64) for number in (velocity, gate_s)]
    played = Played(presets, playing[0], numbers[0], numbers[1], playing[1], playing[2])
    shapes = (array.shape for array in (*playing, *numbers))
    return _live(HEARING, played, np.broadcast_shapes(presets.shape[:-1], *shapes))


def _live(table: tuple[Rule[K], ...], knobs: K, shape: tuple[int, ...]) -> Bools:
    """Parameters all of whose conditions hold, bool (*shape, 38)."""
    live = np.ones((*shape, N_PARAMETERS), dtype=np.bool_)
    for ids, condition in table:
        live[..., [BY_ID[id].index for id in ids]] &= np.asarray(condition(knobs))[..., None]
    return live
