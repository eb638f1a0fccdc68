"""The built-in synth as a process of its own."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Self

_PROGRAM = """
import json, sys
from pathlib import Path
from daemon.synthserver import run_synth
wav, settings = Path(sys.argv[1]) if sys.argv[1] else None, json.loads(sys.argv[2])
run_synth(osc_port=0, wav=wav, **settings)
"""


class SynthProcess:
    """Runs while it is entered; `said` is its first line, `port` what it listens on."""

    def __init__(self, wav: Path | None, **settings: str) -> None:
        self._words = (str(wav or ""), json.dumps(settings))

    def __enter__(self) -> Self:
        self.process = subprocess.Popen(
            [sys.executable, "-c", _PROGRAM, *self._words],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        assert self.process.stdout is not None
        self.said = self.process.stdout.readline()
        found = re.search(r"UDP 127\.0\.0\.1:(\d+)", self.said)
        assert found, f"the synth did not start: {self.said!r}"
        self.port = int(found.group(1))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.process.kill()
        self.process.communicate()

    def end(self, number: signal.Signals) -> int:
        """Exit status after a signal."""
        self.process.send_signal(number)
        return self.process.wait(20)
