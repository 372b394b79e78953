"""What may go wrong with a server on sockets, named by meaning: the reply of worker a's second XACK is lost.

A fault is one line of words, the same on the wire (``SIM.FAULT ...``), in a file of ``--faults`` and in errors::

    lose-reply XACK nth 2 client worker-a     it takes effect, and the connection breaks before the answer
    lose-request XADD times 3                 it never arrives, and the connection breaks
    delay XREADGROUP ms 500 id 7              the answer comes so much later
    crash XACK nth 10                         the server dies after it, and comes back with what was durable
    refuse times 2                            the next two connections are refused
    reset client worker-a                     its connections break now
    crash                                     now
    power-loss                                now, and what was not yet synchronised to the disk is lost, too

``nth`` (1) counts the commands of that name that a connection which fits sends from now on, ``times`` (1) says how
often it happens, and ``chance`` (100) how often of a hundred times that it could. ``*`` is any command. What a
transaction has queued counts when it runs.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any, Protocol

from ...models.session import Session
from ..errors import BadInput, unknown
from .clock import RealClock
from .recording import Recorder

ON_COMMANDS = ("lose-reply", "lose-request", "delay", "crash", "power-loss")
AT_ONCE = ("refuse", "reset", "crash", "power-loss")
CRASHES = ("crash", "power-loss")
NUMBERS = ("nth", "times", "id", "ms", "chance")


@dataclass(slots=True)
class Fault:
    """One fault, and how far it is."""

    action: str
    command: bytes = b""
    """In capitals; ``*`` is any."""
    nth: int = 1
    times: int = 1
    client: str | None = None
    id: int | None = None
    ms: int = 0
    chance: int = 100
    """How often it strikes, of a hundred times that it could."""
    seen: int = 0
    """How many commands it has counted."""
    struck: int = 0
    """How often it has happened."""

    def line(self) -> str:
        """The fault in its own words, with how often it has happened."""
        words = [self.action]
        if self.command:
            words += [self.command.decode(), f"nth {self.nth}"]
        if self.client is not None:
            words.append(f"client {self.client}")
        if self.id is not None:
            words.append(f"id {self.id}")
        if self.chance != 100:
            words.append(f"chance {self.chance}")
        if self.action == "delay":
            words.append(f"ms {self.ms}")
        return " ".join([*words, f"times {self.times}", f"struck {self.struck}"])

    def fits(self, connection: Struck) -> bool:
        """Whether it is about this connection."""
        session = connection.session
        if self.id is not None and session.id != self.id:
            return False
        return self.client is None or session.name == self.client.encode()


class Struck(Protocol):
    """A connection that a fault may meet."""

    session: Session
    fate: Fault | None
    observes: bool


class Holding(Protocol):
    """Who keeps what a connection is owed for a while."""

    def hold(self, connection: Any, ms: int) -> None:
        """Sends nothing to it for so long, and runs nothing of it."""


class Suffering(Protocol):
    """A server on sockets, or a proxy before one."""

    @property
    def connections(self) -> Mapping[int, Struck]:
        """By the numbers of their sessions."""

    @property
    def recorder(self) -> Recorder | None:
        """Where it is written down."""

    @property
    def clock(self) -> RealClock:
        """What time it is there."""

    @property
    def known(self) -> Collection[bytes] | None:
        """The commands that it has, in capitals; ``None`` where that is not known."""

    @property
    def pause(self) -> Holding:
        """Who delays."""

    def drop(self, connection: Any) -> None:
        """Cuts a connection off; what it was not sent yet is lost."""

    def finish(self, connection: Any) -> None:
        """Ends a connection when it has been sent what it is owed."""

    def afterwards(self, action: Callable[[], None]) -> None:
        """Does something when the command at hand has been answered."""

    def crash(self, *, power_failed: bool = False) -> None:
        """The server dies and starts again with what was durable."""


class Faults:
    """The faults that a server is to suffer; ``can_crash`` tells whether it is ours to crash."""

    def __init__(self, server: Suffering, *, can_crash: bool = True) -> None:
        self.server = server
        self.can_crash = can_crash
        self.armed: list[Fault] = []
        """Those that wait for their command; empty most of the time, so that nothing is counted."""
        self.all: list[Fault] = []
        self.sent: dict[tuple[bytes, bytes], int] = {}
        """What was sent while one waited for its command: by the client's name (empty: it has none) and the command."""
        self._refusals = 0
        self._chance = Random(0)

    def begin_again(self, seed: int) -> None:
        """Nothing goes wrong any more, and chance begins anew."""
        self.clear()
        self._chance = Random(seed)

    def clear(self) -> None:
        """Nothing goes wrong any more."""
        self.armed.clear()
        self.all.clear()
        self.sent.clear()
        self._refusals = 0

    def add(self, words: Sequence[str]) -> None:
        """Takes a fault on, or lets it happen at once. ``BadInput`` where it is none."""
        fault = self.read(words)
        self.all.append(fault)
        if fault.command:
            self.armed.append(fault)
        elif fault.action == "refuse":
            self._refusals += fault.times
        elif fault.action == "reset":
            for connection in [c for c in self.server.connections.values() if fault.fits(c)]:
                fault.struck += 1
                self.server.drop(connection)
        else:
            fault.struck = 1
            self.server.crash(power_failed=fault.action == "power-loss")

    def read(self, words: Sequence[str]) -> Fault:
        """The fault that the words mean; ``BadInput`` with what is wrong, or where it cannot be had here."""
        fault = parse(words)
        if fault.action in CRASHES and not self.can_crash:
            able = sorted({*ON_COMMANDS, *AT_ONCE} - {*CRASHES})
            raise BadInput(f"a proxy has no hold of the server to {fault.action} it; there is: {', '.join(able)}")
        known = self.server.known
        if known is not None and fault.command not in (b"", b"*") and fault.command not in known:
            there = [name.decode() for name in known]
            raise unknown("command", fault.command.decode(errors="backslashreplace"), there)
        return fault

    def never_struck(self) -> list[str]:
        """A line for each fault that never struck for want of its command, with what was sent instead, and by whom."""
        lines = []
        for fault in self.armed:
            if fault.struck or fault.seen >= fault.nth:
                continue
            whom = "nobody" if fault.client is None else f"no client called {fault.client}"
            name = "a command" if fault.command == b"*" else fault.command.decode(errors="backslashreplace")
            sent = f"only {fault.seen} {name} came" if fault.seen else f"{whom} sent {name}"
            lines.append(f"this fault never struck ({fault.line()}): {sent}; sent were: {self._told()}")
        return lines

    def _told(self) -> str:
        clients: dict[bytes, list[str]] = {}
        for (client, command), times in sorted(self.sent.items()):
            clients.setdefault(client, []).append(f"{command.decode(errors='backslashreplace')} ({times})")
        return "; ".join(
            f"{', '.join(commands)} by {shown.decode(errors='backslashreplace') or 'clients without a name'}"
            for shown, commands in clients.items()
        ) or "nothing"

    def cuts_request(self, connection: Struck) -> bool:
        """Whether the request that was met never arrives; then its connection is over."""
        fault = connection.fate
        if fault is None or fault.action != "lose-request":
            return False
        connection.fate = None
        self._note_lost(connection, "request")
        self.server.finish(connection)
        return True

    def takes_reply(self, connection: Struck) -> bool:
        """Whether the reply that a client is about to get is not sent."""
        fault, connection.fate = connection.fate, None
        assert fault is not None
        if fault.action == "delay":
            self.server.pause.hold(connection, fault.ms)
            return False
        self._note_lost(connection, "reply")
        self.server.finish(connection)
        if fault.action in CRASHES:
            power_failed = fault.action == "power-loss"
            self.server.afterwards(lambda: self.server.crash(power_failed=power_failed))
        return True

    def _note_lost(self, connection: Struck, what: str) -> None:
        if self.server.recorder is not None:
            self.server.recorder.lost(connection, what, self.server.clock.now_ms())

    def refuses(self) -> bool:
        """Whether a new connection is refused."""
        if not self._refusals:
            return False
        self._refusals -= 1
        for fault in self.all:
            if fault.action == "refuse" and fault.struck < fault.times:
                fault.struck += 1
                break
        return True

    def meets(self, connection: Struck, argv: Sequence[bytes], queue: Sequence[Sequence[bytes]] | None) -> bool:
        """Counts a request; whether a fault strikes it, which then stands in ``connection.fate``."""
        name = argv[0].upper()
        if connection.observes or name.startswith(b"SIM."):
            return False
        names = [name]
        if queue is not None:
            names = [name, *(queued[0].upper() for queued in queue)] if name == b"EXEC" else []
        for each in names:
            key = connection.session.name, each
            self.sent[key] = self.sent.get(key, 0) + 1
        for fault in tuple(self.armed):
            if not fault.fits(connection):
                continue
            fault.seen += len(names) if fault.command == b"*" else names.count(fault.command)
            if names and fault.seen >= fault.nth and (fault.command == b"*" or fault.command in names):
                if fault.chance < 100 and self._chance.randrange(100) >= fault.chance:
                    continue
                fault.struck += 1
                if fault.struck >= fault.times:
                    self.armed.remove(fault)
                connection.fate = fault
                return True
        return False


def parse(words: Sequence[str]) -> Fault:
    """The fault that the words mean; ``BadInput`` with what is wrong."""
    if not words:
        raise BadInput(f"a fault begins with one of {', '.join(sorted({*ON_COMMANDS, *AT_ONCE}))}")
    action = words[0].lower()
    if action not in ON_COMMANDS and action not in AT_ONCE:
        raise BadInput(f"unknown fault {words[0]!r}; there is: {', '.join(sorted({*ON_COMMANDS, *AT_ONCE}))}")
    fault = Fault(action)
    at = 1
    if len(words) > 1 and words[1].lower() not in (*NUMBERS, "client"):
        if action not in ON_COMMANDS:
            raise BadInput(f"{action} strikes no command, so {words[1]!r} means nothing here")
        fault.command = words[1].upper().encode()
        at = 2
    elif action not in AT_ONCE:
        raise BadInput(f"{action} needs a command, such as XACK, or * for any")
    while at < len(words):
        word = words[at].lower()
        if word not in (*NUMBERS, "client") or at + 1 == len(words):
            raise BadInput(f"{words[at]!r} is not understood; a fault has {', '.join(NUMBERS)} N and client NAME")
        if word == "client":
            fault.client = words[at + 1]
        elif not words[at + 1].isdigit() or int(words[at + 1]) < 1:
            raise BadInput(f"{word} {words[at + 1]!r} is not a number above 0")
        else:
            setattr(fault, word, int(words[at + 1]))
        at += 2
    if action == "delay" and not fault.ms:
        raise BadInput("delay needs ms N")
    return fault


def read_file(path: Path | None, read: Callable[[Sequence[str]], Fault] | None = None) -> list[list[str]]:
    """The faults that a file names, none where there is no file; ``BadInput`` where it cannot be read or is wrong.

    ``read`` reads one line of words, by default ``parse``: ``Faults.read`` knows what can be had of its server, too.
    """
    if path is None:
        return []
    try:
        return parse_file(path.read_text(encoding="utf-8"), str(path), read)
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
        raise BadInput(f"cannot read the faults {path}: {reason}") from error


def parse_file(text: str, name: str, read: Callable[[Sequence[str]], Fault] | None = None) -> list[list[str]]:
    """The faults of a file, one a line, ``#`` begins a comment. ``BadInput`` with the line where one is none."""
    found = []
    for number, line in enumerate(text.split("\n"), 1):
        words = line.partition("#")[0].split()
        if not words:
            continue
        try:
            (read or parse)(words)
        except BadInput as error:
            raise BadInput(f"{name}, line {number}: {error}") from None
        found.append(words)
    return found
