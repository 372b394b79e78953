"""One execution of one command: its arguments, its time, and where its facts go."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Final, Protocol, TypeAlias

from ..dialect import Dialect, Release
from ..facts import Fact
from ..lists import List
from ..replies import Failure, Reply
from ..stream import Stream

if TYPE_CHECKING:
    from ..databases import Value
    from ..server import Server
    from ..session import Session

WRONGTYPE: Final = b"WRONGTYPE Operation against a key holding the wrong kind of value"
SYNTAX: Final = b"ERR syntax error"
NOT_AN_INTEGER: Final = b"ERR value is not an integer or out of range"
NO_SUCH_KEY: Final = b"ERR no such key"
INVALID_ID: Final = b"ERR Invalid stream ID specified as stream command argument"


def failure(text: bytes) -> Failure:
    """An error reply; it holds no line breaks: the server prints blanks in their place."""
    if b"\n" in text or b"\r" in text:
        text = text.replace(b"\r", b" ").replace(b"\n", b" ")
    return Failure(text)


class CommandError(Exception):
    """A command's error reply, raised before anything was changed."""

    def __init__(self, text: bytes) -> None:
        super().__init__(text)
        self.reply = failure(text)


@dataclass(frozen=True, slots=True)
class Option:
    """A keyword of a command, the kinds of its arguments, and since when."""

    word: str
    arguments: tuple[str, ...] = ()
    since: Release = (5, 0)
    since_valkey: Release | None = None
    """``None``: Valkey has it if Redis had it when Valkey was forked."""


Handler: TypeAlias = "Callable[[Call], Reply]"


@dataclass(frozen=True, slots=True)
class Command:
    """A row of the command table.

    ``arity`` counts the command's name; negative means at least. ``keys`` are the positions of the
    first and last key and the step (last -1: see ``STREAMS``). ``arguments`` are the positional ones.
    """

    name: str
    arity: int
    run: Handler
    flags: frozenset[str]
    keys: tuple[int, int, int] = (0, 0, 0)
    arguments: tuple[str, ...] = ()
    options: tuple[Option, ...] = ()
    since: Release = (1, 0)
    since_valkey: Release | None = None
    subcommands: tuple[Command, ...] = ()
    words: dict[bytes, bytes] = field(default_factory=dict, compare=False)
    """The options that the dialect at hand has, in capitals and in small letters, each with its word in
    capitals; filled in by ``table.commands_of``, as what follows."""
    argc_min: int = 0
    """How many arguments there are at least, the name included."""
    argc_max: int = 0
    """How many arguments there are at most, the name included."""


class Call:
    """A command being executed, with everything that it may read and write."""

    __slots__ = ("argv", "command", "dialect", "facts", "may_block", "now_ms", "server", "session")

    def __init__(
        self,
        server: Server,
        session: Session,
        argv: Sequence[bytes],
        now_ms: int,
        facts: list[Fact],
        command: Command,
        may_block: bool,
    ) -> None:
        self.server = server
        self.session = session
        self.argv = argv
        self.now_ms = now_ms
        self.facts = facts
        self.command = command
        self.may_block = may_block
        self.dialect: Dialect = server.dialect

    def value(self, key: bytes) -> Value | None:
        """What is at ``key``, ``None`` where there is no key: one whose time is over goes now."""
        server = self.server
        if server.expires:
            server.expire_key(key, self.now_ms, self.facts)
        return server.keys.get(key)

    def touch(self, key: bytes) -> None:
        """Notes that the value at a key changed."""
        if self.server.watchers:
            self.server.touch(key)

    def note_change(self) -> None:
        """Notes that something changed of which no fact tells, for copies of this server."""
        if self.server.journal is not None:
            self.server.journal.changed = True

    def tells(self, argv: tuple[bytes, ...]) -> None:
        """What copies of this server are to run for this command, if it is one that says so itself."""
        if self.server.journal is not None:
            self.server.journal.spoken.append(argv)

    def list(self, key: bytes) -> List | None:
        """The list at ``key`` for reading, ``None`` where there is no key."""
        value = self.value(key)
        if isinstance(value, List) or value is None:
            return value
        raise CommandError(WRONGTYPE)

    def list_for_write(self, key: bytes) -> List | None:
        """The list at ``key``, this server's own where a fork shares it."""
        found = self.list(key)
        if found is not None and found.shared:
            found = found.copy()
            self.server.keys[key] = found
        return found

    def stream(self, key: bytes) -> Stream | None:
        """The stream at ``key`` for reading, ``None`` where there is no key."""
        server = self.server
        if server.expires:
            server.expire_key(key, self.now_ms, self.facts)
        value = server.keys.get(key)
        if isinstance(value, Stream) or value is None:
            return value
        raise CommandError(WRONGTYPE)

    def stream_for_write(self, key: bytes) -> Stream | None:
        """The stream at ``key``, this server's own where a fork shares it."""
        stream = self.stream(key)
        if stream is not None and stream.shared:
            stream = stream.copy()
            self.server.keys[key] = stream
        return stream

    def takes(self, argument: bytes) -> bytes:
        """The option that ``argument`` names, in upper case; empty where the dialect has none such."""
        words = self.command.words
        word = words.get(argument)
        if word is not None:
            return word
        if not argument[:1].isalpha():
            return b""  # as every option begins
        return words.get(shown(argument).upper(), b"")  # it is compared as a string of C


def shown(argument: bytes) -> bytes:
    """An argument as C prints it into an error: cut at its first NUL."""
    return argument.partition(b"\0")[0]


def integer(text: bytes) -> int | None:
    """A signed 64-bit integer in canonical form (string2ll), or ``None``."""
    if text.isdigit():
        if len(text) > 19 or (text[:1] == b"0" and text != b"0"):
            return None
        value = int(text)
        return value if value < 2**63 else None
    digits = text[1:]
    if text[:1] != b"-" or not digits.isdigit() or digits[:1] == b"0" or len(digits) > 19:
        return None
    value = int(digits)
    return -value if value <= 2**63 else None


def _need_integer(text: bytes, error: bytes = NOT_AN_INTEGER) -> int:
    value = integer(text)
    if value is None:
        raise CommandError(error)
    return value


class _NeedInteger(Protocol):
    def __call__(self, text: bytes, error: bytes = NOT_AN_INTEGER, /) -> int: ...


need_integer: Final[_NeedInteger] = lru_cache(256)(_need_integer)
"""Like ``integer``, with the error reply that a wrong one gets. The same counts and times come again and again."""
