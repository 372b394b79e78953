"""Random commands for the model and the servers, drawn from the model's own table of commands.

The table says which arguments and options a command has; this file says what plausible, borderline and wrong
ones look like. The state of the model lends real IDs, so that most commands have something to bite on.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random

from redelivery.models import ids
from redelivery.models.commands.call import Command, Option
from redelivery.models.commands.table import XGROUP, XINFO, commands_of
from redelivery.models.server import Server
from redelivery.models.stream import Stream

KEYS = (b"s", b"s", b"s", b"s", b"t", b"t", b"u", b"text", b"", b"n\0l", b"c\r\nr")
GROUPS = (b"g", b"g", b"g", b"g", b"h", b"h", b"", b"g\0x", b"no\r\n")
CONSUMERS = (b"a", b"a", b"b", b"b", b"c", b"", b"z\0")

MAX = b"18446744073709551615"
ODD_IDS = (
    b"", b"-", b"+", b"$", b">", b"*", b"0", b"0-0", b"(", b"(0-0", b"(0", b"(-", b"01-1", b"+5-1", b" 6-1",
    b"8-+1", b"9- -1", b"9--1", b"10-", b"-10", b"10-0x1", b"1-2-3", b"10.5-1", b"11-1 ", b"12-1\0x",
    b"\t3-\v4", b"5-*", b"0-*", b"-5-*", MAX, b"18446744073709551616-0", MAX + b"-" + MAX,
    b"(" + MAX + b"-" + MAX,
    b"9223372036854775808-0", b"x", b"~", b"=", b"-0-1", b"1--0", b"-9223372036854775809",
    b"1-" + b"0" * 124 + b"1", b"1-" + b"0" * 125 + b"1", b"0-1\r\n",
    b"*\0", b"$\0", b">\0", b"+\0", b"-\0", b"(\0", b"5-*\0",
)  # fmt: skip
ODD_NUMBERS = (
    b"", b"x", b"-1", b"-0", b"00", b"01", b"+1", b" 1", b"1 ", b"1.0", b"1e3", b"9223372036854775807",
    b"9223372036854775808", b"-9223372036854775808", b"-9223372036854775809", MAX, b"-100000", b"2\0",
    b"10000000000000000",
)  # fmt: skip
VALUES = (
    b"f", b"v", b"name", b"1", b"-1", b"127", b"128", b"4095", b"-4097", b"32768", b"8388608", b"2147483648",
    b"-9223372036854775808", b"9223372036854775808", b"", b"x\r\ny", b"\0",
)  # fmt: skip
LONG = (40, 62, 63, 64, 65, 127, 128, 300, 1000, 4096, 20000)
JUNK = (
    b"", b"x", b"COUNT", b"count", b"MAXLEN", b"~", b"=", b"BLOCK", b"STREAMS", b"0", b"-1", b"a\0b",
    b"a\r\nb", b"FULL", b"FORCE", b"JUSTID", b"LIMIT", b"GROUP", b"IDLE", b"MKSTREAM", b"\xff\xfe",
    b"q" * 200,
    b"count\0x", b"~\0", b"*\0", b"JUSTID\0", b"MAXLEN\0\0", b"$\0",
)  # fmt: skip

WEIGHTS = {
    "XADD": 24, "XREADGROUP": 17, "XREAD": 7, "XACK": 5, "XCLAIM": 8, "XAUTOCLAIM": 5, "XPENDING": 6,
    "XRANGE": 3, "XREVRANGE": 2, "XDEL": 5, "XTRIM": 4, "XSETID": 2, "XGROUP": 12, "XINFO": 9, "XLEN": 1,
    "DEL": 0.7, "EXISTS": 0.5, "TYPE": 0.5, "FLUSHALL": 0.1, "SET": 0.7, "GET": 0.6, "TIME": 0.5, "PING": 0.6,
    "MULTI": 2, "EXEC": 1.5, "DISCARD": 0.2,
}  # fmt: skip
SUBCOMMAND_WEIGHTS = {
    "CREATE": 6, "SETID": 3, "DESTROY": 1, "CREATECONSUMER": 2, "DELCONSUMER": 2, "HELP": 0.2,
    "STREAM": 5, "GROUPS": 3, "CONSUMERS": 3,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Taste:
    """What a run is fond of: how often its commands are malformed, how long its values are."""

    weights: Mapping[str, float] = field(default_factory=dict)
    """Instead of the usual ones."""
    focus: float = 0.5
    """How often keys, groups and consumers are some that there are."""

    mutate: float = 0.08
    wrong: float = 0.08
    block: float = 0.35
    long_values: float = 0.05


class Commands:
    """A source of command lines for one model server; everything random comes from ``chance``."""

    def __init__(self, chance: Random, server: Server, taste: Taste) -> None:
        self.chance = chance
        self.server = server
        self.taste = taste
        self._key = b"s"
        self._now_ms = 0
        self._group = b"g"
        self._may_block = self._queueing = False
        self._names: dict[str, Command] = {c.name: c for c in commands_of(server.dialect).values()}
        release = server.dialect.release
        self._subcommands = {
            "XGROUP": [sub for sub in XGROUP if sub.since <= release],
            "XINFO": [sub for sub in XINFO if sub.since <= release],
        }
        self._weights = [taste.weights.get(name, WEIGHTS[name]) for name in self._names]

    def next(self, now_ms: int, *, may_block: bool, queueing: bool = False) -> tuple[bytes, ...]:
        """One command line; ``queueing`` tells that its connection is in a transaction."""
        chance = self.chance
        self._now_ms = now_ms
        self._may_block = may_block
        self._queueing = queueing
        if queueing and chance.random() < 0.25:
            return (b"EXEC",)
        if chance.random() < 0.005:
            return (chance.choice((b"NOSUCH", b"no\r\nsuch", b"no\0such", b"x" * 140)), *self._junk(3))
        command = self._names[chance.choices(list(self._names), self._weights)[0]]
        argv = [self._cased(command.name.encode()), *self._arguments(command)]
        if chance.random() < self.taste.mutate:
            self._mutate(argv)
        return tuple(argv)

    # -- the shape of a command -----------------------------------------------------------------

    def _arguments(self, command: Command) -> list[bytes]:
        chance = self.chance
        self._key = self._some_key()
        if command.name in self._subcommands:
            subs = self._subcommands[command.name]
            if chance.random() < 0.02:
                return [chance.choice((b"NOSUCH", b"", b"CR\nEATE")), *self._junk(3)]
            sub = chance.choices(subs, [SUBCOMMAND_WEIGHTS[s.name] for s in subs])[0]
            if sub.name == "HELP" and self._queueing:
                sub = subs[0]  # the text of HELP is masked where it is a reply of its own
            return [self._cased(sub.name.encode()), *self._plain(sub)]
        special = {
            "XREAD": self._xread,
            "XREADGROUP": self._xread,
            "XPENDING": self._xpending,
            "XADD": self._xadd,
            "XTRIM": self._xtrim,
        }.get(command.name)
        return special(command) if special else self._plain(command)

    def _plain(self, command: Command) -> list[bytes]:
        """The positional arguments, then options."""
        return [text for kind in command.arguments for text in self._kind(kind)] + self._options(command.options)

    def _options(self, options: Sequence[Option], share: float = 0.3) -> list[bytes]:
        chance = self.chance
        found = []
        for option in chance.sample(options, len(options)):
            if chance.random() < share:
                found += [self._cased(option.word.encode())]
                found += [text for kind in option.arguments for text in self._kind(kind)]
        return found

    def _trimming(self, command: Command) -> list[bytes]:
        """MAXLEN or MINID with what belongs to it, in a good order most of the time."""
        chance = self.chance
        known = {option.word for option in command.options}
        word = chance.choice([w for w in ("MAXLEN", "MINID") if w in known])
        sign = chance.choice(([], [b"="], [b"~"], [b"~"]))
        kind = "trim-length" if word == "MAXLEN" else "trim-id"
        found = [self._cased(word.encode()), *sign, *self._kind(kind)]
        if chance.random() < (0.4 if sign == [b"~"] else 0.03):
            found += [self._cased(b"LIMIT"), *self._kind("limit")]
        return found

    def _xadd(self, command: Command) -> list[bytes]:
        chance = self.chance
        options: list[bytes] = []
        if chance.random() < 0.1:
            options += [self._cased(b"NOMKSTREAM")]
        if chance.random() < 0.2:
            options += self._trimming(command)
        if chance.random() < 0.02:
            options += self._options(command.options)
        return [self._key, *options, *self._kind("new-id"), *self._kind("fields")]

    def _xtrim(self, command: Command) -> list[bytes]:
        extra = self._options(command.options) if self.chance.random() < 0.05 else []
        return [self._key, *self._trimming(command), *extra]

    def _xread(self, command: Command) -> list[bytes]:
        chance = self.chance
        grouped = command.name == "XREADGROUP"
        options: list[list[bytes]] = []
        keys = [self._some_key(grouped=grouped) for _ in range(chance.choice((1, 1, 1, 2, 3)))]
        self._key = keys[-1]
        if grouped != (chance.random() < 0.02):
            options.append([self._cased(b"GROUP"), *self._kind("group"), *self._kind("consumer")])
        if chance.random() < 0.5:
            options.append([self._cased(b"COUNT"), *self._kind("count")])
        if self._may_block and chance.random() < self.taste.block:
            options.append([self._cased(b"BLOCK"), *self._kind("block")])
        if chance.random() < (0.15 if grouped else 0.01):
            options.append([self._cased(b"NOACK")])
        chance.shuffle(options)
        places = []
        for key in keys:
            self._key = key
            usual: Callable[[], bytes] = self._group_position if grouped else self._position
            places.append(self._wrong_id() if chance.random() < self.taste.wrong / 3 else usual())
        return [text for option in options for text in option] + [self._cased(b"STREAMS"), *keys, *places]

    def _position(self) -> bytes:
        if self.server.dialect.read_last_entry and self.chance.random() < 0.15:
            return b"+"
        return self.chance.choice((b"$", b"$", b"0", self._near_id(), self._near_id()))

    def _group_position(self) -> bytes:
        return self.chance.choice((b">", b">", b">", b">", b">", b"0", self._near_id()))

    def _xpending(self, command: Command) -> list[bytes]:
        chance = self.chance
        found = [self._key, *self._kind("group")]
        if chance.random() < 0.3:
            return found
        if chance.random() < 0.3:
            found += [self._cased(b"IDLE"), *self._kind("ms")]
        found += [*self._kind("start"), *self._kind("end"), *self._kind("count")]
        if chance.random() < 0.4:
            found += self._kind("consumer")
        return found + (self._junk(3) if chance.random() < 0.05 else [])

    def _mutate(self, argv: list[bytes]) -> None:
        """Damages a command line in one place; its name stays."""
        chance = self.chance
        at = chance.randrange(1, len(argv) + 1)
        how = chance.randrange(5)
        if how == 0:
            argv.insert(at, chance.choice(JUNK))
        elif how == 1:
            del argv[at:]
        elif at < len(argv):
            if how == 2:
                argv[at] = chance.choice(JUNK)
            elif how == 3:
                argv.insert(at, argv[at])
            else:
                del argv[at]
        self._unblock(argv)

    def _unblock(self, argv: list[bytes]) -> None:
        """Takes back a BLOCK that the damage brought where nobody may block."""
        if not self._may_block and argv[0].upper() in (b"XREAD", b"XREADGROUP"):
            argv[1:] = [b"x" if text.upper() == b"BLOCK" else text for text in argv[1:]]

    def _junk(self, most: int) -> list[bytes]:
        return [self.chance.choice(JUNK) for _ in range(self.chance.randrange(most + 1))]

    def _cased(self, word: bytes) -> bytes:
        return word.lower() if self.chance.random() < 0.05 else word

    # -- names ----------------------------------------------------------------------------------

    def _some_key(self, *, grouped: bool = False) -> bytes:
        if self.chance.random() < self.taste.focus:
            known = [
                key
                for key, value in self.server.keys.items()
                if not grouped or (isinstance(value, Stream) and value.groups)
            ]
            if known:
                return self.chance.choice(known)
        return self.chance.choice(KEYS)

    def _some_group(self) -> bytes:
        stream = self.server.keys.get(self._key)
        if self.chance.random() < self.taste.focus and isinstance(stream, Stream) and stream.groups:
            return self.chance.choice(list(stream.groups))
        return self.chance.choice(GROUPS)

    def _some_consumer(self) -> bytes:
        stream = self.server.keys.get(self._key)
        group = stream.groups.get(self._group) if isinstance(stream, Stream) else None
        if self.chance.random() < self.taste.focus and group is not None and group.consumers:
            return self.chance.choice(list(group.consumers))
        return self.chance.choice(CONSUMERS)

    # -- the kinds of arguments -----------------------------------------------------------------

    def _kind(self, kind: str) -> list[bytes]:
        """The texts of one argument of this kind (some kinds are several)."""
        chance = self.chance
        if kind == "key":
            return [self._key]
        if kind == "keys":
            return [chance.choice(KEYS) for _ in range(chance.choice((1, 1, 2, 3)))]
        if kind == "group":
            self._group = self._some_group()
            return [self._group]
        if kind == "consumer":
            return [self._some_consumer()]
        if kind == "fields":
            return [self._value() for _ in range(chance.choice((2, 2, 2, 2, 4, 6)))]
        if kind == "value":
            return [self._value()]
        if kind == "ids":
            return [self._id() for _ in range(chance.choice((1, 1, 1, 2, 3, 5)))]
        if kind in ("id", "trim-id"):
            return [self._id()]
        if kind in ("start", "end"):
            return [self._bound(kind)]
        if kind == "id-or-last":
            return [chance.choice((b"$", b"0", b"0", self._id()))]
        if kind == "new-id":
            return [self._new_id()]
        return [self._number(kind)]

    def _value(self) -> bytes:
        chance = self.chance
        if chance.random() < self.taste.long_values:
            return chance.choice((b"v", b"\r\n", b"\0")) * chance.choice(LONG)
        if chance.random() < 0.1:
            return b"%d" % chance.randrange(10**6)
        return chance.choice(VALUES)

    def _wrong_id(self) -> bytes:
        return self.chance.choice(ODD_IDS)

    def _id(self) -> bytes:
        return self._wrong_id() if self.chance.random() < self.taste.wrong / 2 else self._near_id()

    def _near_id(self) -> bytes:
        """An ID that the stream at hand knows, or one beside it."""
        chance = self.chance
        stream = self.server.keys.get(self._key)
        if not isinstance(stream, Stream) or chance.random() < 0.1:
            return b"%d-%d" % (chance.randrange(12), chance.randrange(3))
        known: list[int] = [stream.last_id, stream.max_deleted_id]
        for node in stream.nodes[:1] + stream.nodes[-2:]:
            known += node.ids[:4] + node.ids[-6:]
        for group in stream.groups.values():
            known += [group.cursor, *group.pel.keys()[:8]]
        entry_id = chance.choice(known)
        how = chance.random()
        if how < 0.1:
            entry_id = min(entry_id + 1, ids.ID_MAX)
        elif how < 0.2:
            entry_id = max(entry_id - 1, 0)
        elif how < 0.25:
            return b"%d" % ids.ms_of(entry_id)
        return ids.show(entry_id)

    def _new_id(self) -> bytes:
        chance = self.chance
        how = chance.random()
        if how < 0.6:
            return b"*"
        stream = self.server.keys.get(self._key)
        last = stream.last_id if isinstance(stream, Stream) else 0
        if how < 0.75:
            ms = ids.ms_of(last) + chance.choice((-1, 0, 0, 0, 1))
            return b"%d-*" % min(ms & ids.PART_MAX, self._now_ms)
        if how < 0.9:
            return ids.show(min(last + chance.choice((0, 1, 1, 1, 2, 1 << 64)), ids.ID_MAX - 1))
        if how < 0.91:
            return b"%d-%d" % (ids.ms_of(last), ids.PART_MAX)
        return self._id()

    def _bound(self, kind: str) -> bytes:
        chance = self.chance
        if chance.random() < self.taste.wrong:
            return self._wrong_id()
        usual = b"-" if kind == "start" else b"+"
        return chance.choice((usual, usual, self._near_id(), b"(" + self._near_id()))

    def _number(self, kind: str) -> bytes:
        chance = self.chance
        wide = chance.random() < self.taste.wrong / 2
        if kind == "block":  # a wait beyond the end of time is an error, or undefined behaviour
            forms: tuple[bytes, ...] = (b"x", b"-1", b"1.5", b"")
            if self.server.dialect.block_overflow_error:
                forms += (b"9223372036854775807", b"9223372036854775808")
            return chance.choice(forms) if wide else b"%d" % chance.choice((0, 1, 5, 20, 100, 1000, 5000))
        if wide:
            return chance.choice(ODD_NUMBERS)
        if kind == "trim-length":
            return b"%d" % chance.choice((0, 1, 2, 3, 5, 8, 20, 100))
        if kind == "limit":
            return b"%d" % chance.choice((0, 1, 2, 3, 5, 10, 100))
        if kind in ("count", "entries-read", "entries-added") and chance.random() < 0.02:
            return b"%d" % (2**63 - chance.choice((1, 2, 3)))
        if kind in ("count", "entries-read", "entries-added"):
            return b"%d" % chance.choice((-1, 0, 1, 1, 2, 2, 3, 5, 10, 40))
        if kind == "unix-ms":
            return b"%d" % (self._now_ms + chance.choice((-100_000, -100, -1, 0, 1, 1000)))
        return b"%d" % chance.choice((0, 0, 1, 2, 10, 100, 1000, 10_000, 100_000))
