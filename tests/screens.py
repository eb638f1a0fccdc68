"""A window like the plug-in's on an X display, in a process of its own."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from daemon.hosts import HostRow, MouseLink, find_host
from daemon.mouse.turning import Method
from tests.simulators import Simulated

BITMAPS = "MIKA_MICRO_BITMAPS"
TOLERANCES = {Method.WHEEL: 0.001, Method.DRAG: 0.007, Method.TEXT: 1e-4}


def row(method: Method = Method.WHEEL, **settings: Any) -> HostRow:
    from dataclasses import replace

    found = find_host("mouse", method=method, countdown_s=0.0, **settings)
    return replace(found, answers=method is Method.TEXT)


def link(method: Method = Method.WHEEL, **settings: Any) -> MouseLink:
    found = row(method, **settings).link
    assert isinstance(found, MouseLink)
    return found


@contextmanager
def window(**settings: Any) -> Iterator[Simulated]:
    """In plain shapes, or by the plug-in's own bitmaps where their folder is known."""
    if folder := os.environ.get(BITMAPS):
        settings["bitmaps"] = folder
    with Simulated("panel", **settings) as shown:
        yield shown
