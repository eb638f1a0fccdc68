"""Priority is asked for where there is one to have, and for the asking thread alone."""

from __future__ import annotations

import gc
import os
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from daemon.urgency import hurry, tidy_up

LINUX = pytest.mark.skipif(sys.platform != "linux", reason="only Linux has these priorities")


def policy_in_a_hurry() -> int:
    hurry()
    return os.sched_getscheduler(0)


@LINUX
def test_only_the_thread_that_asks_is_in_a_hurry() -> None:
    before = os.sched_getscheduler(0)
    with ThreadPoolExecutor(1) as thread:
        policy = thread.submit(policy_in_a_hurry).result()
    assert os.sched_getscheduler(0) == before
    assert policy in (before, os.SCHED_RR)


@LINUX
def test_who_may_not_hurry_goes_on_as_before(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_arguments: object) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "sched_setscheduler", refused)
    hurry()


def test_what_the_start_left_is_not_looked_at_again() -> None:
    before = gc.get_freeze_count()
    try:
        tidy_up()
        assert gc.get_freeze_count() > before
    finally:
        gc.unfreeze()
