"""Who does what and when: the actions of a run, drawn from a tape."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from ...choices import Choices, Drawn
from ..virtual_clock import START_MS
from .actions import Action, ClockTo, Connect, Do, HangUp, Inspect
from .command_lines import CommandLines
from .draws import THOUSAND, Draws
from .recorder import Observer, Recorder
from .worlds import World, draw_world

__all__ = ["INSPECT_EVERY", "ModelFailedError", "Run", "Source", "draw_run", "generate"]

INSPECT_EVERY = 100
"""After so many actions the state is compared."""

HANGS_UP = 4
"""Somebody hangs up next, in one case fewer than this of a thousand."""

STEPS_MS = (1, 1, 2, 7, 21, 101, 1001, 5001, 100_000)
STEPS_BACK_MS = (1, 3, 50, 20_000)


class ModelFailedError(Exception):
    """The model raised an exception while it took the last of these actions: a bug of ours."""

    def __init__(self, world: World, actions: list[Action]) -> None:
        super().__init__("the model fails")
        self.world = world
        self.actions = actions


@dataclass(frozen=True, slots=True)
class Run:
    """What was drawn, and the model's part of it."""

    world: World
    actions: list[Action]
    recorder: Recorder


class Source:
    """Actions, one after the other, for a model that takes each before the next is drawn."""

    def __init__(self, draws: Draws, recorder: Recorder, world: World) -> None:
        self._draws = draws
        self._recorder = recorder
        self._world = world
        self._conn = 0
        self._lines = CommandLines(draws, recorder.server, world.taste)

    def first(self) -> Iterator[Action]:
        """The connections that there are from the start; every second one speaks RESP3."""
        for conn in range(self._world.connections):
            yield Connect(conn, 2 + conn % 2)

    def next(self) -> Iterator[Action]:
        """What happens next: seldom more than one action."""
        draws, recorder, world = self._draws, self._recorder, self._world
        how = draws.choose(THOUSAND, "what happens next")
        if how >= THOUSAND - world.clock:
            yield ClockTo(max(recorder.now_ms + self._step_ms(), START_MS))
            return
        if how < HANGS_UP and how > 0:
            conn = draws.choose(world.connections, "who hangs up")
            yield HangUp(conn)
            yield Connect(conn, 2 + draws.choose(2, "protocol"))
            return
        if how >= THOUSAND - world.clock - (THOUSAND - world.stay):
            self._conn = draws.choose(world.connections, "connection")
        if not recorder.is_free(self._conn):
            self._conn = 0  # which never blocks
        conn = self._conn
        queueing = recorder.is_queueing(conn)
        may_block = conn > 0 and world.taste.block > 0
        yield Do(conn, self._lines.next(recorder.now_ms, may_block=may_block, queueing=queueing))

    def _step_ms(self) -> int:
        draws = self._draws
        if draws.happens(100, "backward"):
            return -draws.pick(STEPS_BACK_MS, "back by")
        return draws.pick(STEPS_MS, "on by")


def draw_run(
    choices: Choices, dialect: str, commands: int, *, world: World | None = None, observer: Observer | None = None,
    goes_on: Callable[[], bool] | None = None,
) -> Run:  # fmt: skip
    """A run of so many commands, its state compared at intervals and at the end, drawn from a tape.

    `goes_on` is asked before each action whether there is to be one more. Raises `ModelFailedError` where the
    model itself fails.
    """
    draws = Draws(choices)
    if world is None:
        world = draw_world(draws)
    recorder = Recorder(dialect, world.config, observer)
    source = Source(draws, recorder, world)
    actions: list[Action] = []

    def take(found: Iterable[Action]) -> None:
        for action in found:
            actions.append(action)
            try:
                recorder.take(action)
            except Exception as error:
                raise ModelFailedError(world, actions) from error

    take(source.first())
    steps = 0
    while recorder.commands < commands and (goes_on is None or goes_on()):
        steps += 1
        if steps % INSPECT_EVERY == 0:
            take([Inspect(2 + steps // INSPECT_EVERY % 2)])
        take(source.next())
    take([Inspect()])
    return Run(world, actions, recorder)


def generate(dialect: str, seed: int, commands: int, observer: Observer | None = None) -> Run:
    """The run that a seed stands for."""
    return draw_run(Drawn(seed), dialect, commands, observer=observer)
