"""Cutting a sound out of what was heard: the last one, the one before, or from press to release."""

from __future__ import annotations

import math
import time
from collections import deque
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from antithesis.audio import Played, Sound, captured_sound, mixed
from antithesis.errors import AudioError
from antithesis.following import KEPT_S, Following
from antithesis.onsets import Heard, sounds
from antithesis.report import key_name
from antithesis.segments import MATCHED_S, find_sound, first_sound
from daemon.capture.contract import Frames
from daemon.capture.listener import SILENT_DBFS, Listener, Take
from daemon.capture.notes import Notes
from daemon.capture.silence import why_silent

LONGEST_CLIP_S: Final = 12.0
"""A sound that goes on for longer is cut off."""

_LOOK_S: Final = (4.0, math.inf)  # back: most of the time the sound is right there
_LEAST_S: Final = 0.05  # a sound that began later than this is not what the finger answers to
_SAME_S: Final = 0.03
_LATE_S: Final = 0.25  # what a host takes to play a note, and the device to bring it
_OWN_NOTES: Final = 32  # are remembered
_BACKGROUND_DB: Final = -35.0  # softer than this, what is under a sound does not matter


@dataclass(frozen=True, eq=False)
class Clip:
    """A piece of what was heard.

    Attributes:
        frames: (n, channels), from the onset on.
        sample_rate: In Hz.
        at: When it began, in seconds since 1970.
        ago_s: How long before the press that was.
        over: Whether the sound had come to its end.
        background_db: What sounded under it, against its loudest; -inf for silence.
        gaps: How many blocks are missing in it.
        played: The key it was played by, where one was heard.
        device: What it was heard on.
        held: Whether it is what came between press and release, with silence around it perhaps.
        forgotten_s: How much of what came after the press is no longer remembered.
    """

    frames: Frames
    sample_rate: int
    at: float
    ago_s: float
    over: bool = True
    background_db: float = -math.inf
    gaps: int = 0
    played: Played | None = None
    device: str = ""
    held: bool = False
    forgotten_s: float = 0.0

    @property
    def duration_s(self) -> float:
        """Length in seconds."""
        return len(self.frames) / self.sample_rate

    @property
    def enough(self) -> bool:
        """Whether there is all of it that a match looks at."""
        return self.over or self.duration_s >= MATCHED_S

    @property
    def missing_s(self) -> float:
        """Seconds until there can be enough."""
        return 0.0 if self.enough else MATCHED_S - self.duration_s

    @property
    def file_name(self) -> str:
        """A name that says when it was heard, and the key, where that is known."""
        when = datetime.fromtimestamp(self.at).astimezone()
        key = f" {key_name(self.played.note)}" if self.played else ""
        return f"Capture {when:%Y-%m-%d %H.%M.%S}.{when.microsecond // 10_000:02}{key}.wav"

    def sound(self, source: str) -> Sound:
        """What is to be matched, from its onset on; AudioError where there is no sound in it."""
        sound = captured_sound(self.frames, self.sample_rate, source=source)
        if self.held:
            sound = first_sound(sound)
        length = round(MATCHED_S * sound.sample_rate)
        return replace(sound, samples=sound.samples[:length], played=self.played)

    def __str__(self) -> str:
        remarks = [f"{self.duration_s:.2f} s, {self.ago_s:.2f} s ago, from {self.device}"]
        if self.played:
            remarks.append(f"{key_name(self.played.note)} by MIDI")
        if self.background_db > _BACKGROUND_DB:
            remarks.append(f"over other sound {-self.background_db:.0f} dB softer")
        if not self.over:
            remarks.append("still sounding")
        if self.forgotten_s:
            remarks.append(f"its first {self.forgotten_s:.0f} s are forgotten; see capture.seconds")
        if self.gaps:
            remarks.append(f"{self.gaps} dropped block{'s' if self.gaps > 1 else ''} in it")
        return ", ".join(remarks)

    def facts(self) -> dict[str, object]:
        """What the outcome's JSON says of it."""
        return {
            "at": self.at,
            "device": self.device,
            "background_db": self.background_db if math.isfinite(self.background_db) else None,
            "dropped_blocks": self.gaps,
            "by_midi": self.played is not None,
        }


@dataclass(frozen=True)
class _Last:
    """What was cut last, and the newest then: with nothing newer, the one before is meant."""

    take: Take
    newest: int
    start: int


class Cutter:
    """Cuts what a listener has heard; `notes` are what it was played by."""

    def __init__(self, listener: Listener, notes: Notes) -> None:
        self._listener = listener
        self._notes = notes
        self._last: _Last | None = None
        self._ours: deque[tuple[float, float]] = deque(maxlen=_OWN_NOTES)
        self._following: tuple[Take, Following] | None = None

    def leave_out(self, begin_at: float, end_at: float) -> None:
        """What begins between two times of the monotonic clock is played by us: no sound."""
        self._ours.append((begin_at - _SAME_S, end_at + _LATE_S))

    def just_heard(self, at: float, back: int = 0) -> Clip:
        """The sound that began last before a time of the monotonic clock, or `back` further back.

        Raises:
            AudioError: nothing is listened to, or only silence came.
        """
        take = self._take()
        until = take.position(at)
        heard = newest = self._before(take, until)
        if self._last and self._last.take is take and _near(take, newest, self._last.newest):
            heard = self._before(take, self._last.start, self._last.start)
        for _ in range(back):
            heard = self._before(take, heard.start, heard.start)
        self._last = _Last(take, newest.start, heard.start)
        return self._clip(take, heard, at)

    def whole(self, clip: Clip) -> Clip:
        """A clip that was still sounding, as far as it goes by now; it is the one cut last."""
        if self._last is None:
            return clip
        self._listener.catch_up()
        take, start = self._last.take, self._last.start
        until = min(take.ring.written, start + round(LONGEST_CLIP_S * take.device.sample_rate))
        begin = max(0, start - take.device.sample_rate)
        found = [heard for heard in self._sounds(take, begin, until) if _near(take, heard, start)]
        if not found:
            return clip
        longer = self._clip(take, replace(found[-1], start=start), time.monotonic())
        return replace(longer, ago_s=clip.ago_s, background_db=clip.background_db)

    def held(self, pressed_at: float, released_at: float) -> Clip:
        """What was heard from press to release, however long that was.

        Raises:
            AudioError: nothing is listened to, or only silence came.
        """
        take = self._take()
        pressed, stop = take.position(pressed_at), take.position(released_at)
        start = max(pressed, take.ring.written - take.ring.capacity)
        clip = self._clip(take, Heard(start, stop, True, -math.inf), released_at)
        if clip.duration_s > _LEAST_S and _is_silent(clip.frames):
            raise AudioError(self._why_silent(take, clip.duration_s, pressed_at))
        onset = start + find_sound(mixed(clip.frames), clip.sample_rate).start
        return replace(
            clip,
            held=True,
            forgotten_s=(start - pressed) / clip.sample_rate,
            played=self._notes.played(take.time(onset)),
        )

    def sounds_since(self, take: Take, position: int, now: float) -> list[tuple[int, Clip]]:
        """Sounds that began after the one at a position, with theirs, and of which is enough.

        Asked again and again: only what came since is looked at.
        """
        after = position + round(_SAME_S * take.device.sample_rate)
        found = self._without_ours(take, self._followed(take).sounds())
        clips = [
            (heard.start, self._clip(take, heard, now)) for heard in found if heard.start > after
        ]
        return [(start, clip) for start, clip in clips if clip.enough]

    def _followed(self, take: Take) -> Following:
        """What follows a take, up to date; anew where it would have to catch up for long."""
        rate, written = take.device.sample_rate, take.ring.written
        taken, following = self._following or (None, Following(rate))
        if taken is not take or written - following.end > round(KEPT_S * rate):
            following = Following(rate, max(0, written - round(KEPT_S * rate)))
            self._following = take, following
        _, frames = take.ring.read(following.end, written)
        following.hear(mixed(frames))
        return following

    def _take(self) -> Take:
        if self._listener.take is None:
            trouble = self._listener.condition.trouble or "no device is open yet"
            raise AudioError(f"nothing is listened to: {trouble}")
        self._listener.catch_up()
        return self._listener.take

    def _before(self, take: Take, until: int, limit: int | None = None) -> Heard:
        """The last sound that began before `until`, looking back as far as it takes."""
        rate = take.device.sample_rate
        newest = until - round(_LEAST_S * rate) if limit is None else limit - round(_SAME_S * rate)
        for look_s in _LOOK_S:
            begin = max(0, until - round(min(look_s, 1e6) * rate))
            early = begin + rate  # what began right there may have begun before
            found = [heard for heard in self._sounds(take, begin, until) if heard.start <= newest]
            if found and (found[-1].start >= early or begin == 0):
                return found[-1]
        if found:
            return found[-1]
        raise AudioError(self._nothing(take, until, further=limit is not None))

    def _nothing(self, take: Take, until: int, *, further: bool) -> str:
        if further:
            return "no sound before that one is remembered; see capture.seconds"
        _, frames = take.ring.read(0, until)
        seconds = len(frames) / take.device.sample_rate
        if not _is_silent(frames):
            return f"no beginning of a sound in the last {seconds:.0f} s of {take.device.name}"
        return self._why_silent(take, seconds, take.time(until - len(frames)))

    def _why_silent(self, take: Take, seconds: float, since: float) -> str:
        trouble = self._listener.condition.trouble
        return why_silent(take.device, seconds, trouble, self._notes.since(since))

    def _sounds(self, take: Take, begin: int, until: int) -> list[Heard]:
        """Sounds between two positions of a take, by positions, without our own."""
        first, frames = take.ring.read(begin, until)
        longest = round(LONGEST_CLIP_S * take.device.sample_rate)
        found = [
            replace(
                heard,
                start=heard.start + first,
                stop=min(heard.stop, heard.start + longest) + first,
            )
            for heard in sounds(mixed(frames), take.device.sample_rate)
        ]
        return self._without_ours(take, found)

    def _without_ours(self, take: Take, found: list[Heard]) -> list[Heard]:
        ours = tuple(self._ours)
        return [
            heard
            for heard in found
            if not any(begun <= take.time(heard.start) <= ended for begun, ended in ours)
        ]

    def _clip(self, take: Take, heard: Heard, at: float) -> Clip:
        rate = take.device.sample_rate
        start, frames = take.ring.read(heard.start, heard.stop)
        onset_at = take.time(start)
        return Clip(
            frames=frames,
            sample_rate=rate,
            at=time.time() - (time.monotonic() - onset_at),
            ago_s=at - onset_at,
            over=heard.over,
            background_db=heard.background_db,
            gaps=sum(start < gap < start + len(frames) for gap in tuple(take.gaps)),
            played=self._notes.played(onset_at),
            device=take.device.name,
        )


def _near(take: Take, heard: Heard, start: int) -> bool:
    return abs(heard.start - start) <= _SAME_S * take.device.sample_rate


def _is_silent(frames: Frames) -> bool:
    return float(abs(frames).max(initial=0.0)) <= 10 ** (SILENT_DBFS / 20)
