"""OSC over real UDP: to the built-in synth, over a bad line, and to a host with REAPER's habits."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from antithesis.errors import DeviceError
from antithesis.parameters import N_PARAMETERS, PARAMETERS
from antithesis.preset import Preset
from daemon.hosts import HostRow, OscLink, Scale, find_host
from daemon.osc import OscMessage
from daemon.senders import Delivery, Grade, History, Router, open_sender
from daemon.synthserver import BuiltInSynth
from tests import oscpeer
from tests.badline import Line
from tests.oscpeer import OscPeer
from tests.synthprocess import SynthProcess

ALL = tuple(p.id for p in PARAMETERS)


def preset_of(seed: int) -> Preset:
    return Preset.from_normalized(np.random.default_rng(seed).random(N_PARAMETERS))


def held_by(port: int) -> list[float]:
    with OscPeer(port) as peer:
        return list(peer.ask("/mika/get")[1:])


def builtin(port: int, **settings: Any) -> HostRow:
    return find_host("builtin", port=port, **settings)


# The built-in synth ------------------------------------------------------------------------------


def test_all_38_arrive_at_the_built_in_synth_and_are_confirmed(
    built_in_synth: BuiltInSynth,
) -> None:
    with open_sender(builtin(built_in_synth.port)) as sender:
        delivery = sender.send(preset_of(1))

    assert (delivery.grade, delivery.written, delivery.rounds) == (Grade.CONFIRMED, 38, 1)
    assert held_by(built_in_synth.port) == pytest.approx(list(preset_of(1).normalized), abs=1e-7)


@pytest.fixture(scope="module")
def process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SynthProcess]:
    with SynthProcess(tmp_path_factory.mktemp("synth") / "synth.wav") as process:
        yield process


def test_all_38_arrive_at_a_synth_in_its_own_process(process: SynthProcess) -> None:
    with open_sender(builtin(process.port)) as sender:
        for seed in range(20):
            assert sender.send(preset_of(seed)).grade is Grade.CONFIRMED
            wanted = list(preset_of(seed).normalized)
            assert held_by(process.port) == pytest.approx(wanted, abs=1e-7)


def test_the_ends_of_every_range_arrive(built_in_synth: BuiltInSynth) -> None:
    with open_sender(builtin(built_in_synth.port)) as sender:
        for end in (0.0, 1.0):
            preset = Preset.from_normalized([end] * N_PARAMETERS)
            assert sender.send(preset).grade is Grade.CONFIRMED
            assert held_by(built_in_synth.port) == [end] * N_PARAMETERS


def test_a_knob_turned_at_the_synth_is_put_back(built_in_synth: BuiltInSynth) -> None:
    with open_sender(builtin(built_in_synth.port)) as sender, OscPeer(built_in_synth.port) as hand:
        sender.send(preset_of(1))
        hand.send("/mika/parameter/kFilterResonance", 0.0)
        hand.ask("/mika/ping")

        delivery = sender.send(preset_of(1))

    assert delivery.grade is Grade.CONFIRMED
    assert held_by(built_in_synth.port) == pytest.approx(list(preset_of(1).normalized), abs=1e-7)


def test_several_senders_may_reach_one_synth(built_in_synth: BuiltInSynth) -> None:
    row = builtin(built_in_synth.port)
    with open_sender(row) as first, open_sender(row) as second:
        assert first.send(preset_of(1)).grade is Grade.CONFIRMED
        assert second.send(preset_of(2)).grade is Grade.CONFIRMED
        assert first.send(preset_of(3)).grade is Grade.CONFIRMED

    assert held_by(built_in_synth.port) == pytest.approx(list(preset_of(3).normalized), abs=1e-7)


# What travels ------------------------------------------------------------------------------------


def test_only_the_differences_travel_the_second_time(built_in_synth: BuiltInSynth) -> None:
    changed = {"kFilterCutoff": 1000.0, "kOsc1Wave": 3.0, "kVolEnvD": 985.0}
    with (
        Line(built_in_synth.port) as line,
        open_sender(builtin(line.port)) as sender,
    ):
        sender.send(Preset.init())
        line.carried.clear()

        delivery = sender.send(Preset.init().replace(**changed))

        written = [m[0] for m in line.messages() if m[0].startswith("/mika/parameter/")]
    assert (delivery.grade, delivery.written) == (Grade.CONFIRMED, 3)
    assert written[0] == "/mika/parameter/kOsc1Wave"
    assert sorted(written) == sorted(f"/mika/parameter/{name}" for name in changed)


def test_every_value_travels_as_a_float_and_every_packet_is_small(
    built_in_synth: BuiltInSynth,
) -> None:
    with Line(built_in_synth.port) as line, open_sender(builtin(line.port)) as sender:
        sender.send(Preset.from_normalized([1.0] * N_PARAMETERS))

        written = [m for m in line.messages() if m[0].startswith("/mika/parameter/")]
    assert [m[1:] for m in written] == [(1.0,)] * N_PARAMETERS
    assert all(type(m[1]) is float for m in written)
    assert max(map(len, line.carried)) <= 1024


def test_a_line_that_loses_a_fifth_still_ends_in_confirmed(process: SynthProcess) -> None:
    with Line(process.port, lose=0.2) as line, open_sender(builtin(line.port)) as sender:
        for seed in range(30):
            assert sender.send(preset_of(seed)).grade is Grade.CONFIRMED
            wanted = list(preset_of(seed).normalized)
            assert held_by(process.port) == pytest.approx(wanted, abs=1e-7)

    assert line.lost > 10


def test_a_line_that_loses_swaps_and_doubles_still_ends_in_confirmed(
    process: SynthProcess,
) -> None:
    with (
        Line(process.port, lose=0.1, trouble=0.3) as line,
        open_sender(builtin(line.port)) as sender,
    ):
        grades = [sender.send(preset_of(seed)).grade for seed in range(30)]

    assert grades == [Grade.CONFIRMED] * 30


# Hosts in trouble --------------------------------------------------------------------------------


def test_a_closed_port_fails_at_once_with_the_remedy() -> None:
    with OscPeer() as peer:
        closed = peer.port
    with open_sender(builtin(closed)) as sender:
        delivery = sender.send(preset_of(1))

    assert (delivery.grade, delivery.differing) == (Grade.FAILED, ALL)
    assert f"nothing listens on UDP 127.0.0.1:{closed}" in delivery.reason
    assert delivery.elapsed_s < 2


def test_a_host_that_starts_later_is_reached_by_the_same_sender(tmp_path: Path) -> None:
    with OscPeer() as peer:
        port = peer.port
    with open_sender(builtin(port)) as sender:
        assert sender.send(preset_of(1)).grade is Grade.FAILED

        with BuiltInSynth(osc_port=port, wav=tmp_path / "synth.wav"):
            assert sender.send(preset_of(1)).grade is Grade.CONFIRMED
        assert sender.send(preset_of(1)).grade is Grade.FAILED


def test_a_silent_host_fails_with_all_names_within_a_bounded_time() -> None:
    with OscPeer() as silent, open_sender(builtin(silent.port)) as sender:
        delivery = sender.send(preset_of(1))

    assert (delivery.grade, delivery.differing) == (Grade.FAILED, ALL)
    assert "does not answer; start it with: antithesis synth" in delivery.reason
    assert delivery.elapsed_s < 5


def test_answers_that_are_no_osc_are_no_answers() -> None:
    stop = threading.Event()

    def babble(peer: OscPeer) -> None:
        peer.socket.settimeout(0.05)
        while not stop.is_set():
            try:
                _, sender = peer.socket.recvfrom(65536)
            except TimeoutError:
                continue
            for noise in (b"", b"\xff" * 30, b"#bundle\0", b"/mika/parameters\0\0\0\0,f\0\0"):
                peer.socket.sendto(noise, sender)

    with OscPeer() as peer, open_sender(builtin(peer.port)) as sender:
        thread = threading.Thread(target=babble, args=(peer,))
        thread.start()
        delivery = sender.send(preset_of(1))
        stop.set()
        thread.join()

    assert (delivery.grade, delivery.differing) == (Grade.FAILED, ALL)


def test_a_reply_port_that_is_taken_is_an_error_with_a_remedy() -> None:
    with OscPeer() as other:
        sender = open_sender(find_host("reaper", reply_port=other.port))

        with pytest.raises(DeviceError, match=rf"UDP port {other.port} is taken .*give another"):
            sender.__enter__()


def test_a_machine_without_address_is_an_error() -> None:
    sender = open_sender(builtin(9124, address="no.such.machine.invalid"))

    with pytest.raises(DeviceError, match="no machine is called"):
        sender.__enter__()


@pytest.mark.parametrize("address", [64 * "a" + ".local", "studio..local"])
def test_what_can_be_no_machine_is_an_error(address: str) -> None:
    sender = open_sender(builtin(9124, address=address))

    with pytest.raises(DeviceError, match=r"no machine can be called .* correct osc\.address"):
        sender.__enter__()


def test_an_address_that_no_network_leads_to_is_trouble_of_this_host_alone(tmp_path: Path) -> None:
    # Whoever has not asked for it may not send to all machines at once.
    everyone = open_sender(builtin(9124, address="255.255.255.255"))

    with Router([everyone], History(tmp_path / "before.json")) as router:
        delivery = router.apply(preset_of(1))

    assert delivery.grade is Grade.FAILED
    assert "cannot send to 255.255.255.255:9124: " in delivery.reason


def test_localhost_means_ipv4(built_in_synth: BuiltInSynth) -> None:
    with open_sender(builtin(built_in_synth.port, address="localhost")) as sender:
        assert sender.send(preset_of(1)).grade is Grade.CONFIRMED


def send_to(row: HostRow, *presets: Preset) -> list[Delivery]:
    with open_sender(row) as sender:
        return [sender.send(preset) for preset in presets]


SET = OscMessage("/x/{number}", ("{value}",))


# Other scales ------------------------------------------------------------------------------------


def test_a_host_may_count_in_plain_units() -> None:
    # As Ardour and Carla do for plug-ins that are not VST.
    link = OscLink(port=0, set_one=SET, told=(SET,), scale=Scale.PLAIN, patience_s=0.02)
    preset = Preset.init().replace(kFilterCutoff=1234.5, kOsc1Coarse=-7)
    with OscPeer() as host:
        row = HostRow("plain", "", replace(link, port=host.port), "", answers=False)
        send_to(row, preset)

        held = {m[0]: m[1] for datagram in host.waiting() for m in oscpeer.read(datagram) if m[1:]}
    assert [held[f"/x/{p.index}"] for p in PARAMETERS] == pytest.approx(
        list(preset.plain), rel=1e-6
    )


def test_plain_answers_are_compared_as_normalized_values() -> None:
    preset = Preset.init().replace(kFilterCutoff=1234.5, kOsc1Coarse=-7)
    plain = [OscMessage(f"/x/{p.index}", (preset[p.id],)) for p in PARAMETERS]
    with OscPeer() as host:
        link = OscLink(
            port=host.port,
            set_one=SET,
            told=(SET,),
            scale=Scale.PLAIN,
            ask=(OscMessage("/all"),),
        )
        answering = threading.Thread(target=answer_once, args=(host, "/all", plain))
        answering.start()
        row = HostRow("plain", "", link, "", answers=True)
        (delivery,) = send_to(row, preset)
        answering.join()

    assert delivery.grade is Grade.CONFIRMED


def answer_once(host: OscPeer, question: str, answer: list[OscMessage]) -> None:
    while True:
        datagram, sender = host.socket.recvfrom(65536)
        if question in [m[0] for m in oscpeer.read(datagram)]:
            for address, arguments in answer:
                host.socket.sendto(oscpeer.message(address, *arguments).dgram, sender)
            return
