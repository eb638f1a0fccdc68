"""A word on the desktop, where the system has a place for it; never anything to wait for."""

from __future__ import annotations

import html
import os
import shutil
import subprocess
import sys
import time
from typing import Final

TITLE: Final = "Antithesis"
APART_S: Final = 5.0
"""So often at most; what comes sooner is in the log alone."""

_WORDS: Final = "ANTITHESIS_NOTICE"
_APPLE: Final = (
    "on run words",
    "display notification (item 2 of words) with title (item 1 of words)",
)
_TOAST: Final = f"""
[void][Windows.UI.Notifications.ToastNotificationManager,Windows.UI,ContentType=WindowsRuntime]
$manager = [Windows.UI.Notifications.ToastNotificationManager]
$kind = [Windows.UI.Notifications.ToastTemplateType]::ToastText02
$toast = $manager::GetTemplateContent($kind)
$texts = $toast.GetElementsByTagName('text')
$texts.Item(0).AppendChild($toast.CreateTextNode('{TITLE}')) | Out-Null
$texts.Item(1).AppendChild($toast.CreateTextNode($env:{_WORDS})) | Out-Null
$shown = [Windows.UI.Notifications.ToastNotification]::new($toast)
$manager::CreateToastNotifier('{TITLE}').Show($shown)
"""


def command(text: str) -> list[str] | None:
    """The words that show `text`; None where this system has no program for it."""
    if sys.platform == "darwin":
        lines = [word for line in _APPLE for word in ("-e", line)]
        return ["osascript", *lines, TITLE, text]
    if sys.platform == "win32":
        return ["powershell", "-NoProfile", "-NonInteractive", "-Command", _TOAST]
    if shutil.which("notify-send") is None:
        return None
    # A file's name may hold what a notification server takes for markup.
    return ["notify-send", f"--app-name={TITLE}", "--", TITLE, html.escape(text)]


class Notices:
    """Shows notices, one at a time and not too often."""

    def __init__(self) -> None:
        self._shown_at = -APART_S
        self._showing: subprocess.Popen[bytes] | None = None

    def show(self, text: str) -> None:
        """Show `text`, or leave it; comes back at once."""
        now = time.monotonic()
        showing = self._showing is not None and self._showing.poll() is None
        words = command(text)
        if words is None or showing or now - self._shown_at < APART_S:
            return
        self._shown_at = now
        try:
            self._showing = subprocess.Popen(
                words,
                env=os.environ | {_WORDS: text},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
        except OSError:  # the program is there and does not start: the log has the words
            self._showing = None
