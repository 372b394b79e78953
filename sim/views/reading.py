"""What a history tells, in full and as plain data: lanes, commands, losses, claims, and the life of each entry.

Every picture begins here: the timeline, which chooses from it what has room; the pages, which show all of it. Nothing
is chosen, placed or coloured yet, and nothing here knows of matplotlib. Times are ms of true time, as in the history.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from ...models import ids
from ..events import Ended, Healed
from ..history import History
from . import words
from .groups import Groups, GroupView, server_jumps
from .lanes import Lanes
from .life import IN_STREAM, NEVER_HANDLED
from .picture import NO_LEVELS, Block, Claim, Command, Lane, Line, Loss, Mark, Row, Scan, ServerLane
from .scans import scans
from .strips import levels


@dataclass(frozen=True, slots=True)
class Reading:
    """All that there is to draw of one run."""

    header: dict[str, Any]
    events: int
    """How many events the history has."""
    end_ms: int
    whole: bool
    """Whether the run came to its end; a history that was cut stops before."""
    numbering: words.Numbering
    lanes: tuple[Lane, ...]
    """Every process, in the order in which the scenario declares them."""
    takers: frozenset[str]
    """The processes that took an entry; the others only add, look or clean up."""
    commands: tuple[Command, ...]
    """The commands that told something, in order."""
    idle: tuple[tuple[int, str], ...]
    """The others, which changed nothing: when each took effect, and whose it was."""
    losses: tuple[Loss, ...]
    servers: tuple[ServerLane, ...]
    """One, and another for each replica that took its place."""
    server_marks: tuple[Mark, ...]
    scans: tuple[Scan, ...]
    """Every look through pending entries for some to claim."""
    claims: tuple[Claim, ...]
    blocks: tuple[Block, ...]
    """Each stream as each of its groups sees it, with the lives of all its entries."""
    lines: tuple[Line, ...]

    @property
    def quiet(self) -> int:
        """How many commands changed nothing."""
        return len(self.idle)

    @property
    def entries(self) -> int:
        """How many lives there are: one for each entry in each group."""
        return sum(len(block.rows) for block in self.blocks)


def read(history: History) -> Reading:
    """Reads a history once; the same history gives the same reading."""
    header = history.header
    numbering = words.Numbering(history)
    lanes = Lanes(history, numbering)
    groups = Groups(history, numbering)
    end_ms = max((event.at_ms for event in history), default=0)
    blocks = _blocks(header, groups, lanes, end_ms)
    handling = {work.process for _, _, _, work in lanes.handlers}
    whole = any(isinstance(event, Ended) for event in history.events[-1:])
    return Reading(
        header=header,
        events=len(history),
        end_ms=end_ms,
        whole=whole,
        numbering=numbering,
        lanes=tuple(lanes.views[name].lane() for name in _order(header, lanes)),
        takers=frozenset(groups.takers | handling),
        commands=tuple(lanes.commands),
        idle=tuple(lanes.idle.values()),
        losses=tuple(lanes.losses),
        servers=tuple(lanes.servers),
        server_marks=server_jumps(history),
        scans=scans(history),
        claims=tuple(groups.claims),
        blocks=blocks,
        lines=_lines(history, end_ms, whole),
    )


def _blocks(header: dict[str, Any], groups: Groups, lanes: Lanes, end_ms: int) -> tuple[Block, ...]:
    groups.groupless(end_ms)
    _attach(groups, lanes)
    found = words.violations(header)
    said, missed = _named(found), _named(item for item in found if "handled" in str(item.get("property")))
    views = [view for _, view in sorted(groups.views.items())]
    taken = {view.stream for view in views for life in view.lives.values() if life.taken}
    whole: list[Block] = []
    before: set[tuple[bytes, bytes]] = set()
    for view in views:
        keep, grouped = view.stream in taken, bool(view.group)
        shown = [(ids.show(entry_id).decode(), view.lives[entry_id]) for entry_id in sorted(view.lives)]
        rows = [life.close(end_ms, groups.clock, name in said, name in missed, keep, grouped) for name, life in shown]
        rows = rows if view.group else _unread(rows)
        if rows:
            min_idle = tuple(sorted(view.min_idle_ms)) or _declared_min_idle(header)
            whole.append(
                Block(
                    stream=words.text(view.stream),
                    groups=(words.text(view.group),) if view.group else (),
                    rows=tuple(rows),
                    cursor=_changes(view.cursor),
                    min_idle_ms=min_idle if view.group else (),
                    idle_top_ms=0,
                    left_out="",
                    again=(view.stream, view.group) in before,
                    levels=levels(rows, end_ms) if view.group else NO_LEVELS,
                )
            )
            before.add((view.stream, view.group))
    return tuple(whole)


def _named(violations: Iterable[dict[str, Any]]) -> set[str]:
    """The IDs of entries that violations speak of."""
    return set(re.findall(r"\d+-\d+", " ".join(str(item.get("message")) for item in violations)))


def _unread(rows: list[Row]) -> list[Row]:
    """Rows of a stream that no group reads: where one is named as never handled, so are the others like it."""
    if not any(row.outcome == NEVER_HANDLED for row in rows):
        return rows
    return [
        row if row.works or row.outcome != IN_STREAM else replace(row, outcome=NEVER_HANDLED, trouble=True)
        for row in rows
    ]  # fmt: skip


def _attach(groups: Groups, lanes: Lanes) -> None:
    """Puts each handler's work on the entry's row too."""
    newest: dict[tuple[bytes, bytes], GroupView] = {
        (view.stream, view.group): view for _, view in sorted(groups.views.items())
    }
    for stream, group, entry, work in lanes.handlers:
        view = newest.get((stream, group))
        entry_id = ids.parse(entry, 0, strict=True)
        if view is not None and entry_id in view.lives:
            view.lives[entry_id].works.append(work)


def _order(header: dict[str, Any], lanes: Lanes) -> list[str]:
    """Processes as the scenario declares them; the order in which they start is the tape's."""
    budget = header.get("budget")
    declared = budget.get("processes") if isinstance(budget, dict) else None
    place = {name: n for n, name in enumerate(declared)} if isinstance(declared, list) else {}
    return sorted(lanes.views, key=lambda name: place.get(name, len(place)))


def _changes(cursor: list[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    """Only the last value of each moment, and only where it differs from the one before."""
    last = dict(cursor)
    out: list[tuple[int, int]] = []
    for at_ms, entry_id in last.items():
        if not out or out[-1][1] != entry_id:
            out.append((at_ms, entry_id))
    return tuple(out)


def _declared_min_idle(header: dict[str, Any]) -> tuple[int, ...]:
    """A threshold that the parameters name, for runs in which nobody ever claims."""
    params = header.get("params")
    found: set[int] = set()
    if isinstance(params, dict):
        for name, value in params.items():
            if "min_idle" in name and str(value).isdecimal() and int(value) > 0:
                found.add(int(value))
    return tuple(sorted(found))


def _lines(history: History, end_ms: int, whole: bool) -> tuple[Line, ...]:
    """Of a history that was cut, what broke after its end has no place."""
    lines = [Line(event.at_ms, "healed", "faults end") for event in history if isinstance(event, Healed)]
    seen: set[str] = set()
    for item in words.violations(history.header):
        name, at_ms = str(item.get("property")), item.get("at_ms")
        if isinstance(at_ms, int) and name not in seen and (whole or at_ms <= end_ms):
            seen.add(name)
            lines.append(Line(at_ms, "violated", f"✗ {name} broken"))
    return tuple(sorted(lines))
