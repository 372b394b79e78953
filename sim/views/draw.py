"""A picture on paper: matplotlib, and nothing that differs between two runs of the same history."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from typing import Any

from matplotlib import rc_context, rcdefaults
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ..history import History
from .layout import layout
from .paint_entries import draw_blocks
from .paint_lanes import draw_claims, draw_lanes, draw_said
from .paint_servers import draw_servers
from .palette import CURSOR, FAINT, GOOD, INK, LIGHT, PAPER, SOFT, TROUBLE, Theme
from .picture import Picture
from .sheet import LEVEL_UP_IN, SMALL, TOLD_SIZE, WIDTH_IN, Sheet, width_of, wrapped
from .sheet import LINE_IN as TOLD_IN
from .words import roughly

SETTINGS: Any = {
    "font.family": "DejaVu Sans",  # it comes with matplotlib, so the picture does not depend on the machine
    "svg.hashsalt": "redelivery",
    "svg.fonttype": "path",
    "pdf.fonttype": 42,
    "hatch.linewidth": 0.7,
    "path.simplify": False,
}
METADATA: dict[str, dict[str, Any]] = {
    "svg": {"Date": None, "Creator": "Redelivery"},
    "pdf": {"CreationDate": None, "Creator": "Redelivery", "Producer": None},
    "png": {"Software": "Redelivery"},
}
"""Neither dates nor versions: the same history gives the same file."""
DOTS_PER_INCH = 160
LINE_IN = 0.175
VERDICT_SIZE = 8.5
REPLAY_LINES_MAX = 3
MONOSPACE = "DejaVu Sans Mono"


def render(history: History, form: str, theme: Theme = LIGHT) -> bytes:
    """The picture as the bytes of an svg, png or pdf file. No date is in them."""
    with house_style():
        out = BytesIO()
        page = paint(history, theme)
        page.savefig(out, format=form, dpi=DOTS_PER_INCH, metadata=METADATA.get(form, {}), facecolor=theme.paper)
    return out.getvalue()


def paint(history: History, theme: Theme = LIGHT) -> Figure:
    """The picture as a figure."""
    with house_style():
        page = Figure(figsize=(WIDTH_IN, 1), facecolor=theme.paper)
        axes = page.add_axes((0.0, 0.0, 1.0, 1.0))
        page.set_size_inches(WIDTH_IN, draw_on(axes, layout(history), theme))
    return page


def draw_on(axes: Axes, picture: Picture, theme: Theme) -> float:
    """Draws on axes as wide as the paper, one inch of theirs for one of the paper; returns how high they have to be."""
    axes.axis("off")
    sheet = Sheet(axes, picture, theme)
    _heading(sheet, picture)
    _scale(sheet, picture)
    _lines(sheet)
    draw_lanes(sheet)
    draw_servers(sheet)
    draw_blocks(sheet)
    draw_claims(sheet)
    draw_said(sheet)
    # Only now is it known how much there was to explain.
    height = _footer(sheet, picture, _legend(sheet))
    axes.set_xlim(0, WIDTH_IN)
    axes.set_ylim(height, 0)
    return height


@contextmanager
def house_style() -> Iterator[None]:
    """Matplotlib as it comes, whatever the user's own settings are, with ours on top."""
    with rc_context(), warnings.catch_warnings():
        # A name in a script that DejaVu Sans does not have is drawn as boxes: no reason for alarm.
        warnings.filterwarnings("ignore", message="Glyph .* missing")
        rcdefaults()
        with rc_context(SETTINGS):
            yield


def _heading(sheet: Sheet, picture: Picture) -> None:
    sheet.text(sheet.edge, 0.28, picture.title, size=14, weight="bold")
    colour = TROUBLE if picture.bad else GOOD
    sign = "✗ " if picture.bad else "✓ "
    if picture.badge:
        room = sheet.right_edge - sheet.edge - width_of(picture.title, 14, "bold") - 0.4
        size = 10 if width_of(sign + picture.badge, 10, "bold") <= room else SMALL
        sheet.text(sheet.right_edge, 0.28, sign + picture.badge, size=size, weight="bold", color=colour, ha="right")
    sheet.text(sheet.edge, 0.54, picture.summary, size=9)
    y = 0.54
    for line in sheet.told():
        y += TOLD_IN
        sheet.text(sheet.edge, y, line, size=TOLD_SIZE, weight="bold", color=TROUBLE)
    sheet.text(sheet.edge, y + TOLD_IN, picture.subtitle, size=SMALL, color=SOFT)


def _scale(sheet: Sheet, picture: Picture) -> None:
    """The axis of time, with its breaks."""
    top, bottom = sheet.top, sheet.bottom
    for at_ms, label in picture.axis.ticks():
        x = sheet.x(at_ms)
        sheet.line([(x, top), (x, bottom)], color=FAINT, width=0.5, z=0.5)
        sheet.text(x, bottom + 0.13, label, color=SOFT, ha="center")
    sheet.text(sheet.left - 0.26, bottom + 0.13, _unit(picture), color=SOFT, ha="right")
    for piece in picture.axis.breaks:
        middle = (sheet.x(piece.begin_ms) + sheet.x(piece.end_ms)) / 2
        sheet.box(middle - 0.045, top - 0.02, 0.09, bottom - top + 0.06, PAPER, z=6)
        teeth = max(round((bottom - top) / 0.09), 2)
        for side in (-0.045, 0.045):
            zigzag = [
                (middle + side + 0.018 * (-1) ** n, top + (bottom + 0.04 - top) * n / teeth) for n in range(teeth + 1)
            ]
            sheet.line(zigzag, color=SOFT, width=0.5, z=6.1)
        sheet.explain("time cut short", lambda x, y: _sample_break(sheet, x, y))
    _say_lengths(sheet, picture)


def _unit(picture: Picture) -> str:
    return "steps" if picture.axis.counts_steps else f"time, {picture.axis.unit}"


def _say_lengths(sheet: Sheet, picture: Picture) -> None:
    """How long the shortened stretches are, below the labels of the axis and as far as there is room."""
    free = 0.0
    for piece in picture.axis.breaks:
        middle = (sheet.x(piece.begin_ms) + sheet.x(piece.end_ms)) / 2
        length = roughly(piece.end_ms - piece.begin_ms)
        for told in (f"{length} pass", length):
            half = width_of(told, SMALL) / 2
            if middle - half > free:
                sheet.text(middle, sheet.bottom + 0.28, told, size=SMALL, color=SOFT, ha="center", style="italic")
                free = middle + half + 0.04
                break


def _sample_break(sheet: Sheet, x: float, y: float) -> None:
    for side in (0.08, 0.17):
        sheet.line([(x + side + 0.018 * (-1) ** n, y - 0.08 + 0.04 * n) for n in range(5)], width=0.5)


def _lines(sheet: Sheet) -> None:
    """Moments that concern the whole world, named above the lanes."""
    for line, begin, level in sheet.headlines:
        x, bad = sheet.x(line.at_ms), line.kind == "violated"
        y = sheet.top - 0.11 - LEVEL_UP_IN * level
        ends = [(x, y + 0.08), (x, sheet.bottom)]
        if bad:
            sheet.line(ends, color=TROUBLE, width=1.6, dashes=(4, 2), z=4.5, alpha=0.85)
            sheet.text(begin, y, line.text, color=TROUBLE, weight="bold", boxed=True)
        elif line.kind == "parts":
            sheet.line(ends, color=CURSOR, width=2.2, z=4.4, alpha=0.9)
            sheet.text(begin, y, line.text, color=CURSOR, weight="bold", boxed=True)
        else:
            sheet.line(ends, color=SOFT, width=0.9, dashes=(1, 2), z=1)
            sheet.text(begin, y, line.text, color=SOFT, boxed=True)


def _legend(sheet: Sheet) -> float:
    """What was drawn and is not labelled where it stands; returns where it ends."""
    y = sheet.bottom + (0.55 if sheet.picture.axis.breaks else 0.42)
    x = sheet.edge
    for sample, text in sheet.legend:
        width = 0.36 + width_of(text, SMALL)
        if x + width > sheet.right_edge:
            x, y = sheet.edge, y + 0.2
        sample(x, y)
        sheet.text(x + 0.36, y, text, size=SMALL, color=SOFT)
        x += width + 0.22
    return y if sheet.legend else sheet.bottom + 0.25


def _footer(sheet: Sheet, picture: Picture, y: float) -> float:
    """The verdict in words, what is not shown, the command that runs it again; returns the height."""
    room = sheet.right_edge - sheet.edge
    y += 0.22
    sheet.line([(sheet.edge, y), (sheet.right_edge, y)], color=FAINT, width=0.8)
    y += 0.2
    for n, sentence in enumerate(picture.verdict):
        first, _, rest = sentence.partition(". ") if n == 0 else ("", "", sentence)
        if first:
            first += "." if rest else ""
            colour = TROUBLE if picture.bad else INK
            sheet.text(sheet.edge, y, first, size=VERDICT_SIZE + 0.5, weight="bold", color=colour)
            y += LINE_IN + 0.01
        for line in wrapped(rest, room, VERDICT_SIZE):
            sheet.text(sheet.edge, y, line, size=VERDICT_SIZE, color=INK)
            y += LINE_IN
    if picture.left_out:
        y += 0.04
        for line in wrapped(f"Not shown in full: {'; '.join(picture.left_out)}.", room, SMALL):
            sheet.text(sheet.edge, y, line, size=SMALL, color=SOFT, style="italic")
            y += 0.15
    for line in _replay(picture.replay, room):
        y += 0.02
        sheet.text(sheet.right_edge, y + 0.04, line, size=SMALL - 0.5, color=SOFT, ha="right", family=MONOSPACE)
        y += 0.13
    return y + 0.1


def _replay(command: str, room: float) -> list[str]:
    """The command in as many lines as it takes, or where to find it if it takes too many."""
    per_line = int(room / width_of("0" * 100, SMALL - 0.5, family=MONOSPACE) * 100)
    lines = [command[n : n + per_line] for n in range(0, len(command), per_line)]
    if len(lines) > REPLAY_LINES_MAX:
        return [f"redelivery replay TAPE; the tape has {len(command):,} characters: see the history's header"]
    return lines
