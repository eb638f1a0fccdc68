"""What asks a process to end, and what does not."""

from __future__ import annotations

import signal

import pytest

from daemon.ending import ENDING_SIGNALS, ended_by_signals


@pytest.fixture(autouse=True)
def heeded():
    """Signals mean what they do by themselves, also where the tests were started with nohup."""
    before = {number: signal.getsignal(number) for number in ENDING_SIGNALS}
    for number in ENDING_SIGNALS:
        if before[number] is signal.SIG_IGN:
            signal.signal(number, signal.SIG_DFL)
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


hangup = pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="no terminal here hangs up")


@pytest.mark.parametrize("number", ENDING_SIGNALS)
def test_signal_is_told_and_on_leaving_means_what_it_did_before(number: signal.Signals) -> None:
    before = signal.getsignal(number)
    told: list[bool] = []

    with ended_by_signals(lambda: told.append(True)):
        signal.raise_signal(number)

    assert told == [True]
    assert signal.getsignal(number) is before


@hangup
def test_hangup_that_nohup_had_ignored_stays_ignored() -> None:
    told: list[bool] = []
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with ended_by_signals(lambda: told.append(True)):
            signal.raise_signal(signal.SIGHUP)
            signal.raise_signal(signal.SIGTERM)
    finally:
        signal.signal(signal.SIGHUP, before)

    assert told == [True]
