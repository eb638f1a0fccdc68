"""The configured routes, and what they remember."""

from __future__ import annotations

from typing import Final

from daemon.config import AUTO, Config, host_rows, manner
from daemon.senders import History, Router, open_sender

BEFORE: Final = "before.json"


def open_router(config: Config) -> Router:
    """Routes to the configured hosts, to be entered; their history is beside the journal."""
    brought = manner(config)
    senders = [open_sender(row, brought) for row in host_rows(config)]
    history = History(config.state.folder / BEFORE)
    return Router(senders, history, hopeful=config.host.route == AUTO)
