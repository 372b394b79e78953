"""Command lines, drawn from the model's own table of commands.

The table says which arguments and options a command has. Most command lines are the positional arguments and
then options; `SHAPES` has the commands whose grammar is another. Whatever option the table knows is drawn, here too.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TypeAlias

from ....models.commands.call import Command, Option
from ....models.commands.table import LISTS, TABLE, WAIT, WAITAOF, commands_of
from ....models.dialect import Dialect
from ....models.server import Server
from . import texts
from .draws import Draws, slots
from .kinds import Arguments
from .worlds import SUBCOMMAND_WEIGHTS, USUAL, Taste

__all__ = ["SHAPES", "CommandLines", "bounds_arguments", "subcommands_of"]

HALF_MASKED = ("UNSUBSCRIBE", "PUNSUBSCRIBE", "PUBSUB", "CLIENT")
"""What must stay as it was drawn in a transaction: there nothing is masked."""
MASKED = ("HELP", "ID", "CHANNELS")
OF_FOLLOWERS = (WAIT, WAITAOF)
"""What is asked of those who follow a server; drawn for a taste that names it alone: nobody follows in a campaign."""
LIST_COMMANDS = frozenset(command.name for command in LISTS)


class CommandLines:
    """A source of command lines for one model server."""

    __slots__ = (
        "_lower", "_plain", "_pool", "_rows", "_subcommands", "args", "draws", "may_block", "queueing", "taste",
    )  # fmt: skip

    def __init__(self, draws: Draws, server: Server, taste: Taste) -> None:
        self.draws = draws
        self.taste = taste
        self.args = Arguments(draws, server, taste)
        self.may_block = self.queueing = False
        self._lower = False
        self._rows: list[tuple[Command, list[bytes]]] = []
        asked = [row for row in OF_FOLLOWERS if taste.weights.get(row.name)]
        commands = {c.name: c for c in commands_of(server.dialect, (*TABLE, *asked)).values()}
        self._plain = commands["PING"]
        """Instead of a command that may block where none may."""
        weights: dict[Command | None, float] = {c: taste.weight(name) for name, c in commands.items()}
        self._pool = slots(weights | {None: sum(weights.values()) / 200})
        self._subcommands = {
            name: slots({sub: SUBCOMMAND_WEIGHTS.get(sub.name, USUAL) for sub in subcommands})
            for name, command in commands.items()
            if (subcommands := subcommands_of(command, server.dialect))
        }
        for name, command in commands.items():
            lines = [(command, [name.encode()])]
            for sub in dict.fromkeys(self._subcommands.get(name, ())):
                lines.append((sub, [name.encode(), sub.name.encode()]))
            self._rows += [(row, argv) for row, argv in lines if bounds_arguments(row, len(argv))]

    def next(self, now_ms: int, *, may_block: bool, queueing: bool = False) -> tuple[bytes, ...]:
        """One command line; `queueing` tells that its connection is in a transaction."""
        draws = self.draws
        self.args.now_ms = now_ms
        self.may_block = may_block
        self.queueing = queueing
        if queueing and draws.happens(250, "EXEC"):
            return (b"EXEC",)
        self._lower = draws.happens(50, "lower case")
        command = draws.pick(self._pool, "command")
        if command is None:
            return (draws.pick(texts.NO_COMMANDS, "no command"), *self.junk(3))
        if draws.happens(10, "wrong number of arguments"):
            argv = self._wrong_number()
            self._unblock(argv)
            return tuple(argv)
        if (not may_block and "blocking" in command.flags) or (queueing and command.name == "HELLO"):
            command = self._plain
        argv = [self.cased(command.name.encode()), *self._after_the_name(command)]
        if draws.happens(self.taste.damaged, "damaged") and not (queueing and command.name in HALF_MASKED):
            self._damage(argv)
        return tuple(argv)

    def _after_the_name(self, command: Command) -> list[bytes]:
        draws = self.draws
        self.args.choose_key(streams=command.name.startswith("X"), lists=command.name in LIST_COMMANDS)
        subcommands = self._subcommands.get(command.name)
        if subcommands is None:
            return SHAPES.get(command.name, plain)(self, command)
        if draws.happens(20, "no subcommand"):
            return [draws.pick(texts.NO_SUBCOMMANDS, "no subcommand"), *self.junk(3)]
        sub = draws.pick(subcommands, "subcommand")
        if self.queueing and sub.name in MASKED:
            # What is masked, or comes in any order, is so only where it is a reply of its own.
            sub = next(other for other in subcommands if other.name not in MASKED)
        return [self.cased(sub.name.encode()), *SHAPES.get(f"{command.name} {sub.name}", plain)(self, sub)]

    # -- the parts of a line --------------------------------------------------------------------

    def option(self, option: Option) -> list[bytes]:
        """An option with its arguments."""
        found = [self.cased(option.word.encode())]
        for kind in option.arguments:
            found += self.args.of(kind)
        return found

    def options(self, options: Sequence[Option], permille: int = 300) -> list[bytes]:
        """Some of the options, in some order."""
        draws = self.draws
        taken = [option for option in options if draws.happens(permille, option.word)]
        if len(taken) > 1:
            taken = draws.shuffled(taken, "order of options")
        return [text for option in taken for text in self.option(option)]

    def junk(self, most: int) -> list[bytes]:
        """A few texts that mean nothing here."""
        return [self.draws.pick(texts.JUNK, "junk") for _ in range(self.draws.choose(most + 1, "how much junk"))]

    def cased(self, word: bytes) -> bytes:
        """A keyword, in lower case in a few command lines."""
        return word.lower() if self._lower else word

    def _damage(self, argv: list[bytes]) -> None:
        """Damages a command line in one place; its name stays."""
        draws = self.draws
        at = 1 + draws.choose(len(argv), "where it is damaged")
        how = draws.choose(6, "damage")
        if how == 5:
            del argv[1:]
        elif how == 0:
            del argv[at:]
        elif how == 1:
            argv.insert(at, draws.pick(texts.JUNK, "junk"))
        elif at < len(argv):
            if how == 2:
                argv[at] = draws.pick(texts.JUNK, "junk")
            elif how == 3:
                argv.insert(at, argv[at])
            else:
                del argv[at]
        self._unblock(argv)

    def _wrong_number(self) -> list[bytes]:
        """Any command or subcommand, with one argument too few or too many; each as often as any other."""
        draws = self.draws
        row, argv = draws.pick(self._rows, "command")
        if self.queueing and (row.name in MASKED or argv[0].decode() in HALF_MASKED):
            row, argv = self._rows[0]
        least = abs(row.arity)
        wanted = least + 1 if row.arity >= 0 and draws.choose(2, "too many") else least - 1
        return [*argv, *(draws.pick(texts.VALUES, "argument") for _ in range(wanted - len(argv)))][: max(wanted, 1)]

    def _unblock(self, argv: list[bytes]) -> None:
        """Takes back a BLOCK that chance brought where nobody may block."""
        if not self.may_block and argv[0].upper() in (b"XREAD", b"XREADGROUP"):
            argv[1:] = [b"x" if text.upper() == b"BLOCK" else text for text in argv[1:]]


def bounds_arguments(row: Command, words: int) -> bool:
    """Whether a command or subcommand, whose name is so many words, can have a wrong number of arguments."""
    return row.arity >= 0 or -row.arity > words


def subcommands_of(command: Command, dialect: Dialect) -> tuple[Command, ...]:
    """The subcommands of a command; where a dialect parses them by hand, those of a later row that it knows."""
    if command.subcommands or command.arguments != ("subcommand",):
        return command.subcommands
    (row,) = (later for later in TABLE if later.name == command.name and later.subcommands)
    return tuple(
        replace(sub, options=tuple(o for o in sub.options if dialect.has(o.since, o.since_valkey)))
        for sub in row.subcommands
        if dialect.has(sub.since, sub.since_valkey)
    )


# ---- the shapes ----


def plain(line: CommandLines, command: Command) -> list[bytes]:
    """The positional arguments, then options."""
    found: list[bytes] = []
    for kind in command.arguments:
        found += line.args.of(kind)
    return found + line.options(command.options)


TRIMMING = ("MAXLEN", "MINID", "LIMIT")


def _trimming(line: CommandLines, command: Command) -> list[bytes]:
    """MAXLEN or MINID with what belongs to it, in a good order most of the time."""
    draws = line.draws
    known = [option for option in command.options if option.word in ("MAXLEN", "MINID")]
    option = draws.pick(known, "strategy")
    sign = draws.pick((b"", b"=", b"~", b"~"), "sign")
    found = [line.cased(option.word.encode()), *filter(None, [sign]), *line.args.of(option.arguments[0])]
    limits = any(option.word == "LIMIT" for option in command.options)
    if draws.happens(400 if sign == b"~" and limits else 30, "LIMIT"):
        found += [line.cased(b"LIMIT"), *line.args.of("limit")]
    return found


def _xadd(line: CommandLines, command: Command) -> list[bytes]:
    draws = line.draws
    found = line.options([option for option in command.options if option.word not in TRIMMING], 100)
    if draws.happens(200, "trims"):
        found = _trimming(line, command) + found if draws.choose(2, "trims first") else found + _trimming(line, command)
    if draws.happens(20, "more options"):
        found += line.options(command.options)
    return [line.args.key, *found, *line.args.of("new-id"), *line.args.of("fields")]


def _xtrim(line: CommandLines, command: Command) -> list[bytes]:
    if line.draws.happens(30, "no strategy"):
        return [line.args.key, line.cased(b"LIMIT"), *line.args.of("limit")]
    extra = line.options(command.options) if line.draws.happens(50, "more options") else []
    rest = line.options([option for option in command.options if option.word not in TRIMMING])
    return [line.args.key, *_trimming(line, command), *rest, *extra]


def _reading(line: CommandLines, command: Command) -> list[bytes]:
    """XREAD and XREADGROUP: options, then STREAMS with as many IDs as keys."""
    draws, args = line.draws, line.args
    grouped = command.name == "XREADGROUP"
    keys = []
    for _ in range(draws.pick((1, 1, 1, 2, 3), "how many streams")):
        args.choose_key(streams=True, grouped=grouped)
        keys.append(args.key)
    options: list[bytes] = []
    for option in _reading_options(line, command, grouped):
        # The table says `ms` of BLOCK; how long one may wait has edges of its own.
        options += [line.cased(b"BLOCK"), *args.of("block")] if option.word == "BLOCK" else line.option(option)
    places = []
    for key in keys:
        args.key = key
        wrong = args.is_wrong(3)
        places.append(args.wrong_id() if wrong else args.of("group-position" if grouped else "position")[0])
    return [*options, line.cased(b"STREAMS"), *keys, *places]


READING_OPTIONS = {"COUNT": (500, 500), "NOACK": (10, 150), "GROUP": (20, 980), "CLAIM": (10, 250)}
"""How often XREAD and XREADGROUP have an option, of 1000 cases; XREAD takes none but the first."""


def _reading_options(line: CommandLines, command: Command, grouped: bool) -> list[Option]:
    taken = []
    for option in command.options:
        permille = READING_OPTIONS.get(option.word, (100, 100))[grouped]
        if option.word == "BLOCK":
            permille = line.taste.block if line.may_block else 0
        if option.word != "STREAMS" and line.draws.happens(permille, option.word):
            taken.append(option)
    if any(option.word == "BLOCK" for option in taken):
        # Until it wakes the clock may go back, and a server may never answer a CLAIM 0 after that.
        taken = [Option("CLAIM", ("claim-idle-blocked",)) if option.word == "CLAIM" else option for option in taken]
    return line.draws.shuffled(taken, "order of options") if len(taken) > 1 else taken


def _xpending(line: CommandLines, command: Command) -> list[bytes]:
    draws, args = line.draws, line.args
    found = [args.key, *args.of("group")]
    if draws.happens(300, "summary"):
        return found
    found += line.options(command.options)
    found += [*args.of("start"), *args.of("end"), *args.of("count")]
    if draws.happens(400, "of one consumer"):
        found += args.of("consumer")
    return found + (line.junk(3) if draws.happens(50, "too much") else [])


def _xinfo_stream(line: CommandLines, command: Command) -> list[bytes]:
    """The options in the one order in which they are taken, most of the time."""
    if line.draws.happens(50, "any order"):
        return plain(line, command)
    found = [line.args.key]
    for option in command.options:
        if not line.draws.happens(600, option.word):
            break
        found += line.option(option)
    return found


def _ping(line: CommandLines, command: Command) -> list[bytes]:
    return line.args.of("value") if line.draws.happens(300, "message") else []


def _by_ids(line: CommandLines, command: Command) -> list[bytes]:
    """XDELEX and XACKDEL: one strategy at most, mostly, and the IDs, in either order."""
    draws = line.draws
    found: list[bytes] = []
    for kind in command.arguments:
        found += line.args.of(kind)
    strategies = [option for option in command.options if option.word != "IDS"]
    words = [draws.pick(strategies, "strategy")] if draws.happens(700, "a strategy") else []
    words += [draws.pick(strategies, "strategy")] if draws.happens(20, "another strategy") else []
    strategy = [text for option in words for text in line.option(option)]
    block = [line.cased(b"IDS"), *line.args.of("many-ids")]
    return found + (block + strategy if draws.happens(100, "IDs first") else strategy + block)


Shape: TypeAlias = Callable[[CommandLines, Command], list[bytes]]

def _leaving(line: CommandLines, command: Command) -> list[bytes]:
    """UNSUBSCRIBE: without names the answers come in any order, which is masked where it is a reply of its own."""
    if not line.queueing and line.draws.happens(300, "from all"):
        return []
    return plain(line, command)


SHAPES: Mapping[str, Shape] = {
    "UNSUBSCRIBE": _leaving,
    "PUNSUBSCRIBE": _leaving,
    "XADD": _xadd,
    "XTRIM": _xtrim,
    "XREAD": _reading,
    "XREADGROUP": _reading,
    "XPENDING": _xpending,
    "XINFO STREAM": _xinfo_stream,
    "PING": _ping,
    "XDELEX": _by_ids,
    "XACKDEL": _by_ids,
}
"""The commands whose grammar is not just positional arguments and then options."""
