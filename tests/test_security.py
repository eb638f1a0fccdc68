"""Nobody gets in: loopback sockets, confined paths, no code from outside, bounded floods."""

from __future__ import annotations

import ast
import ipaddress
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon import child, config, osc
from daemon.config import Config
from daemon.orders import taking_orders
from daemon.osc import OscMessage
from daemon.outcomes import Outcomes
from daemon.ports import free_port
from daemon.presses import Presses
from daemon.settling import Drop
from tests.test_companion import settings

ROOT = Path(__file__).resolve().parent.parent
SOURCES = [path for package in ("antithesis", "daemon") for path in (ROOT / package).rglob("*.py")]
PATIENCE_S = 120.0

# What runs code that came as data.
MODULES = {"pickle", "marshal", "shelve", "dill", "joblib", "cloudpickle", "yaml"}
CALLS = {"eval", "exec", "compile", "__import__", "os.system", "os.popen"}


def calls(path):
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Call):
            yield (
                ast.unparse(node.func),
                {word.arg: ast.unparse(word.value) for word in node.keywords},
            )


def imported(path):
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield (node.module or "").split(".")[0]


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_nothing_runs_code_that_came_as_data(path):
    assert MODULES.isdisjoint(imported(path))
    for name, words in calls(path):
        assert name not in CALLS
        assert words.get("shell", "False") == "False"
        assert words.get("allow_pickle", "False") == "False"


def test_hosts_on_other_machines_are_spoken_to_only_when_configured():
    assert Config().osc.address == "127.0.0.1"


# Sockets, of the daemon and the synth that it starts, as they run.


def listening(pid, ports):
    """What a process and its children listen on, once these ports are among it."""
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end:
        found = sockets(pid)
        if ports <= {address.port for address in found}:
            return found
        time.sleep(0.05)
    raise AssertionError(f"it never listened on {ports}")


def sockets(pid):
    family = [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]
    return {
        connection.laddr
        for process in family
        for connection in process.net_connections("inet")
        if connection.laddr and not connection.raddr
    }


def test_all_sockets_of_the_running_daemon_and_synth_are_on_loopback(tmp_path):
    chosen = config.changed(
        settings(tmp_path),
        {
            "host": {"route": "builtin"},
            "synth": {"port": free_port(), "wav": str(tmp_path / "synth.wav")},
            "orders": {"port": free_port()},
        },
    )
    path = tmp_path / "config.toml"
    path.write_text(config.as_toml(chosen), "utf-8")
    environment = child.inherited() | {config.ENVIRONMENT_VARIABLE: str(path)}
    with subprocess.Popen(
        [*child.COMMAND, "start"], env=environment, stderr=subprocess.PIPE, text=True
    ) as daemon:
        try:
            assert any("watching" in line for line in daemon.stderr)
            found = listening(daemon.pid, {chosen.synth.port, chosen.orders.port})
        finally:
            daemon.send_signal(signal.SIGTERM)
            daemon.communicate(timeout=PATIENCE_S)
    assert all(ipaddress.ip_address(address.ip).is_loopback for address in found), found


# Orders: the one thing from outside that makes the daemon act.


@pytest.fixture
def orders():
    """A port for orders, and the presses that came of them."""
    called = []
    presses = Presses(lambda action: (action(), called.append(1)))
    port = free_port()
    with taking_orders(port, presses.press), socket.socket(type=socket.SOCK_DGRAM) as sock:
        sock.settimeout(PATIENCE_S)
        sock.connect(("127.0.0.1", port))
        yield sock, presses


def ask(sock, datagram):
    sock.send(datagram)
    sock.send(osc.encode(OscMessage("/antithesis/stop")))


def settled(presses):
    end = time.monotonic() + PATIENCE_S
    while not presses.waiting() and time.monotonic() < end:
        time.sleep(0.01)
    return [press.action for press in presses]


@pytest.mark.parametrize(
    "datagram",
    [
        b"",
        b"\xff" * 60000,
        osc.encode(OscMessage("/antithesis/shutdown")),
        osc.encode(OscMessage("/antithesis/capture", (10**9,))),
        osc.encode(OscMessage("/antithesis/capture", ("../../etc",))),
        b"#bundle\0" + bytes(8) + (-4).to_bytes(4, "big", signed=True),
    ],
    ids=["empty", "enormous", "unknown", "beyond", "text", "negative"],
)
def test_order_that_is_none_does_nothing_and_the_next_is_obeyed(orders, datagram):
    sock, presses = orders
    ask(sock, datagram)
    assert settled(presses) == ["stop"]


def test_flood_of_orders_is_bounded_and_told(orders):
    sock, presses = orders
    stop = osc.encode(OscMessage("/antithesis/stop"))
    for _ in range(5000):
        sock.send(stop)
    answer = osc.decode(sock.recv(osc.MAX_BYTES))[0]
    assert answer.arguments[:2] == (0, "too many at once; this one was left out")
    assert len(settled(presses)) <= 64


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have other names for it")
def test_order_from_another_address_of_this_machine_does_not_arrive(orders):
    sock, presses = orders
    beyond = [
        address.address
        for addresses in psutil.net_if_addrs().values()
        for address in addresses
        if address.family == socket.AF_INET and not address.address.startswith("127.")
    ]
    if not beyond:
        pytest.skip("this machine has no address but loopback")
    port = sock.getpeername()[1]
    with socket.socket(type=socket.SOCK_DGRAM) as other:
        for address in beyond:
            other.sendto(osc.encode(OscMessage("/antithesis/undo")), (address, port))
    ask(sock, b"")
    assert settled(presses) == ["stop"]


# Paths.


@given(st.text(min_size=1, max_size=300).filter(lambda name: "\0" not in name))
def test_outcome_of_any_name_lies_in_the_results_folder(tmp_path_factory, name):
    outcomes = Outcomes(Path("/results"))
    drop = Drop(Path("/drops") / f"{name}.wav", 1, 1)
    for place in (outcomes.matched_at(drop), outcomes.refused_at(drop)):
        assert place.parent == outcomes.folder
        assert Path(os.path.normpath(place)) == place


@pytest.mark.skipif(os.name == "nt", reason="Windows lets nobody make links")
def test_link_in_the_place_of_an_outcome_is_replaced_and_what_it_leads_to_is_left(tmp_path):
    theirs = tmp_path / "theirs"
    theirs.mkdir()
    (theirs / "dear.txt").write_text("dear")
    outcomes = Outcomes(tmp_path / "results").make_ready()
    drop = Drop(tmp_path / "a.wav", 1, 1)
    for place in (outcomes.matched_at(drop), outcomes.refused_at(drop)):
        place.symlink_to(theirs)
    with outcomes.matched(drop) as folder:
        (folder / "a.json").write_text("{}")
    assert outcomes.matched_at(drop).is_dir()
    assert not outcomes.matched_at(drop).is_symlink()
    outcomes.matched_at(drop).rename(tmp_path / "away")
    outcomes.matched_at(drop).symlink_to(theirs)
    outcomes.refused(drop, "silent")
    assert (theirs / "dear.txt").read_text() == "dear"
    assert [path.name for path in theirs.iterdir()] == ["dear.txt"]


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such modes")
def test_lock_is_for_nobody_else(tmp_path):
    from daemon.alone import NAME, alone

    with alone(tmp_path):
        assert (tmp_path / NAME).stat().st_mode & 0o077 == 0
