"""Programs that are not of ours: one plays WAV files into JACK's outputs, two play and hear MIDI.

A fourth counts late periods.

python jackplayer.py sound NAME          plays each `path` that it reads, and says so; for each
                                         `note velocity seconds path` its keys play with it, too
python jackplayer.py midi PORT           sends each `note velocity` that it reads
python jackplayer.py ear PORT            answers each line with what came meanwhile, in hex
python jackplayer.py late NAME           answers each line with how often anybody was late meanwhile
"""

from __future__ import annotations

import subprocess
import sys
import time
from types import TracebackType
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    import jack

JACK = "mido.backends.rtmidi/UNIX_JACK"


class Program:
    """One of them, or another, as a process of its own, which answers each line with one."""

    def __init__(self, *words: str, program: str = __file__) -> None:
        self._words = words
        self._program = program

    def __enter__(self) -> Self:
        command = [sys.executable, self._program, *self._words]
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        if self._answer() != "ready":
            self.__exit__(None, None, None)
            raise AssertionError(f"{self._words} did not start")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End it by ending what it reads: JACK waits for seconds for a client that is killed."""
        try:
            self.process.communicate(timeout=10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.communicate()

    def say(self, line: str) -> None:
        """Give it a line, and wait until that is done."""
        assert self.ask(line) == "done"

    def ask(self, line: str) -> str:
        """What it answers to a line."""
        assert self.process.stdin is not None
        print(line, file=self.process.stdin, flush=True)
        return self._answer()

    def _answer(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()


def tell(word: str) -> None:
    sys.stdout.write(f"{word}\n")
    sys.stdout.flush()


def sound(name: str) -> None:
    import threading

    import jack
    import numpy as np
    import soundfile

    client = jack.Client(name, no_start_server=True)
    port = client.outports.register("out")
    keys = client.midi_outports.register("keys")
    waiting: list[np.ndarray] = []
    struck: list[tuple[int, bytes]] = []  # frames from now, and what is played on the keys then
    over = threading.Event()

    @client.set_process_callback
    def process(count: int) -> None:
        block = np.zeros(count, np.float32)
        keys.clear_buffer()
        if waiting:
            for frame, event in struck:
                if frame < count:
                    keys.write_midi_event(frame, event)
            struck[:] = [(frame - count, event) for frame, event in struck if frame >= count]
            part = waiting[0][:count]
            block[: len(part)] = part
            waiting[0] = waiting[0][count:]
            if not len(waiting[0]):
                waiting.pop()
                over.set()
        port.get_array()[:] = block

    with client:
        for output in client.get_ports(is_audio=True, is_input=True, is_physical=True):
            client.connect(port, output)
        tell("ready")
        for line in sys.stdin:
            *key, path = line.split()
            samples, rate = soundfile.read(path, dtype="float32")
            struck[:] = strokes(key, rate)
            join(client, keys if key else None)
            over.clear()
            waiting.append(samples)
            over.wait(60)
            tell("done")


def strokes(key: list[str], rate: int) -> list[tuple[int, bytes]]:
    """What a key sends that goes down and up, each with its frame; nothing where there is none."""
    if not key:
        return []
    note, velocity, gate = int(key[0]), int(key[1]), round(float(key[2]) * rate)
    return [(0, bytes([0x90, note, velocity])), (gate, bytes([0x80, note, 0]))]


def join(client: jack.Client, keys: jack.MidiPort | None) -> None:
    """Have the daemon hear the keys."""
    if keys and not keys.connections:
        (there,) = client.get_ports("Antithesis In", is_midi=True, is_input=True)
        client.connect(keys, there)
        time.sleep(0.2)  # JACK joins ports in a later cycle


def midi(name: str) -> None:
    import mido

    backend = mido.Backend(JACK)
    there = next(port for port in backend.get_output_names() if name in port)
    with backend.open_output(there) as port:
        time.sleep(0.2)  # JACK joins ports in a later cycle
        tell("ready")
        for line in sys.stdin:
            note, velocity = map(int, line.split())
            port.send(mido.Message("note_on", note=note, velocity=velocity))
            tell("done")


def ear(name: str) -> None:
    import jack

    client = jack.Client("Ear", no_start_server=True)
    port = client.midi_inports.register(name)
    heard: list[str] = []

    @client.set_process_callback
    def process(_count: int) -> None:
        heard.extend(bytes(data).hex() for _frame, data in port.incoming_midi_events())

    with client:
        tell("ready")
        for _line in sys.stdin:
            count = len(heard)
            tell(" ".join(heard[:count]))
            del heard[:count]


def late(name: str) -> None:
    import jack

    client = jack.Client(name, no_start_server=True)
    told: list[float] = []
    client.set_xrun_callback(told.append)
    with client:
        tell("ready")
        for _line in sys.stdin:
            tell(str(len(told)))
            told.clear()


if __name__ == "__main__":
    {"sound": sound, "midi": midi, "ear": ear, "late": late}[sys.argv[1]](sys.argv[2])
