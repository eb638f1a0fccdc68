"""The ear of the daemon: what the computer plays, what is played on MIDI keys, and hotkeys."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from typing import TYPE_CHECKING, Final

from antithesis.errors import AudioError
from daemon.bindings import DOWN, Keys
from daemon.capture.clips import Clip, Cutter
from daemon.capture.listener import Condition, Listener, Take
from daemon.capture.notes import SUSTAIN, Notes
from daemon.capture.silence import why_silent
from daemon.living import Living
from daemon.midiear import MidiEar
from daemon.presses import Action, Press

if TYPE_CHECKING:
    from mido import Message

    from daemon.config import Config, Hotkeys

_LOOK_S: Final = 0.3
"""How often an armed ear looks for sounds; how soon a match begins after a sound's end."""

_LOOK_BACK_S: Final = 4.0
_NOTES_IN_SILENCE: Final = 3  # are nobody's who tries a dead key
_KEY_PRESSES: Final = frozenset((Action.HOLD,))  # whose key matters when it goes up, too

_log: Final = logging.getLogger(__name__)


class Ear(Living):
    """Hears while it is entered, and tells `press` what a key, or a sound while armed, asks for."""

    def __init__(self, config: Config, press: Callable[[Press], object]) -> None:
        capture, keys = config.capture, config.hotkeys
        self.armed = capture.armed
        self._listening = capture.listen
        self._threshold_dbfs = capture.threshold_dbfs
        self._press = press
        self._notes = Notes()
        self._keys = Keys(keys.bindings())
        self._listener = Listener(
            capture.device, capture.backend, seconds=capture.seconds, tending=self._tend
        )
        self._midi = MidiEar(self._hear_midi, keys.heard(), backend=config.midi.backend)
        self._cutter = Cutter(self._listener, self._notes)
        self._held_since: float | None = None
        self._look_at = self._look_until = 0.0
        self._seen: tuple[Take, int] | None = None
        self._told_silence_of: Take | None = None

    def _life(self) -> Iterator[None]:
        with self._midi, self._listener if self._listening else nullcontext():
            yield

    @property
    def condition(self) -> Condition:
        """How listening goes."""
        return self._listener.condition

    def cut(self, press: Press) -> Clip | None:
        """What a press means: a clip, or nothing yet while a key is held.

        Raises:
            AudioError: there is no such sound, and why.
        """
        if not self._listening:
            raise AudioError("nothing is listened to: set capture.listen to true")
        if press.clip is not None:
            return press.clip
        if press.action is Action.CAPTURE:
            return self._cutter.just_heard(press.at, press.back)
        if press.down:
            self._held_since = press.at
            return None
        if self._held_since is None:
            raise AudioError("released without having been pressed: press, play, release")
        pressed_at, self._held_since = self._held_since, None
        return self._cutter.held(pressed_at, press.at)

    def whole(self, clip: Clip) -> Clip:
        """A clip that was still sounding, as far as it goes by now."""
        return self._cutter.whole(clip)

    def arm(self) -> bool:
        """Capture each sound by itself from now on, or no longer; says which."""
        self.armed = not self.armed
        return self.armed

    def expect_ours(self, seconds: float) -> None:
        """A note of ours is about to be played for so long: that is nothing to capture."""
        now = time.monotonic()
        self._cutter.leave_out(now, now + seconds)

    def learn(self, hotkeys: Hotkeys) -> str:
        """Obey these keys from now on; says which."""
        self._keys = Keys(hotkeys.bindings())
        self._midi.want(hotkeys.heard())
        bound = [f"{action}: {binding}" for action, binding in self._keys.bindings.items()]
        return "; ".join(bound) or "no hotkeys"

    def _hear_midi(self, message: Message, port: str, at: float) -> None:
        for action, down in self._keys.hear(message, port, at):
            if down or action in _KEY_PRESSES:
                self._press(Press(action, down, at))
        if not self._keys.mine(message, port):
            self._hear_music(message, at)

    def _hear_music(self, message: Message, at: float) -> None:
        if message.type in ("note_on", "note_off"):
            velocity = message.velocity if message.type == "note_on" else 0
            self._notes.hear(message.note, message.channel, velocity, at)
        elif message.type == "control_change" and message.control == SUSTAIN:
            self._notes.pedal(message.channel, message.value >= DOWN, at)

    def _tend(self, take: Take) -> None:
        self._watch_for_silence(take)
        if self.armed:
            self._watch_for_sounds(take)
        else:
            self._seen = None

    def _watch_for_silence(self, take: Take) -> None:
        """Tell once of a device that brings only silence while somebody plays."""
        silent_s = self.condition.silent_s
        notes = self._notes.since(time.monotonic() - silent_s)
        if notes >= _NOTES_IN_SILENCE and self._told_silence_of is not take:
            self._told_silence_of = take
            _log.warning("%s", why_silent(take.device, silent_s, notes=notes))

    def _watch_for_sounds(self, take: Take) -> None:
        """Press for each sound that is loud enough, once there is enough of it."""
        if self._seen is None or self._seen[0] is not take:
            self._seen = (take, take.ring.written)
        now = time.monotonic()
        if self.condition.level_dbfs > self._threshold_dbfs:
            self._look_until = now + _LOOK_BACK_S  # from now on something may come to an end
        if self._look_at <= now <= self._look_until:
            self._look_at = now + _LOOK_S
            self._press_for_sounds(take, self._seen[1])

    def _press_for_sounds(self, take: Take, seen: int) -> None:
        now = take.time(take.ring.written)
        since = max(seen, take.ring.written - round(_LOOK_BACK_S * take.device.sample_rate))
        for position, clip in self._cutter.sounds_since(take, since, now):
            self._seen = (take, position)
            if abs(clip.frames).max() > 10 ** (self._threshold_dbfs / 20):
                self._press(Press(Action.CAPTURE, clip=clip))
