"""A picture on paper: matplotlib, and nothing that differs between two runs of the same history."""

from __future__ import annotations

from io import BytesIO
from textwrap import wrap
from typing import Any

from matplotlib import rc_context
from matplotlib.figure import Figure

from ..history import History
from .layout import layout
from .paint_entries import draw_blocks
from .paint_lanes import draw_claims, draw_lanes
from .palette import FAINT, GOOD, INK, PAPER, SOFT, TROUBLE
from .picture import Picture
from .sheet import VERDICT_LINE_IN, Sheet, heights
from .words import duration

SETTINGS: Any = {
    "font.family": "DejaVu Sans",  # it comes with matplotlib, so the picture does not depend on the machine
    "svg.hashsalt": "redelivery",
    "svg.fonttype": "path",
    "pdf.fonttype": 42,
    "hatch.linewidth": 0.7,
    "path.simplify": False,
}
WIDTH_IN = 12.0
VERDICT_CHARACTERS = 140


def render(history: History, form: str) -> bytes:
    """The picture as the bytes of an svg, png or pdf file. No date is in them."""
    metadata: Any = None
    if form == "svg":
        metadata = {"Date": None, "Creator": "redelivery"}
    elif form == "pdf":
        metadata = {"CreationDate": None}
    with rc_context(SETTINGS):
        page = paint(history)
        out = BytesIO()
        page.savefig(out, format=form, dpi=150, metadata=metadata, facecolor=PAPER)
    return out.getvalue()


def paint(history: History) -> Figure:
    """The picture as a figure."""
    picture = layout(history)
    verdict = [line for text in picture.verdict for line in wrap(text, VERDICT_CHARACTERS) or [""]]
    if picture.left_out:
        verdict += wrap(f"Not shown: {'; '.join(picture.left_out)}.", VERDICT_CHARACTERS)
    places = heights(picture, len(verdict))
    with rc_context(SETTINGS):
        page = Figure(figsize=(WIDTH_IN, places.total))
        axes = page.add_axes((0.0, 0.0, 1.0, 1.0))
        axes.set_xlim(0, WIDTH_IN)
        axes.set_ylim(places.total, 0)
        axes.axis("off")
        sheet = Sheet(axes, picture, places)
        _heading(sheet, picture)
        _time(sheet, picture)
        draw_lanes(sheet)
        draw_blocks(sheet)
        draw_claims(sheet)
        _footer(sheet, picture, verdict)
    return page


def _heading(sheet: Sheet, picture: Picture) -> None:
    sheet.text(sheet.edge, 0.30, picture.title, size=15, weight="bold")
    sheet.text(
        sheet.right_edge,
        0.30,
        picture.badge,
        size=10,
        weight="bold",
        color=TROUBLE if picture.bad else GOOD,
        ha="right",
    )
    sheet.text(sheet.edge, 0.56, picture.summary, size=9.5)
    sheet.text(sheet.edge, 0.78, picture.subtitle, size=8, color=SOFT)


def _time(sheet: Sheet, picture: Picture) -> None:
    top, bottom = sheet.places.top, sheet.places.bottom
    for at_ms, label in picture.axis.ticks():
        x = sheet.x(at_ms)
        sheet.line([(x, top), (x, bottom)], color=FAINT, width=0.6, z=0.5)
        sheet.text(x, bottom + 0.16, label, size=8, color=SOFT, ha="center")
    sheet.text(sheet.left - 0.12, bottom + 0.16, f"time in {picture.axis.unit}", size=8, color=SOFT, ha="right")
    for piece in picture.axis.breaks:
        left, right = sheet.x(piece.begin_ms), sheet.x(piece.end_ms)
        middle = (left + right) / 2
        sheet.box(middle - 0.05, top - 0.02, 0.10, bottom - top + 0.04, PAPER, z=6)
        for side in (-0.05, 0.05):
            zigzag = [(middle + side + 0.02 * (-1) ** i, top + (bottom - top) * i / 40) for i in range(41)]
            sheet.line(zigzag, color=SOFT, width=0.5, z=6.1)
        sheet.text(middle, top - 0.10, duration(piece.end_ms - piece.begin_ms), size=6.5, color=SOFT, ha="center")
    for mark in picture.lines:
        x = sheet.x(mark.at_ms)
        bad = mark.kind == "violated"
        sheet.line([(x, top), (x, bottom)], color=TROUBLE if bad else SOFT, width=1.4 if bad else 1.0, style="--", z=5)
        align = "right" if x > sheet.right - 1.2 else "left"
        shift = -0.05 if align == "right" else 0.05
        sheet.text(x + shift, bottom + 0.34, mark.text, size=7.5, color=TROUBLE if bad else SOFT, ha=align)


def _footer(sheet: Sheet, picture: Picture, verdict: list[str]) -> None:
    y = sheet.places.bottom + 0.66
    x = sheet.edge
    for draw_sample, text in sheet.legend:
        width = 0.38 + 0.062 * len(text) + 0.2
        if x + width > sheet.right_edge:
            x, y = sheet.edge, y + 0.22
        draw_sample(x, y)
        sheet.text(x + 0.38, y, text, size=7.5, color=SOFT)
        x += width
    y = sheet.places.total - VERDICT_LINE_IN * len(verdict) - 0.22
    for i, line in enumerate(verdict):
        sheet.text(sheet.edge, y, line, size=8.5, weight="bold" if i == 0 else "normal", color=INK)
        y += VERDICT_LINE_IN
    sheet.text(
        sheet.right_edge,
        sheet.places.total - 0.14,
        picture.replay,
        size=6.5,
        color=SOFT,
        ha="right",
        family="DejaVu Sans Mono",
    )
