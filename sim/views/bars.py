"""A timeline in plain characters, small enough for an issue: a line for each process and for each entry.

Time runs to the right on the same scale as in the picture, so long waits are shortened here too.
"""

from __future__ import annotations

from collections.abc import Iterable

from .picture import Block, Lane, Picture, Row, Sign, State
from .words import listed, short

COLUMNS = 60
NAME_MAX = 22
RUNS, DOWN, STILL, WORK, BREAK = "-", ".", "=", "#", "~"
STATES = {State.WAITING: ".", State.PENDING: "-", State.ORPHANED: "/", State.DANGLING: "%", State.KEPT: " "}
LANE_SIGNS = {
    Sign.CRASHED: "X", Sign.RESTARTED: ">", Sign.FINISHED: "|", Sign.ADDED: "+", Sign.PAUSED: "P", Sign.RESUMED: ">",
    Sign.FAILED: "!", Sign.TIMED_OUT: "t", Sign.DISCONNECTED: "z", Sign.CANCELLED: "c", Sign.JUMPED: "j",
}  # fmt: skip
ROW_SIGNS = {
    Sign.ACKED: "A", Sign.TRIMMED: "T", Sign.DELETED: "D", Sign.FORGOTTEN: "F", Sign.SKIPPED: "S", Sign.GIVEN: "G",
    Sign.RENEWED: "r", Sign.REINSTATED: "R", Sign.LOST: "V",
}  # fmt: skip
MEANINGS = {
    "X": "crash", "P": "paused", "!": "fails", "t": "timeout", "z": "connections break", "c": "read given up",
    "j": "clock set", "L": "lost on its way", "A": "acknowledged", "T": "trimmed", "D": "deleted", "F": "forgotten",
    "S": "skipped", "G": "given, NOACK", "V": "lost with the server", "r": "renewed", "R": "pending again",
    "/": "pending, its owner is gone", "%": "pending, the entry is gone", "#": "at work", "~": "time cut short",
}  # fmt: skip


def bars(picture: Picture) -> list[str]:
    """The lines: processes, then entries with what became of them, then the scale and what the letters mean."""
    names = [lane.name for lane in picture.lanes] + [_name(row) for block in picture.blocks for row in block.rows]
    width = min(max((len(name) for name in names), default=0), NAME_MAX)
    used: set[str] = set()

    def line(name: str, strip: str, told: str = "") -> str:
        used.update(strip if " ^" not in strip and "^ " not in strip else ())
        return f"{short(name, width):>{width}} |{strip}|{'  ' + told if told else ''}".rstrip()

    lines = [line(lane.name, _lane(picture, lane)) for lane in picture.lanes]
    for block in picture.blocks:
        lines.append(_title(block))
        for row in block.rows:
            told = row.outcome + (f", {row.by}" if row.by else "")
            lines.append(line(_name(row), _row(picture, row), told))
        if block.left_out:
            lines.append(f"{'':>{width}}  {block.left_out}")
    lines += [line("", _said_at(picture, at_ms, said)) for at_ms, said in _broken(picture)]
    scale, labels = _scale(picture)
    unit = "steps" if picture.axis.counts_steps else f"time, {picture.axis.unit}"
    lines += [line("", scale), f"{unit:>{width}}  {labels}".rstrip()]
    meant = [f"{letter} {meaning}" for letter, meaning in MEANINGS.items() if letter in used]
    return [*lines, *_wrapped(meant)]


def _title(block: Block) -> str:
    return f"entries of {block.stream}" + (f" in {listed(block.groups)}" if block.groups else "")


def _name(row: Row) -> str:
    return f"{listed(row.names)}  {row.fields}".strip()


def _column(picture: Picture, at_ms: int) -> int:
    return round(picture.axis.place(at_ms) * (COLUMNS - 1))


def _fill(strip: list[str], picture: Picture, span: tuple[int, int], sign: str) -> None:
    for column in range(_column(picture, span[0]), _column(picture, span[1]) + 1):
        strip[column] = sign


def _work(strip: list[str], picture: Picture, span: tuple[int, int], name: str) -> None:
    """A handler: at least a column, with the entry's number at its beginning where there is room."""
    begin, end = (_column(picture, at_ms) for at_ms in span)
    end = max(begin, end - 1)
    for column in range(begin, end + 1):
        strip[column] = WORK
    if len(name) <= end - begin + 1:
        strip[begin : begin + len(name)] = name


def _lane(picture: Picture, lane: Lane) -> str:
    strip = [" "] * COLUMNS
    for life in lane.lives:
        _fill(strip, picture, (life.begin_ms, life.end_ms), RUNS if life.running else DOWN)
    for work in lane.works:
        _work(strip, picture, (work.begin_ms, work.end_ms), work.entry)
    for pause in lane.pauses:
        _fill(strip, picture, pause, STILL)
    for mark in lane.marks:
        if mark.sign in LANE_SIGNS:
            strip[_column(picture, mark.at_ms)] = LANE_SIGNS[mark.sign]
    for loss in picture.losses:
        if loss.process == lane.name:
            strip[_column(picture, loss.at_ms)] = "L"
    return "".join(strip)


def _row(picture: Picture, row: Row) -> str:
    strip = [" "] * COLUMNS
    for segment in row.segments:
        _fill(strip, picture, (segment.begin_ms, segment.end_ms), STATES[segment.state])
    for work in row.works:
        _work(strip, picture, (work.begin_ms, work.end_ms), "")
    for mark in row.marks:
        at = _column(picture, mark.at_ms)
        if mark.sign in (Sign.DELIVERED, Sign.CLAIMED, Sign.REREAD):
            strip[at] = mark.text[-1:]
        elif mark.sign in ROW_SIGNS:
            strip[at] = ROW_SIGNS[mark.sign]
    return "".join(strip)


def _broken(picture: Picture) -> list[tuple[int, str]]:
    return [(each.at_ms, each.text.removeprefix("✗ ")) for each in picture.lines if each.kind == "violated"]


def _said_at(picture: Picture, at_ms: int, said: str) -> str:
    """Words with an arrow up to a moment, on the side where there is room."""
    at, told = _column(picture, at_ms), short(said, COLUMNS - 2)
    if at + len(told) + 2 <= COLUMNS:
        return (" " * at + f"^ {told}").ljust(COLUMNS)
    return f"{told} ^".rjust(at + 1).ljust(COLUMNS) if at >= len(told) + 1 else f"{told} ^".ljust(COLUMNS)


def _scale(picture: Picture) -> tuple[str, str]:
    """The axis with its breaks, and the times below it."""
    strip, labels = ["-"] * COLUMNS, [" "] * COLUMNS
    for piece in picture.axis.breaks:
        middle = (_column(picture, piece.begin_ms) + _column(picture, piece.end_ms)) // 2
        strip[middle] = BREAK
    free = 0
    for at_ms, label in picture.axis.ticks():
        at = _column(picture, at_ms)
        begin = min(max(at - len(label) // 2, 0), COLUMNS - len(label))
        if begin >= free:
            strip[at] = "+"
            labels[begin : begin + len(label)] = label
            free = begin + len(label) + 1
    return "".join(strip), "".join(labels)


def _wrapped(parts: Iterable[str], width: int = 100) -> list[str]:
    lines: list[str] = []
    for part in parts:
        if lines and len(lines[-1]) + len(part) + 2 <= width:
            lines[-1] += f"; {part}"
        else:
            lines.append(part)
    return lines
