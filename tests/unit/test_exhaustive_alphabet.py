"""The alphabet of the exhaustive search: what is in it, and what the search makes of it on the model alone."""

from __future__ import annotations

import pytest
from redelivery.models.commands.table import commands_of
from redelivery.models.dialects import DIALECTS
from redelivery.models.replies import Failure
from redelivery.models.server import Server
from redelivery.sim.errors import BadInput
from redelivery.sim.real.exhaustive.alphabet import (
    INSTEAD,
    MOVES,
    NOT_HERE,
    alphabet,
    fingerprint,
    moves_of,
    stream_commands,
    values_of,
)
from redelivery.sim.real.exhaustive.letters import SHAPES, VALUES
from redelivery.sim.real.exhaustive.states import CONFIG, EMPTY, Model, State


@pytest.mark.parametrize("dialect", DIALECTS)
def test_every_command_and_option_of_a_dialect_is_in_it_or_left_out_for_a_reason(dialect: str) -> None:
    lines = [letter.argv for letter in alphabet(DIALECTS[dialect])]
    for name, command in stream_commands(DIALECTS[dialect]).items():
        words = tuple(name.encode().split())
        ours = [line for line in lines if line[: len(words)] == words]
        assert bool(ours) != (name in NOT_HERE), name
        if name not in NOT_HERE:
            missing = {o.word for o in command.options if not any(o.word.encode() in line for line in ours)}
            assert not missing, f"{name} without {missing}"


def test_what_is_left_out_exists_and_has_a_reason() -> None:
    known = {name for dialect in DIALECTS.values() for name in stream_commands(dialect)}
    for name, reason in NOT_HERE.items():
        assert name in known
        assert len(reason) > 10


@pytest.mark.parametrize("dialect", DIALECTS)
def test_each_class_of_value_of_each_argument_is_tried(dialect: str) -> None:
    lines = {letter.argv for letter in alphabet(DIALECTS[dialect])}
    for value in VALUES["min-idle"]:
        assert tuple(f"XCLAIM s g a {value} 1-1".encode().split()) in lines
    for value in VALUES["count"]:
        assert tuple(f"XREVRANGE s + - COUNT {value}".encode().split()) in lines
    assert (b"XCLAIM", b"s", b"g", b"a", b"0", b"1-1", b"FORCE", b"JUSTID") in lines, "options by twos"


@pytest.mark.parametrize("dialect", DIALECTS)
def test_what_moves_is_marked(dialect: str) -> None:
    letters = alphabet(DIALECTS[dialect])
    assert {x.argv for x in letters if x.moves and x.argv} == set(moves_of(DIALECTS[dialect]))
    assert [x.clock_step_ms for x in letters if not x.argv] == [1000, -1000]


@pytest.mark.parametrize("dialect", DIALECTS)
def test_what_reads_by_the_table_changes_nothing(dialect: str) -> None:
    known, model = commands_of(DIALECTS[dialect]), Model(DIALECTS[dialect])
    reading = [x.argv for x in alphabet(DIALECTS[dialect]) if x.argv and "readonly" in known[x.argv[0]].flags]
    assert {argv[0] for argv in reading} >= {b"XREAD", b"XPENDING", b"XINFO"}
    assert b"XREADGROUP" not in {argv[0] for argv in reading}
    for state in (state for level in reached(dialect, 1) for state in level):
        for argv in reading:
            assert model.take(state, argv).after is state, argv


UNKNOWN = (b"unknown command", b"Unknown subcommand", b"syntax", b"Invalid stream ID", b"wrong number")
REFUSED = tuple(b"-ERR " + text for text in UNKNOWN)
"""How a dialect answers what it does not know."""


@pytest.mark.parametrize("dialect", DIALECTS)
def test_what_moves_in_a_dialect_is_what_it_knows(dialect: str) -> None:
    model = Model(DIALECTS[dialect])
    grouped = model.take(EMPTY, b"XGROUP CREATE s g 0 MKSTREAM".split()).after
    known = {line for line in MOVES if not model.take(grouped, line.encode().split()).reply.startswith(REFUSED)}
    for line, instead in INSTEAD.items():
        if instead in known:
            known.remove(line)
    assert {b" ".join(argv).decode() for argv in moves_of(DIALECTS[dialect])} == known
    assert len(known) >= 22


def test_no_letter_is_there_twice_and_none_is_unknown() -> None:
    for name, dialect in DIALECTS.items():
        letters = alphabet(dialect)
        assert len({(x.argv, x.clock_step_ms) for x in letters}) == len(letters)
        server = Server(name, CONFIG)
        session = server.open()
        for command in {x.argv[0] for x in letters if x.argv}:
            reply, _ = server.execute(session, [command], EMPTY.now_ms)
            assert isinstance(reply, Failure)
            assert b"unknown command" not in reply.text, command


def test_an_alphabet_is_known_by_its_letters() -> None:
    letters = alphabet(DIALECTS["redis-7.0"])
    assert fingerprint(letters) == fingerprint(alphabet(DIALECTS["redis-7.0"]))
    assert fingerprint(letters) != fingerprint(letters[:-1])
    assert fingerprint(letters) != fingerprint(alphabet(DIALECTS["redis-6.2"]))


def test_a_kind_of_argument_without_values_is_named() -> None:
    with pytest.raises(BadInput, match="'colour'"):
        values_of("colour")
    for shapes in SHAPES.values():
        for shape in shapes:
            for word in shape.split():
                assert word in VALUES or word == "options" or not word.islower(), f"{word} in {shape!r}"


# ---- states ----

DEEPER = {
    "redis-6.0": [1, 7, 36, 156],
    "redis-6.2": [1, 7, 37, 170],
    "valkey-9.1": [1, 7, 37, 175],
    "redis-8.8": [1, 7, 37, 172],
}
STATES_BY_DEPTH = {name: DEEPER.get(name, [1, 7, 37]) for name in DIALECTS}
"""How many states there are at each depth: whoever changes the model or the alphabet sees here what it does."""


def reached(dialect: str, depth: int) -> list[list[State]]:
    """The states of each depth, by the model alone."""
    model = Model(DIALECTS[dialect])
    letters = [letter for letter in alphabet(DIALECTS[dialect]) if letter.moves]
    known, levels = {EMPTY.name()}, [[EMPTY]]
    for _ in range(depth):
        levels.append([])
        for state in levels[-2]:
            for letter in letters:
                after = model.step(state, letter)
                if after.is_within_bounds() and after.name() not in known:
                    known.add(after.name())
                    levels[-1].append(after)
    return levels


@pytest.mark.parametrize("dialect", STATES_BY_DEPTH)
def test_so_many_states_are_there(dialect: str) -> None:
    wanted = STATES_BY_DEPTH[dialect]
    assert [len(level) for level in reached(dialect, len(wanted) - 1)] == wanted


def test_taking_a_command_leaves_the_state_alone() -> None:
    model = Model(DIALECTS["redis-8.6"])
    letters = alphabet(DIALECTS["redis-8.6"])
    for state in reached("redis-8.6", 2)[2]:
        before = state.name()
        for letter in letters:
            model.step(state, letter)
        assert state.name() == before


def test_states_are_one_whatever_way_leads_there() -> None:
    model = Model(DIALECTS["redis-7.0"])

    def after(*lines: str) -> State:
        state = EMPTY
        for line in lines:
            state = model.take(state, line.encode().split()).after
        return state

    one = after("XADD s 1-1 f 1", "XGROUP CREATE s g 0")
    other = after("DEL s", "XADD s 1-1 f 1", "XGROUP CREATE s h 0", "XGROUP DESTROY s h", "XGROUP CREATE s g 0")
    assert one.name() == other.name()
    assert one.name() != after("XADD s 1-1 f 2", "XGROUP CREATE s g 0").name()
    assert one.name() != one._replace(clock_ms=1).name()
