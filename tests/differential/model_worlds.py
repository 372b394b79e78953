"""Random runs: who does what, when the clock moves, and what each run is fond of."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from random import Random

from redelivery.models.server import Config
from redelivery.sim.real.virtual_clock import START_MS

from .model_against_servers import Action, ClockTo, Connect, Do, HangUp, Inspect, Recorder
from .model_commands import Commands, Taste


@dataclass(frozen=True, slots=True)
class World:
    """What a run is made with: connections, node sizes, the taste of its commands."""

    config: Config = field(default_factory=Config)
    taste: Taste = field(default_factory=Taste)
    connections: int = 5
    inspect_every: int = 60
    clock: float = 0.25
    """How often the clock moves."""


NODE_SIZES = (
    (4096, 100),
    (0, 1),
    (0, 3),
    (0, 2),
    (0, 0),
    (120, 0),
    (300, 5),
    (4096, 2),
    (60, 100),
    (4096, 100),
)
"""Bytes and entries that a node may have."""

READING = {
    "XREADGROUP": 30,
    "XREAD": 15,
    "XGROUP": 6,
    "DEL": 1.5,
    "SET": 0.7,
    "MULTI": 4,
    "EXEC": 4,
    "XINFO": 3,
}
ADDING = {"XADD": 80, "XREADGROUP": 10, "DEL": 0.05, "FLUSHALL": 0.0, "SET": 0.05}
REMOVING = {"XSETID": 15, "XDEL": 20, "XTRIM": 15, "XADD": 40, "XRANGE": 8, "XREVRANGE": 8}
CLAIMING = {"XCLAIM": 30, "XAUTOCLAIM": 20, "XREADGROUP": 30, "XDEL": 10, "XPENDING": 15}

TASTES = (
    Taste(),
    Taste(focus=0.9, mutate=0.01, wrong=0.01),
    Taste(mutate=0.4, wrong=0.4),
    Taste(focus=0.9, long_values=0.5),
    Taste(weights=READING, focus=0.95, mutate=0.01, wrong=0.02, block=0.85),
    Taste(weights=READING, focus=0.99, mutate=0.0, wrong=0.0, block=0.95),
    Taste(weights=ADDING, focus=0.95, mutate=0.01, wrong=0.01),
    Taste(weights=REMOVING, focus=0.95, mutate=0.01),
    Taste(weights=CLAIMING, focus=0.95, mutate=0.03),
)


def world_of(chance: Random) -> World:
    """A world of the seed's choice."""
    size = chance.choice(NODE_SIZES)
    taste = chance.choice(TASTES)
    if chance.random() < 0.3:
        taste = replace(taste, block=0.0)
    clock = 0.25 if taste.block < 0.5 else 0.05
    return World(Config(*size), taste, connections=chance.choice((2, 5, 8)), clock=clock)


class Source:
    """Actions, one after the other, for a model that takes each before the next is drawn."""

    def __init__(self, chance: Random, recorder: Recorder, world: World) -> None:
        self.chance = chance
        self.recorder = recorder
        self.world = world
        self._commands = Commands(chance, recorder.server, world.taste)

    def first(self) -> Iterator[Action]:
        """The connections that there are from the start."""
        for conn in range(self.world.connections):
            yield Connect(conn, 2 + conn % 2)

    def next(self) -> Iterator[Action]:
        """What happens next: seldom more than one action."""
        chance, recorder = self.chance, self.recorder
        how = chance.random()
        if how < self.world.clock:
            yield ClockTo(max(recorder.now_ms + self._step_ms(), START_MS))
            return
        conn = chance.randrange(self.world.connections)
        if how < self.world.clock + 0.005:
            yield HangUp(conn)
            yield Connect(conn, 2 + chance.randrange(2))
            return
        if not recorder.is_free(conn):
            conn = 0  # which never blocks
        queueing = recorder.is_queueing(conn)
        yield Do(conn, self._commands.next(recorder.now_ms, may_block=conn > 0, queueing=queueing))

    def _step_ms(self) -> int:
        chance = self.chance
        if chance.random() < 0.1:
            return -chance.choice((1, 3, 50, 20_000))
        return chance.choice((1, 1, 2, 7, 21, 101, 1001, 5001, 100_000))


def generate(dialect: str, seed: int, commands: int) -> tuple[World, list[Action], Recorder]:
    """A run of the seed's choice, with the model's part."""
    chance = Random(seed)
    world = world_of(chance)
    recorder = Recorder(dialect, world.config)
    source = Source(chance, recorder, world)
    actions: list[Action] = list(source.first())
    for action in actions:
        recorder.take(action)
    steps = 0
    while recorder.commands < commands:
        steps += 1
        found = [Inspect(2 + steps % 2)] if steps % world.inspect_every == 0 else source.next()
        for action in found:
            actions.append(action)
            recorder.take(action)
    actions.append(Inspect())
    recorder.take(actions[-1])
    return world, actions, recorder
