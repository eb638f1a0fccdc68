"""By mouse, on the plug-in's own panel: where a host takes nothing else."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from contextlib import ExitStack, nullcontext
from types import TracebackType
from typing import TYPE_CHECKING, Self

from antithesis.errors import SendError
from antithesis.parameters import N_PARAMETERS
from antithesis.preset import Preset
from daemon.hosts import MouseLink
from daemon.mouse.menu import TextMenu
from daemon.mouse.order import steps
from daemon.mouse.places import Place, Shown, find_place, look_again
from daemon.mouse.pointer import Hand
from daemon.mouse.screens import open_screen
from daemon.mouse.sight import Eyes
from daemon.mouse.turning import Method
from daemon.mouse.working import Panel

if TYPE_CHECKING:
    from daemon.mouse.windows import MessageHand


class MouseRoute:
    """Sets the panel's controls, or has the plug-in load a text; looks without touching anything.

    Until something was written nothing is read back: that would take the pointer. After that, the
    switches are told by their looks, and with the method `text` everything, as it is saved.
    """

    def __init__(self, link: MouseLink) -> None:
        self._link = link
        self._eyes = Eyes()
        self._found: Place | None = None
        self._panel: Panel | None = None
        self._known: dict[int, float] = {}
        self._unread = False
        self._open = ExitStack()

    def __enter__(self) -> Self:
        with ExitStack() as opening:
            self._screen = opening.enter_context(open_screen())
            self._hand = Hand(self._screen, self._place, self._link.countdown_s)
            self._open = opening.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._found = self._panel = None
        self._open.close()

    def find(self) -> str:
        """Find the panel; what was learned of another one is forgotten."""
        found = find_place(self._screen, self._eyes, Shown(self._link.title, self._link.panel))
        same = self._found and (found.window.id, found.panel) == (
            self._found.window.id,
            self._found.panel,
        )
        self._found = found
        if not same:
            self._panel, self._known = None, {}
        return f"in the window {found.window.title!r}, {found.scale:.3g} times its size"

    def write(self, values: Mapping[int, float]) -> None:
        """Bring the panel to `values`.

        Raises:
            SendError: the user took the pointer back, something covers the panel, or a control
                does not follow; nothing more is done then.
        """
        if self._link.method is Method.TEXT:
            self._load(values)
        else:
            self._work(values)
        self._known.update(values)
        self._unread = True

    def read(self) -> Mapping[int, float]:
        """What can be seen, or what the plug-in saves after it was written to."""
        if self._link.method is not Method.TEXT:
            return self._panel.seen() if self._panel else {}
        if self._unread:
            self._known = self._saved()
            self._unread = False
        return dict(self._known)

    def _work(self, values: Mapping[int, float]) -> None:
        messages = _message_hand(self)
        with nullcontext() if messages else self._hand.taken():
            self._panel = self._panel or Panel(
                messages or self._hand,
                self._eyes,
                self._place,
                self._link.method,
                double_clicks=bool(messages) or self._hand.double_clicks,
            )
            for index, value in steps(values, self._known):
                self._panel.set(index, value)

    def _load(self, values: Mapping[int, float]) -> None:
        if len({**self._known, **values}) < N_PARAMETERS:  # some are to be left as they are
            self._known = self._saved()
        whole = {**self._known, **values}
        with self._hand.taken():
            self._menu().load(Preset.from_normalized([whole[i] for i in range(N_PARAMETERS)]))

    def _saved(self) -> dict[int, float]:
        with self._hand.taken():
            saved = self._menu().saved()
        return dict(enumerate(map(float, saved.normalized)))

    def _menu(self) -> TextMenu:
        return TextMenu(self._hand, self._screen, self._link.settle_s)

    def _place(self) -> Place:
        if self._found is None:
            raise SendError("Mika Micro's window was not looked for")
        return look_again(self._screen, self._found)


def _message_hand(route: MouseRoute) -> MessageHand | None:
    """A hand that needs no pointer, where the system and the window have one."""
    if sys.platform != "win32":
        return None
    from daemon.mouse.windows import MessageHand, takes_messages

    return MessageHand(route._place) if takes_messages(route._place().window) else None
