"""Drawing processes, the server's commands, and entries that change hands between processes."""

from __future__ import annotations

from itertools import groupby

from .palette import INK, PAPER, SOFT, STRIPE, TROUBLE, Look, tint
from .picture import Claim, Command, Lane, Life, Loss, Mark, Sign, Work
from .sheet import LANE_IN, LARGE, LEVEL_IN, PLAIN, SERVER_IN, SMALL, Sheet, width_of
from .words import listed, short

WORK_IN = 0.21
USUAL = ("XADD", "XREADGROUP", "XACK")
"""Commands that marks on the lanes and rows tell already; the server's lane names the others."""


def lane_middle(sheet: Sheet, name: str) -> float:
    """The middle line of a process's first level."""
    return sheet.places.lanes[name] + LANE_IN / 2 + 0.02


def server_middle(sheet: Sheet) -> float:
    """The middle line of the server's lane."""
    return sheet.places.server + SERVER_IN / 2 + 0.04


def draw_lanes(sheet: Sheet) -> None:
    """One lane a process, and one for the server."""
    for n, lane in enumerate(sheet.picture.lanes):
        _draw_lane(sheet, lane, striped=n % 2 == 0)
    _draw_server(sheet)
    for loss in sheet.picture.losses:
        _draw_loss(sheet, loss)


def draw_handler(
    sheet: Sheet, left: float, middle: float, width: float, height: float, look: Look, *, cut: bool = False
) -> None:
    """A handler at work: the process's colour with its hatch; one that a crash cut has a torn end."""
    top = middle - height / 2
    sheet.box(left, top, width, height, look.colour, edge=tint(look.colour, 0.55), hatch=look.hatch, z=3, line=0)
    sheet.box(left, top, width, height, "none", edge=INK, z=3.1, line=0.6)
    if cut and width > 0.1:
        zigzag = [(left + width + 0.025 * (-1) ** n, top + height * n / 4) for n in range(5)]
        sheet.line(zigzag, color=PAPER, width=2.0, z=3.2)


def _draw_lane(sheet: Sheet, lane: Lane, *, striped: bool) -> None:
    look = sheet.looks[lane.name]
    top, y = sheet.places.lanes[lane.name], lane_middle(sheet, lane.name)
    height = LANE_IN + (lane.levels - 1) * LEVEL_IN
    if striped:
        sheet.box(sheet.edge, top, sheet.right_edge - sheet.edge, height, STRIPE, z=0.1)
    draw_handler(sheet, sheet.left - 0.19, y, 0.07, 0.18, look)
    away = lane.host != lane.name
    sheet.text(sheet.left - 0.26, y - 0.06 * away, lane.name, size=LARGE, weight="bold", ha="right")
    if away:
        sheet.text(sheet.left - 0.26, y + 0.09, f"on {lane.host}", size=SMALL, color=SOFT, ha="right")
    for life in lane.lives:
        _draw_life(sheet, lane, life, y)
    for work in lane.works:
        _draw_work(sheet, work, y + work.level * LEVEL_IN)
    for mark in lane.marks:
        _draw_mark(sheet, sheet.x(mark.at_ms), y, mark, look)
    _draw_said(sheet, lane, y)


def _draw_life(sheet: Sheet, lane: Lane, life: Life, y: float) -> None:
    look = sheet.looks[lane.name]
    left, right = sheet.x(life.begin_ms), sheet.x(life.end_ms)
    if not life.running:
        sheet.line([(left, y), (right, y)], color=TROUBLE, width=1.3, dashes=(1, 2), z=1.5)
        sheet.explain(
            "not running", lambda x, y: sheet.line([(x, y), (x + 0.28, y)], color=TROUBLE, width=1.3, dashes=(1, 2))
        )
    else:
        sheet.line([(left, y), (right, y)], color=tint(look.colour, 0.6), width=2.4, z=1.5)


def _draw_work(sheet: Sheet, work: Work, middle: float) -> None:
    look = sheet.look(work.process)
    left, right = sheet.x(work.begin_ms), sheet.x(work.end_ms)
    width = max(right - left, 0.03)
    draw_handler(sheet, left, middle, width, WORK_IN, look, cut=work.cut)
    needed = width_of(work.entry, PLAIN, "bold")
    if width > needed + 0.03:
        # Near its begin, since a crash or a break of the axis may take the rest.
        near = needed / 2 + (0.03 if work.cut else 0.1)
        at = left + min(width / 2, near)
        sheet.text(at, middle, work.entry, color=look.on, ha="center", weight="bold", z=4)
        if look.hatch:
            sheet.box(at - needed / 2 - 0.03, middle - 0.07, needed + 0.06, 0.14, look.colour, z=3.05)
    sheet.explain("handling entry 1", lambda x, y: _sample_work(sheet, x, y))


def _sample_work(sheet: Sheet, x: float, y: float) -> None:
    sheet.box(x, y - 0.07, 0.28, 0.14, SOFT, edge=INK, line=0.6)
    sheet.text(x + 0.14, y, "1", size=SMALL, color=PAPER, ha="center", weight="bold")


def _draw_mark(sheet: Sheet, x: float, y: float, mark: Mark, look: Look) -> None:
    if mark.sign is Sign.CRASHED:
        sheet.mark(x, y, "X", color=PAPER, fill=TROUBLE, size=11, z=6, edge_width=0.7)
    elif mark.sign is Sign.RESTARTED:
        sheet.mark(x, y, ">", color=INK, fill=look.colour, size=8, z=6, edge_width=0.6)
        sheet.explain("starts again", lambda x, y: sheet.mark(x + 0.18, y, ">", color=INK, fill=SOFT, size=7))
    elif mark.sign is Sign.FINISHED:
        sheet.mark(x, y, "|", color=INK, size=9, z=6, edge_width=1.6)
        sheet.explain("has finished", lambda x, y: sheet.mark(x + 0.18, y, "|", size=8, edge_width=1.6))
    elif mark.sign is Sign.ADDED:
        sheet.mark(x, y, "o", color=INK, fill=PAPER, size=6, edge_width=1.1)
    elif mark.sign is Sign.JUMPED:
        draw_jump(sheet, x, y, mark.text)
    elif mark.sign in TROUBLES:
        draw_trouble(sheet, x, y, mark)
    elif mark.sign is Sign.PUBLISHED:
        sheet.mark(x, y, "D", color=PAPER, fill=INK, size=5.5, edge_width=0.6)
        name = mark.text.partition(" = ")[0]
        sheet.explain(
            f"publishes its {name}", lambda x, y: sheet.mark(x + 0.18, y, "D", color=PAPER, fill=INK, size=5.5)
        )


_MARKERS = {Sign.FAILED: "x", Sign.TIMED_OUT: "v", Sign.DISCONNECTED: "s", Sign.CANCELLED: "d", Sign.RESUMED: ">"}
TROUBLES = frozenset((Sign.PAUSED, *_MARKERS))
"""What befalls a process that goes on."""


def draw_trouble(sheet: Sheet, x: float, y: float, mark: Mark) -> None:
    """A pause as two bars, everything else as a small mark; with its word below the line."""
    if mark.sign is Sign.PAUSED:
        for at in (x - 0.03, x + 0.03):
            sheet.line([(at, y - 0.09), (at, y + 0.09)], color=TROUBLE, width=2.4, z=6)
    else:
        sheet.mark(x, y, _MARKERS[mark.sign], color=TROUBLE, fill=PAPER, size=6.5, z=6, edge_width=1.6)
    if mark.text:
        below = -0.2 if mark.sign is Sign.PAUSED else 0.16  # what is paused may be at work: its box is in the way
        sheet.text(x + 0.07, y + below, mark.text, size=SMALL, color=TROUBLE, weight="bold", boxed=True)


def draw_fall(sheet: Sheet, x: float, y: float, how: str) -> None:
    """A server that is gone, and what stands in its place."""
    sheet.text(x, y, "⇄", size=13, color=TROUBLE, ha="center", weight="bold", boxed=True)
    sheet.text(x + 0.1, y + 0.14, how, size=SMALL, color=TROUBLE, weight="bold", boxed=True)


def draw_jump(sheet: Sheet, x: float, y: float, by: str) -> None:
    """A clock that was set."""
    sheet.text(x, y, "↷", size=13, color=TROUBLE, ha="center", weight="bold", boxed=True)
    sheet.text(x + 0.1, y + 0.14, f"clock {by}", size=SMALL, color=TROUBLE, weight="bold", boxed=True)


def _draw_said(sheet: Sheet, lane: Lane, y: float) -> None:
    """Labels above the line; what would overlap goes below it or, where that is full too, is left out."""
    labels = [
        (sheet.x(mark.at_ms) + 0.09, short(mark.text or "crash", 48), "left", TROUBLE)
        for mark in lane.marks
        if mark.sign is Sign.CRASHED
    ]
    labels += [
        (sheet.x(life.begin_ms) + 0.09, f"as {life.consumer}", "left", INK)
        for life in lane.lives
        if life.running and life.consumer != lane.name
    ]
    said = [mark for mark in lane.marks if mark.sign in (Sign.ADDED, Sign.PUBLISHED)]
    for at_ms, marks in groupby(said, key=lambda mark: mark.at_ms):
        words = [mark.text.partition(" = ")[2] or mark.text for mark in marks]
        labels.append((sheet.x(at_ms), short(", ".join(words), 24), "center", INK))
    taken: list[tuple[float, float, float]] = []
    for x, label, ha, colour in labels:
        width = width_of(label, SMALL, "bold")
        if ha == "center":  # it may not run into the name of the lane
            x = max(x, sheet.left - 0.1 + width / 2)
        begin = x - width / 2 if ha == "center" else x
        if begin + width > sheet.right_edge:
            x, begin, ha = x - 0.18, x - 0.18 - width, "right"
        for place in (y - 0.14,) if ha == "center" else (y - 0.14, y + 0.15):
            if not any(on == place and begin < b + 0.03 and a < begin + width + 0.03 for a, b, on in taken):
                taken.append((begin, begin + width, place))
                sheet.text(x, place, label, size=SMALL, ha=ha, color=colour, weight="bold", boxed=True)
                break
    if any(mark.sign is Sign.ADDED for mark in said):
        sheet.explain("adds an entry", lambda x, y: sheet.mark(x + 0.18, y, "o", fill=PAPER, size=6, edge_width=1.1))


def _draw_server(sheet: Sheet) -> None:
    y = server_middle(sheet)
    sheet.text(sheet.left - 0.26, y, "server", size=LARGE, weight="bold", ha="right")
    sheet.line([(sheet.left, y), (sheet.right, y)], color=SOFT, width=0.8, z=1)
    free = 0.0
    for command in sheet.picture.commands:
        x = sheet.x(command.at_ms)
        colour = TROUBLE if command.failed else sheet.look(command.process).colour
        sheet.line([(x, y - 0.06), (x, y + 0.06)], color=colour, width=1.5, z=3)
        _draw_way(sheet, command, y, colour)
        label, size = _told(command), SMALL - 0.5
        half = width_of(label, size) / 2
        x = max(x, sheet.left - 0.1 + half)
        if label and x - half > free:
            ink = TROUBLE if command.failed else INK
            sheet.text(x, y - 0.13, label, size=size, color=ink, ha="center", boxed=True)
            free = x + half + 0.05
    for mark in sheet.picture.server_marks:
        if mark.sign is Sign.REPLACED:
            draw_fall(sheet, sheet.x(mark.at_ms), y, mark.text)
        else:
            draw_jump(sheet, sheet.x(mark.at_ms), y, mark.text)
    usual = [name for name in USUAL if any(command.text == name for command in sheet.picture.commands)]
    if usual:
        *first, last = usual
        names = f"{', '.join(first)} or {last}" if first else last
        sheet.explain(f"a command ({names} where it has no name)", lambda x, y: _sample_command(sheet, x, y))


def _told(command: Command) -> str:
    return "" if command.text in USUAL and not command.failed else short(command.text, 30)


def _sample_command(sheet: Sheet, x: float, y: float) -> None:
    sheet.line([(x + 0.04, y), (x + 0.3, y)], width=0.8)
    sheet.line([(x + 0.17, y - 0.06), (x + 0.17, y + 0.06)], width=1.5)


def _draw_way(sheet: Sheet, command: Command, y: float, colour: str) -> None:
    """Request and reply on their way, where the way takes time."""
    if command.process not in sheet.places.lanes:
        return
    home = lane_middle(sheet, command.process)
    at = sheet.x(command.at_ms)
    if command.sent_ms < command.at_ms:
        sheet.line([(sheet.x(command.sent_ms), home), (at, y)], color=colour, width=0.7, z=1.4)
    if command.replied_ms is not None and command.replied_ms > command.at_ms:
        sheet.line([(at, y), (sheet.x(command.replied_ms), home)], color=colour, width=0.7, z=1.4)


def _draw_loss(sheet: Sheet, loss: Loss) -> None:
    """A request or a reply that never arrived: dashed, with a cross where it was lost."""
    if loss.process not in sheet.places.lanes:
        return
    x, home = sheet.x(loss.at_ms), lane_middle(sheet, loss.process)
    begin, cross = (home if loss.what == "request" else server_middle(sheet)), home + 0.19
    sheet.line([(x, begin), (x, cross)], color=TROUBLE, width=1.1, dashes=(2, 1.5), z=5)
    sheet.mark(x, cross, "x", color=TROUBLE, size=6, z=6, edge_width=1.8)
    sheet.text(x + 0.09, cross, f"{loss.what} lost", size=SMALL, color=TROUBLE, weight="bold", boxed=True)


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
    # It bulges to the left, so that a line which stands at the very moment does not hide it.
    sheet.axes.annotate(
        "", xy=(x - 0.01, end - down * (WORK_IN / 2 + 0.01)), xytext=(x - 0.02, begin + down * 0.03),
        arrowprops={
            "arrowstyle": "-|>,head_length=0.45,head_width=0.22", "color": INK, "lw": 1.4, "shrinkA": 0, "shrinkB": 0,
            "connectionstyle": f"arc3,rad={0.35 * down}",
        }, zorder=6.5,
    )  # fmt: skip
    label = f"claims {listed(claim.entries)}"
    room = x - 0.16 - sheet.left
    at, ha = (x - 0.16, "right") if width_of(label, PLAIN, "bold") < room else (x + 0.1, "left")
    # Below the line of the lane above the arrow's head, or of the head's own: labels stand above lines.
    y = end - LANE_IN + 0.16 if down > 0 else end + 0.16
    sheet.text(at, y, label, ha=ha, weight="bold", boxed=True)
