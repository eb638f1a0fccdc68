"""What this machine has, what is missing, and what to do about it.

Each check looks at the real thing: it opens the port, asks the host, makes a file in the folder.
"""

from __future__ import annotations

import os
import platform
import re
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from importlib import metadata
from pathlib import Path
from typing import Any

from antithesis.errors import AntithesisError
from daemon import config
from daemon.config import Config
from daemon.hosts import HostRow


class Verdict(StrEnum):
    """How a check ended; a warning is something that Antithesis can do without."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True)
class Row:
    """One finding, and the remedy where one is needed."""

    name: str
    verdict: Verdict
    finding: str
    remedy: str = ""

    def as_dict(self) -> dict[str, Any]:
        """Return the fields for JSON."""
        return asdict(self)

    def as_text(self) -> str:
        """Return a line, and the remedy below it."""
        line = f"{self.verdict:4}  {self.name:12}  {self.finding}"
        return f"{line}\n{'':20}{self.remedy}" if self.remedy else line


def examine() -> Iterator[Row]:
    """Yield a row for each check, in the order in which a user would look."""
    settings = Config()
    try:
        settings = config.load()
        yield configuration()
    except AntithesisError as error:
        remedy = "mend the file; until then the other checks go by the defaults"
        yield Row("configuration", Verdict.FAIL, str(error), remedy)
    for check in CHECKS:
        yield check(settings)


def configuration() -> Row:
    """Say which file is in effect."""
    path = config.config_path()
    finding = str(path) if path.exists() else f"all defaults: there is no {path}"
    return Row("configuration", Verdict.OK, finding)


def system(_settings: Config) -> Row:
    """Name the system and this Python."""
    cores = os.cpu_count()
    finding = f"{platform.platform()}, Python {platform.python_version()}, {cores} cores"
    return Row("system", Verdict.OK, finding)


def packages(_settings: Config) -> Row:
    """Look for every package that the installed project requires."""
    try:
        version, wanted = metadata.version("antithesis"), metadata.requires("antithesis") or []
    except metadata.PackageNotFoundError:
        remedy = "start by scripts/run.py, or `pip install .`"
        return Row("packages", Verdict.WARN, "antithesis is not installed, only imported", remedy)
    required = [re.split(r"[^\w.-]", line)[0] for line in wanted if "extra ==" not in line]
    found = {name: _version(name) for name in required}
    missing = [name for name, there in found.items() if not there]
    if missing:
        remedy = f"{sys.executable} -m pip install {' '.join(missing)}"
        return Row("packages", Verdict.FAIL, f"missing: {', '.join(missing)}", remedy)
    listed = ", ".join(f"{name} {there}" for name, there in found.items())
    return Row("packages", Verdict.OK, f"antithesis {version} with {listed}")


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return ""


def kernels(_settings: Config) -> Row:
    """Look where numba keeps compiled code: beside the sources, or in the user's cache."""
    import antithesis

    package = Path(antithesis.__file__).parent
    place = Path(os.environ.get("NUMBA_CACHE_DIR") or package)
    if not os.access(place, os.W_OK):
        return Row("kernels", Verdict.OK, "compiled code is kept in the user's cache folder")
    count = sum(1 for _ in place.rglob("*.nbc"))
    if count:
        return Row("kernels", Verdict.OK, f"{count} compiled, in {place}")
    return Row("kernels", Verdict.OK, f"none in {place} yet: the first start compiles them")


def model(_settings: Config) -> Row:
    """Load the trained weights as a match would; that checks the table they were trained for."""
    from antithesis.network import load_network, model_path

    try:
        path = model_path()
        network = load_network(path)
    except AntithesisError as error:
        remedy = "install Antithesis again, or in a checkout: git checkout models"
        return Row("model", Verdict.FAIL, str(error), remedy)
    size = path.stat().st_size / 1e6
    return Row("model", Verdict.OK, f"{path}, {size:.1f} MB, for table {network.card['table']}")


def audio(_settings: Config) -> Row:
    """List the devices that the built-in synth could play through."""
    from daemon.outputs import output_devices

    devices = output_devices()
    if devices:
        return Row("audio", Verdict.OK, ", ".join(devices))
    remedy = (
        "the built-in synth plays into a WAV file instead; for a device, install PortAudio "
        "(libportaudio2 on Debian and Ubuntu) and start JACK, PipeWire or PulseAudio"
    )
    return Row("audio", Verdict.WARN, "no audio device that can play", remedy)


def loopback(settings: Config) -> Row:
    """Look for what hears the computer's own sound."""
    from daemon.capture import sources
    from daemon.capture.contract import choose

    capture = settings.capture
    if not capture.listen:
        return Row("loopback", Verdict.OK, "capture is switched off (capture.listen)")
    found, troubles = sources(capture.backend)
    chosen = choose(capture.device, found)
    if chosen is None:
        remedy = "see the table of systems in the README, or name an input in capture.device"
        finding = "; ".join(["nothing hears what the computer plays", *troubles])
        return Row("loopback", Verdict.WARN, finding, remedy)
    about = "hears the computer" if chosen.loopback else "an input"
    return Row("loopback", Verdict.OK, f"{chosen.name} ({chosen.backend}, {about})")


def midi(settings: Config) -> Row:
    """List the MIDI ports of the configured back end."""
    from daemon import midiports

    backend = settings.midi.backend
    try:
        outputs, inputs = midiports.output_names(backend), midiports.input_names(backend)
    except AntithesisError as error:
        remedy = "OSC works without; for MIDI, load the ALSA sequencer or set midi.backend to JACK"
        return Row("midi", Verdict.WARN, str(error), remedy)
    listed = f"to: {', '.join(outputs) or 'none'}; from: {', '.join(inputs) or 'none'}"
    return Row("midi", Verdict.OK, listed)


def host(settings: Config) -> Row:
    """Ask the configured hosts what they play, by the way that presets would take."""
    findings = [_ask(row) for row in config.host_rows(settings)]
    best = next((row for row in findings if row.verdict is Verdict.OK), None)
    return best or (findings[0] if len(findings) == 1 else _nobody(findings))


def _ask(row: HostRow) -> Row:
    from daemon.senders import open_sender

    try:
        with open_sender(row) as sender:
            if row.pointer:
                return Row("host", Verdict.OK, f"{row.title}: {sender.route.find()}")
            heard = len(sender.look())
    except AntithesisError as error:
        return Row("host", Verdict.WARN, f"{row.title}: {error}", row.remedy)
    if heard:
        found = f"{row.title} answers, with {heard} parameters: {sender.where}"
        return Row("host", Verdict.OK, found)
    if row.answers:
        return Row("host", Verdict.WARN, f"{row.title} does not answer", row.remedy)
    return Row("host", Verdict.OK, f"{row.title}: can be sent to; it answered nothing")


def _nobody(findings: list[Row]) -> Row:
    tried = "; ".join(row.finding for row in findings)
    remedy = "open your DAW (its page in the README says how), or start: antithesis synth"
    return Row("host", Verdict.WARN, f"no host answers: {tried}", remedy)


def reach(settings: Config) -> Row:
    """Say what the configured hosts cannot be told."""
    from daemon.limits import limits

    said = [f"{row.title}: {line}" for row in config.host_rows(settings) for line in limits(row)]
    if not said:
        return Row("reach", Verdict.OK, "every value of every knob can be sent")
    if settings.match.on_grid:
        return Row("reach", Verdict.OK, "; ".join(["matched within it", *said]))
    remedy = "[match] on_grid = true finds the best preset within that; or take another route"
    return Row("reach", Verdict.WARN, "; ".join(said), remedy)


def host_files(_settings: Config) -> Row:
    """Look whether what DAWs have of ours is of this version."""
    from daemon.installing import INSTALLATIONS, outdated

    rows = INSTALLATIONS.values()
    old = [row.name for row in rows if outdated(row)]
    if old:
        remedy = "; ".join(f"antithesis install {name}" for name in old)
        return Row("host files", Verdict.WARN, f"of another version: {', '.join(old)}", remedy)
    there = [row.name for row in rows if any(path.exists() for path in row.targets())]
    return Row("host files", Verdict.OK, f"installed for: {', '.join(there) or 'no DAW'}")


def folder(settings: Config) -> Row:
    """Try to write where sounds are dropped, or where that folder would be made."""
    return _writable("folder", settings.watch.folder, "watch.folder")


def _writable(name: str, chosen: Path, key: str) -> Row:
    there = next(path for path in (chosen, *chosen.parents) if path.exists())
    try:
        with tempfile.TemporaryFile(dir=there):
            next(there.iterdir(), None)
    except OSError as error:
        remedy = f"choose another folder as {key}, or give yourself the right to write there"
        return Row(name, Verdict.FAIL, f"{there}: {error.strerror}", remedy)
    state = "can be read and written" if there == chosen else "will be made by `antithesis start`"
    return Row(name, Verdict.OK, f"{chosen} {state}")


def results(settings: Config) -> Row:
    """Try to write where results go, or where that folder would be made."""
    return _writable("results", config.results_folder(settings), "watch.output")


def state(settings: Config) -> Row:
    """Look at the journal, in the version that it has, and for a daemon that runs."""
    from daemon.alone import runs
    from daemon.journal import JOURNAL, look

    place = settings.state.folder
    try:
        counts = look(place / JOURNAL, last=0).counts
        process = runs(place)
    except (AntithesisError, OSError) as error:
        remedy = "move the file away, or set state.folder to another folder"
        return Row("state", Verdict.FAIL, str(error), remedy)
    told = ", ".join(f"{count} {outcome}" for outcome, count in counts.items()) or "no jobs yet"
    running = f"a daemon runs (process {process})" if process is not None else "no daemon runs"
    row = _writable("state", place, "state.folder")
    return (
        row if row.verdict is Verdict.FAIL else replace(row, finding=f"{place}: {told}; {running}")
    )


def decoder(_settings: Config) -> Row:
    """Start the process that decodes, and have it decode a sound."""
    from antithesis.audio import write_wav
    from daemon.decoding import Decoder

    with tempfile.TemporaryDirectory() as place, Decoder() as worker:
        write_wav(Path(place) / "tone.wav", [0.5, -0.5] * 2000, 44100)
        try:
            worker.read(Path(place) / "tone.wav")
        except AntithesisError as error:
            return Row("decoder", Verdict.FAIL, str(error), "install Antithesis again")
    limits = worker.limits
    finding = f"in a process of its own, within {limits.seconds:g} s and {limits.megabytes:g} MB"
    return Row("decoder", Verdict.OK, finding)


def service(_settings: Config) -> Row:
    """Ask the system whether it starts the daemon."""
    from daemon.services import service as way

    ours = way()
    if not ours.path.exists():
        finding = "not installed: the daemon runs while `antithesis start` does"
    elif ours.runs():
        finding = f"{ours.system} runs it: {ours.path}"
    else:
        remedy = "antithesis service install starts it anew; antithesis status has the log's place"
        return Row("service", Verdict.WARN, f"{ours.path} is there and does not run", remedy)
    return Row("service", Verdict.OK, finding)


def notices(settings: Config) -> Row:
    """Look for the program that shows notices on the desktop."""
    from daemon.notices import command

    if not settings.log.notify:
        return Row("notices", Verdict.OK, "switched off by log.notify")
    words = command("")
    if words:
        return Row("notices", Verdict.OK, f"by {words[0]}")
    remedy = "install notify-send (libnotify-bin on Debian and Ubuntu), or set log.notify = false"
    return Row("notices", Verdict.WARN, "no program shows notices on this desktop", remedy)


def display(_settings: Config) -> Row:
    """Say whether there is a screen; nothing fails without one."""
    if not sys.platform.startswith("linux"):
        return Row("display", Verdict.OK, "the system's own")
    screen = os.environ.get("WAYLAND_DISPLAY") or os.environ.get("DISPLAY")
    if screen:
        return Row("display", Verdict.OK, screen)
    return Row("display", Verdict.OK, "none, and none is needed")


CHECKS: tuple[Callable[[Config], Row], ...] = (
    system,
    packages,
    kernels,
    model,
    decoder,
    folder,
    results,
    state,
    service,
    host,
    reach,
    host_files,
    audio,
    loopback,
    midi,
    display,
    notices,
)
