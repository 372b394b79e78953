"""A process as plain values, as seen from its present: its log, what it waits for, and its events to come."""

from __future__ import annotations

from typing import Any, NamedTuple

from ..events import Handled, HandleFailed
from ..kernel import Scheduled
from ..plan import Process
from ..process import Running
from ..steps import Arrive, Begin, Deliver, Happening, Mend, Resume, Rise, Wake
from ..turn import Path
from .abstraction import NOW_MS
from .renaming import atoms

SESSIONS_EACH = 64
"""How many connections a process may have at once."""


class Life(NamedTuple):
    """Everything that the future of a process depends on beside the server; whose it is, is not in it."""

    whose: int
    """The place of the process."""
    down: bool
    finished: bool
    incarnation: int
    """Exact where a new incarnation has a new name, else 0 or 1: whether it ever ran."""
    state: Any
    turns_done: int
    """0 where its turns are not counted."""
    log: tuple[Any, ...]
    began_now: bool
    commands: int
    unanswered: tuple[Any, ...]
    streams: tuple[Any, ...]
    """Of the entries that the log, the state or what is still on its way names."""
    scopes: tuple[Any, ...]
    waits: tuple[tuple[int, Path, int], ...]
    """Sessions that are blocked, with the path and the call that wait."""
    events: tuple[tuple[int, Happening], ...]
    """In how many milliseconds what happens, in the order of the schedule."""
    links: tuple[Any, ...] = ()
    """Commands sent in vain, fates of blocked reads, counts of commands, who waits for a connection, how many idle
    ones there are; or nothing."""


class Numbers(NamedTuple):
    """New numbers for the connections and the calls of one process, counted from 0 and from 1."""

    sessions: dict[int, int]
    calls: dict[int, int]


def first_session(index: int) -> int:
    """The number by which the server knows the first connection of a process."""
    return (index + 1) * SESSIONS_EACH


def number(running: Running, waits: dict[int, Any], events: list[Scheduled[Happening]]) -> Numbers:
    """Numbers the connections and calls of a process that are in use, in the order that they have.

    Idle connections are left out: whether one is there already or is opened when it is needed is all the same, unless
    links are at fault for a while. Then they are counted.
    """
    sessions = {session for _, session in running.unanswered.values()} | set(waits)
    calls = {call for call, _ in running.unanswered.values()} | {wait[3] for wait in waits.values()}
    for item in events:
        if isinstance(item.event, Arrive):
            sessions.add(item.event.session)
            calls.add(item.event.call)
        elif isinstance(item.event, Deliver):
            calls.add(item.event.call)
    assert len(sessions) < SESSIONS_EACH, "a process has no more connections than it has coroutines"
    return Numbers(
        {session: i for i, session in enumerate(sorted(sessions))},
        {call: 1 + i for i, call in enumerate(sorted(calls))},
    )


def freeze(
    index: int, running: Running, numbers: Numbers, waits: dict[int, Any], events: list[Scheduled[Happening]], *,
    idle: bool = False,
) -> Life:
    """A process that stands at ``NOW_MS``; ``idle``: with how many connections it has and does not use."""
    plan = running.plan
    sessions, calls = numbers
    log = tuple(running.log)
    named = atoms((running.state, log, [item.event for item in events])) if running.streams else set()
    exact = plan.restart is not None and plan.restart.new_name
    between = any(isinstance(item.event, Begin) for item in events)
    return Life(
        index,
        running.down,
        running.finished,
        running.incarnation if exact else min(running.incarnation, 1),
        running.state,
        0 if plan.turns is None else running.turns_done,
        log,
        running.turn_began_ms == NOW_MS and not running.down and not between,
        0 if between else running.commands,
        tuple(sorted((path, (calls[call], sessions[session])) for path, (call, session) in running.unanswered.items())),
        tuple(sorted((entry, where) for entry, where in running.streams.items() if entry in named)),
        tuple(sorted(running.scopes.items())),
        tuple(sorted((sessions[session], wait[2], calls[wait[3]]) for session, wait in waits.items())),
        tuple((item.at_ms - NOW_MS, _freeze_event(item.event, numbers)) for item in events),
        _links(running, len(running.sessions) if idle else 0),
    )


def _links(running: Running, idle: int) -> tuple[Any, ...]:
    if not running.attempts and not running.fates and not running.counts and not running.queue and not idle:
        return ()
    kept = running.attempts, running.fates, running.counts
    return (*[tuple(sorted(part.items())) for part in kept], tuple(running.queue), idle)


def _freeze_event(event: Happening, numbers: Numbers) -> Happening:
    if isinstance(event, Arrive):
        return event._replace(
            process=0, incarnation=0, call=numbers.calls[event.call], session=numbers.sessions[event.session],
            sent_ms=event.sent_ms - NOW_MS,
        )  # fmt: skip
    if isinstance(event, Deliver):
        return event._replace(process=0, incarnation=0, call=numbers.calls[event.call])
    if isinstance(event, Wake) and event.handled is not None:
        return event._replace(process=0, incarnation=0, handled=event.handled._replace(at_ms=0, process=""))
    return event._replace(process=0, incarnation=0)


def thaw(life: Life, plan: Process) -> tuple[Running, list[tuple[int, Happening]]]:
    """The process again, with its events and the times at which they come; its coroutines are not made yet."""
    index = life.whose
    running = Running(plan)
    running.down = life.down
    running.finished = life.finished
    running.incarnation = life.incarnation
    base = plan.consumer or plan.name
    fresh = life.incarnation > 1 and plan.restart is not None and plan.restart.new_name
    running.consumer = f"{base}-{life.incarnation}" if fresh else base
    running.state = life.state
    running.turns_done = life.turns_done
    running.log = list(life.log)
    running.turn_began_ms = NOW_MS if life.began_now else NOW_MS - 1
    running.commands = life.commands
    first = first_session(index)
    running.unanswered = {path: (call, first + session) for path, (call, session) in life.unanswered}
    running.streams = dict(life.streams)
    running.scopes = dict(life.scopes)
    if life.links:
        *kept, queue, idle = life.links
        running.sessions = [first + SESSIONS_EACH - 1 - place for place in range(idle)]
        running.attempts, running.fates, running.counts = map(dict, kept)
        running.queue = list(queue)
    events = [(NOW_MS + left, _thaw_event(event, index, running)) for left, event in life.events]
    running.resumes_ms = next((at_ms for at_ms, event in events if isinstance(event, Resume)), None)
    running.barred = {event.what: (at_ms, event.by_ms) for at_ms, event in events if isinstance(event, Mend)}
    return running, events


def _thaw_event(event: Happening, index: int, running: Running) -> Happening:
    incarnation = running.incarnation + isinstance(event, Rise)
    if isinstance(event, Arrive):
        session = first_session(index) + event.session
        return event._replace(
            process=index, incarnation=incarnation, session=session, sent_ms=event.sent_ms + NOW_MS
        )
    if isinstance(event, Wake) and event.handled is not None:
        handled = event.handled._replace(at_ms=NOW_MS, process=running.plan.name)
        assert isinstance(handled, Handled | HandleFailed)
        return event._replace(process=index, incarnation=incarnation, handled=handled)
    return event._replace(process=index, incarnation=incarnation)


def shifted(life: Life, by_ms: int) -> Life:
    """The same process ``by_ms`` later; nothing of it was due before."""
    events = []
    for left, event in life.events:
        if isinstance(event, Arrive):
            event = event._replace(sent_ms=event.sent_ms - by_ms)
        events.append((left - by_ms, event))
    return life._replace(began_now=False, events=tuple(events))
