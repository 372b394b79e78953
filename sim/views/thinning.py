"""Leaving out what would be drawn on top of its neighbours: a run of any length makes a picture of a few pages."""

from __future__ import annotations

from dataclasses import replace

from .axis import Axis
from .picture import Block, Command, Lane, Row, Scan, State, Work

APART = 0.004
"""The least part of the axis between two marks of one kind on a lane; nearer ones cannot be told apart."""
MARKS_MAX = 400
"""Fewer are all drawn, wherever they stand."""
SCANS_APART = 0.03
_PENDING = (State.PENDING, State.ORPHANED, State.DANGLING)


def thin(
    axis: Axis, lanes: tuple[Lane, ...], commands: tuple[Command, ...], shown: set[str]
) -> tuple[tuple[Lane, ...], tuple[Command, ...], int]:
    """Lanes and commands with room between their marks, and how many marks were left out for that.

    Handlers of entries that have a row in the picture (``shown``) stay, and so do commands that failed.
    """
    if len(commands) + sum(len(lane.works) for lane in lanes) <= MARKS_MAX:
        return lanes, commands, 0
    out = [replace(lane, works=_works(axis, lane.works, shown)) for lane in lanes]
    kept = _commands(axis, commands)
    left_out = sum(len(lane.works) for lane in lanes) - sum(len(lane.works) for lane in out)
    return tuple(out), kept, left_out + len(commands) - len(kept)


def _works(axis: Axis, works: tuple[Work, ...], shown: set[str]) -> tuple[Work, ...]:
    out: list[Work] = []
    last: dict[int, float] = {}
    for work in works:
        place = axis.place(work.begin_ms)
        if work.entry in shown or work.cut or place - last.get(work.level, -1.0) >= APART:
            last[work.level] = place
            out.append(work)
    return tuple(out)


def _commands(axis: Axis, commands: tuple[Command, ...]) -> tuple[Command, ...]:
    out: list[Command] = []
    last: dict[tuple[str, str], float] = {}
    for command in commands:
        place, kind = axis.place(command.at_ms), (command.process, command.text)
        if command.failed or place - last.get(kind, -1.0) >= APART:
            last[kind] = place
            out.append(command)
    return tuple(out)


def telling(axis: Axis, blocks: tuple[Block, ...], scans: tuple[Scan, ...]) -> tuple[Scan, ...]:
    """The scans that tell something: what was pending was looked at and found, or never reached.

    Scans of the same entries that would stand close to each other are told by the first.
    """
    out: list[Scan] = []
    last: dict[tuple[str, str, int, int | None], float] = {}
    for scan in scans:
        rows = [row for block in blocks if _is_of(scan, block) for row in block.rows if pending_at(row, scan.at_ms)]
        missed = any(row.id < scan.first or (scan.until is not None and row.last_id >= scan.until) for row in rows)
        key, place = (scan.process, scan.group, scan.first, scan.until), axis.place(scan.at_ms)
        if missed and place - last.get(key, -1.0) >= SCANS_APART:
            last[key] = place
            out.append(scan)
    return tuple(out)


def pending_at(row: Row, at_ms: int) -> bool:
    """Whether the row's entry was pending at that time."""
    return any(s.state in _PENDING and s.begin_ms <= at_ms <= s.end_ms for s in row.segments)


def _is_of(scan: Scan, block: Block) -> bool:
    return scan.stream == block.stream and scan.group in block.groups
