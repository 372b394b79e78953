"""The generator of commands: it knows every argument of the table, and a seed or a tape brings the same run again."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from redelivery.models.commands.call import Command, Option
from redelivery.models.commands.table import TABLE, commands_of
from redelivery.models.dialects import DIALECTS
from redelivery.models.server import Config
from redelivery.sim.choices import Drawn, Replayed
from redelivery.sim.errors import BadInput
from redelivery.sim.real import strategies
from redelivery.sim.real.diff.actions import Action, ClockTo, Connect, Do, HangUp, Inspect
from redelivery.sim.real.diff.command_lines import SHAPES
from redelivery.sim.real.diff.draws import slots
from redelivery.sim.real.diff.kinds import KINDS
from redelivery.sim.real.diff.recorder import record
from redelivery.sim.real.diff.source import Run, draw_run, generate
from redelivery.sim.real.diff.story import actions_of, config_of, story_of

# What the table says of a command and its shape spells out itself.
SPELLED_OUT = {"streams", "subcommand"}


def rows_of(commands: tuple[Command, ...]) -> Iterator[tuple[str, Command]]:
    for command in commands:
        yield command.name, command
        for sub in command.subcommands:
            yield f"{command.name} {sub.name}", sub


@pytest.mark.parametrize(("name", "command"), list(rows_of(TABLE)))
def test_every_kind_of_argument_has_a_generator(name: str, command: Command) -> None:
    kinds = {*command.arguments, *(kind for option in command.options for kind in option.arguments)}
    if name in SHAPES or command.arguments == ("subcommand",):
        kinds -= SPELLED_OUT
    missing = sorted(kinds - set(KINDS))
    assert not missing, f"{name} takes {missing}: say in sim/real/diff/kinds.py what they look like"


@pytest.mark.parametrize("dialect", DIALECTS)
def test_every_command_and_option_is_drawn(dialect: str) -> None:
    wanted = set()
    for command in commands_of(DIALECTS[dialect]).values():
        wanted.add(command.name.encode())
        wanted |= {option.word.encode() for _, row in rows_of((command,)) for option in row.options}
    seen: set[bytes] = set()
    for seed in range(60):
        for action in generate(dialect, seed, 200).actions:
            if isinstance(action, Do):
                seen.update(text.upper() for text in action.argv)
    assert wanted <= seen


def test_a_seed_brings_the_same_run_again() -> None:
    one, two, other = (generate("redis-8.6", seed, 300) for seed in (5, 5, 6))
    assert one.actions == two.actions
    assert one.recorder.script == two.recorder.script
    assert other.actions != one.actions


def test_a_tape_brings_the_same_run_again() -> None:
    drawn = Drawn(5)
    run = draw_run(drawn, "redis-7.0", 100)
    assert draw_run(Replayed(drawn.answers), "redis-7.0", 100).actions == run.actions


def test_a_tape_of_zeros_is_the_plainest_run() -> None:
    run = draw_run(Replayed(()), "redis-8.6", 2)
    sent = [action.argv for action in run.actions if isinstance(action, Do)]
    assert sent == [(b"XADD", b"s", b"*", b"f", b"f")] * 2


def test_weights_become_slots() -> None:
    assert slots({"a": 1, "b": 3, "c": 0}) == ("b", "b", "b", "a")


@settings(max_examples=30)
@given(strategies.command_lines("redis-6.2"))
def test_a_strategy_draws_commands(argv: tuple[bytes, ...]) -> None:
    assert argv
    assert all(isinstance(text, bytes) for text in argv)


@settings(max_examples=15)
@given(strategies.runs("redis-8.6", commands_max=8), st.booleans())
def test_a_strategy_draws_runs(run: Run, with_state: bool) -> None:
    assert run.recorder.commands <= 8
    assert record("redis-8.6", run.world.config, run.actions).script == run.recorder.script


# ---- stories ----


@pytest.mark.parametrize("seed", range(10))
def test_a_story_is_read_back(seed: int) -> None:
    run = generate("redis-8.6", seed, 200)
    told = story_of(run.actions, run.world.config).splitlines()
    assert config_of(told) == run.world.config
    again = record("redis-8.6", config_of(told), actions_of(told))
    sends = [step.reply for step in run.recorder.script if hasattr(step, "reply")]
    assert [step.reply for step in again.script if hasattr(step, "reply")] == sends


def test_a_story_says_what_it_means() -> None:
    actions: list[Action] = [
        Connect(0, 2), Connect(1, 3), Do(0, (b"SET", b"k", b'a "b\\\r\n\x00')), ClockTo(1_700_000_000_005),
        Do(1, (b"GET", b"k")), HangUp(1), Inspect(),
    ]  # fmt: skip
    told = story_of(actions, Config(0, 3))
    assert told.splitlines() == ["! 0 3", "a:", "B:", r'a> SET k "a \"b\\\r\n\x00"', "+5", "B> GET k", "B!", "?"]
    first = next(action for action in actions_of(told.splitlines()) if isinstance(action, Do))
    assert first.argv == (b"SET", b"k", b'a "b\\\r\n\x00')


@pytest.mark.parametrize("line", ["what", 'a> SET "k', "a>", "+x"])
def test_a_line_that_is_no_action_is_named(line: str) -> None:
    with pytest.raises(BadInput, match="line 2 of the story"):
        actions_of(["a> PING", line])


def test_an_unknown_kind_is_seen() -> None:
    command = Command("NEW", 2, TABLE[0].run, frozenset(), arguments=("unheard-of",), options=(Option("X"),))
    with pytest.raises(AssertionError, match="unheard-of"):
        test_every_kind_of_argument_has_a_generator("NEW", command)
