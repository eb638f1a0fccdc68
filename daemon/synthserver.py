"""The built-in synth: a Mika Micro that is reached by OSC and MIDI, as one in a DAW would be.

One thread does it all, block by block: it takes what the system has queued for the UDP socket and
the MIDI port, answers whoever asked, renders 128 samples and hands them to the output, which sets
the pace. Where nothing sounds it sleeps until something comes, and hands on silence by the stretch.
"""

from __future__ import annotations

import logging
import math
import select
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import ExitStack, suppress
from pathlib import Path
from queue import Empty, SimpleQueue
from types import TracebackType
from typing import TYPE_CHECKING, Final, Self

import click

from antithesis.errors import DeviceError
from antithesis.synth import Synth
from daemon import midiports, osc
from daemon.ending import end_with_parent, ended_by_signals
from daemon.hosts import BUILTIN
from daemon.memory import give_back
from daemon.midiear import MidiEar
from daemon.osc import MalformedOsc, OscMessage
from daemon.outputs import choose_output
from daemon.player import Player
from daemon.urgency import hurry, tidy_up

if TYPE_CHECKING:
    from mido import Message

ADDRESS: Final = "127.0.0.1"
MIDI_PORT: Final = "Antithesis Synth"
BLOCK: Final = 128
# Shares of a block's time that reading may take of MIDI and of OSC: a flood of either must stop
# neither the sound nor the other.
_READING_SHARE: Final = 0.15
_SIGNAL_POLL_S: Final = 0.2
_RINGS: Final = 4096

_log: Final = logging.getLogger(__name__)


class BuiltInSynth:
    """A synth that plays while it is entered.

    `osc_port` 0 takes any free port; `port` tells which. `ignored` counts what came and was no
    message for it.

    Raises:
        DeviceError: on entering, when the UDP port or the output cannot be had; on leaving, when
            the output was lost meanwhile.
    """

    def __init__(
        self,
        *,
        osc_port: int = BUILTIN.port,
        wav: Path | None = None,
        device: str | int | None = None,
        sample_rate: int = 44100,
        drift: bool = True,
    ) -> None:
        self.port = osc_port
        self.ignored = 0
        self._heard: SimpleQueue[Message] = SimpleQueue()
        self._player = Player(Synth(sample_rate=sample_rate, drift=drift))
        self._output = choose_output(wav, device, sample_rate)
        self._sample_rate = sample_rate
        self._reading_s = _READING_SHARE * BLOCK / sample_rate
        self._stop = threading.Event()
        self._playing: Future[None] = Future()
        self._open = ExitStack()

    def __enter__(self) -> Self:
        with ExitStack() as opening:
            self._socket = opening.enter_context(_bind(self.port))
            self.port = self._socket.getsockname()[1]
            self._awake, self._bell = map(opening.enter_context, socket.socketpair())
            self._awake.setblocking(False)
            self._bell.setblocking(False)
            _compile(self._sample_rate)
            opening.enter_context(self._output)
            thread = opening.enter_context(ThreadPoolExecutor(1, "built-in synth"))
            self._playing = thread.submit(self._play)
            self._open = opening.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Stop, and free port and output; raise what ended it before its time."""
        self._stop.set()
        self._ring()
        self._open.close()
        self._playing.result()

    def __str__(self) -> str:
        return (
            f"Mika Micro at {self._sample_rate} Hz: OSC on UDP {ADDRESS}:{self.port}, sound into"
            f" {self._output}"
        )

    @property
    def rendered(self) -> int:
        """Samples so far."""
        return self._player.rendered

    def wait(self, timeout_s: float) -> bool:
        """Whether it still plays, after at most `timeout_s`."""
        return not wait([self._playing], timeout_s).done

    def hear_midi(self, message: Message, _port: str, _at: float) -> None:
        """Obey a message; for any thread."""
        self._heard.put(message)
        self._ring()

    def _play(self) -> None:
        hurry()
        while not self._stop.is_set():
            self._listen()
            if self._player.at_rest:
                self._rest()
            else:
                self._output.write(self._player.process(BLOCK))

    def _rest(self) -> None:
        """Sleep until something comes, then be silent for as long as that took."""
        select.select([self._socket, self._awake], [], [], self._output.rest_s)
        with suppress(BlockingIOError):
            self._awake.recv(_RINGS)
        if blocks := self._output.room() // BLOCK:
            self._output.write(self._player.process(blocks * BLOCK))

    def _ring(self) -> None:
        with suppress(OSError):  # so many rings wait that one more is none, or it is over
            self._bell.send(b"\0")

    def _listen(self) -> None:
        until = time.monotonic() + self._reading_s
        for message in self._messages():
            self._player.hear_midi(message)
            if time.monotonic() > until:
                break
        until = time.monotonic() + self._reading_s
        for datagram, sender in self._datagrams():
            self._answer(datagram, sender)
            if time.monotonic() > until:
                break

    def _messages(self) -> Iterator[Message]:
        with suppress(Empty):
            while True:
                yield self._heard.get_nowait()

    def _datagrams(self) -> Iterator[tuple[bytes, tuple[str, int]]]:
        while True:
            try:
                yield self._socket.recvfrom(osc.MAX_BYTES + 1)
            except BlockingIOError:
                return
            except OSError:  # Windows: an answer found its port closed, or a datagram is too long
                self.ignored += 1
                return

    def _answer(self, datagram: bytes, sender: tuple[str, int]) -> None:
        try:
            messages = osc.decode(datagram)
        except MalformedOsc:
            self.ignored += 1
            return
        for message in messages:
            try:
                if answer := self._player.hear_osc(message):
                    self._socket.sendto(osc.encode(answer), sender)
            except (MalformedOsc, OSError):  # or whoever asked takes no answer any more
                self.ignored += 1


def run_synth(
    *,
    osc_port: int = BUILTIN.port,
    midi_port: str | None = None,
    midi_backend: str = "",
    wav: Path | None = None,
    device: str | int | None = None,
    sample_rate: int = 44100,
    seconds: float | None = None,
    with_parent: bool = False,
    ready: Callable[[str], None] | None = None,
) -> None:
    """Run a synth until a signal asks it to end, or for `seconds`.

    `midi_port` is an existing port, heard again when it went and is back; without one the synth
    makes its own where the system lets it. `with_parent` has it end with the process that holds
    the pipe to its standard input.
    `ready` is told in one line what the synth listens to; it is printed otherwise.

    Raises:
        DeviceError: a port, device or file cannot be had, or was lost.
    """
    if midi_port:  # a name that is mistyped is told at once
        midiports.find_input(midi_port, backend=midi_backend)
    stop = threading.Event()
    wanted, own = ([midi_port], "") if midi_port else ([], MIDI_PORT)
    with (
        BuiltInSynth(osc_port=osc_port, wav=wav, device=device, sample_rate=sample_rate) as synth,
        MidiEar(synth.hear_midi, wanted, backend=midi_backend, own=own) as midi,
        ended_by_signals(stop.set),  # before, while it compiles, a signal ends it there and then
    ):
        if with_parent:
            end_with_parent(stop.set)
        tidy_up()
        give_back()
        (ready or click.echo)(f"{synth}; {midi}")
        end = math.inf if seconds is None else time.monotonic() + seconds
        while not stop.is_set() and (left := end - time.monotonic()) > 0:
            if not synth.wait(min(left, _SIGNAL_POLL_S)):
                break


def _bind(port: int) -> socket.socket:
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        sock.bind((ADDRESS, port))
    except OSError as error:
        sock.close()
        raise DeviceError(
            f"cannot listen on UDP port {port} ({error.strerror}): end the synth that may be"
            " running, or choose another port"
        ) from error
    sock.setblocking(False)
    return sock


def _compile(sample_rate: int) -> None:
    """Play one block on a synth that nobody hears, so that the first note need not wait."""
    unheard = Player(Synth(sample_rate=sample_rate))
    unheard.hear_osc(OscMessage("/mika/note", (60, 100)))
    unheard.process(BLOCK)
