"""The symbols of faults: a crash is a cross, a pause two bars, a set clock a bent arrow, a failover two arrows."""

from __future__ import annotations

from .palette import PAPER, TROUBLE
from .picture import Mark, Sign
from .sheet import Sheet

_MARKERS = {Sign.FAILED: "x", Sign.TIMED_OUT: "v", Sign.CANCELLED: "d", Sign.RESUMED: ">"}
TROUBLES = frozenset((Sign.PAUSED, Sign.DISCONNECTED, *_MARKERS))
"""What befalls a process that goes on."""


def draw_crash(sheet: Sheet, x: float, y: float) -> None:
    """The end of a process, or of a server."""
    sheet.mark(x, y, "X", color=PAPER, fill=TROUBLE, size=11, z=6, edge_width=0.7)


def draw_trouble(sheet: Sheet, x: float, y: float, mark: Mark) -> None:
    """A pause as two bars, broken connections as a bolt, everything else as a small mark."""
    if mark.sign is Sign.PAUSED:
        for at in (x - 0.03, x + 0.03):
            sheet.line([(at, y - 0.09), (at, y + 0.09)], color=TROUBLE, width=2.4, z=6)
    elif mark.sign is Sign.DISCONNECTED:
        draw_letter(sheet, x, y, "⚡")
    else:
        sheet.mark(x, y, _MARKERS[mark.sign], color=TROUBLE, fill=PAPER, size=6.5, z=6, edge_width=1.6)


def draw_letter(sheet: Sheet, x: float, y: float, letter: str) -> None:
    """A fault whose symbol is a letter."""
    sheet.text(x, y, letter, size=13, color=TROUBLE, ha="center", weight="bold", boxed=True)


def draw_jump(sheet: Sheet, x: float, y: float, by: str) -> None:
    """A clock that was set, and by how much."""
    draw_letter(sheet, x, y, "↷")
    places = [(x + 0.13, y + 0.14, "left"), (x + 0.13, y - 0.14, "left"), (x - 0.13, y + 0.14, "right")]
    sheet.label(f"clock {by}", places, color=TROUBLE)
