"""Drawing processes, the server's commands, and entries that change hands between processes."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

from .paint_faults import TROUBLES, draw_crash, draw_jump, draw_trouble
from .palette import INK, PAPER, SOFT, STRIPE, TROUBLE, Look
from .picture import Claim, Lane, Life, Mark, Sign, Work
from .sheet import LANE_IN, LARGE, LEVEL_IN, PLAIN, SMALL, Sheet, width_of
from .words import listed, short

WORK_IN = 0.21
SAID_MAX = 8
"""What befalls a process more often than this is said once, with how often."""
SAID_LENGTH = 24
SPARE_IN = 0.35
BESIDE_IN = 0.12


def lane_middle(sheet: Sheet, name: str) -> float:
    """The middle line of a process's first level."""
    return sheet.places.lanes[name] + LANE_IN / 2 + 0.02


def draw_lanes(sheet: Sheet) -> None:
    """One lane a process."""
    for n, lane in enumerate(sheet.picture.lanes):
        _draw_lane(sheet, lane, striped=n % 2 == 0)


def draw_handler(
    sheet: Sheet, left: float, middle: float, width: float, height: float, look: Look, *, cut: bool = False
) -> None:
    """A handler at work: the process's colour with its hatch; one that a crash cut has a torn end."""
    top = middle - height / 2
    edge = sheet.theme.tint(look.colour, 0.55)
    sheet.box(left, top, width, height, look.colour, edge=edge, hatch=look.hatch, z=3, line=0)
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
    for begin_ms, end_ms in lane.pauses:
        _draw_pause(sheet, begin_ms, end_ms, y, height - LANE_IN)


def _draw_life(sheet: Sheet, lane: Lane, life: Life, y: float) -> None:
    look = sheet.looks[lane.name]
    left, right = sheet.x(life.begin_ms), sheet.x(life.end_ms)
    if not life.running:
        sheet.line([(left, y), (right, y)], color=TROUBLE, width=1.3, dashes=(1, 2), z=1.5)
        sheet.explain(
            "not running", lambda x, y: sheet.line([(x, y), (x + 0.28, y)], color=TROUBLE, width=1.3, dashes=(1, 2))
        )
    else:
        sheet.line([(left, y), (right, y)], color=sheet.theme.tint(look.colour, 0.6), width=2.4, z=1.5)


def _draw_pause(sheet: Sheet, begin_ms: int, end_ms: int, y: float, deeper: float) -> None:
    """A stretch in which a process stood still: everything in its lane fades, and the line is broken."""
    left, right = sheet.x(begin_ms), sheet.x(end_ms)
    top = y - WORK_IN / 2 - 0.01
    sheet.box(left, top, right - left, WORK_IN + 0.02 + deeper, PAPER, z=4.2, alpha=0.62)
    sheet.line([(left, y), (right, y)], color=TROUBLE, width=1.6, dashes=(3, 2), z=4.4)
    ends = ((0.0, 0.0), (0.28, 0.0))
    sheet.explain(
        "stands still",
        lambda x, y: sheet.line([(x + dx, y + dy) for dx, dy in ends], color=TROUBLE, width=1.6, dashes=(3, 2)),
    )


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
        draw_crash(sheet, x, y)
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


def draw_said(sheet: Sheet) -> None:
    """Labels above the lines; what would cover another goes below or, where that is full too, is left out."""
    for lane in sheet.picture.lanes:
        _draw_troubles(sheet, lane, lane_middle(sheet, lane.name))
    for lane in sheet.picture.lanes:
        _draw_names(sheet, lane, lane_middle(sheet, lane.name))


def _draw_troubles(sheet: Sheet, lane: Lane, y: float) -> None:
    """The words of what went wrong in a process."""
    said = [mark for mark in lane.marks if mark.sign is Sign.CRASHED or (mark.sign in TROUBLES and mark.text)]
    times = Counter(mark.text for mark in said)
    seen: Counter[str] = Counter()
    for mark in said:
        seen[mark.text] += 1
        if times[mark.text] == 1 or (times[mark.text] <= SAID_MAX and _fits_between(sheet, said, mark.text)):
            _say(sheet, sheet.x(mark.at_ms), y, short(mark.text or "crash", 48), TROUBLE)
        elif seen[mark.text] == 1:
            label = f"{short(mark.text or 'crash', 48)} ({times[mark.text]} times)"
            _say(sheet, sheet.x(mark.at_ms), y, label, TROUBLE)


def _fits_between(sheet: Sheet, said: list[Mark], text: str) -> bool:
    """Whether there is room for the same words beside each mark that has them, and some to spare."""
    at = [sheet.x(mark.at_ms) for mark in said if mark.text == text]
    room = min(later - earlier for earlier, later in pairwise(at))
    return len(text) < SAID_LENGTH and width_of(text or "crash", SMALL, "bold") + SPARE_IN < room


def _say(sheet: Sheet, x: float, y: float, text: str, colour: str) -> None:
    """Beside a symbol: to its right above, to its right below, then to its left."""
    sheet.label(
        text, [(x + dx, y + dy, ha) for dx, ha in ((0.09, "left"), (-0.09, "right")) for dy in (-0.165, 0.165)],
        color=colour,
    )  # fmt: skip


def _draw_names(sheet: Sheet, lane: Lane, y: float) -> None:
    """The names that a process had, what it added and what it published."""
    for life in lane.lives:
        if life.running and life.consumer != lane.name:
            _say(sheet, sheet.x(life.begin_ms), y, f"as {life.consumer}", INK)
    said = [mark for mark in lane.marks if mark.sign in (Sign.ADDED, Sign.PUBLISHED)]
    for marks in _beside(sheet, said):
        at_ms, words = marks[0].at_ms, [mark.text.partition(" = ")[2] or mark.text for mark in marks]
        label = short(", ".join(words), 24) if len(words) < 4 else f"{words[0]} … {words[-1]}"
        # It may not run into the name of the lane.
        x = max(sheet.x(at_ms), sheet.left - 0.1 + width_of(label, SMALL, "bold") / 2)
        sheet.label(label, [(x, y - 0.14, "center")])
    if any(mark.sign is Sign.ADDED for mark in said):
        sheet.explain("adds an entry", lambda x, y: sheet.mark(x + 0.18, y, "o", fill=PAPER, size=6, edge_width=1.1))


def _beside(sheet: Sheet, marks: list[Mark]) -> list[list[Mark]]:
    """Marks that stand so close to the one before that they share a label."""
    out: list[list[Mark]] = []
    for mark in marks:
        if out and sheet.x(mark.at_ms) - sheet.x(out[-1][-1].at_ms) < BESIDE_IN and mark.sign is out[-1][0].sign:
            out[-1].append(mark)
        else:
            out.append([mark])
    return out


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
            "arrowstyle": "-|>,head_length=0.45,head_width=0.22", "color": sheet.theme.of(INK), "lw": 1.4, "shrinkA": 0,
            "shrinkB": 0, "connectionstyle": f"arc3,rad={0.35 * down}",
        }, zorder=6.5,
    )  # fmt: skip
    label = f"claims {listed(claim.entries)}"
    # Below the line of the lane above the arrow's head, or of the head's own: labels stand above lines.
    y = end - LANE_IN + 0.16 if down > 0 else end + 0.16
    places = [(x - 0.16, y, "right"), (x + 0.1, y, "left"), (x - 0.16, y - 0.1, "right"), (x + 0.1, y - 0.1, "left")]
    sheet.label(label, places, size=PLAIN)
