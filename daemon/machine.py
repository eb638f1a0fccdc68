"""This machine is a musician's: how busy others keep it, and our place behind them."""

from __future__ import annotations

import time
from typing import Any, Final

import psutil

_NICE: Final = 10
_MEASURED_S: Final = 1.0


def step_back() -> None:
    """Let everybody else go first: this thread, and the threads and processes that it starts."""
    psutil.Process().nice(psutil.BELOW_NORMAL_PRIORITY_CLASS if psutil.WINDOWS else _NICE)


class Machine:
    """Tells whether other programs need more than `busy_percent` of all cores together.

    What runs at a low priority does not count: it steps back as we do.
    """

    def __init__(self, busy_percent: float) -> None:
        self._share = busy_percent / 100
        self._ours = psutil.Process()
        self._at = time.monotonic()
        self._before = self._times()
        self._busy = False

    def busy(self) -> bool:
        """Whether they did in the second before; it is measured once a second."""
        now = time.monotonic()
        if self._share < 1 and now - self._at >= _MEASURED_S:
            times = self._times()
            spent = times[0] - self._before[0]
            everything = times[1] - self._before[1]
            self._busy = spent > self._share * everything
            self._at, self._before = now, times
        return self._busy

    def _times(self) -> tuple[float, float]:
        """Seconds of all cores that others were busy, and seconds of all cores."""
        cores = psutil.cpu_times()
        ours = self._ours.cpu_times()
        polite = getattr(cores, "nice", 0.0)
        away = cores.idle + getattr(cores, "iowait", 0.0) + polite
        # Where politeness is counted, what we compute is in it already, unless we are not polite.
        mine = ours.system + (0.0 if polite and self._polite() else ours.user)
        everything = float(sum(_counted_once(cores)))
        return everything - away - mine, everything

    def _polite(self) -> bool:
        return bool(self._ours.nice() > 0)


def _counted_once(cores: Any) -> list[float]:
    """The fields of psutil's times; Linux counts guests within user time as well."""
    return [getattr(cores, name) for name in cores._fields if not name.startswith("guest")]
