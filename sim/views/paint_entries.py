"""Drawing the life of each entry: its bar, its owners, its idle clock, and the group's cursor."""

from __future__ import annotations

from itertools import pairwise

from .palette import FAINT, GOOD, INK, SOFT, TROUBLE, tint
from .picture import Block, Mark, Row, Segment, Sign, State
from .sheet import IDLE_IN, ROW_IN, Sheet
from .words import duration, listed, short

BAR_IN = 0.22


def draw_blocks(sheet: Sheet) -> None:
    """The entries, stream by stream and group by group."""
    for block, y, rows in zip(sheet.picture.blocks, sheet.places.blocks, sheet.places.rows, strict=True):
        readers = f", group {listed(block.groups)}" if block.groups else ""
        sheet.line([(sheet.edge, y + 0.08), (sheet.right_edge, y + 0.08)], color=FAINT, width=0.8)
        sheet.text(sheet.edge, y + 0.26, f"Entries of {block.stream}{readers}", size=9.5, weight="bold")
        for row, (top, strip) in zip(block.rows, rows, strict=True):
            _draw_row(sheet, row, top)
            if strip:
                _draw_idle(sheet, block, row, strip)
        _draw_cursor(sheet, block, rows)
        if block.left_out and rows:
            sheet.text(
                sheet.left,
                rows[-1][0] + ROW_IN + (IDLE_IN if rows[-1][1] else 0) + 0.1,
                block.left_out,
                size=7.5,
                color=SOFT,
            )


def _draw_row(sheet: Sheet, row: Row, top: float) -> None:
    y = top + ROW_IN / 2
    label = f"{row.entry}  {short(row.fields, 22)}"
    sheet.text(sheet.left - 0.12, y, label, size=8.5, ha="right")
    for segment in row.segments:
        _draw_segment(sheet, segment, y)
    for work in row.works:
        left, right = sheet.x(work.begin_ms), sheet.x(work.end_ms)
        colour = sheet.colours.get(work.process, SOFT)
        height = BAR_IN / row.levels
        sheet.box(
            left, y - BAR_IN / 2 + work.level * height, max(right - left, 0.03), height, colour, edge=INK, z=3, line=0.5
        )
    for mark in row.marks:
        _draw_mark(sheet, mark, y)
    outcome = f"{row.outcome} ({row.by})" if row.by else row.outcome
    sheet.text(
        sheet.right + 0.14,
        y,
        short(outcome, 36),
        size=7.5,
        color=TROUBLE if row.trouble else GOOD,
        weight="bold" if row.trouble else "normal",
    )


def _draw_segment(sheet: Sheet, segment: Segment, y: float) -> None:
    left, right = sheet.x(segment.begin_ms), sheet.x(segment.end_ms)
    width = max(right - left, 0.015)
    colour = sheet.colours.get(segment.process, SOFT)
    if segment.state is State.WAITING:
        sheet.box(left, y - 0.03, width, 0.06, FAINT, edge=SOFT, line=0.4)
        sheet.explain(
            "in the stream, not delivered", lambda x, y: sheet.box(x, y - 0.03, 0.3, 0.06, FAINT, edge=SOFT, line=0.4)
        )
    elif segment.state is State.KEPT:
        sheet.line([(left, y), (right, y)], color=SOFT, width=0.7)
        sheet.explain(
            "done with, still in the stream", lambda x, y: sheet.line([(x, y), (x + 0.3, y)], color=SOFT, width=0.7)
        )
    elif segment.state is State.PENDING:
        sheet.box(left, y - BAR_IN / 2, width, BAR_IN, tint(colour, 0.28), edge=colour)
        sheet.explain(
            "pending: delivered, not acknowledged",
            lambda x, y: sheet.box(x, y - 0.07, 0.3, 0.14, tint(SOFT, 0.28), edge=SOFT),
        )
        _owner(sheet, segment, left, width, y)
    else:
        orphaned = segment.state is State.ORPHANED
        hatch = "////" if orphaned else "xxxx"
        sheet.box(left, y - BAR_IN / 2, width, BAR_IN, "#FFF3EA", edge=TROUBLE, hatch=hatch, z=2.2)
        word = "pending, its owner is gone" if orphaned else "pending, the entry itself is gone"
        sheet.explain(word, lambda x, y: sheet.box(x, y - 0.07, 0.3, 0.14, "#FFF3EA", edge=TROUBLE, hatch=hatch))
        _owner(sheet, segment, left, width, y)


def _owner(sheet: Sheet, segment: Segment, left: float, width: float, y: float) -> None:
    if segment.owner and width > 0.072 * len(segment.owner) + 0.4:
        sheet.text(
            left + width / 2, y, segment.owner, size=7.5, ha="center",
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 1.0, "alpha": 0.85},
        )  # fmt: skip


_SYMBOLS = {
    Sign.DELIVERED: ("v", INK, "delivered"),
    Sign.CLAIMED: ("D", INK, "claimed by another"),
    Sign.RENEWED: ("1", INK, "renewed by its owner"),
    Sign.REREAD: ("^", INK, "read again from history"),
    Sign.ACKED: ("P", GOOD, "acknowledged"),
    Sign.TRIMMED: ("X", TROUBLE, "trimmed"),
    Sign.DELETED: ("X", TROUBLE, "deleted"),
    Sign.FORGOTTEN: ("x", TROUBLE, "forgotten"),
    Sign.SKIPPED: ("x", TROUBLE, "skipped"),
    Sign.GIVEN: ("v", SOFT, "given without acknowledgment"),
}


def _draw_mark(sheet: Sheet, mark: Mark, y: float) -> None:
    found = _SYMBOLS.get(mark.sign)
    if found is None:
        return
    marker, colour, word = found
    size = 6.5 if mark.sign is Sign.ACKED else 5.5
    sheet.mark(sheet.x(mark.at_ms), y, marker, color=colour, size=size, z=5)
    sheet.explain(word, lambda x, y: sheet.mark(x + 0.16, y, marker, color=colour, size=size))
    if mark.text.isdecimal() and mark.text != "1":
        sheet.text(sheet.x(mark.at_ms) + 0.06, y - 0.14, f"×{mark.text}", size=6.5, color=SOFT)


def _draw_idle(sheet: Sheet, block: Block, row: Row, top: float) -> None:
    """The idle clock as a saw-tooth, with the min-idle line that claims wait for."""
    floor, height = top + IDLE_IN - 0.06, IDLE_IN - 0.12

    def at(idle_ms: float) -> float:
        return floor - min(idle_ms, block.idle_top_ms) / block.idle_top_ms * height

    sheet.line([(sheet.left, floor), (sheet.right, floor)], color=FAINT, width=0.6)
    sheet.text(sheet.left - 0.12, floor - height / 2, "idle", size=7, color=SOFT, ha="right")
    for threshold in block.min_idle_ms:
        sheet.line(
            [(sheet.left, at(threshold)), (sheet.right, at(threshold))],
            color=TROUBLE,
            width=0.8,
            style=(0, (4, 3)),
            z=1.2,
        )
        sheet.text(sheet.right + 0.14, at(threshold), f"min-idle {duration(threshold)}", size=7, color=TROUBLE)
    for tooth in row.idle:
        points = [(sheet.x(ms), at(idle)) for ms, idle in _with_corners(sheet, tooth)]
        sheet.line(points, color=INK, width=1.1, z=4)
    sheet.explain(
        "idle clock",
        lambda x, y: sheet.line([(x, y + 0.07), (x + 0.24, y - 0.07), (x + 0.24, y + 0.07)], color=INK, width=1.1),
    )


def _with_corners(sheet: Sheet, tooth: tuple[tuple[int, int], ...]) -> list[tuple[float, float]]:
    """The points of a line, with one more wherever the scale of the time axis changes."""
    points: list[tuple[float, float]] = [tooth[0]]
    for (begin, low), (end, high) in pairwise(tooth):
        for knot in sheet.picture.axis.knots:
            if begin < knot < end:
                points.append((knot, low + (high - low) * (knot - begin) / (end - begin)))
        points.append((end, high))
    return points


def _draw_cursor(sheet: Sheet, block: Block, rows: list[tuple[float, float]]) -> None:
    """The group's last-delivered-id as a staircase: everything above it was delivered."""
    if not block.cursor or not rows or len(block.groups) > 1:
        return

    def below(entry_id: int) -> float:
        y = rows[0][0]
        for row, (top, strip) in zip(block.rows, rows, strict=True):
            if row.id <= entry_id:
                y = top + ROW_IN + (IDLE_IN if strip else 0)
        return y

    points: list[tuple[float, float]] = []
    for at_ms, entry_id in block.cursor:
        x = sheet.x(at_ms)
        if points:
            points.append((x, points[-1][1]))
        points.append((x, below(entry_id)))
    points.append((sheet.right, points[-1][1]))
    sheet.line(points, color="#5B5B9A", width=1.0, style="-.", z=1.1)
    sheet.explain(
        "the group's cursor (last-delivered-id)",
        lambda x, y: sheet.line([(x, y), (x + 0.3, y)], color="#5B5B9A", width=1.0, style="-."),
    )
