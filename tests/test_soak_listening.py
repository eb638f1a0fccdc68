"""The soak of the listener, a few seconds of it: what is lost is told."""

from __future__ import annotations

import pytest
import soak_listening

from benchmarks.jackserver import NoServer


def test_no_sample_is_lost_without_being_told_while_a_search_runs(monkeypatch):
    for name in ("JACK_DEFAULT_SERVER", "JACK_NO_START_SERVER", "JACK_NO_AUDIO_RESERVATION"):
        monkeypatch.setenv(name, "")
    try:
        heard = soak_listening.soak(3.0)
    except NoServer as error:
        pytest.skip(str(error))
    assert heard.samples > 44100
    assert heard.searches
    assert heard.breaks <= 2 * heard.told
