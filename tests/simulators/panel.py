"""A window like Mika Micro's on an X display: its places, laws and grey rules.

    python panel.py '{"scale": 1.5, "x": 40, "y": 30}'
    python panel.py '{"bitmaps": "folder of the plug-in's own"}'     instead of plain shapes

After IPlug's IControl.cpp and the plug-in's own layout: a knob turns by 1/256 for each point of a
drag, a fader has 73 places and jumps to the pointer, the wheel goes by hundredths and with Ctrl by
thousandths, a double click is the default, a switch goes on by one at each press; what is greyed
gets no mouse. In its corner is the menu of the study's build, with the system's file dialogues.
Ctrl+D draws the knobs at random and Ctrl+E exports a sound, as a host may. Standard library alone.
"""

from __future__ import annotations

import json
import math
import random
import struct
import sys
import tkinter
import wave
from fractions import Fraction
from pathlib import Path
from tkinter import filedialog
from typing import Any

# Left, top, kind (n frames of a switch, "knob" or "fader"), range, default, shape.
ROWS: list[tuple[int, int, int | str, float, float, float, float]] = [
    (88, 40, 6, 0, 5, 2, 1),
    (152, 40, "int", -24, 24, 0, 1),
    (216, 40, "knob", -1, 1, 0, 1),
    (280, 40, "knob", -0.025, 0.025, 0, 1),
    (88, 104, 6, 0, 5, 2, 1),
    (152, 104, "int", -24, 24, 0, 1),
    (216, 104, "knob", -1, 1, 0, 1),
    (280, 104, "knob", -0.025, 0.025, 0, 1),
    (362, 64, "fader", 0, 1, 1, 1),
    (88, 168, 3, 0, 2, 0, 1),
    (152, 168, "int", 0, 48, 0, 1),
    (216, 168, "knob", -1, 1, 0, 1),
    (88, 248, 2, 0, 1, 0, 1),
    (152, 248, "knob", 20, 8000, 8000, 1),
    (216, 248, "knob", 0, 1, 0, 1),
    (280, 248, "knob", -1, 1, 0, 1),
    (482, 92, "fader", 0.5, 1000, 0.5, 0.025),
    (514, 92, "fader", 0.5, 1000, 998, 0.025),
    (546, 92, "fader", 0, 1, 1, 1),
    (578, 92, "fader", 0.5, 1000, 925, 0.025),
    (610, 92, "fader", 0, 1, 0, 1),
    (482, 230, "fader", 0.5, 1000, 998, 0.025),
    (514, 230, "fader", 0.5, 1000, 998, 0.025),
    (546, 230, "fader", 0, 1, 0.5, 1),
    (578, 230, "fader", 0.5, 1000, 998, 0.025),
    (610, 230, "fader", 0, 1, 0, 1),
    (684, 54, "knob", -0.1, 0.1, 0, 1),
    (748, 54, "knob", 0.1, 10, 4, 2),
    (812, 54, "knob", 0.1, 1000, 0.1, 0.001),
    (684, 202, "knob", -24, 24, 0, 1),
    (684, 266, "knob", -8000, 8000, 0, 1),
    (748, 202, "knob", -24, 24, 0, 1),
    (748, 266, "knob", -8000, 8000, 0, 1),
    (812, 202, "knob", -24, 24, 0, 1),
    (812, 266, "knob", -8000, 8000, 0, 1),
    (24, 360, 3, 0, 2, 2, 1),
    (88, 360, "knob", 1, 1000, 1, 0.1),
    (152, 360, "knob", 0, 0.5, 0.25, 1),
]
NOISE = 5
WORDS = {"true": 1.0, "false": 0.0}
GREYED_ALPHA = 0.25
DOUBLE_CLICK_S, DOUBLE_CLICK_POINTS = 0.5, 4
LIGHT, RED, DARK = (232, 232, 232), (189, 21, 113), (51, 51, 51)
PLATES = (  # of the background: corners, colour
    ((0, 0, 424, 356), (77, 77, 77)),
    ((424, 0, 896, 356), (51, 51, 51)),
    ((0, 356, 436, 448), (142, 16, 85)),
    ((436, 356, 896, 448), (189, 21, 113)),
)
SWITCHES = {6: "waveforms", 3: "fm", 2: "switch"}  # by their frames
KNOBS = {0.5: "knob-middle", 1.0: "knob-right"}  # by where their default is
MENU = (
    ("Previous preset", "Next preset"),
    ("Save Program...", "Save Bank..."),
    ("Load Program...", "Load Bank..."),
    ("Dump preset...",),
    ("Save values as text only...", "Load from values as text..."),
    ("Export general param info as csv...",),
    ("Constrain parameters",),
)


class Panel:
    """What the plug-in holds, and what the mouse does to it; in points of 896 x 448."""

    def __init__(self) -> None:
        self.positions = [self._position(i, row[5]) for i, row in enumerate(ROWS)]
        self._held: int | None = None
        self._last_y = 0
        self._pressed = (-math.inf, -100, -100)

    def plain(self, index: int) -> float:
        _, _, kind, low, high, _, shape = ROWS[index]
        value = low + self.positions[index] ** shape * (high - low)
        return math.floor(value + 0.5) if kind == "int" or isinstance(kind, int) else value

    def set_plain(self, index: int, value: float) -> None:
        self.positions[index] = self._position(index, value)

    def _position(self, index: int, value: float) -> float:
        _, _, _, low, high, _, shape = ROWS[index]
        return float(((value - low) / (high - low)) ** (1 / shape))

    def live(self, index: int) -> bool:
        v = self.plain
        tonal1 = v(8) > 0 and v(0) != NOISE
        tonal2 = v(8) < 1 and v(4) != NOISE
        fm = (v(9) == 1 and tonal1) or (v(9) == 2 and tonal2)
        vibrato = v(33) != 0 or v(34) != 0 or v(26) < 0 or (v(26) > 0 and v(8) < 1)
        rules = {
            (0,): v(8) > 0,
            (1, 2): tonal1 or fm,
            (3,): tonal1,
            (4,): v(8) < 1,
            (5, 6, 7): tonal2,
            (10, 11, 29, 31, 33): fm,
            (13, 14, 15, 30, 32, 34): v(12) == 1,
            (21, 22, 23, 24, 25): v(31) != 0 or v(32) != 0,
            (27, 28): vibrato,
            (36,): v(35) != 0,
        }
        return all(holds for indices, holds in rules.items() if index in indices)

    def at(self, x: int, y: int) -> int | None:
        for index in reversed(range(len(ROWS))):
            left, top, kind = ROWS[index][:3]
            width, height = (25, 80) if kind == "fader" else (64, 64)
            if left <= x < left + width and top <= y < top + height and self.live(index):
                return index
        return None

    def press(self, x: int, y: int, now: float) -> None:
        then, old_x, old_y = self._pressed
        near = max(abs(x - old_x), abs(y - old_y)) <= DOUBLE_CLICK_POINTS
        double = now - then < DOUBLE_CLICK_S and near
        self._pressed = (-math.inf, 0, 0) if double else (now, x, y)
        self._held, self._last_y = self.at(x, y), y
        if self._held is None:
            return
        kind = ROWS[self._held][2]
        if isinstance(kind, int):
            step = self.positions[self._held] + 1 / (kind - 1)
            self.positions[self._held] = 0.0 if step > 1.001 else min(step, 1.0)
        elif double:
            self.set_plain(self._held, ROWS[self._held][5])
            self._held = None
        elif kind == "fader":
            self._jump(y)

    def drag(self, y: int, fine: bool) -> None:
        if self._held is None or isinstance(kind := ROWS[self._held][2], int):
            return
        if kind == "fader":
            self._jump(y)
        else:
            self._turn(self._held, (self._last_y - y) / 64 / (40 if fine else 4))
        self._last_y = y

    def release(self) -> None:
        self._held = None

    def wheel(self, x: int, y: int, notches: int, fine: bool) -> None:
        index = self.at(x, y)
        if index is not None and not isinstance(ROWS[index][2], int):
            self._turn(index, notches * (0.001 if fine else 0.01))

    def _jump(self, y: int) -> None:
        assert self._held is not None
        self.positions[self._held] = min(max(1 - (y - ROWS[self._held][1] - 4) / 72, 0.0), 1.0)

    def _turn(self, index: int, by: float) -> None:
        self.positions[index] = min(max(self.positions[index] + by, 0.0), 1.0)

    def as_text(self) -> str:
        return "".join(f"{self._word(i)}\n" for i in range(len(ROWS)))

    def _word(self, index: int) -> str:
        kind, value = ROWS[index][2], self.plain(index)
        if kind == 2:
            return next(word for word, meant in WORDS.items() if meant == value)
        return str(int(value)) if kind == "int" or isinstance(kind, int) else f"{value:.6f}"

    def load_text(self, text: str) -> None:
        words = text.split()
        if len(words) == len(ROWS):
            for index, word in enumerate(words):
                self.set_plain(index, WORDS[word] if word in WORDS else float(word))


class Bitmaps:
    """The plug-in's own bitmaps, magnified: frames below one another, the background a frame."""

    def __init__(self, folder: str, scale: float) -> None:
        self._folder = folder
        self._scale = Fraction(scale).limit_denominator(4)
        self._sheets: dict[tuple[str, float], tkinter.PhotoImage] = {}
        self._frames: dict[tuple[str, int, float], tkinter.PhotoImage] = {}

    def frame(self, name: str, number: int = 0, height: int = 64, alpha: float = 1.0) -> Any:
        key = name, number, alpha
        if key not in self._frames:
            sheet = self._sheet(name, alpha)
            cut = tkinter.PhotoImage()
            top, bottom = number * height, (number + 1) * height
            place = ("-from", 0, top, sheet.width(), bottom)
            cut.tk.call(cut, "copy", sheet, *place, "-zoom", self._scale.numerator)
            self._frames[key] = cut.subsample(self._scale.denominator)
        return self._frames[key]

    def _sheet(self, name: str, alpha: float) -> tkinter.PhotoImage:
        if (name, alpha) not in self._sheets:
            path = str(Path(self._folder) / f"{name}.png")
            image = tkinter.PhotoImage(file=path, format=f"png -alpha {alpha}")
            self._sheets[name, alpha] = image
        return self._sheets[name, alpha]


class Window:
    """The panel as a window; what a person does to it is told on standard input."""

    def __init__(
        self,
        scale: float = 1.0,
        x: int = 60,
        y: int = 40,
        title: str = "Mika Micro",
        bitmaps: str = "",
    ):
        self.panel, self.scale = Panel(), scale
        self.presses_elsewhere = 0
        self.events = 0
        self._stop_after: dict[str, Any] = {}
        self.root = tkinter.Tk()
        self.root.title(title)
        size = f"{round(896 * scale)}x{round(448 * scale)}"
        self.root.geometry(f"{size}+{x}+{y}")
        self.canvas = tkinter.Canvas(self.root, highlightthickness=0)
        self.canvas.pack(fill="both", expand=True)
        self.bitmaps = Bitmaps(bitmaps, scale) if bitmaps else None
        if self.bitmaps:
            self._image(0, 0, self.bitmaps.frame("bg", height=448), "plate")
        else:
            for corners, colour in PLATES:
                self._box(corners, colour, "plate")
        self._covers: list[tkinter.Toplevel] = []
        self._drawn: dict[int, tuple[float, bool]] = {}
        self._waiting = False
        self._bind()
        self._draw()
        self.root.createfilehandler(sys.stdin, tkinter.READABLE, self._told)
        self.root.update()

    # What a person may do.

    def held(self) -> list[float]:
        """Normalized values, as a host reads them."""
        return [self.panel._position(i, self.panel.plain(i)) for i in range(len(ROWS))]

    def set(self, positions: list[float]) -> None:
        self.panel.positions = [float(p) for p in positions]
        self.panel.positions = self.held()  # a host sets what counts to whole numbers
        self._draw()

    def move(self, x: int, y: int) -> None:
        self.root.geometry(f"+{x}+{y}")
        self.root.update()

    def move_at_event(self, event: int, x: int, y: int) -> None:
        """Move once so many events have come."""
        self._stop_after = {"event": self.events + event, "x": x, "y": y}

    def cover(self, x: int, y: int, width: int, height: int, on_top: bool) -> None:
        """Put another window over it, one that stays on top if it is told so."""
        other = tkinter.Toplevel(self.root, background="white")
        other.overrideredirect(True)
        other.geometry(f"{width}x{height}+{x}+{y}")
        other.bind("<ButtonPress>", self._elsewhere)
        if on_top:
            other.bind("<Visibility>", lambda _event: other.lift())
        self._covers.append(other)
        self.root.update()

    def uncover(self) -> None:
        for other in self._covers:
            other.destroy()
        self._covers.clear()
        self.root.update()

    def elsewhere(self) -> int:
        return self.presses_elsewhere

    def seen_events(self) -> int:
        return self.events

    # The loop.

    def run(self) -> None:
        self._say(self.root.winfo_id())
        self.root.mainloop()

    def _told(self, _file: Any, _mask: int) -> None:
        line = sys.stdin.readline()
        if not line:
            self.root.destroy()
            return
        self.root.update()  # a busy machine may have left some of the mouse's doings for later
        what, *arguments = json.loads(line)
        self._say(getattr(self, what)(*arguments))

    @staticmethod
    def _say(what: Any) -> None:
        print(json.dumps(what), flush=True)

    def _elsewhere(self, _event: Any) -> None:
        self.presses_elsewhere += 1

    # The mouse.

    def _bind(self) -> None:
        self.canvas.bind("<ButtonPress>", self._press)
        self.canvas.bind("<ButtonRelease-1>", lambda _event: self.panel.release())
        self.canvas.bind("<B1-Motion>", self._drag)
        self.root.bind("<Control-d>", self._randomise)
        self.root.bind("<Control-e>", self._export)

    def _press(self, event: Any) -> None:
        x, y = self._point(event)
        if event.num in (4, 5):
            self.panel.wheel(x, y, 1 if event.num == 4 else -1, bool(event.state & 5))
        elif 0 <= x < 100 and 0 <= y < 25:
            self._menu(event)
        else:
            self.canvas.focus_force()
            self.panel.press(x, y, event.time / 1000)
        self._changed()

    def _drag(self, event: Any) -> None:
        self.panel.drag(self._point(event)[1], bool(event.state & 5))
        self._changed()

    def _point(self, event: Any) -> tuple[int, int]:
        return int(event.x / self.scale), int(event.y / self.scale)

    def _changed(self) -> None:
        self.events += 1
        if self._stop_after and self.events >= self._stop_after["event"]:
            self.root.geometry(f"+{self._stop_after['x']}+{self._stop_after['y']}")
            self._stop_after = {}
        if not self._waiting:
            self._waiting = True
            self.root.after_idle(self._draw)

    # The menu, and what a host may do.

    def _menu(self, event: Any) -> None:
        menu = tkinter.Menu(self.root, tearoff=False)
        commands = {MENU[4][0]: self._save_text, MENU[4][1]: self._load_text}
        for number, group in enumerate(MENU):
            if number:
                menu.add_separator()
            for label in group:
                menu.add_command(label=label, command=commands.get(label, lambda: None))
        menu.tk_popup(event.x_root, event.y_root)

    def _save_text(self) -> None:
        if path := filedialog.asksaveasfilename(parent=self.root):
            Path(path).write_text(self.panel.as_text())

    def _load_text(self) -> None:
        if path := filedialog.askopenfilename(parent=self.root):
            self.panel.load_text(Path(path).read_text())
            self._draw()

    def _randomise(self, _event: Any) -> None:
        self.panel.positions = [random.random() for _ in ROWS]
        self._draw()

    def _export(self, _event: Any) -> None:
        if path := filedialog.asksaveasfilename(parent=self.root):
            with wave.open(path, "wb") as file:
                file.setnchannels(1)
                file.setsampwidth(2)
                file.setframerate(44100)
                samples = [round(9e3 * math.sin(0.05 * n)) for n in range(4410)]
                file.writeframes(struct.pack("<4410h", *samples))

    # The picture.

    def _draw(self) -> None:
        self._waiting = False
        for index in range(len(ROWS)):
            looks = (self.panel.positions[index], self.panel.live(index))
            if self._drawn.get(index) != looks:
                self._drawn[index] = looks
                self.canvas.delete(f"control{index}")
                if self.bitmaps:
                    self._photographed(index, self.bitmaps, *looks)
                else:
                    self._control(index, *looks)

    def _photographed(self, index: int, bitmaps: Bitmaps, position: float, live: bool) -> None:
        """As IPlug draws it: of what is greyed a quarter."""
        left, top, kind, low, high, default, _ = ROWS[index]
        alpha, tag = 1.0 if live else GREYED_ALPHA, f"control{index}"
        if kind == "fader":
            down = round((1 - position) * 72)
            self._image(left + 4, top - 4, bitmaps.frame("sliderbg", 0, 88, alpha), tag)
            self._image(left, top + down, bitmaps.frame("slider", 0, 8, alpha), tag)
            return
        if isinstance(kind, int):
            name, last = SWITCHES[kind], kind - 1
        else:
            name, last = KNOBS.get((default - low) / (high - low), "knob-left"), 99
        frame = int(0.5 + position * last)
        self._image(left, top, bitmaps.frame(name, frame, alpha=alpha), tag)

    def _image(self, left: float, top: float, image: Any, tag: str) -> None:
        place = round(self.scale * left), round(self.scale * top)
        self.canvas.create_image(*place, image=image, anchor="nw", tags=tag)

    def _control(self, index: int, position: float, live: bool) -> None:
        left, top, kind = ROWS[index][:3]
        plate = next(colour for c, colour in PLATES if c[0] <= left < c[2] and c[1] <= top < c[3])
        alpha = 1.0 if live else GREYED_ALPHA

        def box(x: float, y: float, width: float, height: float, colour: Any) -> None:
            blend = tuple(alpha * c + (1 - alpha) * p for c, p in zip(colour, plate, strict=True))
            corners = (left + x, top + y, left + x + width, top + y + height)
            self._box(corners, blend, f"control{index}")

        if kind == "fader":
            box(4, 0, 17, 80, LIGHT)
            box(0, round((1 - position) * 72), 25, 8, RED)
        elif isinstance(kind, int):
            box(12, 12, 40, 40, LIGHT)
            box(16, 16, 32, 32, DARK)
            for dot in range(round(position * (kind - 1))):
                box(18 + 10 * (dot % 3), 20 + 12 * (dot // 3), 7, 7, RED)
        else:
            angle = math.radians(225 - 270 * round(position * 99) / 99)
            box(12, 12, 40, 40, LIGHT)
            box(30 + 14 * math.cos(angle), 30 - 14 * math.sin(angle), 5, 5, RED)

    def _box(self, corners: Any, colour: Any, tag: str) -> None:
        scaled = [round(self.scale * corner) for corner in corners]
        fill = "#" + "".join(f"{round(c):02x}" for c in colour)
        self.canvas.create_rectangle(*scaled, fill=fill, width=0, tags=tag)


if __name__ == "__main__":
    Window(**json.loads(sys.argv[1]) if len(sys.argv) > 1 else {}).run()
