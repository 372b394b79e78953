"""Drawing what concerns a group as a whole: scans for entries to claim, and how much is pending and waits."""

from __future__ import annotations

from .palette import CURSOR, FAINT, INK, SOFT, TROUBLE
from .picture import Block, Scan
from .sheet import IDLE_IN, LEVELS_IN, ROW_IN, SMALL, Sheet
from .thinning import pending_at


def draw_scans(sheet: Sheet, block: Block, rows: list[tuple[float, float]]) -> None:
    """Each scan as a line through the rows that it looked at; a bar across its end says that it stopped there."""
    for scan in sheet.picture.scans:
        if scan.stream == block.stream and scan.group in block.groups:
            _draw_scan(sheet, block, rows, scan)


def _draw_scan(sheet: Sheet, block: Block, rows: list[tuple[float, float]], scan: Scan) -> None:
    seen = [
        (top, top + ROW_IN + (IDLE_IN if strip else 0.0))
        for row, (top, strip) in zip(block.rows, rows, strict=True)
        if pending_at(row, scan.at_ms)
        and scan.first <= row.last_id
        and (scan.until is None or row.id < scan.until)
    ]
    if not seen:
        return
    colour = sheet.look(scan.process).colour
    x = min(sheet.x(scan.at_ms) + 0.05, sheet.right - 0.06)
    top, bottom = seen[0][0] + 0.03, seen[-1][1] - 0.03
    sheet.line([(x, top), (x, bottom)], color=INK, width=2.4, z=5.6, alpha=0.85)
    sheet.line([(x, top), (x, bottom)], color=colour, width=1.4, z=5.7)
    if scan.until is None:
        sheet.mark(x, bottom, "v", color=INK, fill=colour, size=5, z=5.8, edge_width=0.5)
    else:
        sheet.line([(x - 0.06, bottom), (x + 0.06, bottom)], color=TROUBLE, width=2.2, z=5.8)
    sheet.explain("a scan for entries to claim; the bar is where it stops", lambda x, y: _sample_scan(sheet, x, y))


def _sample_scan(sheet: Sheet, x: float, y: float) -> None:
    sheet.line([(x + 0.16, y - 0.08), (x + 0.16, y + 0.06)], color=SOFT, width=2.0)
    sheet.line([(x + 0.1, y + 0.06), (x + 0.22, y + 0.06)], color=TROUBLE, width=2.2)


def draw_levels(sheet: Sheet, block: Block, top: float) -> None:
    """How many entries are pending, as an area, and how many have not been delivered yet, as a line."""
    floor, height = top + LEVELS_IN - 0.1, LEVELS_IN - 0.18
    pending, lag, most = block.levels.pending, block.levels.lag, block.levels.most

    def steps(values: tuple[tuple[int, int], ...]) -> list[tuple[float, float]]:
        points = [(sheet.left, floor)]
        for at_ms, number in values:
            x = sheet.x(at_ms)
            points += [(x, points[-1][1]), (x, floor - number / most * height)]
        return [*points, (sheet.right, points[-1][1])]

    sheet.text(sheet.left - 0.26, floor - height / 2, "how many", size=SMALL, color=SOFT, ha="right")
    sheet.line([(sheet.left, floor), (sheet.right, floor)], color=FAINT, width=0.6, z=1)
    area = [*steps(pending), (sheet.right, floor)]
    sheet.axes.fill(*zip(*area, strict=True), facecolor=sheet.theme.tint(SOFT, 0.35), zorder=1.1, linewidth=0)
    sheet.line(steps(pending), color=SOFT, width=0.9, z=1.2)
    sheet.line(steps(lag), color=CURSOR, width=1.3, z=1.3)
    for n, (word, values, colour) in enumerate((("pending", pending, SOFT), ("lag", lag, CURSOR))):
        peak, last = max((number for _, number in values), default=0), values[-1][1] if values else 0
        told = f"{word} {last}" + (f", at most {peak}" if peak != last else "")
        sheet.text(sheet.right + 0.14, floor - height / 2 + 0.14 * (n - 0.5), told, size=SMALL, color=colour)
    sheet.explain("entries that are pending", lambda x, y: _sample_area(sheet, x, y))
    sheet.explain("entries that are not delivered yet (lag)", lambda x, y: _sample_lag(sheet, x, y))


def _sample_lag(sheet: Sheet, x: float, y: float) -> None:
    points = [(x, y + 0.05), (x + 0.1, y + 0.05), (x + 0.1, y - 0.05), (x + 0.28, y - 0.05)]
    sheet.line(points, color=CURSOR, width=1.3)


def _sample_area(sheet: Sheet, x: float, y: float) -> None:
    sheet.box(x, y - 0.05, 0.28, 0.1, sheet.theme.tint(SOFT, 0.35), edge=SOFT, line=0.6)
