"""The soak of the listener, a few seconds of it: what is lost is told."""

from __future__ import annotations

import pytest
import soak_listening

from benchmarks.jackserver import NoServer


@pytest.mark.filterwarnings("ignore:resource_tracker")  # of a machine short of time
def test_no_sample_is_lost_without_being_told_while_a_search_runs(monkeypatch):
    for name in ("JACK_DEFAULT_SERVER", "JACK_NO_START_SERVER", "JACK_NO_AUDIO_RESERVATION"):
        monkeypatch.setenv(name, "")
    try:
        soaked = soak_listening.soak(3.0)
    except NoServer as error:
        pytest.skip(str(error))
    assert soaked.heard > 44100
    assert soaked.breaks <= 2 * soaked.told
