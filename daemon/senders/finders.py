"""How each host is asked where its plug-ins are and what their parameters are called.

A finder yields every plug-in it comes across, those first that are called as ours is. What it asks
may be lost on the way, so that a finder may miss some; whoever needs one looks again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Final

from antithesis.errors import SendError
from antithesis.parameters import N_PARAMETERS
from daemon.hosts import (
    ARDOUR_DESCRIPTOR,
    REAPER_REFRESH,
    SCRIPT_DEVICE,
    SCRIPT_NAME,
    SCRIPT_VERSION,
)
from daemon.osc import Argument, OscMessage
from daemon.senders.patterns import Found, match
from daemon.senders.places import Candidate, HostParameter, identify, squashed
from daemon.senders.wire import Line

OUR_NAME: Final = "mika"

_STRIP: Final = OscMessage(
    "/reply",
    ("{kind}", "{name}", "{inputs}", "{outputs}", "{muted}", "{soloed}", "{strip}", "..."),
)
_STRIPS_END: Final = OscMessage("/reply", ("end_route_list", "..."))
_PLUGINS: Final = OscMessage("/strip/plugin/list", ("{strip}", "{plugins...}"))
_DESCRIBED: Final = OscMessage("/strip/plugin/descriptor_end", ("{strip}", "{plugin}"))
_WITH_PLUGINS: Final = ("MT", "AT", "B", "MB", "AX")  # all but VCAs, which never answer


def ardour(wire: Line) -> Iterator[Candidate]:
    """Strip by strip: its plug-ins, and a descriptor for each of their parameters."""
    strips = {
        found["strip"]: found["name"]
        for found in _lines(wire, OscMessage("/strip/list"), _STRIP, _STRIPS_END, _any_number)
        if found["kind"] in _WITH_PLUGINS and wire.link.track in (0, found["strip"])
    }
    plugins = [
        (strip, plugin, name)
        for strip in strips
        for found in _first(wire, OscMessage("/strip/plugin/list", (strip,)), _PLUGINS)
        for plugin, name in _numbered_names(found["plugins"])
    ]
    for position in ours_first(name for _, _, name in plugins):
        strip, plugin, name = plugins[position]
        question = OscMessage("/strip/plugin/descriptor", (strip, plugin))
        lines = _lines(wire, question, ARDOUR_DESCRIPTOR, _DESCRIBED, _ours_or_another)
        yield Candidate(
            {"strip": strip, "plugin": plugin},
            f"{name} on {strips[strip]}",
            tuple(_parameters(lines)),
        )


_INSTRUMENT: Final = OscMessage("/track/{track}/fxinst/name", ("{name}",))
_INSTRUMENT_PARAMETER: Final = OscMessage("/fxinstparam/{number}/name", ("{name}",))


def reaper(wire: Line) -> Iterator[Candidate]:
    """What is the first instrument of each track; and, selected, what its parameters are called."""
    (last,) = wire.link.greeting[0].arguments
    told = _collect(
        wire.answers([REAPER_REFRESH]), _INSTRUMENT, "track", lambda told: len(told) == last
    )
    instruments = {
        track: str(found["name"])
        for track, found in sorted(told.items())
        if found["name"] and wire.link.track in (0, track)
    }
    tracks = list(instruments)
    for position in ours_first(instruments.values()):
        track = tracks[position]
        question = [OscMessage("/device/track/select", (track,)), REAPER_REFRESH]
        title = OscMessage("/fxinst/name", (instruments[track],))
        answers = _below(title, wire.answers(question))
        names = _collect(answers, _INSTRUMENT_PARAMETER, "number", _all_named)
        yield Candidate(
            {"track": track},
            f"{instruments[track]} on track {track}",
            _named(names),
        )


_TRACKS: Final = OscMessage("/live/song/get/track_names", ("{names...}",))
_DEVICES: Final = OscMessage("/live/track/get/devices/name", ("{track}", "{names...}"))
_FACTS: Final = tuple(
    OscMessage(f"/live/device/get/parameters/{fact}", ("{track}", "{device}", f"{{{fact}...}}"))
    for fact in ("name", "min", "max")
)


def ableton(wire: Line) -> Iterator[Candidate]:
    """Each track's devices; names and ranges of their parameters, the first being Device On."""
    titles = [
        name
        for found in _first(wire, OscMessage(_TRACKS.address), _TRACKS)
        for name in found["names"]
    ]
    tracks = [t for t in range(len(titles)) if wire.link.track in (0, t + 1)]
    questions = [OscMessage(_DEVICES.address, (track,)) for track in tracks]
    told = _collect(
        wire.answers(questions), _DEVICES, "track", lambda told: len(told) == len(tracks)
    )
    devices = [
        (track, device, str(name))
        for track, found in sorted(told.items())
        if track in tracks
        for device, name in enumerate(found["names"])
    ]
    for position in ours_first(name for _, _, name in devices):
        track, device, name = devices[position]
        parameters = tuple(_live_parameters(wire, track, device))
        where = {"track": track, "device": device}
        yield Candidate(where, f"{name} on {titles[track]}", parameters)


def _live_parameters(wire: Line, track: int, device: int) -> Iterator[HostParameter]:
    facts: dict[str, Sequence[Any]] = {}
    questions = [OscMessage(fact.address, (track, device)) for fact in _FACTS]
    for message in wire.answers(questions):
        for pattern in _FACTS:
            found = match(pattern, message)
            if found and (found.pop("track"), found.pop("device")) == (track, device):
                facts |= found
        if len(facts) == len(_FACTS):
            break
    rows = zip(*(facts.get(fact, ()) for fact in ("name", "min", "max")), strict=False)
    for number, (name, low, high) in enumerate(rows):
        if isinstance(low, float) and isinstance(high, float):
            yield HostParameter(number, str(name), low, high)


_HOME: Final = "/antithesis"  # what Carla puts before all that it tells us
_PLUGIN: Final = OscMessage(
    f"{_HOME}/info",
    ("{plugin}", "...", "{name}", "{file}", "{icon}", "{real}", "{label}", "{maker}", "{rights}"),
)
_COUNT: Final = OscMessage(f"{_HOME}/ports", ("{plugin}", "...", "{count}"))
_PARAMETER: Final = OscMessage(f"{_HOME}/paramInfo", ("{plugin}", "{number}", "{name}", "..."))
_RANGE: Final = OscMessage(
    f"{_HOME}/paramRanges", ("{plugin}", "{number}", "{default}", "{low}", "{high}", "...")
)
_REFUSED: Final = OscMessage(f"{_HOME}/exit-error", ("{why}",))


def carla(wire: Line) -> Iterator[Candidate]:
    """Registered anew, it tells everything: plugin by plugin its names, values and ranges.

    Raises:
        SendError: it tells another program, and does so to one at a time.
    """
    home = f"osc.tcp://127.0.0.1:{wire.link.reply_port}{_HOME}"
    plugins: dict[int, str] = {}
    counts: dict[int, int] = {}
    names: dict[int, str] = {}
    found: list[HostParameter] = []
    for message in wire.answers(
        [OscMessage("/unregister", (home,)), OscMessage("/register", (home,))]
    ):
        if match(_REFUSED, message):
            raise SendError("it tells another program already: close Carla Control, or that one")
        if info := match(_PLUGIN, message):
            plugins[info["plugin"]] = str(info["name"])
            names, found = {}, []
        elif count := match(_COUNT, message):
            counts[count["plugin"]] = count["count"]
        elif parameter := match(_PARAMETER, message):
            names[parameter["number"]] = str(parameter["name"])
        elif (span := match(_RANGE, message)) and _in_numbers(span):
            plugin, number = span["plugin"], span["number"]
            found.append(HostParameter(number, names.get(number, ""), span["low"], span["high"]))
            if len(found) == counts.get(plugin) and wire.link.track in (0, plugin + 1):
                title = f"{plugins.get(plugin, '')}, plug-in {plugin + 1}"
                yield Candidate({"plugin": plugin, "home": home}, title, tuple(found))


def _in_numbers(span: Found) -> bool:
    """Whether a range is one of a Carla's: anybody may call back."""
    return isinstance(span["plugin"], int) and all(
        isinstance(span[end], float) for end in ("low", "high")
    )


def script(wire: Line) -> Iterator[Candidate]:
    """A script of ours in the host, which finds the plug-in by itself and names it last.

    What it is told and tells is at the head of `daemon/hostfiles/Antithesis.control.js`.

    Raises:
        SendError: it is of another version.
    """
    hello = OscMessage("/antithesis/hello", (SCRIPT_VERSION, wire.link.track))
    names: dict[int, str] = {}
    for message in wire.answers([hello]):
        if (found := match(SCRIPT_NAME, message)) is not None:
            names[found["number"]] = str(found["name"])
        if (found := match(SCRIPT_DEVICE, message)) is not None:
            if found["version"] != SCRIPT_VERSION:
                raise SendError(
                    f"its script has version {found['version']}, this program {SCRIPT_VERSION}:"
                    " install it again, and restart it"
                )
            parameters = tuple(HostParameter(number, name) for number, name in names.items())
            yield Candidate({}, str(found["device"]), parameters)
            return


def _numbered_names(plugins: Sequence[Argument]) -> Iterator[tuple[int, str]]:
    """Number, name and whether it is active, over and over."""
    for number, name in zip(plugins[::3], plugins[1::3], strict=False):
        if isinstance(number, int) and isinstance(name, str):
            yield number, name


def _parameters(lines: Iterable[Found]) -> Iterator[HostParameter]:
    for line in lines:
        number, name, low, high = (line[hole] for hole in ("number", "name", "low", "high"))
        if isinstance(number, int) and isinstance(low, float) and isinstance(high, float):
            yield HostParameter(number, str(name), low, high)


def ours_first(names: Iterable[str]) -> list[int]:
    """Positions of `names`, those first that a Mika Micro may have."""
    return [
        position
        for position, _ in sorted(
            enumerate(names), key=lambda named: OUR_NAME not in squashed(named[1])
        )
    ]


def _lines(
    wire: Line, question: OscMessage, line: OscMessage, end: OscMessage, whole: Callable[..., bool]
) -> list[Found]:
    """Answers of one line each, up to the one that ends them; asked again until they are whole."""
    lines: list[Found] = []
    for message in wire.answers([question]):
        if match(end, message) is not None and whole(lines):
            break
        if (found := match(line, message)) is not None and found not in lines:
            lines.append(found)
    return lines


def _named(told: dict[int, Found]) -> tuple[HostParameter, ...]:
    return tuple(HostParameter(number, str(found["name"])) for number, found in told.items())


def _all_named(told: dict[int, Found]) -> bool:
    """All of a Mika Micro, or the whole of something else."""
    ours = len(identify(_named(told)))
    return ours == N_PARAMETERS or (len(told) > N_PARAMETERS and ours < N_PARAMETERS // 2)


def _any_number(lines: list[Found]) -> bool:
    """Nobody says how many there are."""
    return bool(lines)


def _ours_or_another(lines: list[Found]) -> bool:
    """All of a Mika Micro, or clearly something else."""
    return len(identify(_parameters(lines))) not in range(N_PARAMETERS // 2, N_PARAMETERS)


def _below(title: OscMessage, answers: Iterable[OscMessage]) -> Iterator[OscMessage]:
    """Those answers that stand below `title`, not below another one of its address."""
    here = False
    for message in answers:
        here = message == title if message.address == title.address else here
        if here:
            yield message


def _collect(
    answers: Iterable[OscMessage],
    answer: OscMessage,
    key: str,
    enough: Callable[[dict[int, Found]], bool],
) -> dict[int, Found]:
    """Answers by the number in their hole `key`, until there are `enough`."""
    told: dict[int, Found] = {}
    for message in answers:
        if (found := match(answer, message)) is not None and isinstance(found[key], int):
            told[found[key]] = found
            if enough(told):
                break
    return told


def _first(wire: Line, question: OscMessage, answer: OscMessage) -> Iterator[Found]:
    """The one answer, if it comes."""
    for message in wire.answers([question]):
        if (found := match(answer, message)) is not None:
            yield found
            return
