"""The one configuration file: what it may say, its defaults, and every mistake in it at once.

Sections and keys are the fields of the models below; the file that `antithesis config` prints, the
check and the "did you mean" are all derived from them.
"""

from __future__ import annotations

import json
import os
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, Literal, TypeAlias

import platformdirs
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from antithesis.errors import ConfigError
from antithesis.files import write_whole
from antithesis.parameters import BY_ID, PARAMETERS
from daemon.bindings import Binding
from daemon.capture.contract import BACKENDS
from daemon.controllers import Messages
from daemon.hosts import (
    BUILTIN,
    HOSTS,
    HostRow,
    MidiLink,
    MouseLink,
    OscLink,
    Scale,
    ScriptLink,
    find_host,
)
from daemon.mistakes import explain, suggest
from daemon.mouse.screens import Box
from daemon.mouse.turning import Method
from daemon.osc import OscMessage
from daemon.presses import HOTKEYS, Action
from daemon.senders.contract import Manner
from daemon.senders.patterns import holes, parse_message

ENVIRONMENT_VARIABLE = "ANTITHESIS_CONFIG"
VERSION = 1
"""Of the file's keys; a file that does not say is of this one, since there was none before."""

AUTO = "auto"
"""The route that is the first host to answer; the built-in synth where none does."""

_CUSTOM_HOLES: Mapping[str, tuple[str, ...]] = {
    "set": ("id", "key", "number", "value"),
    "ask": (),
    "told": ("id", "number", "value", "values..."),
}


def _whole_path(path: Path) -> Path:
    if "\0" in str(path):
        raise ValueError("no path holds a NUL: leave it out")
    try:
        expanded = path.expanduser()
    except RuntimeError as error:
        raise ValueError("nobody here has that home folder: write the whole path") from error
    if not expanded.is_absolute():
        raise ValueError("a relative path: write the whole path, or begin it with ~/")
    return expanded


def _known_host(name: str) -> str:
    if name not in HOSTS:
        raise ValueError(suggest(name, HOSTS))
    return name


def _known_route(name: str) -> str:
    if name not in (AUTO, *HOSTS):
        raise ValueError(suggest(name, {AUTO: None, **HOSTS}))
    return name


def _known_parameter(id: str) -> str:
    if id not in BY_ID:
        raise ValueError(suggest(id, BY_ID))
    return id


def _known_backend(name: str) -> str:
    if name not in ("", *BACKENDS):
        raise ValueError(suggest(name, BACKENDS))
    return name


def _midi_message(text: str) -> str:
    try:
        return str(Binding.parse(text)) if text else ""
    except ConfigError as error:
        raise ValueError(str(error)) from error


def _osc_message(text: str) -> str:
    if text and not text.startswith("/"):
        raise ValueError("an OSC message begins with its address: /synth/{id} {value}")
    return text


# TOML has no null: an empty string is "none".
Folder: TypeAlias = Annotated[Path, AfterValidator(_whole_path)]
OptionalPath: TypeAlias = Annotated[Folder | None, BeforeValidator(lambda text: text or None)]
MidiMessage: TypeAlias = Annotated[str, AfterValidator(_midi_message)]
Message: TypeAlias = Annotated[str, AfterValidator(_osc_message)]
Port: TypeAlias = Annotated[int, Field(ge=1, le=65535)]


class Section(BaseModel):
    """A frozen part of the file that knows no other keys than its fields."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Watch(Section):
    """Where sounds are dropped."""

    folder: Folder = Field(
        default_factory=lambda: platformdirs.user_music_path() / "Antithesis",
        description="the folder to drop sounds into; made if it is not there",
    )
    output: OptionalPath = Field(
        default=None, description='where results go; "" is beside the watched folder'
    )
    settle_s: float = Field(
        default=0.3, gt=0, le=60, description="a file is taken once its size rests this long"
    )


class Matching(Section):
    """How long to search for a better preset."""

    budget_s: float = Field(
        default=20.0,
        ge=0,
        le=3600,
        description="seconds of search for one sound, while no other waits; 0 is prediction alone",
    )
    on_grid: bool = Field(
        default=False,
        description="end with the best preset among those that the route can say, where it cannot"
        " say all (MIDI, mouse); false: the best preset, rounded",
    )


class Host(Section):
    """Who plays the preset."""

    route: Annotated[str, AfterValidator(_known_route)] = Field(
        default=AUTO,
        description=f"auto (the first that answers), or one of: {', '.join(HOSTS)}",
    )
    fallback: tuple[Annotated[str, AfterValidator(_known_host)], ...] = Field(
        default=(), description='routes to take, in this order, when that one fails: ["midi"]'
    )
    locked: tuple[Annotated[str, AfterValidator(_known_parameter)], ...] = Field(
        default=(), description='parameters to leave as they are: ["kMasterVolume"]'
    )
    glide_ms: float = Field(
        default=0.0, ge=0, le=10000, description="milliseconds from the old preset to the new one"
    )
    audition: bool = Field(
        default=False,
        description="play the note of the match after it is applied, where the host can",
    )


class Midi(Section):
    """MIDI, for the hosts that take it."""

    port: str = Field(
        default="",
        description='output port, or the beginning of its name; "" is one that we make ourselves',
    )
    answers: str = Field(
        default="",
        description='input port that a script in a DAW answers on; "" is one of our own',
    )
    backend: str = Field(
        default="",
        description='"jack" for a JACK server, or a back end of mido; "" is the usual one',
    )
    messages: Literal["cc", "nrpn", "sysex"] = Field(
        default="cc", description="cc (controllers), nrpn, or sysex (for a script of your own)"
    )
    resolution: Literal[7, 14] = Field(
        default=14, description="bits of a value: 7, or 14 as two messages; sysex has 21"
    )
    learned: tuple[Annotated[str, AfterValidator(_known_parameter)], ...] = Field(
        default=(),
        description="parameters whose controllers your DAW has learned, as `antithesis learn midi`"
        " notes them; the others are not sent; [] is all",
    )


class Osc(Section):
    """OSC, for the hosts that take it."""

    address: str = Field(
        default="127.0.0.1", min_length=1, description="the machine the host runs on"
    )
    port: Annotated[int, Field(ge=0, le=65535)] = Field(
        default=0,
        description="UDP port that the host of host.route listens on; 0 is its usual one",
    )
    reply_port: Annotated[int, Field(ge=0, le=65535)] = Field(
        default=0, description="UDP port that it answers to; 0 is its usual one"
    )
    track: int = Field(
        default=0, ge=0, le=999, description="the track that Mika Micro is on; 0 looks on all"
    )


class Custom(Section):
    """A host of your own, for host.route = "custom"; messages are an address and its arguments."""

    port: Annotated[int, Field(ge=0, le=65535)] = Field(
        default=0, description="UDP port that it listens on"
    )
    reply_port: Annotated[int, Field(ge=0, le=65535)] = Field(
        default=0, description="UDP port that it answers to; 0 is the one it was asked from"
    )
    set: Message = Field(
        default="",
        description="sets a parameter, by {id} or {number}: '/synth/{id} {value}'",
    )
    ask: Message = Field(
        default="", description="makes it tell what it holds: '/synth/get'; \"\" is that it cannot"
    )
    told: Message = Field(
        default="", description="how it tells: '/synth/{id} {value}', or '/synth {values...}'"
    )
    first_number: int = Field(default=0, ge=0, le=9999, description="{number} of the first one")
    scale: Literal["normalized", "plain"] = Field(
        default="normalized", description="normalized (0 to 1), or plain (what the knobs show)"
    )
    wait_ms: float = Field(
        default=50.0, ge=0, le=5000, description="milliseconds from a write to the question"
    )


class Mouse(Section):
    """Setting Mika Micro's own panel by mouse, for host.route or host.fallback = "mouse"."""

    method: Literal["wheel", "drag", "text"] = Field(
        default="wheel",
        description="wheel, drag (fader presses and knob drags), or text (by the menu of the"
        " study's build of the plug-in)",
    )
    window: str = Field(
        default="mika", min_length=1, description="the window's title, or a part of it"
    )
    panel: tuple[int, ...] = Field(
        default=(),
        description="left, top, width and height of the panel in that window, as `antithesis"
        " learn window` notes them; [] looks for it",
    )
    countdown_s: float = Field(
        default=3.0, ge=0, le=60, description="seconds of warning; moving the mouse keeps it"
    )


class Synth(Section):
    """The built-in synth."""

    port: Port = Field(default=BUILTIN.port, description="UDP port that it listens on for OSC")
    midi_port: str = Field(
        default="", description='MIDI input port; "" is one that it makes itself, where it can'
    )
    device: str = Field(
        default="", description='audio device, or a part of its name; "" is the system\'s choice'
    )
    wav: OptionalPath = Field(
        default=None, description='a WAV file to play into instead of a device; "" is none'
    )
    sample_rate: int = Field(default=44100, ge=22050, le=192000, description="samples a second")


class Machine(Section):
    """How the daemon shares the machine with a DAW."""

    priority: Literal["low", "normal"] = Field(
        default="low", description="low: everybody else goes first; normal"
    )
    busy_percent: float = Field(
        default=80.0,
        ge=0,
        le=100,
        description="the search pauses while others use more of all cores; 100 is never",
    )


class State(Section):
    """What the daemon remembers: its journal, its log, and that it runs."""

    folder: Folder = Field(
        default_factory=lambda: platformdirs.user_state_path("antithesis", False),
        description="where they are kept; a second daemon needs another",
    )


class Orders(Section):
    """What the running daemon is told from outside."""

    port: Port = Field(
        default=9125, description="UDP port that commands and OSC controllers reach it on"
    )


class Capture(Section):
    """Listening to what the computer plays, so that a hotkey takes what was just heard."""

    listen: bool = Field(
        default=True, description="keep the last seconds in memory; nothing else is ever kept"
    )
    device: str = Field(
        default="",
        description="what to listen to, or a part of its name (`antithesis devices` lists them);"
        ' "" is what the computer plays, never a microphone',
    )
    backend: Annotated[str, AfterValidator(_known_backend)] = Field(
        default="", description=f'one of: {", ".join(BACKENDS)}; "" asks all of this system'
    )
    seconds: float = Field(default=30.0, ge=3, le=600, description="how far back it remembers")
    armed: bool = Field(
        default=False, description="capture each sound by itself from the start on, without a key"
    )
    threshold_dbfs: float = Field(
        default=-40.0, ge=-80, le=0, description="how loud a sound has to be for that"
    )


class Hotkeys(Section):
    """Keys, pads and pedals: "note 36" or "cc 64 channel 10 on nanoPAD2" (`antithesis learn`)."""

    capture: MidiMessage = Field(
        default="", description="match the sound just heard; again: the one before it"
    )
    hold: MidiMessage = Field(default="", description="match what is heard from press to release")
    arm: MidiMessage = Field(default="", description="match each sound by itself, or no longer")
    next: MidiMessage = Field(default="", description="apply the next match of the last sound")
    previous: MidiMessage = Field(default="", description="apply the match before that")
    undo: MidiMessage = Field(default="", description="put back what the synth held before")
    stop: MidiMessage = Field(default="", description="stop refining")
    ports: tuple[str, ...] = Field(
        default=(),
        description='MIDI inputs to hear keys and notes from, beside our own port; ["*"] is every',
    )

    def bindings(self) -> dict[Action, Binding]:
        """Return what is bound."""
        written = {action: getattr(self, action.value) for action in HOTKEYS}
        return {action: Binding.parse(text) for action, text in written.items() if text}

    def heard(self) -> tuple[str, ...]:
        """Return the MIDI inputs that are to be heard: those that are named anywhere."""
        return (*self.ports, *(binding.port for binding in self.bindings().values()))


class Log(Section):
    """What the daemon tells."""

    level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="debug, info, warning or error"
    )
    notify: bool = Field(
        default=True, description="show a match that is applied on the desktop, where it can be"
    )


class Config(Section):
    """The whole file; a section or key that is not there has its default."""

    watch: Watch = Field(default_factory=Watch)
    match: Matching = Field(default_factory=Matching)
    host: Host = Field(default_factory=Host)
    midi: Midi = Field(default_factory=Midi)
    osc: Osc = Field(default_factory=Osc)
    custom: Custom = Field(default_factory=Custom)
    mouse: Mouse = Field(default_factory=Mouse)
    synth: Synth = Field(default_factory=Synth)
    machine: Machine = Field(default_factory=Machine)
    state: State = Field(default_factory=State)
    orders: Orders = Field(default_factory=Orders)
    capture: Capture = Field(default_factory=Capture)
    hotkeys: Hotkeys = Field(default_factory=Hotkeys)
    log: Log = Field(default_factory=Log)


def config_path() -> Path:
    """Return where the file is: $ANTITHESIS_CONFIG, or the platform's configuration folder."""
    named = os.environ.get(ENVIRONMENT_VARIABLE)
    return (
        Path(named) if named else platformdirs.user_config_path("antithesis", False) / "config.toml"
    )


def load() -> Config:
    """Return the effective configuration; all defaults if there is no file.

    Raises ConfigError with every mistake, or if the file named by $ANTITHESIS_CONFIG is missing.
    """
    path = config_path()
    if not path.exists() and ENVIRONMENT_VARIABLE not in os.environ:
        return Config()
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"cannot read the configuration {path}: {error}") from error
    return parse(text, str(path))


def parse(text: str, source: str = "configuration") -> Config:
    """Return the configuration that the TOML `text` says, or raise ConfigError."""
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{source}: not TOML: {error}") from error
    version = table.pop("version", VERSION)
    if version != VERSION:
        raise ConfigError(
            f"{source}: of version {version!r}, and this Antithesis knows {VERSION}: update"
            " Antithesis, or make the file anew with antithesis config --write"
        )
    return _checked(table, source, text)


def changed(config: Config, changes: Mapping[str, Mapping[str, object]]) -> Config:
    """Return `config` with keys of some sections replaced, checked as those of a file are."""
    table = config.model_dump(mode="json")
    for section, keys in changes.items():
        table[section] |= keys
    return _checked(table, "command line")


def create() -> Path:
    """Write the file with every default and return its path; ConfigError if there is one."""
    path = config_path()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("x", encoding="utf-8") as file:
            file.write(as_toml(Config()))
    except FileExistsError as error:
        raise ConfigError(f"{path} is there already: edit it, or delete it first") from error
    except OSError as error:
        raise ConfigError(f"cannot write {path}: {error.strerror}") from error
    return path


def keep(section: str, key: str, value: object) -> Path:
    """Write one key into the file, leaving the rest as it is, and return its path.

    Raises:
        ConfigError: the file cannot be read or written, or the value is none for that key.
    """
    import tomlkit

    path = config_path()
    changed(load(), {section: {key: value}})
    try:
        document = tomlkit.parse(path.read_text("utf-8")) if path.exists() else tomlkit.document()
        document.setdefault(section, tomlkit.table())[key] = value
        real = path.resolve()  # a link to it stays one
        real.parent.mkdir(parents=True, exist_ok=True)
        write_whole(real, tomlkit.dumps(document).encode())
    except OSError as error:
        raise ConfigError(f"cannot write {path}: {error.strerror}") from error
    return path


def _checked(table: Mapping[str, object], source: str, text: str = "") -> Config:
    try:
        # By way of JSON, where pydantic's strict mode takes a string for a path, not a number.
        return Config.model_validate_json(json.dumps(table, default=str), strict=True)
    except ValidationError as error:
        said = explain(error, Config, text)
        count = f"{len(said)} mistake{'s' if len(said) > 1 else ''}"
        raise ConfigError("\n    ".join([f"{source}: {count}", *said])) from error


def host_rows(config: Config) -> tuple[HostRow, ...]:
    """Return the configured hosts, in the order in which they are tried, with their settings."""
    host = config.host
    first = (
        [row.name for row in HOSTS.values() if row.found] if host.route == AUTO else [host.route]
    )
    names = dict.fromkeys((*first, *host.fallback))
    return tuple(host_row(config, name) for name in names)


def host_row(config: Config, name: str) -> HostRow:
    """Return a host with its settings; ConfigError if there is none of that name."""
    row = find_host(name)
    if isinstance(row.link, MidiLink):
        midi = config.midi
        row = find_host(
            row.name,
            port=midi.port,
            backend=midi.backend,
            messages=Messages(midi.messages),
            bits=midi.resolution,
        )
        learned = midi.learned or BY_ID
        return replace(row, unmapped=frozenset(p.index for p in PARAMETERS if p.id not in learned))
    if isinstance(row.link, ScriptLink):
        midi = config.midi
        return find_host(row.name, port=midi.port, answers=midi.answers, backend=midi.backend)
    if isinstance(row.link, MouseLink):
        return _mouse_row(config, row)
    if not isinstance(row.link, OscLink):
        return row
    if row.name == "custom":
        return _custom_row(config, row)
    if row.name == "builtin":
        return find_host(row.name, port=config.synth.port)
    osc = config.osc
    named = name == config.host.route
    return find_host(
        row.name,
        address=osc.address,
        port=(named and osc.port) or row.link.port,
        reply_port=(named and osc.reply_port) or row.link.reply_port,
        track=osc.track,
    )


def _mouse_row(config: Config, row: HostRow) -> HostRow:
    mouse = config.mouse
    if len(mouse.panel) not in (0, 4):
        raise ConfigError("mouse.panel is four numbers: left, top, width and height; or [] to look")
    link = MouseLink(
        title=mouse.window,
        panel=Box(*mouse.panel) if mouse.panel else None,
        method=Method(mouse.method),
        countdown_s=mouse.countdown_s,
    )
    return replace(row, link=link, answers=link.method is Method.TEXT)


def _custom_row(config: Config, row: HostRow) -> HostRow:
    custom = config.custom
    if not (custom.port and custom.set):
        raise ConfigError("the route custom has no host: give custom.port and custom.set")
    link = OscLink(
        address=config.osc.address,
        port=custom.port,
        reply_port=custom.reply_port,
        set_one=_custom_message("set", custom.set),
        ask=tuple(_custom_message("ask", text) for text in filter(None, [custom.ask])),
        told=tuple(_custom_message("told", text) for text in filter(None, [custom.told])),
        first_number=custom.first_number,
        scale=Scale(custom.scale),
    )
    answers = bool(custom.ask and custom.told)
    return replace(row, link=link, answers=answers, wait_s=custom.wait_ms / 1000)


def _custom_message(key: str, text: str) -> OscMessage:
    """Return a message of [custom]; ConfigError where its holes are not those of its key."""
    try:
        _check_holes(key, holes(text))
    except ValueError as error:
        raise ConfigError(f"custom.{key} = {_toml_value(text)}: {error}") from error
    return parse_message(text)


def _check_holes(key: str, found: list[str]) -> None:
    for name in found:
        if name not in _CUSTOM_HOLES[key]:
            known = ", ".join(f"{{{hole}}}" for hole in _CUSTOM_HOLES[key]) or "nothing"
            raise ValueError(f"{{{name}}} is not known here; in braces there may be: {known}")
        if found.count(name) > 1:
            raise ValueError(f"{{{name}}} is there twice: leave one out")
    told_singly = "value" in found and not {"id", "key", "number"}.isdisjoint(found)
    if _CUSTOM_HOLES[key] and not told_singly and "values..." not in found:
        at_once = ", or {values...}" if "values..." in _CUSTOM_HOLES[key] else ""
        raise ValueError(f"it needs {{value}} and {{id}} or {{number}}{at_once}")


def manner(config: Config) -> Manner:
    """Return how presets are to be brought to the host."""
    locked = frozenset(BY_ID[id].index for id in config.host.locked)
    return Manner(locked, config.host.glide_ms / 1000)


def results_folder(config: Config) -> Path:
    """Return where results go."""
    return config.watch.output or config.watch.folder.parent


def as_toml(config: Config) -> str:
    """Return `config` as a commented TOML file that `parse` reads back."""
    return "\n".join(_toml_lines(config))


def _toml_lines(config: Config) -> Iterator[str]:
    yield "# Antithesis. Every key is optional; what is shown here is in effect."
    yield f"# Of these keys; leave it.\nversion = {VERSION}"
    for name, field in Config.model_fields.items():
        section: Section = getattr(config, name)
        assert field.annotation is not None
        yield f"\n# {field.annotation.__doc__}\n[{name}]"
        for key, of_key in type(section).model_fields.items():
            yield f"# {of_key.description}\n{key} = {_toml_value(getattr(section, key))}"
    yield ""


def _toml_value(value: Any) -> str:
    if value is None or isinstance(value, str | Path):
        # JSON's string is TOML's, but for one character that TOML wants escaped.
        return json.dumps(str(value or ""), ensure_ascii=False).replace("\x7f", r"\u007f")
    return json.dumps(value)
