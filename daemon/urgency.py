"""What keeps sound from stuttering: a thread that goes first, and no sudden tidying up."""

from __future__ import annotations

import gc
import os
import sys
from contextlib import suppress
from typing import Final

_PRIORITY: Final = 10  # of 1 to 99; a JACK server has its own threads at 10 and above


def hurry() -> None:
    """Let the calling thread go before all others, where the system grants that to this user.

    Linux grants it to root and to who has `rtprio` in limits.conf, as audio users do. Elsewhere
    nobody is asked, and nothing changes.
    """
    if sys.platform == "linux":
        with suppress(OSError):
            os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(_PRIORITY))


def tidy_up() -> None:
    """Collect the start's garbage, and never look at what is left of the start again."""
    gc.collect()
    gc.freeze()
