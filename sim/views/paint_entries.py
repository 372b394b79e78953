"""Drawing the life of each entry: its bar, its owners, its idle clock, and the group's cursor."""

from __future__ import annotations

from itertools import pairwise

from .paint_groups import draw_levels, draw_scans
from .paint_lanes import draw_handler
from .palette import CURSOR, FAINT, GOOD, INK, PAPER, SOFT, TROUBLE, TROUBLE_TINT
from .picture import Block, Mark, Row, Segment, Sign, State
from .sheet import IDLE_IN, LARGE, PLAIN, ROW_IN, SMALL, Sheet, name_of, outcome_of, width_of
from .words import duration, listed, roughly

BAR_IN = 0.22
CURSOR_DASHES = (5, 1.5, 1, 1.5)
_PENDING = (State.PENDING, State.ORPHANED, State.DANGLING)


def draw_blocks(sheet: Sheet) -> None:
    """The entries, stream by stream and group by group."""
    places = sheet.places
    blocks = zip(sheet.picture.blocks, places.blocks, places.rows, places.levels, strict=True)
    for block, y, rows, strip_top in blocks:
        title, readers = f"Entries of {block.stream}", ", which no group reads"
        if block.groups:
            several = len(block.groups) > 1
            readers = f" in group{'s' * several} {listed(block.groups)}{' alike' * several}"
        if block.again:
            readers += ", made again"
        sheet.line([(sheet.edge, y + 0.06), (sheet.right_edge, y + 0.06)], color=FAINT, width=0.8)
        after = sheet.edge + width_of(title, LARGE, "bold") + 0.03
        sheet.text(after, y + 0.23, readers, size=LARGE, boxed=True)
        sheet.text(sheet.edge, y + 0.23, title, size=LARGE, weight="bold", z=7.1)
        for row, (top, strip) in zip(block.rows, rows, strict=True):
            _draw_row(sheet, row, top)
            if strip:
                _draw_idle(sheet, block, row, strip)
        _draw_cursor(sheet, block, rows)
        draw_scans(sheet, block, rows)
        if strip_top:
            draw_levels(sheet, block, strip_top)
        if block.left_out:
            below = rows[-1][0] + ROW_IN + (IDLE_IN if rows[-1][1] else 0) if rows else y + 0.36
            sheet.text(sheet.left, below + 0.1, block.left_out, size=SMALL, color=SOFT, style="italic")


def _draw_row(sheet: Sheet, row: Row, top: float) -> None:
    y = top + ROW_IN / 2
    number, fields = name_of(row)
    sheet.text(sheet.left - 0.26, y, fields, ha="right", color=SOFT)
    before = width_of(fields, PLAIN) + 0.08 if fields else 0.0
    sheet.text(sheet.left - 0.26 - before, y, number, ha="right", weight="bold")
    for segment in row.segments if row.also else ():
        _draw_stack(sheet, segment, y)
    for segment in row.segments:
        _draw_segment(sheet, segment, y)
    height = BAR_IN / row.levels
    for work in row.works:
        left, right = sheet.x(work.begin_ms), sheet.x(work.end_ms)
        middle = y - BAR_IN / 2 + (work.level + 0.5) * height
        draw_handler(sheet, left, middle, max(right - left, 0.03), height, sheet.look(work.process), cut=work.cut)
    for begin_ms, end_ms in row.at_once:
        _draw_at_once(sheet, row, sheet.x(begin_ms), sheet.x(end_ms), y)
    _draw_owners(sheet, row, y)
    _draw_marks(sheet, row, y)
    _draw_outcome(sheet, row, y)


def _draw_outcome(sheet: Sheet, row: Row, y: float) -> None:
    outcome, by = outcome_of(row)
    x, colour = sheet.right + 0.14, TROUBLE if row.trouble else GOOD
    weight = "bold" if row.trouble else "normal"
    sheet.text(x, y - 0.065 * bool(by), outcome, color=colour, weight=weight)
    sheet.text(x, y + 0.075, by, size=SMALL, color=SOFT)


def _draw_stack(sheet: Sheet, segment: Segment, y: float) -> None:
    """The edges of more bars below one that stands for several."""
    if segment.state in _PENDING:
        left, right = sheet.x(segment.begin_ms), sheet.x(segment.end_ms)
        for aside in (0.06, 0.03):
            top = y - BAR_IN / 2 + aside
            sheet.box(left + aside, top, max(right - left, 0.015), BAR_IN, PAPER, edge=SOFT, line=0.6, z=1.6)


def _draw_segment(sheet: Sheet, segment: Segment, y: float) -> None:
    left, right = sheet.x(segment.begin_ms), sheet.x(segment.end_ms)
    width = max(right - left, 0.015)
    colour = sheet.look(segment.process).colour
    if segment.state is State.WAITING:
        sheet.box(left, y - 0.03, width, 0.06, PAPER, edge=SOFT, line=0.7)
        sheet.explain(
            "in the stream, not delivered", lambda x, y: sheet.box(x, y - 0.03, 0.28, 0.06, PAPER, edge=SOFT, line=0.7)
        )
    elif segment.state is State.KEPT:
        sheet.line([(left, y), (right, y)], color=SOFT, width=0.8)
        sheet.explain("still in the stream", lambda x, y: sheet.line([(x, y), (x + 0.28, y)], width=0.8))
    elif segment.state is State.PENDING:
        sheet.box(left, y - BAR_IN / 2, width, BAR_IN, sheet.theme.tint(colour, 0.25), edge=colour, line=0.9)
        word = "pending: delivered, not acknowledged"
        sheet.explain(word, lambda x, y: sheet.box(x, y - 0.07, 0.28, 0.14, sheet.theme.tint(SOFT, 0.2), edge=SOFT))
    else:
        orphaned = segment.state is State.ORPHANED
        hatch = "////" if orphaned else "xxxx"
        sheet.box(left, y - BAR_IN / 2, width, BAR_IN, TROUBLE_TINT, edge=TROUBLE, hatch=hatch, z=2.2)
        word = "pending, its owner is gone" if orphaned else "pending, the entry itself is gone"
        sheet.explain(word, lambda x, y: sheet.box(x, y - 0.07, 0.28, 0.14, TROUBLE_TINT, edge=TROUBLE, hatch=hatch))


def _draw_at_once(sheet: Sheet, row: Row, left: float, right: float, y: float) -> None:
    """A frame around what two handlers do to one entry at the same time."""
    top, height = y - BAR_IN / 2 - 0.025, BAR_IN + 0.05
    sheet.box(left - 0.02, top, right - left + 0.04, height, "none", edge=TROUBLE, line=1.8, z=4.8)
    label = "two handlers at once"
    after = max(sheet.x(work.end_ms) for work in row.works) + 0.2
    if after + width_of(label, SMALL, "bold") < sheet.right:
        sheet.text(after, y, label, size=SMALL, color=TROUBLE, weight="bold", boxed=True)


def _draw_owners(sheet: Sheet, row: Row, y: float) -> None:
    """The owner's name on every stretch that one owner had, where it fits."""
    owned = [segment for segment in row.segments if segment.state in _PENDING]
    marks = [sheet.x(mark.at_ms) for mark in row.marks]
    n = 0
    while n < len(owned):
        begin = n
        while n + 1 < len(owned) and owned[n + 1].owner == owned[n].owner and owned[n + 1].begin_ms == owned[n].end_ms:
            n += 1
        name = owned[begin].owner
        # On a stretch without a handler if there is one with room: there the name is read best.
        works = [work for work in row.works if work.process == owned[begin].process]
        free = max([owned[begin].begin_ms, *(w.end_ms for w in works if w.end_ms < owned[n].end_ms)])
        for since_ms in (free, owned[begin].begin_ms):
            left, right = sheet.clear(sheet.x(since_ms) + 0.1, sheet.x(owned[n].end_ms) - 0.06, marks)
            if width_of(name, PLAIN) + 0.06 < right - left:
                sheet.text((left + right) / 2, y, name, ha="center", boxed=True, z=5)
                break
        n += 1


_LETTERS = {
    Sign.ACKED: ("✓", GOOD, "acknowledged"),
    Sign.TRIMMED: ("✂", TROUBLE, "trimmed"),
    Sign.DELETED: ("✗", TROUBLE, "deleted"),
    Sign.LOST: ("✗", TROUBLE, "lost with the server"),
    Sign.REINSTATED: ("⇄", TROUBLE, "pending again: the server was lost"),
    Sign.FORGOTTEN: ("✗", TROUBLE, "forgotten by the group"),
    Sign.SKIPPED: ("✗", TROUBLE, "skipped by the cursor"),
    Sign.GIVEN: ("↧", SOFT, "given without acknowledgement"),
    Sign.RENEWED: ("↻", INK, "renewed by its owner"),
}


_BOXED = (Sign.RENEWED, Sign.ACKED)
"""These may stand on a bar."""


def _draw_marks(sheet: Sheet, row: Row, y: float) -> None:
    free = 0.0
    for mark in row.marks:
        x = sheet.x(mark.at_ms)
        if mark.sign in (Sign.DELIVERED, Sign.CLAIMED, Sign.REREAD):
            x = max(x, free + 0.06) if free else x
            _draw_count(sheet, mark, x, y)
            free = x + 0.09
        elif mark.sign in _LETTERS:
            letter, colour, word = _LETTERS[mark.sign]
            x = max(x + 0.09, free + 0.07) if mark.sign is Sign.ACKED else max(x, free + 0.04 if free else x)
            sheet.text(x, y, letter, size=11, color=colour, ha="center", weight="bold", boxed=mark.sign in _BOXED)
            free = x + 0.08
            _explain_letter(sheet, letter, colour, word)


def _explain_letter(sheet: Sheet, letter: str, colour: str, word: str) -> None:
    sheet.explain(word, lambda x, y: sheet.text(x + 0.2, y, letter, size=10, color=colour, ha="center", weight="bold"))


def _draw_count(sheet: Sheet, mark: Mark, x: float, y: float) -> None:
    """A hand-over: the delivery count in a circle, black where somebody claimed it."""
    claimed = mark.sign is Sign.CLAIMED
    fill, on = (INK, PAPER) if claimed else (PAPER, INK)
    sheet.mark(x, y, "o", fill=fill, size=10.5, z=5.2, edge_width=1.0)
    sheet.text(x, y + 0.002, mark.text, size=6.5, color=on, ha="center", weight="bold", z=5.3)
    word = "claimed" if claimed else "read again by its owner" if mark.sign is Sign.REREAD else "delivered"

    def sample(x: float, y: float) -> None:
        sheet.mark(x + 0.2, y, "o", fill=fill, size=10.5, edge_width=1.0)
        sheet.text(x + 0.2, y + 0.002, "2" if claimed else "1", size=6.5, color=on, ha="center", weight="bold")

    sheet.explain(f"{word}, with its delivery count", sample)


def _draw_idle(sheet: Sheet, block: Block, row: Row, top: float) -> None:
    """The idle clock as a saw-tooth, with the min-idle line that claims wait for."""
    floor, height = top + IDLE_IN - 0.07, IDLE_IN - 0.14

    def at(idle_ms: float) -> float:
        return floor - min(idle_ms, block.idle_top_ms) / block.idle_top_ms * height

    sheet.text(sheet.left - 0.26, floor - height / 2, "idle time", size=SMALL, color=SOFT, ha="right")
    sheet.line([(sheet.left, floor), (sheet.right, floor)], color=FAINT, width=0.6, z=1)
    for threshold in block.min_idle_ms:
        ends = [(sheet.left, at(threshold)), (sheet.right, at(threshold))]
        sheet.line(ends, color=TROUBLE, width=0.9, dashes=(4, 3), z=1.2)
        sheet.text(sheet.right + 0.14, at(threshold), f"min-idle {duration(threshold)}", size=SMALL, color=TROUBLE)
    last: tuple[float, float] | None = None
    for tooth in row.idle:
        points = [(sheet.x(ms), at(idle)) for ms, idle in _with_corners(sheet, tooth)]
        under = [(points[0][0], floor), *points, (points[-1][0], floor)]
        sheet.axes.fill(*zip(*under, strict=True), facecolor=sheet.theme.of(FAINT), alpha=0.55, zorder=1.1, linewidth=0)
        if last is not None and abs(last[0] - points[0][0]) < 1e-9:
            points.insert(0, last)
        sheet.line(points, color=INK, width=1.2, z=4)
        last = points[-1]
    _draw_peaks(sheet, block, row, at)
    sheet.explain("idle time of a pending entry", lambda x, y: _sample_tooth(sheet, x, y))


def _sample_tooth(sheet: Sheet, x: float, y: float) -> None:
    sheet.line([(x, y + 0.06), (x + 0.2, y - 0.06), (x + 0.2, y + 0.06), (x + 0.28, y + 0.01)], color=INK, width=1.2)


def _draw_peaks(sheet: Sheet, block: Block, row: Row, at: object) -> None:
    """How idle it was when it was claimed, and where it was left alone past every threshold."""
    claimed = {mark.at_ms for mark in row.marks if mark.sign is Sign.CLAIMED}
    threshold = max(block.min_idle_ms, default=0)
    free = 0.0
    for tooth in row.idle:
        at_ms, idle = tooth[-1]
        if at_ms in claimed or (threshold and idle >= threshold):
            assert callable(at)
            word = "claimed, idle" if at_ms in claimed else "idle"
            label, x = f"{word} {roughly(idle)}", sheet.x(at_ms)
            sheet.mark(x, at(idle), "o", size=3.5, z=4.2)
            # Only where there is room beside the tooth before; a claim at once has nothing to say.
            if idle and width_of(label, SMALL) < x - 0.2 - max(free, sheet.left):
                free = x - 0.08
                sheet.text(x - 0.08, at(idle) + 0.16, label, size=SMALL, ha="right", boxed=True)


def _with_corners(sheet: Sheet, tooth: tuple[tuple[int, int], ...]) -> list[tuple[float, float]]:
    """The points of a line, with one more wherever the scale of the time axis changes."""
    points: list[tuple[float, float]] = [tooth[0]]
    for (begin, low), (end, high) in pairwise(tooth):
        for knot in sheet.picture.axis.knots:
            if begin < knot < end:
                points.append((knot, low + (high - low) * (knot - begin) / (end - begin)))
        points.append((end, high))
    return points


def _is_barred(sheet: Sheet, block: Block, rows: list[tuple[float, float]], y: float) -> bool:
    """Whether the bar of an entry that is pending to the end stands right above a line at ``y``."""
    for row, (top, strip) in zip(block.rows, rows, strict=True):
        if top + ROW_IN == y and not strip and row.segments:
            last = row.segments[-1]
            return bool(last.owner) and sheet.x(last.end_ms) > sheet.right - 0.5
    return False


def _draw_cursor(sheet: Sheet, block: Block, rows: list[tuple[float, float]]) -> None:
    """The group's last-delivered-id as a staircase: everything above it was delivered."""
    if not block.cursor or not rows:
        return

    def below(entry_id: int) -> float:
        y = rows[0][0]
        for row, (top, strip) in zip(block.rows, rows, strict=True):
            if row.last_id <= entry_id:
                y = top + ROW_IN + (IDLE_IN if strip else 0)
        return y

    points: list[tuple[float, float]] = []
    for at_ms, entry_id in block.cursor:
        x, y = sheet.x(at_ms), below(entry_id)
        if points and y == points[-1][1]:
            continue  # it passed entries that have no row
        if points:
            points.append((x, points[-1][1]))
        points.append((x, y))
    end = sheet.right
    points.append((end, points[-1][1]))
    sheet.line(points, color=CURSOR, width=1.1, dashes=CURSOR_DASHES, z=1.1)
    y = points[-1][1]
    side = 1 if _is_barred(sheet, block, rows, y) else -1
    sheet.text(end - 0.03, y + side * 0.075, "cursor", size=SMALL, color=CURSOR, ha="right")
    word = "the group's cursor (last-delivered-id): all above it has been delivered"
    sheet.explain(word, lambda x, y: sheet.line([(x, y), (x + 0.3, y)], color=CURSOR, width=1.1, dashes=CURSOR_DASHES))
