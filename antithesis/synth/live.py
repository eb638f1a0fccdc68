"""A Mika Micro that plays: notes and knobs in, samples out."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from antithesis.errors import RenderError
from antithesis.parameters import MAXIMUM, MINIMUM, PARAMETERS, REVERSED, to_normalized
from antithesis.preset import Preset
from antithesis.synth import knobs, state, voice, waves

_BEND_CENTRE: Final = 8192
_BEND_SEMITONES: Final = 2.0
SAMPLE_RATES: Final = (22050, 192000)


class Synth:
    """Mika Micro with its voices, knobs and held keys; :meth:`process` moves time on.

    Parameters
    ----------
    preset
        What the knobs say at first; Init when left out.
    sample_rate
        In Hz, 22050 to 192000.
    drift
        Whether the slow random detuning runs, as it does in the plug-in.

    Raises:
    ------
    RenderError
        For a sample rate out of range.
    """

    def __init__(
        self, preset: Preset | None = None, *, sample_rate: int = 44100, drift: bool = True
    ) -> None:
        check_sample_rate(sample_rate)
        self.sample_rate = sample_rate
        self._dt = 1.0 / sample_rate
        self._drift = drift
        self._held: list[int] = []
        self._shared = np.zeros(1, state.SHARED)
        self._voices = np.zeros(state.N_VOICES, state.VOICE)
        self._envelopes = np.zeros((state.N_VOICES, 3), state.ENVELOPE)
        self._oscillators = np.zeros((state.N_VOICES, 5), state.OSCILLATOR)
        self._plain = np.array((preset or Preset.init()).plain)
        self._voice_form = to_voice_form(self._plain)
        self._power_up()

    def _power_up(self) -> None:
        p = self._voice_form
        self._shared["mix"] = p[knobs.OSC_MIX]
        self._shared["cutoff"] = p[knobs.FILTER_CUTOFF]
        self._shared["bend"] = 1.0
        self._shared["x"], self._shared["y"], self._shared["z"] = state.XORSHIFT_SEED
        self._voices["base"] = self._voices["target"] = state.CONCERT_A_HZ
        self._oscillators["noise"] = state.NOISE_START
        self._oscillators["fade"] = 1.0
        for rows, knob in ((slice(0, 2), knobs.OSC1_WAVE), (slice(2, 4), knobs.OSC2_WAVE)):
            self._oscillators["wave"][:, rows] = p[knob]

    @property
    def plain(self) -> npt.NDArray[np.float64]:
        """What the knobs say now, (38,) in plain units."""
        return self._plain.copy()

    @property
    def normalized(self) -> npt.NDArray[np.float64]:
        """What the knobs say now, (38,) in 0..1."""
        return to_normalized(self._plain)

    @property
    def at_rest(self) -> bool:
        """Whether nothing sounds, nor will before the next key."""
        idle = self._envelopes["stage"][:, state.VOLUME] == state.IDLE
        return bool((idle & (self._voices["low"] == 0.0)).all())

    def set_normalized(self, index: int, normalized: float) -> None:
        """Turn knob ``index`` as a host does; values beyond 0..1 stop at the ends."""
        self.set_plain(index, PARAMETERS[index].to_plain(min(max(normalized, 0.0), 1.0)))

    def set_plain(self, index: int, plain: float) -> None:
        """Turn knob ``index`` to a plain value; beyond its range it stops at the end."""
        if not np.isfinite(plain):
            raise RenderError(f"{PARAMETERS[index].id} = {plain}: give a finite number")
        value = PARAMETERS[index].quantize(float(np.clip(plain, MINIMUM[index], MAXIMUM[index])))
        self._plain[index] = value
        self._voice_form[index] = to_voice_form(self._plain)[index]
        if index == knobs.OSC1_WAVE:
            self._switch_wave(slice(0, 2), int(value))
        elif index == knobs.OSC2_WAVE:
            self._switch_wave(slice(2, 4), int(value))
        elif index == knobs.VOICE_MODE:
            for v in range(1, state.N_VOICES):
                self._release(v)

    def _switch_wave(self, rows: slice, wave: int) -> None:
        oscillators = self._oscillators[:, rows]
        oscillators["old_wave"] = oscillators["wave"]
        oscillators["wave"] = wave
        oscillators["fade"] = 0.0

    def note_on(self, note: int, velocity: int) -> None:
        """Press a key; velocity 0 lets go of it, as in MIDI."""
        if velocity == 0:
            self.note_off(note)
            return
        mode = int(self._plain[knobs.VOICE_MODE])
        first_key = not self._held
        self._held.append(note)
        v = self._free_voice() if mode == state.POLY else 0
        self._voices["note"][v] = note
        self._voices["target"][v] = note_frequency(note)
        if mode == state.POLY or (mode != state.MONO and first_key):
            self._voices["base"][v] = self._voices["target"][v]
        if mode in (state.POLY, state.MONO) or first_key:
            self._voices["velocity"][v] = waves.velocity_gain(float(velocity))
            self._start(v)

    def note_off(self, note: int) -> None:
        """Let go of a key, every press of it."""
        self._held = [held for held in self._held if held != note]
        if int(self._plain[knobs.VOICE_MODE]) == state.POLY:
            for v in np.flatnonzero(self._voices["note"] == note):
                self._release(int(v))
        elif self._held:
            self._voices["note"][0] = self._held[-1]
            self._voices["target"][0] = note_frequency(self._held[-1])
        else:
            self._release(0)

    def bend(self, value: int) -> None:
        """Move the pitch wheel, 0 to 16383 with 8192 at rest; two semitones each way."""
        bend = (value - _BEND_CENTRE) / _BEND_CENTRE
        self._shared["bend"] = waves.factor(_BEND_SEMITONES * bend)

    def all_notes_off(self) -> None:
        """Release every voice; held keys stay held."""
        for v in range(state.N_VOICES):
            self._release(v)

    def process(self, n: int) -> npt.NDArray[np.float64]:
        """Render the next ``n`` samples, mono."""
        out = np.empty(n)
        voice.process(
            self._voice_form,
            self._shared,
            self._voices,
            self._envelopes,
            self._oscillators,
            out,
            self._drift,
            self._dt,
        )
        return out

    def _free_voice(self) -> int:
        """Quietest released voice, else the quietest; the lowest index among equals."""
        levels = self._volume_levels()
        stages = self._envelopes["stage"][:, state.VOLUME]
        released = (stages == state.IDLE) | (stages == state.RELEASE)
        return int(np.argmin(np.where(released, levels, np.inf) if released.any() else levels))

    def _volume_levels(self) -> npt.NDArray[np.float64]:
        sensitivity = self._voice_form[knobs.VOL_VELOCITY]
        gains = 1.0 + (self._voices["velocity"] - 1.0) * sensitivity
        levels: npt.NDArray[np.float64] = self._envelopes["value"][:, state.VOLUME] * gains
        return levels

    def _start(self, v: int) -> None:
        if self._volume_levels()[v] == 0.0:
            self._reset(v)
        self._envelopes["stage"][v] = state.ATTACK

    def _reset(self, v: int) -> None:
        p = self._voice_form
        split_1, split_2 = p[knobs.OSC1_SPLIT], p[knobs.OSC2_SPLIT]
        oscillators = self._oscillators[v]
        oscillators["phase"] = 0.0
        oscillators["phase"][state.OSC_1B] = state.SECOND_COPY_PHASE if split_1 < 0 else 0.0
        oscillators["phase"][state.OSC_2B] = state.SECOND_COPY_PHASE if split_2 < 0 else 0.0
        oscillators["fade"] = 1.0
        self._envelopes["value"][v] = 0.0
        self._voices["filter_mix"][v] = p[knobs.FILTER_ENABLED]
        self._voices["split_mix_1"][v] = float(split_1 != 0)
        self._voices["split_mix_2"][v] = float(split_2 != 0)

    def _release(self, v: int) -> None:
        self._envelopes["stage"][v] = state.RELEASE


def note_frequency(note: float) -> float:
    """Frequency in Hz of a MIDI note, by the synth's own semitone."""
    return state.CONCERT_A_HZ * waves.factor(float(note - state.CONCERT_A))


def check_sample_rate(sample_rate: int) -> None:
    """Refuse a sample rate the model was not checked at (RenderError)."""
    lowest, highest = SAMPLE_RATES
    if not lowest <= sample_rate <= highest:
        raise RenderError(f"sample rate {sample_rate} Hz: give {lowest} to {highest}")


def to_voice_form(plain: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Turn the reversed ones of plain values (..., 38) round, as the sample loop reads them."""
    form = plain.copy()
    rows = list(REVERSED)
    form[..., rows] = MINIMUM[rows] + MAXIMUM[rows] - plain[..., rows]
    return form
