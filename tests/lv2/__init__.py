"""An LV2 bundle with Mika Micro's 38 parameters and its sound, built on the spot."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

from antithesis.parameters import PARAMETERS, Kind, Parameter

URI = "urn:antithesis:test:mika"
NAME = "Mika Micro"
HEADER = Path("/usr/include/lv2/core/lv2.h")

_PREFIXES = """\
@prefix atom: <http://lv2plug.in/ns/ext/atom#> .
@prefix doap: <http://usefulinc.com/ns/doap#> .
@prefix lv2: <http://lv2plug.in/ns/lv2core#> .
@prefix midi: <http://lv2plug.in/ns/ext/midi#> .
@prefix rdf: <http://www.w3.org/1999/02/22-rdf-syntax-ns#> .
@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
@prefix urid: <http://lv2plug.in/ns/ext/urid#> .
"""
_MIDI = """\
    a lv2:InputPort, atom:AtomPort ; atom:bufferType atom:Sequence ; atom:supports midi:MidiEvent ;
    lv2:designation lv2:control ; lv2:index 0 ; lv2:symbol "midi" ; lv2:name "MIDI" """
_AUDIO = '    a lv2:OutputPort, lv2:AudioPort ; lv2:index {} ; lv2:symbol "{}" ; lv2:name "{}" '
_FIRST_KNOB = 3
_FLAGS = {
    Kind.BOOL: "lv2:portProperty lv2:integer, lv2:toggled ;",
    Kind.INT: "lv2:portProperty lv2:integer ;",
    Kind.ENUM: "lv2:portProperty lv2:integer, lv2:enumeration ;",
    Kind.DOUBLE: "",
}


def missing() -> str:
    """What this machine lacks to build it, or nothing."""
    if shutil.which("gcc") is None:
        return "gcc is missing: apt-get install gcc"
    return "" if HEADER.exists() else "LV2's headers are missing: apt-get install lv2-dev"


def build(folder: Path, *, uri: str = URI, name: str = NAME) -> None:
    """Make the bundle in `folder`, which a host finds by LV2_PATH."""
    bundle = folder / "mika.lv2"
    bundle.mkdir(parents=True)
    source = Path(__file__).with_name("mika.c")
    flags = ["-O2", "-shared", "-fPIC", "-fvisibility=hidden", "-Wall", "-Wextra", "-Werror"]
    subprocess.run(["gcc", *flags, "-o", str(bundle / "mika.so"), str(source), "-lm"], check=True)
    (bundle / "manifest.ttl").write_text(
        f"{_PREFIXES}<{uri}> a lv2:Plugin ; lv2:binary <mika.so> ; rdfs:seeAlso <mika.ttl> .\n"
    )
    ports = " ] , [\n".join(_ports())
    (bundle / "mika.ttl").write_text(
        f"{_PREFIXES}<{uri}> a lv2:Plugin, lv2:InstrumentPlugin ;\n"
        f'  doap:name "{name}" ; doap:license <http://opensource.org/licenses/mit> ;\n'
        f"  lv2:requiredFeature urid:map ; lv2:port [\n{ports} ] .\n"
    )


def _ports() -> Iterator[str]:
    yield _MIDI
    yield _AUDIO.format(1, "left", "Left")
    yield _AUDIO.format(2, "right", "Right")
    yield from map(_knob, PARAMETERS)


def _knob(p: Parameter) -> str:
    points = " , ".join(
        f'[ rdfs:label "{choice}" ; rdf:value {value} ]' for value, choice in enumerate(p.choices)
    )
    scale = f"lv2:scalePoint {points} ;" if points else ""
    return (
        f"    a lv2:InputPort, lv2:ControlPort ; lv2:index {_FIRST_KNOB + p.index} ;"
        f' lv2:symbol "{p.id}" ; lv2:name "{p.host_name}" ; {_FLAGS[p.kind]} {scale}'
        f" lv2:default {p.default} ; lv2:minimum {p.min} ; lv2:maximum {p.max} "
    )
