"""A sound in, the preset that plays it out: the network's guess at once, then ever better ones."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
import numpy.typing as npt

from antithesis import pitch
from antithesis.audio import LOUDEST
from antithesis.candidates import VELOCITY, Fixed, Scored, Stage, Stopped, heard_of, retuned
from antithesis.canonical import Notes, moved, on_own_key
from antithesis.distances import Target, mss
from antithesis.errors import AudioError, PresetError
from antithesis.fourier import SAMPLE_RATE
from antithesis.gallery import Gallery
from antithesis.grid import Grid, fitted
from antithesis.keys import KEYS, chances, few, signs, tracked
from antithesis.network import Network
from antithesis.parameters import BY_ID, DEFAULT, MAXIMUM, PARAMETERS, to_normalized, to_plain
from antithesis.posterior import Posterior
from antithesis.preset import Preset
from antithesis.search import refine
from antithesis.segments import MATCHED_S
from antithesis.synth import check_key, render_notes
from antithesis.synth.waves import SEMITONE

Bools = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]
Sound = npt.NDArray[np.float32]

_CANDIDATES: Final = 36  # of the network's, for the first match and again when all keys are known
_NEWS: Final = 0.03  # of the distance: a gain worth telling while the search goes on
_PAUSE_S: Final = 0.2  # between two matches: each costs as much as a dozen renders
_LIKELIEST: Final = 12  # of all keys: presets are drawn for these
_NAMED_SHARE: Final = 0.25  # of the draws are for keys that a file or the tracker names
_OCTAVE: Final = 12
_MIDDLE: Final = 60
_SURE: Final = 0.5  # confidence from which a pitch is believed
_MISTUNED: Final = (0.01, 1.0)  # semitones worth correcting, and that can be a mistuning
_TUNING_COSTS_DB: Final = 0.5  # what a match may lose by being put in tune
_SEARCHED: Final = 0.8  # of the budget where a grid has to be fitted in the end
_AT_ONCE: Final = 32  # presets rendered
_GAIN: Final = BY_ID["kMasterVolume"].index
_FREQUENCY: Final = BY_ID["kLfoFrequency"].index
_COARSE: Final = BY_ID["kOsc1Coarse"].index
_TUNING: Final = frozenset({"kOsc1Coarse", "kOsc2Coarse", "kFilterKeyTrack"})  # moves with a key
_KEPT: Final = (_GAIN, BY_ID["kVoiceMode"].index)


@dataclass(frozen=True)
class Match:
    """A preset and the key that plays it, with how near it comes.

    ``distance`` is MSS in dB at the vibrato phase of ``warmup_s``; ``level_error_db`` says by how
    much the match is too quiet (negative) where the master volume ends.
    """

    preset: Preset
    note: int
    velocity: int
    gate_s: float
    distance: float
    elapsed_s: float
    evaluations: int
    warmup_s: float
    level_error_db: float
    f0_hz: float | None = None

    def render(self, *, duration_s: float = MATCHED_S) -> Floats:
        """The match as sound (samples,) at 44.1 kHz."""
        sounds = render_notes(
            self.preset.normalized[None],
            self.note,
            self.velocity,
            self.gate_s,
            duration_s=duration_s,
            warmup_s=self.warmup_s,
        )
        return np.asarray(sounds[0])


def match(
    samples: npt.NDArray[np.floating],
    network: Network,
    *,
    budget_s: float,
    note: int | None = None,
    named: int | None = None,
    velocity: int | None = None,
    gate_s: float | None = None,
    locked: Mapping[str, float] | None = None,
    grid: Grid | None = None,
    seed: int = 0,
    stop: Callable[[], bool] = lambda: False,
) -> Matching:
    """Match a sound, for as long as the budget and whoever asks allow.

    Yields the best of the network's candidates first, then a match whenever a better one is found:
    nearer, or about as near and likelier. Ends early when nothing is left to gain.

    Args:
        samples: The sound (n,), mono at 44.1 kHz, from its onset on; its first 2 s are matched.
        network: From :func:`antithesis.network.load_network`.
        budget_s: Seconds of searching; 0 stops after the network's candidates.
        note: MIDI note of the sound, where it is known for certain.
        named: MIDI note that a file's name or header gives: its octave is no more than a hint.
        velocity: MIDI velocity of the sound, where it is known; the match is for that key press.
        gate_s: Seconds from its note-on to its note-off, where they are known.
        locked: Plain values by parameter id that every match has to keep.
        grid: What the way to the synth can carry. Then the last match is the best that is found on
            it, locked parameters aside, though it may be farther than the one before.
        seed: The same seed makes the same draws.
        stop: Asked after every few dozen renders; when it says so the search ends at once, and what
            was found since the last match is not told.

    Raises:
        AudioError: the sound is empty, silent, not finite, or 80 dB over full scale.
        PresetError: a locked parameter does not exist, or cannot have that value.
        RenderError: a note, velocity or gate that no key can have.
    """
    velocity = VELOCITY if velocity is None else velocity
    check_key(_MIDDLE if note is None else note, velocity, MATCHED_S if gate_s is None else gate_s)
    fixed = Fixed(_checked(locked or {}), velocity, gate_s, note)
    return Matching(_prepared(samples), network, budget_s, named, fixed, grid, seed, stop)


def _checked(locked: Mapping[str, float]) -> dict[str, float]:
    for id in locked:
        if id not in BY_ID:
            raise PresetError(f"no parameter {id!r} to lock: ids are kOsc1Wave to kMasterVolume")
    kept = Preset.init().replace(**locked).by_id()
    if not kept["kMasterVolume"]:
        raise PresetError("the master volume is locked at 0, which plays nothing: unlock it")
    return {id: kept[id] for id in locked}


def _prepared(samples: npt.NDArray[np.floating]) -> Floats:
    sound = np.array(samples, np.float64)[: round(MATCHED_S * SAMPLE_RATE)]
    if sound.ndim != 1 or not sound.size:
        raise AudioError(f"a sound of shape {sound.shape}: give mono samples (n,)")
    if not np.isfinite(sound).all():
        raise AudioError("the sound holds NaN or infinite samples: export it again")
    peak = float(np.abs(sound).max())
    if peak > LOUDEST:
        raise AudioError(f"the sound peaks at {peak:.3g}, full scale being 1: export it again")
    if not peak > 1e-6:
        raise AudioError("the sound is silent: nothing to match")
    return np.asarray(np.pad(sound, (0, round(MATCHED_S * SAMPLE_RATE) - len(sound))))


class Matching:
    """One match under way: an iterator of ever better matches, best last."""

    def __init__(
        self,
        target: Floats,
        network: Network,
        budget_s: float,
        named: int | None,
        fixed: Fixed,
        grid: Grid | None,
        seed: int,
        stop: Callable[[], bool],
    ) -> None:
        self._started = time.monotonic()
        self._target = target
        self._network = network
        self._budget_s = budget_s
        self._named = named
        self._fixed = fixed
        self._rng = np.random.default_rng(seed)
        self._stop = stop
        self._stage = Stage(target, fixed)
        self._scoring = Target(_at_full_scale(target))
        self._gallery: Gallery | None = None
        self._last: tuple[Scored, Match] | None = None
        self._told_worth = self._told_price = np.inf
        self._grid = grid
        self._search_s = budget_s
        self._found = self._matches()
        if grid:
            self._search_s = _SEARCHED * budget_s
            self._found = self._ending_on(grid, self._found)

    def __iter__(self) -> Iterator[Match]:
        """The matches still to come."""
        return self

    def __next__(self) -> Match:
        """The next better match; the first comes after the network's candidates are ranked."""
        return next(self._found)

    def close(self) -> None:
        """Leave the search; what was found stays."""
        self._found.close()
        self._stage.give_back()

    @property
    def evaluations(self) -> int:
        """How many candidates were rendered and measured so far."""
        return self._stage.evaluations

    def candidates(self) -> list[Match]:
        """Up to four matches that sound different: the last one told, then others, nearest first.

        How different: :data:`antithesis.gallery.APART_DB`. Empty before the first match. On a grid
        the others are rounded.
        """
        if self._last is None or self._gallery is None:
            return []
        scored, told = self._last
        others = [self._match(*self._in_tune(other)) for other in self._gallery.unlike(scored)]
        if self._grid:
            others = [self._replayed(one, self._rounded(self._grid, one)) for one in others]
        return [told, *sorted(others, key=_distance)]

    def _matches(self) -> Generator[Match, None, None]:
        keys = self._named_keys()
        prediction = self._network.predict(self._target[None], keys)
        posterior = Posterior(keys, prediction, self._fixed)
        pool = self._stage.score(posterior.propose(self._rng, _CANDIDATES))
        yield from self._nearer(self._gathered(pool, posterior))
        if self._budget_s > 0:
            self._stage.stop = self._stop
            with suppress(Stopped):
                if self._fixed.note is None or not self._tuning_locked:  # else there is no other
                    posterior = self._of_every_key()
                    pool += self._stage.score(posterior.propose(self._rng, _CANDIDATES))
                gallery = self._gathered(pool, posterior)
                yield from self._nearer(gallery)
                yield from self._refined(gallery, refine(self._stage, pool, posterior, self._rng))

    def _gathered(self, pool: list[Scored], posterior: Posterior) -> Gallery:
        """A gallery of what is there, by what is expected."""
        self._price = posterior.price
        self._gallery = Gallery(self._stage.objective, posterior.worth)
        self._gallery.add(*pool)
        return self._gallery

    def _of_every_key(self) -> Posterior:
        """What to expect for the likeliest of all keys, and for those that are named.

        Even where it is known which key was pressed: the oscillators may be tuned to another.

        Raises:
            Stopped: there is no time for it.
        """
        if self._stop() or self._elapsed_s >= self._search_s:
            raise Stopped
        prediction = self._network.predict(self._target[None], KEYS)
        speaking = signs(prediction.distributions, self._heard)
        chance = chances(self._network.key_weights, speaking)
        chance = chance[np.clip(np.arange(len(KEYS)) + self._tuned, 0, len(KEYS) - 1)]
        if self._fixed.note is not None:
            chance = np.where(np.abs(KEYS - self._fixed.note) <= MAXIMUM[_COARSE], chance, 0.0)
        named = self._named_keys()
        rows = np.union1d(np.argsort(-chance)[:_LIKELIEST], np.searchsorted(KEYS, named))
        share = (1.0 - _NAMED_SHARE) * chance[rows] / chance[rows].sum()
        share[np.isin(KEYS[rows], named)] += _NAMED_SHARE / len(named)
        return Posterior(KEYS[rows].tolist(), prediction.of(rows), self._fixed, share)

    def _refined(self, gallery: Gallery, search: Iterator[Scored]) -> Iterator[Match]:
        told_s = self._elapsed_s
        for found in search:
            gallery.add(found)
            if self._stop():  # somebody waits: what was found of late is not worth a match's time
                return
            if self._elapsed_s >= self._search_s:
                break
            if self._elapsed_s > told_s + _PAUSE_S:
                yield from self._nearer(gallery)
                told_s = self._elapsed_s
        yield from self._nearer(gallery, by=0.0)

    def _nearer(self, gallery: Gallery, *, by: float = _NEWS) -> Iterator[Match]:
        """The best as a match, if the search has gained ``by`` that share, and the match at all.

        The search's own distance is not quite MSS, which is what a match is told by.
        """
        worth = gallery.worth(gallery.best)
        if worth >= (1.0 - by) * self._told_worth:
            return
        self._told_worth = worth
        found = self._match(*self._in_tune(gallery.best))
        price = self._price(found.distance, gallery.best)
        if price < self._told_price:
            self._told_price = price
            self._last = (gallery.best, found)
            yield found

    def _ending_on(self, grid: Grid, matches: Iterator[Match]) -> Generator[Match, None, None]:
        """The matches, and after the last of them what comes nearest to it on a grid."""
        yield from matches
        if self._last:
            scored, found = self._last
            self._last = (scored, self._fitted(grid, found))
            yield self._last[1]

    def _fitted(self, grid: Grid, found: Match) -> Match:
        """A match on a grid, as near as the levels beside let it be; never farther than rounded."""
        rounded = self._rounded(grid, found)
        heard = heard_of(to_plain(rounded), np.array(found.gate_s), velocity=found.velocity)
        heard[_GAIN] = False  # distances leave it alone
        best = fitted(
            grid,
            rounded,
            np.flatnonzero(self._rounds & heard).tolist(),
            lambda presets: self._distances(found, presets),
            lambda: self._stop() or self._elapsed_s >= self._budget_s,
        )
        return min((self._replayed(found, one) for one in (best, rounded)), key=_distance)

    def _rounded(self, grid: Grid, found: Match) -> Floats:
        """The preset (38,) of a match, normalized, with the nearest that the grid has."""
        preset = found.preset.normalized
        return np.where(self._rounds, grid.nearest(preset), preset)

    @cached_property
    def _rounds(self) -> Bools:
        """Which parameters (38,) a grid is for: neither switches nor locked."""
        return np.array([not p.steps and p.id not in self._fixed.plain for p in PARAMETERS])

    def _distances(self, found: Match, presets: Floats) -> Floats:
        """The search's distances (n,) of presets (n, 38), played as a match is."""
        parts = np.array_split(presets, -(-len(presets) // _AT_ONCE))
        sounds = (_played_as(found, to_plain(part)) for part in parts)
        self._stage.evaluations += len(presets)
        return np.concatenate([self._stage.objective(sound) for sound in sounds])

    def _replayed(self, found: Match, normalized: Floats) -> Match:
        """Another preset, played as a match is."""
        plain = to_plain(normalized)
        sound = _played_as(found, plain[None])[0]
        return self._told(plain, found.note, found.gate_s, _phase(found), sound)

    @property
    def _elapsed_s(self) -> float:
        return time.monotonic() - self._started

    @cached_property
    def _heard(self) -> pitch.Pitch:
        return pitch.track(self._target, SAMPLE_RATE)

    @property
    def _tuning_locked(self) -> bool:
        return not _TUNING.isdisjoint(self._fixed.plain)

    @property
    def _tuned(self) -> int:
        """Semitones by which the user has locked the tuning: so much lower are the keys."""
        return round(self._fixed.plain.get("kOsc1Coarse", 0.0))

    def _named_keys(self) -> list[int]:
        """The key that is pressed, or else that a file names, and the tracker's."""
        pressed = self._fixed.note
        if pressed is not None:
            return [pressed] if self._tuning_locked else few([pressed])
        guesses = tracked(self._heard)
        if self._named is not None:
            octaves = round((guesses[0] - self._named) / _OCTAVE)
            guesses = [self._named + _OCTAVE * octaves, self._named, *guesses]
        return few([guess - self._tuned for guess in guesses])

    def _in_tune(self, scored: Scored) -> tuple[Scored, Sound]:
        """The candidate with its pitch where the target's is, if that can be told and is near.

        With it goes its sound (samples,).
        """
        sound = self._sound(scored)
        if not self._heard.f0_hz or self._heard.confidence < _SURE:
            return scored, sound
        its = pitch.track(sound, SAMPLE_RATE)
        if not its.f0_hz or its.confidence < _SURE:
            return scored, sound
        semitones = float(np.log(self._heard.f0_hz / its.f0_hz) / np.log(SEMITONE))
        if not _MISTUNED[0] < abs(semitones) < _MISTUNED[1]:
            return scored, sound
        tuned = self._stage.score([retuned(scored.candidate, semitones)])[0]
        if tuned.distance >= scored.distance + _TUNING_COSTS_DB:
            return scored, sound
        return tuned, self._sound(tuned)

    def _sound(self, scored: Scored) -> Sound:
        return np.array(self._stage.render([scored.candidate])[0])

    def _match(self, scored: Scored, sound: Sound) -> Match:
        candidate = scored.candidate
        notes, gates = self._stage.played([candidate])
        played = self._on_its_key(notes)
        plain = self._fixed.put(_tidied(played.plain, gates))
        note = int(played.note[0])
        return self._told(plain[0], note, float(gates[0]), candidate.phase, sound)

    def _on_its_key(self, found: Notes) -> Notes:
        """The same sound on the key that somebody would press for it.

        That is where its lowest oscillator is tuned to; or what a file names, in that octave.
        """
        if self._fixed.note is not None or self._tuning_locked:
            return found
        own = on_own_key(found)
        if self._named is None:
            return own
        return moved(own, (self._named - own.note + _OCTAVE // 2) % _OCTAVE - _OCTAVE // 2)

    def _told(
        self, plain: Floats, note: int, gate_s: float, phase: float, sound: npt.NDArray[np.floating]
    ) -> Match:
        """A preset (38,) as a match, as loud as the target; ``sound`` is how it is as it stands."""
        plain = plain.copy()
        wanted = plain[_GAIN] * _rms(self._target) / max(_rms(sound), 1e-9)
        if "kMasterVolume" not in self._fixed.plain:
            plain[_GAIN] = self._gain(wanted)
        return Match(
            preset=Preset.from_plain(plain),
            note=note,
            velocity=self._fixed.velocity,
            gate_s=gate_s,
            distance=float(self._scoring.compare(mss, _at_full_scale(sound))[0]),
            elapsed_s=self._elapsed_s,
            evaluations=self.evaluations,
            warmup_s=phase / float(plain[_FREQUENCY]),
            level_error_db=float(20 * np.log10(plain[_GAIN] / wanted)),
            f0_hz=float(self._heard.f0_hz) or None,
        )

    def _gain(self, wanted: float) -> float:
        """The master volume nearest to the wanted one, though not silence, that there is."""
        if self._grid is None:
            return min(wanted, float(MAXIMUM[_GAIN]))
        levels = MAXIMUM[_GAIN] * self._grid.levels[_GAIN][1:]
        return float(levels[np.abs(levels - wanted).argmin()])


def _tidied(plain: Floats, gates: Floats) -> Floats:
    """What the note does not let hear stands at its default: fewer knobs to move or wonder at."""
    heard = heard_of(plain, gates, velocity=VELOCITY)
    heard[:, list(_KEPT)] = True
    return np.where(heard, plain, DEFAULT)


def _phase(match: Match) -> float:
    """The phase of the vibrato, in turns, that a match begins at."""
    return match.warmup_s * match.preset["kLfoFrequency"]


def _played_as(match: Match, plain: Floats) -> Floats:
    """Sounds (n, samples) of presets (n, 38), with a match's key and phase of the vibrato."""
    return render_notes(
        to_normalized(plain),
        match.note,
        match.velocity,
        match.gate_s,
        duration_s=MATCHED_S,
        warmup_s=_phase(match) / plain[:, _FREQUENCY],
    )


def _distance(match: Match) -> float:
    return match.distance


def _at_full_scale(sound: Floats | Sound) -> Floats | Sound:
    """The sound with its peak at 1: of a soft one MSS does not hear all of its 80 dB."""
    peak = np.abs(sound).max()
    return sound / peak if peak > 0 else sound


def _rms(sound: npt.NDArray[np.floating]) -> float:
    return float(np.sqrt(np.mean(sound**2)))
