"""Drawing processes, the server's commands, and entries that change hands between processes."""

from __future__ import annotations

from .palette import FAINT, INK, SOFT, STRIPE, TROUBLE, tint
from .picture import Claim, Lane, Sign
from .sheet import LANE_IN, LEVEL_IN, Sheet
from .words import listed, short

WORK_IN = 0.20


def lane_middle(sheet: Sheet, name: str) -> float:
    """The middle line of a process's first level."""
    return sheet.places.lanes[name] + LANE_IN / 2


def draw_lanes(sheet: Sheet) -> None:
    """One lane a process, and one for the server."""
    for i, lane in enumerate(sheet.picture.lanes):
        _draw_lane(sheet, lane, striped=i % 2 == 0)
    y = sheet.places.server + 0.15
    sheet.text(sheet.left - 0.12, y, "Redis", size=8.5, weight="bold", ha="right")
    sheet.line([(sheet.left, y), (sheet.right, y)], color=SOFT, width=0.8, z=1)
    for command in sheet.picture.commands:
        colour = sheet.colours.get(command.process, SOFT)
        x = sheet.x(command.at_ms)
        sheet.line([(x, y - 0.07), (x, y + 0.07)], color=TROUBLE if command.failed else colour, width=1.4, z=3)
    for mark in sheet.picture.server_marks:
        sheet.mark(sheet.x(mark.at_ms), y, "D", color=TROUBLE)
        sheet.text(sheet.x(mark.at_ms) + 0.08, y - 0.12, mark.text, size=7, color=TROUBLE)
    if sheet.picture.commands:
        sheet.explain(
            "a command takes effect",
            lambda x, y: sheet.line([(x + 0.16, y - 0.07), (x + 0.16, y + 0.07)], color=SOFT, width=1.4),
        )


def _draw_lane(sheet: Sheet, lane: Lane, *, striped: bool) -> None:
    colour = sheet.colours[lane.name]
    top = sheet.places.lanes[lane.name]
    y = top + LANE_IN / 2
    if striped:
        sheet.box(sheet.edge, top, sheet.right_edge - sheet.edge, LANE_IN + (lane.levels - 1) * LEVEL_IN, STRIPE, z=0.1)
    sheet.box(sheet.edge, y - 0.09, 0.10, 0.18, colour, z=2)
    sheet.text(sheet.left - 0.12, y, lane.name, size=9.5, weight="bold", ha="right")
    for life in lane.lives:
        left, right = sheet.x(life.begin_ms), sheet.x(life.end_ms)
        if life.running:
            sheet.line([(left, y), (right, y)], color=tint(colour, 0.55), width=2.2, z=1.5)
            if life.consumer != lane.name:
                sheet.text(left + 0.08, y - 0.145, f"as {life.consumer}", size=7, color=SOFT)
        else:
            sheet.line([(left, y), (right, y)], color=TROUBLE, width=1.2, style=":", z=1.5)
            sheet.explain(
                "not running", lambda x, y: sheet.line([(x, y), (x + 0.3, y)], color=TROUBLE, width=1.2, style=":")
            )
    for work in lane.works:
        left, right = sheet.x(work.begin_ms), sheet.x(work.end_ms)
        middle = y + work.level * LEVEL_IN
        width = max(right - left, 0.03)
        sheet.box(left, middle - WORK_IN / 2, width, WORK_IN, colour, edge=INK, z=3, line=0.6)
        if width > 0.075 * len(work.entry) + 0.03:  # near its begin: a break may run through the middle
            sheet.text(
                left + min(width / 2, 0.2), middle, work.entry, size=8, color="white", ha="center", weight="bold"
            )
        sheet.explain("handling an entry", lambda x, y: sheet.box(x, y - 0.07, 0.3, 0.14, SOFT, edge=INK, line=0.6))
    for mark in lane.marks:
        _draw_mark(sheet, sheet.x(mark.at_ms), y, mark.sign, mark.text, colour)


def _draw_mark(sheet: Sheet, x: float, y: float, sign: Sign, text: str, colour: str) -> None:
    if sign is Sign.CRASHED:
        sheet.mark(x, y, "X", color=TROUBLE, size=12, z=6)
        sheet.text(x + 0.11, y - 0.125, short(text or "crash", 40), size=7.5, color=TROUBLE, weight="bold")
        sheet.explain("crash", lambda x, y: sheet.mark(x + 0.16, y, "X", color=TROUBLE, size=9))
    elif sign is Sign.RESTARTED:
        sheet.mark(x, y, ">", color=colour, size=9, z=6)
        sheet.explain("restart", lambda x, y: sheet.mark(x + 0.16, y, ">", color=SOFT, size=8))
    elif sign is Sign.FINISHED:
        sheet.mark(x, y, "s", color=colour, size=6, z=6)
        sheet.explain("finished", lambda x, y: sheet.mark(x + 0.16, y, "s", color=SOFT, size=6))
    elif sign is Sign.ADDED:
        sheet.mark(x, y, "o", color=colour, size=6.5, fill=False, width=1.4)
        sheet.text(x + 0.085, y - 0.11, text, size=7.5, color=colour, weight="bold")
        sheet.explain(
            "adds an entry", lambda x, y: sheet.mark(x + 0.16, y, "o", color=SOFT, size=6.5, fill=False, width=1.4)
        )
    elif sign is Sign.JUMPED:
        sheet.mark(x, y, "D", color=TROUBLE, size=7)
        sheet.text(x + 0.1, y - 0.12, text, size=7, color=TROUBLE)
    elif sign is Sign.PUBLISHED:
        name, _, value = text.partition(" = ")
        sheet.mark(x, y, ".", color=INK, size=5)
        sheet.text(x, y - 0.13, value or name, size=7, color=INK, ha="left" if x < sheet.left + 0.2 else "center")
        sheet.explain(
            f"publishes {name}" if value else "publishes a value",
            lambda x, y: sheet.mark(x + 0.16, y, ".", color=INK, size=6),
        )


def draw_claims(sheet: Sheet) -> None:
    """An arrow from the old owner's lane to the new one's, where an entry changes hands."""
    for claim in sheet.picture.claims:
        if claim.process_before in sheet.places.lanes and claim.process_after in sheet.places.lanes:
            _draw_claim(sheet, claim)


def _draw_claim(sheet: Sheet, claim: Claim) -> None:
    x = sheet.x(claim.at_ms)
    begin, end = lane_middle(sheet, claim.process_before), lane_middle(sheet, claim.process_after)
    if begin == end:
        return
    down = 1 if end > begin else -1
    sheet.axes.annotate(
        "", xy=(x, end - down * 0.11), xytext=(x, begin),
        arrowprops={"arrowstyle": "-|>", "color": INK, "lw": 1.6, "shrinkA": 0, "shrinkB": 0}, zorder=6.5,
    )  # fmt: skip
    label = f"claims {listed(claim.entries)}"
    sheet.text(
        x - 0.06,
        (begin + end) / 2,
        label,
        size=7.5,
        ha="right",
        weight="bold",
        bbox={"facecolor": "white", "edgecolor": FAINT, "pad": 1.2, "linewidth": 0.4},
    )
