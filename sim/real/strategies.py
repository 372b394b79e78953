"""Hypothesis strategies that come from the model's table of commands.

>>> from hypothesis import given
>>> from redelivery.sim.real import strategies
>>>
>>> @given(strategies.runs("redis-7.0"))
... def test_my_server(run):
...     for action in run.actions:      # Connect, Do, ClockTo, HangUp, Inspect: redelivery.sim.real.diff.actions
...         ...                         # put it to your server, client or proxy
...     run.recorder.script             # what the model sends and answers, step by step, to the byte

`command_lines` draws single commands: valid, borderline and malformed ones. `runs` draws what several clients do
to one server: commands that suit its state, groups, consumers and streams, blocked reads, transactions, clients
that hang up, and a clock that steps forward and backward. Everything is drawn from one tape
(`redelivery.sim.choices`), which is Hypothesis's own here, so that what fails is made small by Hypothesis.

To draw a great many quickly, and again from a seed, use `redelivery.sim.real.diff.source.generate`, which draws
the same things from the same tape without Hypothesis.
"""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import strategies as st

from ...models.dialects import DEFAULT
from ...models.server import Server
from .diff.command_lines import CommandLines
from .diff.draws import Draws
from .diff.source import Run, draw_run
from .diff.worlds import Taste, World
from .virtual_clock import START_MS

__all__ = ["HypothesisChoices", "choices", "command_lines", "runs"]

COMMANDS_MAX = 30


class HypothesisChoices:
    """A tape whose answers Hypothesis draws: it remembers and shrinks them."""

    def __init__(self, draw: st.DrawFn) -> None:
        self.answers: list[int] = []
        self._draw = draw

    def choose(self, n: int, label: str, weights: Sequence[int] | None = None) -> int:
        """An answer from 0 to n − 1; the weights say what cannot be, else they are Hypothesis's to ignore."""
        if n == 1:
            return 0
        if weights is None:
            answer = self._draw(st.integers(0, n - 1))
        else:
            answer = self._draw(st.sampled_from([i for i, weight in enumerate(weights) if weight > 0]))
        self.answers.append(answer)
        return answer


@st.composite
def choices(draw: st.DrawFn) -> HypothesisChoices:
    """A tape for whatever takes one: a simulation, a run, a generator of your own."""
    return HypothesisChoices(draw)


@st.composite
def command_lines(
    draw: st.DrawFn, dialect: str = DEFAULT, *, server: Server | None = None, taste: Taste | None = None,
    may_block: bool = True, now_ms: int = START_MS,
) -> tuple[bytes, ...]:  # fmt: skip
    """One command line of a dialect; the state of `server`, if one is given, lends it names and IDs."""
    lines = CommandLines(Draws(HypothesisChoices(draw)), server or Server(dialect), taste or Taste())
    return lines.next(now_ms, may_block=may_block)


@st.composite
def runs(
    draw: st.DrawFn, dialect: str = DEFAULT, *, commands_max: int = COMMANDS_MAX, world: World | None = None
) -> Run:
    """A run of at most so many commands, with the model's part of it; at the end the state is looked at."""

    def goes_on() -> bool:
        return draw(st.integers(0, 15)) > 0

    return draw_run(HypothesisChoices(draw), dialect, commands_max, world=world, goes_on=goes_on)
