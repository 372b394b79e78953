"""The alphabet: which command lines are put to the model and the server in every state, and which of them lead on.

It is made from the dialect's command table. Each command for streams gives: its shape with the usual value of each
argument, and with each other class of value in turn; the same for each of its options; and each pair of its
options. `EXTRA_LINES` adds combinations that mean something only together. What a command line leads to is always
compared; the states from which the search goes on are those that `MOVES` and the steps of the clock lead to: few
enough that all their sequences can be tried, and every kind of state that a stream can be in is reached by them.

The names: one stream `s`, one string `text`, one group `g`, consumers `a` and `b`, entries 1-1, 2-1, 3-1 and one
that takes its ID from the clock. `NOT_HERE` has what the table knows and the alphabet does not, with the reason.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from ....models.commands.call import Command, Option
from ....models.commands.table import TABLE, commands_of
from ....models.dialects import Dialect
from ...errors import BadInput
from .letters import CLOCK_STEP_MS, OPTIONS, SHAPES, VALUES

__all__ = [
    "ENTRIES_MAX",
    "INSTEAD",
    "MOVES",
    "NOT_HERE",
    "Letter",
    "alphabet",
    "fingerprint",
    "moves_of",
    "stream_commands",
    "values_of",
]

ENTRIES_MAX = 3
"""The most entries, deleted ones included, that a stream has in a state from which the search goes on."""

CLOCK = "the clock"
"""What a step of the clock is counted as."""

CLOCK_STEPS_MS = (CLOCK_STEP_MS, -CLOCK_STEP_MS)
"""The steps of the clock; it stays within one step of where it starts."""

NOT_HERE: Mapping[str, str] = {
    "XGROUP HELP": "a text for people, which is not compared",
    "XINFO HELP": "a text for people, which is not compared",
}
"""What the alphabet leaves out, with the reason."""

MOVES = (
    "XADD s 1-1 f 1",
    "XADD s 2-1 f 1",
    "XADD s 3-1 f 1",
    "XADD s * f 1",
    "XGROUP CREATE s g 0 MKSTREAM",
    "XGROUP CREATE s g $",
    "XREADGROUP GROUP g a COUNT 1 STREAMS s >",
    "XREADGROUP GROUP g a NOACK STREAMS s >",
    "XREADGROUP GROUP g b STREAMS s >",
    "XREADGROUP GROUP g a STREAMS s 0",
    "XACK s g 1-1",
    "XDEL s 1-1",
    "XDEL s 2-1",
    "XDEL s 3-1",
    "XCLAIM s g b 0 2-1",
    "XCLAIM s g b 0 1-1 FORCE JUSTID",
    "XAUTOCLAIM s g a 1000 0",
    "XGROUP SETID s g 0",
    "XGROUP CREATECONSUMER s g b",
    "XGROUP DELCONSUMER s g a",
    "XGROUP DESTROY s g",
    "XTRIM s MAXLEN 1",
    "XSETID s 5-0",
    "XREADGROUP GROUP g b CLAIM 1000 STREAMS s >",
    "XADD s IDMP p i * f 1",
    "XNACK s g FAIL IDS 1 1-1",
    "DEL s",
)
"""The command lines whose results are states of their own, where a dialect knows them."""

INSTEAD = {"XADD s * f 1": "XADD s IDMP p i * f 1"}
"""What moves instead of another, where a dialect knows it: both would make more states than there is time for."""

EXTRA_LINES = (
    "XADD s MAXLEN ~ 1 LIMIT 1 * f 1",
    "XADD s MINID ~ 3 LIMIT 2 * f 1",
    "XADD s NOMKSTREAM MAXLEN 1 * f 1",
    "XADD s MAXLEN 1 3-1 f 1",
    "XTRIM s MAXLEN ~ 1 LIMIT 1",
    "XTRIM s MAXLEN ~ 0 LIMIT 2",
    "XTRIM s MINID ~ 9 LIMIT 2",
    "XREADGROUP GROUP g b COUNT 1 NOACK STREAMS s >",
    "XREADGROUP GROUP g b STREAMS s 0",
    "XREADGROUP GROUP g b COUNT 1 STREAMS s 1-1",
    "XREADGROUP GROUP g a STREAMS s s > 0",
    "XREADGROUP GROUP g a STREAMS s text > >",
    "XREAD STREAMS s s 0 1-1",
    "XCLAIM s g a 1000 1-1 2-1 3-1",
    "XCLAIM s g b 0 1-1 2-1 3-1 FORCE",
    "XCLAIM s g b 1001 1-1 2-1 JUSTID",
    "XCLAIM s g b 0 1-1 1-1",
    "XCLAIM s g b 0 FORCE",
    "XCLAIM s g b 0 2-1 JUSTID 1-1",
    "XAUTOCLAIM s g b 0 0 COUNT 1 JUSTID",
    "XAUTOCLAIM s g b 1000 2-1 COUNT 2",
    "XPENDING s g IDLE 1000 - + 10 a",
    "XPENDING s g - + 10 b x",
    "XGROUP CREATE s h $ ENTRIESREAD 2",
    "XGROUP SETID s g 2-1 ENTRIESREAD 1",
    "XSETID s 9-9 ENTRIESADDED 5 MAXDELETEDID 2-1",
    "XSETID s 2-1 ENTRIESADDED 1 MAXDELETEDID 9-9",
    "XINFO STREAM s FULL COUNT 1",
    "XINFO STREAM s FULL COUNT 0",
    "XINFO STREAM s FULL COUNT -1",
    "XREADGROUP GROUP g a CLAIM 0 COUNT 1 STREAMS s >",
    "XREADGROUP GROUP g b CLAIM 0 NOACK STREAMS s >",
    "XREADGROUP GROUP g b CLAIM 0 STREAMS s s 0 >",
    "XTRIM s MAXLEN ~ 1 DELREF",
    "XTRIM s MAXLEN ~ 0 ACKED",
    "XTRIM s MINID 9 ACKED",
    "XADD s IDMP p i * f 2",
    "XADD s IDMP p i MAXLEN 0 * f 1",
    "XADD s IDMP p i 9-9 f 1",
    "EXISTS s",
    "TYPE s",
)
"""Combinations that mean something only together, and what the keyspace says of a stream; where a dialect has them."""


@dataclass(frozen=True, slots=True)
class Letter:
    """One thing that is done in every state: a command, or a step of the clock (then `argv` is empty)."""

    argv: tuple[bytes, ...]
    command: str
    """The command, with its subcommand, and the options that it has here: under these it is counted."""

    options: tuple[str, ...] = ()

    moves: bool = False
    """Whether what it leads to is a state of its own."""

    clock_step_ms: int = 0


def alphabet(dialect: Dialect) -> tuple[Letter, ...]:
    """All letters for a dialect, in an order that depends on nothing else."""
    known = commands_of(dialect)
    streams = stream_commands(dialect)
    moves = moves_of(dialect)
    extra = [argv for argv in map(_argv, EXTRA_LINES) if argv[0] in known and not _unknown_words(argv, streams)]
    lines = dict.fromkeys([*_made_from_the_table(streams), *extra, *moves])
    letters = [Letter(argv, *_counted_as(argv, streams), argv in moves) for argv in lines]
    steps = [Letter((), CLOCK, (), True, step_ms) for step_ms in CLOCK_STEPS_MS]
    return (*letters, *steps)


def fingerprint(letters: Sequence[Letter]) -> str:
    """A hash of an alphabet: what was explored with one tells nothing about another."""
    return hashlib.sha256(repr([(x.argv, x.moves, x.clock_step_ms) for x in letters]).encode()).hexdigest()[:16]


def moves_of(dialect: Dialect) -> dict[tuple[bytes, ...], None]:
    """The command lines that move in a dialect, in their order."""
    commands, streams = commands_of(dialect), stream_commands(dialect)
    known = [argv for argv in map(_argv, MOVES) if argv[0] in commands and not _unknown_words(argv, streams)]
    for line, instead in INSTEAD.items():
        if _argv(instead) in known:
            known.remove(_argv(line))
    return dict.fromkeys(known)


def stream_commands(dialect: Dialect) -> dict[str, Command]:
    """The commands for streams of a dialect by name; a container gives its subcommands, as in `XGROUP CREATE`.

    The oldest dialects parse their containers by hand; there the subcommands are those that they know all the same.
    """
    found: dict[str, Command] = {}
    for command in commands_of(dialect).values():
        if not command.name.startswith("X"):
            continue
        subcommands = command.subcommands or _known_by_hand(command.name, dialect)
        found.update({f"{command.name} {sub.name}": sub for sub in subcommands} or {command.name: command})
    return found


def _known_by_hand(name: str, dialect: Dialect) -> tuple[Command, ...]:
    """The subcommands, with their options, that a dialect knows although its table does not tell them apart."""
    return tuple(
        sub
        for command in TABLE
        if command.name == name
        for sub in command.subcommands
        if dialect.has(sub.since, sub.since_valkey)
    )


def _made_from_the_table(streams: Mapping[str, Command]) -> Iterator[tuple[bytes, ...]]:
    for name, command in streams.items():
        if name in NOT_HERE:
            continue
        shapes = SHAPES.get(name) or (" ".join((*command.arguments, OPTIONS)),)
        for shape in shapes:
            for words in _varied(shape, command):
                yield _argv(f"{name} {words}")


def _varied(shape: str, command: Command) -> Iterator[str]:
    """A shape as it is usual; with each other value in turn; with each option; with each pair of options."""
    for words in _each_value(shape.split()):
        yield words.replace(OPTIONS, "")
    if OPTIONS not in shape.split():
        return
    usual = next(_each_value(shape.split()))
    options = [option for option in command.options if option.word not in shape.split()]
    for option in options:
        for given in _each_value([option.word, *option.arguments]):
            yield usual.replace(OPTIONS, given)
    for one, other in combinations(options, 2):
        yield usual.replace(OPTIONS, f"{_usual(one)} {_usual(other)}")


def _each_value(words: list[str]) -> Iterator[str]:
    usual = [values_of(word)[0] for word in words]
    yield " ".join(usual)
    for at, word in enumerate(words):
        for value in values_of(word)[1:]:
            yield " ".join([*usual[:at], value, *usual[at + 1 :]])


def _usual(option: Option) -> str:
    return next(_each_value([option.word, *option.arguments]))


def values_of(word: str) -> tuple[str, ...]:
    """The values of a kind; a word of the grammar is its own."""
    if word == OPTIONS or not word.islower():
        return (word,)
    if word not in VALUES:
        raise BadInput(f"the alphabet has no values for arguments of the kind {word!r}: add them to VALUES")
    return VALUES[word]


def _unknown_words(argv: tuple[bytes, ...], streams: Mapping[str, Command]) -> set[str]:
    """The words in capitals that are no options of the command; but for those that a kind of argument has."""
    name, options = _counted_as(argv, streams)
    words = {word for word in (argument.decode() for argument in argv) if word.isupper()}
    return words - {*name.split(), *options, *VALUES["nack-mode"]}


def _argv(line: str) -> tuple[bytes, ...]:
    return tuple(line.encode().split())


def _counted_as(argv: tuple[bytes, ...], streams: Mapping[str, Command]) -> tuple[str, tuple[str, ...]]:
    """The command of a command line, and its options."""
    words = [argument.decode() for argument in argv]
    name = " ".join(words[:2]) if " ".join(words[:2]) in streams else words[0]
    command = streams.get(name)
    known = {option.word for option in command.options} if command else set()
    return name, tuple(sorted(known.intersection(words[len(name.split()) :])))
