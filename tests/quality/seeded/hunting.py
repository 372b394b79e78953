"""The search for a bug: random commands to the model, which has it, and to a real server, which has not."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import count

from redelivery.models.server import Config
from redelivery.sim.choices import Drawn
from redelivery.sim.real.diff.actions import Action, Do, Inspect
from redelivery.sim.real.diff.bench import Bench, configure
from redelivery.sim.real.diff.campaign import COMMANDS_A_RUN, seed_of
from redelivery.sim.real.diff.pipelined import Pipelined
from redelivery.sim.real.diff.recorder import INSPECTOR, record
from redelivery.sim.real.diff.shrink import shrink
from redelivery.sim.real.diff.source import ModelFailedError, Run, draw_run, generate
from redelivery.sim.real.diff.story import actions_of, config_of
from redelivery.sim.real.diff.worlds import World, config_of_nodes
from redelivery.sim.real.script import Send, Step
from redelivery.sim.real.virtual_clock import START_MS

from .faults import Bug

COMMANDS_MAX = 5000
"""Within so many commands every bug is found."""

UNFOCUSED_MAX = 10_000
"""So many commands at most of a campaign that is fond of nothing."""

NODE_ENTRIES = (100, 3, 1)
"""How many entries a node may have, run by run: a bug may show only where there are several nodes."""

WATCHDOG_S = 1.0


@dataclass(frozen=True)
class Caught:
    """A bug that was found: after how many commands, and the run that shows it."""

    after: int
    config: Config
    actions: Sequence[Action]


class Hunter:
    """Looks for differences on one server."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self._quick = Pipelined(bench.server, bench.clock, bench.control, watchdog_s=WATCHDOG_S)

    def close(self) -> None:
        """Hangs up; the server is another's."""
        self._quick.close()

    def focused(self, bug: Bug, commands_max: int = COMMANDS_MAX) -> Iterator[Caught]:
        """The runs that differ, of so many commands that are drawn for this bug."""
        done = 0
        for number in count():
            if done >= commands_max:
                return
            config = config_of_nodes(0, NODE_ENTRIES[number % len(NODE_ENTRIES)])
            blocks = bug.taste.block > 500
            world = World(config, bug.taste, 5, clock=bug.clock, stay=500 if blocks else 800)
            drawn = draw_run(Drawn(seed_of(1, number)), self.bench.dialect, bug.run, world=world)
            found = self._caught(drawn, done)
            if found is not None and found.after <= commands_max:
                yield found
            done += drawn.recorder.commands

    def unfocused(self, commands_max: int = UNFOCUSED_MAX) -> int | None:
        """After how many commands of a campaign with seed 1 the first difference comes; ``None``: too many.

        A model that a bug makes break down is found by that.
        """
        done = 0
        for number in count():
            if done >= commands_max:
                return None
            try:
                drawn = generate(self.bench.dialect, seed_of(1, number), COMMANDS_A_RUN)
            except ModelFailedError as error:
                return done + sum(isinstance(action, Do) for action in error.actions)
            found = self._caught(drawn, done)
            if found is not None:
                return found.after
            done += drawn.recorder.commands
        raise AssertionError("not reached")

    def _caught(self, drawn: Run, before: int) -> Caught | None:
        self.bench.clock.set(START_MS)
        configure(self.bench.control, drawn.world.config, drawn.recorder.server.dialect)
        index = self._quick.first_difference(drawn.recorder.script)
        if index is None or not self.bench.differences(drawn.recorder):
            return None  # nothing, or a reply that a busy machine kept back
        after = before + sum(map(_is_command, drawn.recorder.script[: index + 1]))
        return Caught(after, drawn.world.config, drawn.actions)

    def shrunk(self, caught: Caught) -> list[Action]:
        """What is left of a run that shows a bug."""
        return shrink(self.bench, caught.config, caught.actions)

    def differs(self, story: str) -> bool:
        """Whether the model and the server disagree on a story."""
        lines = story.splitlines()
        return bool(self.bench.differences(record(self.bench.dialect, config_of(lines), actions_of(lines))))


def _is_command(step: Step) -> bool:
    return isinstance(step, Send) and step.conn != INSPECTOR


def length_of(actions: Sequence[Action]) -> int:
    """How many commands a run has; a look at the whole state counts as one."""
    return sum(isinstance(action, Do | Inspect) for action in actions)
