"""Leaving out what would be drawn on top of its neighbours: a run of any length makes a picture of a few pages."""

from __future__ import annotations

from dataclasses import replace

from .axis import Axis
from .picture import Command, Lane, Work

APART = 0.004
"""The least part of the axis between two marks of one kind on a lane; nearer ones cannot be told apart."""
MARKS_MAX = 400
"""Fewer are all drawn, wherever they stand."""


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
