"""The picture's colours: the panel's own greys and magenta, and one colour for each sound."""

from __future__ import annotations

FACE = "#1f1f22"
PANEL_FACE = "#303034"
BAND = "#8e1457"
INK = "#eeeef0"
DIM = "#a2a2a8"
FAINT = "#5c5c63"
TRACK = "#4b4b52"
ACCENT = "#ff4fa7"

TARGET_COLOUR = "#5cc8ff"
MATCH_COLOUR = ACCENT
COLOUR_MAP = "magma"
