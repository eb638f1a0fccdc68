"""What goes wrong around the daemon: one clear message each, and the next sound as usual."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

import psutil
import pytest

from antithesis.errors import ModelError
from daemon import companion
from daemon.companion import built_in_synth, run_companion
from daemon.config import Config, changed
from daemon.routing import open_router
from daemon.synthserver import BuiltInSynth
from tests.fakematch import FakeMatcher, at_distance
from tests.test_companion import free_port, settings

PATIENCE_S = 60.0


@pytest.mark.parametrize(
    "trouble", ["no weights 'mika.onnx'", "trained for another parameter table: train it again"]
)
def test_model_that_is_missing_or_of_another_table_is_one_line_and_ends_it(
    tmp_path, monkeypatch, trouble
):
    def fail(*_arguments, **_options):
        raise ModelError(trouble)

    monkeypatch.setattr("antithesis.network.load_network", fail)
    with pytest.raises(ModelError, match=trouble) as caught:
        run_companion(settings(tmp_path))
    assert "\n" not in str(caught.value)
    monkeypatch.setattr(companion.Companion, "run", lambda self: None)
    run_companion(
        settings(tmp_path), matcher=FakeMatcher()
    )  # nothing of the first one is in the way


def test_synth_that_was_killed_is_told_with_the_way_to_start_it(tmp_path, monkeypatch):
    port = free_port()
    wav = tmp_path / "synth.wav"
    chosen = changed(
        Config(),
        {
            "synth": {"port": port, "wav": str(wav)},
            "state": {"folder": str(tmp_path / "state")},
        },
    )
    (tmp_path / "config.toml").write_text(f"[synth]\nport = {port}\nwav = '{wav}'\n")
    monkeypatch.setenv("ANTITHESIS_CONFIG", str(tmp_path / "config.toml"))
    others = psutil.Process().children()  # the servers that other tests share
    with open_router(chosen) as router:
        with built_in_synth(chosen, router) as ready:
            ready()
            assert router.apply(at_distance(3.0).preset).grade == "confirmed"
            (synth,) = set(psutil.Process().children()) - set(others)
            synth.kill()
            synth.wait(PATIENCE_S)
            lost = router.apply(at_distance(2.0).preset)
            assert lost.grade == "failed"
            assert "start" in lost.reason
        with BuiltInSynth(osc_port=port, wav=wav):
            assert router.apply(at_distance(2.0).preset).grade == "confirmed"


@pytest.mark.timeout(60)
def test_audio_device_that_goes_ends_the_synth_with_the_reason(tmp_path, monkeypatch):
    for program in ("jackd", "jack_wait"):
        if shutil.which(program) is None:
            pytest.skip(f"{program} is missing: apt-get install jackd2")
    monkeypatch.setenv("JACK_NO_AUDIO_RESERVATION", "1")
    monkeypatch.setenv("JACK_DEFAULT_SERVER", f"antithesis-gone-{os.getpid()}")
    monkeypatch.setenv("JACK_NO_START_SERVER", "1")
    command = ["jackd", "--no-realtime", "-n", os.environ["JACK_DEFAULT_SERVER"]]
    server = subprocess.Popen(
        [*command, "-d", "dummy", "-r", "44100", "-p", "1024"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    program = (
        "from daemon.synthserver import run_synth; from antithesis.errors import DeviceError\n"
        "try: run_synth(osc_port=0, device='system')\n"
        "except DeviceError as error: print(error, flush=True)"
    )
    try:
        subprocess.run(["jack_wait", "-w", "-t", "10"], check=False, capture_output=True)
        with subprocess.Popen(
            [sys.executable, "-c", program],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        ) as synth:
            said = synth.stdout.readline()
            if "sound into system" not in said:
                pytest.skip(f"no synth plays on JACK here: {said}")
            server.terminate()  # killed, it would stay in the list of eight that a machine may have
            server.wait()
            assert "lost system: it takes no more sound" in synth.stdout.readline()
    finally:
        server.terminate()
        server.wait()
