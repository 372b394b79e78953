"""One script on one server, step by step.

The order of effects at the server is the script's: before a step is taken, the one before has taken its
effect, and that is seen, never supposed. A command that does not block is over when its reply is there. A
command that blocks is over when the server lists its client as blocked; a closed connection, when the server
does not list it any more. What is seen is asked for on a control connection of our own, which no step of the
script uses.
"""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field

from .connection import Connection, refuse_errors
from .errors import NoReply, RealServerError, ServerClosed
from .falling import Follower
from .frames import FrameScanner, frame_count
from .real_time import RealTimeComparison
from .script import CLIENT, Close, Cut, Fall, Follow, Open, Reply, Script, Send, Step, show_command
from .values import parse, show

__all__ = ["Difference", "Lockstep", "PartedError", "Peer", "RealTime", "frames", "shown"]

_SLICE_S = 0.02  # how long to listen before asking whether the client is blocked instead
_PAUSE_S = 0.0005

_PUSH = b">"  # comes to who waits, too, and ends no wait
_QUEUED = b"+QUEUED\r\n"
_END_OF_QUEUE = frozenset({b"EXEC", b"DISCARD", b"RESET"})

BLOCKS = "(blocks)"
WAITS = "(still waits)"
NOTHING = "(no reply)"
CLOSES = "(closes the connection)"


@dataclass(frozen=True, slots=True)
class Difference:
    """One reply that the model and the server give differently.

    `index` is the step of the script, `command` as one types it into redis-cli, `model` and `server` the
    replies on one line each (two that differ in any byte look different), `where` the place inside them,
    empty for the whole.
    """

    index: int
    command: str
    model: str
    server: str
    where: str = ""


@dataclass(slots=True)
class Peer:
    """One client of the script; `argv` is its last command, which is blocked while `waits`, since `since_ms`."""

    connection: Connection
    client_id: bytes
    argv: Sequence[bytes] = (b"CONNECT",)
    waits: bool = False
    since_ms: int = 0
    queued: list[Sequence[bytes]] = field(default_factory=list)  # since its MULTI


class PartedError(Exception):
    """The model and the server disagree on who waits or is connected: what follows cannot be lined up."""


@dataclass
class Lockstep(ABC):
    """A replay in the making: `run`, then read `replies` (how many were compared) and `differences`."""

    script: Script
    control: Connection
    watchdog_s: float
    differences_max: int
    follower: Follower | None = None  # who has what survives the server; without one it does not die
    replies: int = 0
    differences: list[Difference] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._peers: dict[int, Peer] = {}

    def run(self) -> None:
        """Take all steps, or those up to where lining up makes no sense any more.

        Raises `ValueError` when the script itself is wrong, `RealServerError` when the server fails.
        """
        try:
            for index, step in enumerate(self.script):
                if isinstance(step, Fall):
                    self._hang_up()
                self._before(index, step)
                self._take(index, step)
                if self.follower is not None:
                    self.follower.hear(step.at_ms)
                self._after(step)
            self._at_end(len(self.script))
        except PartedError:
            pass
        finally:
            peers = list(self._peers.values())
            for peer in peers:
                peer.connection.close()
        for peer in peers:
            self._wait_until_gone(peer)

    # ---- what time does ----

    @abstractmethod
    def _before(self, index: int, step: Step) -> None:
        """Bring the time to the step's."""

    @abstractmethod
    def _after(self, step: Step) -> None:
        """The step has taken its effect."""

    @abstractmethod
    def _at_end(self, index: int) -> None:
        """There are no more steps."""

    @abstractmethod
    def _arguments(self, argv: Sequence[bytes]) -> Sequence[bytes]:
        """The command as this server is to get it."""

    @abstractmethod
    def _same(self, peer: Peer, model: bytes, server: bytes) -> bool:
        """Whether two replies to the client's last command agree."""

    @abstractmethod
    def _where(self, model: bytes, server: bytes) -> str:
        """The place inside two different replies, as a path, where it can be told."""

    @abstractmethod
    def _nudge(self) -> None:
        """Make a deadline that the clock has passed count."""

    @abstractmethod
    def _limit_s(self, step: Step) -> float:
        """How long this step may take on the real clock."""

    # ---- steps ----

    def _take(self, index: int, step: Step) -> None:
        if isinstance(step, Fall | Follow | Cut):
            self._survive(step)
            return
        if isinstance(step, Open):
            if step.conn in self._peers:
                raise ValueError(f"step {index} opens connection {step.conn}, which is open")
            self._peers[step.conn] = self._open(step.resp)
            return
        peer = self._peers.get(step.conn)
        if peer is None:
            raise ValueError(f"step {index} uses connection {step.conn}, which is not open")
        try:
            if isinstance(step, Send):
                self._send(index, step, peer)
            elif isinstance(step, Reply):
                self._served(index, step, peer)
            else:
                self._close(step, peer)
        except ServerClosed:
            model = shown(step.reply) if isinstance(step, Send | Reply) and step.reply is not None else BLOCKS
            self.part(index, peer, model, CLOSES)

    def _survive(self, step: Fall | Follow | Cut) -> None:
        """Something happens to the server, or to whoever follows it."""
        if self.follower is None:
            raise RealServerError("only a server that was started for the replay can be made to die")
        if isinstance(step, Follow):
            self.follower.follow(self.control)
        elif isinstance(step, Cut):
            self.follower.cut(step.at_ms + step.for_ms)
        else:
            gone, self.control = self.control, self.follower.fall(step)
            gone.close()

    def _hang_up(self) -> None:
        """Every client is gone, and whatever it waited for."""
        while self._peers:
            self._peers.popitem()[1].connection.close()

    def _open(self, resp: int) -> Peer:
        connection = Connection(self.control.address, timeout=self.watchdog_s)
        try:
            client_id = refuse_errors(connection.address, connection.call(b"CLIENT", b"ID"))[1:-2]
            if resp != 2:
                refuse_errors(connection.address, connection.call(b"HELLO", b"%d" % resp))
        except BaseException:
            connection.close()
            raise
        return Peer(connection, client_id)

    def _send(self, index: int, step: Send, peer: Peer) -> None:
        if peer.waits:
            raise ValueError(f"step {index} sends on connection {step.conn}, whose last command still waits")
        peer.argv = step.argv
        self._transmit(peer, self._arguments(self._named(step.argv)))
        if step.reply is None:
            self._must_block(index, peer)
            peer.waits, peer.since_ms = True, step.at_ms
            return
        server = self._read(step, peer, may_wait=False)
        if not server and step.reply:
            blocked = self._is_blocked(peer)
            self.part(index, peer, shown(step.reply), BLOCKS if blocked else NOTHING)
        self._compare(index, peer, step.reply, server)

    def _transmit(self, peer: Peer, argv: Sequence[bytes]) -> None:
        """The command goes out."""
        peer.connection.send(argv)

    def _named(self, argv: Sequence[bytes]) -> Sequence[bytes]:
        """A command with the connection that it names replaced by what the server calls that client."""
        if len(argv) < 3 or argv[0] != b"CLIENT" or not argv[2].startswith(CLIENT):
            return argv
        peer = self._peers.get(int(argv[2].removeprefix(CLIENT)))
        return (*argv[:2], b"0" if peer is None else peer.client_id, *argv[3:])

    def _must_block(self, index: int, peer: Peer) -> None:
        limit = time.monotonic() + self.watchdog_s
        while not self._is_blocked(peer):
            if peer.connection.readable():
                self.part(index, peer, BLOCKS, shown(peer.connection.read()))
            if time.monotonic() > limit:
                raise NoReply(f"{self.control.address} neither answers {show_command(peer.argv)} nor blocks on it")
            time.sleep(_PAUSE_S)

    def _served(self, index: int, step: Reply, peer: Peer) -> None:
        server = self._read(step, peer, may_wait=True)
        if not server:
            self.part(index, peer, shown(step.reply), WAITS if peer.waits else NOTHING)
        if not step.reply.startswith(_PUSH):
            peer.waits = False
        self._compare(index, peer, step.reply, server)

    def _close(self, step: Close, peer: Peer) -> None:
        del self._peers[step.conn]
        peer.connection.close()
        self._wait_until_gone(peer)

    # ---- what the server is seen to do ----

    def _read(self, step: Send | Reply, peer: Peer, *, may_wait: bool) -> bytes:
        """As many replies as are expected, or those that came until it is clear that no more will."""
        expected = step.reply or b""
        limit = time.monotonic() + self._limit_s(step)
        frames: list[bytes] = []
        wanted = None  # counted only when it must be
        while wanted is None or len(frames) < wanted:
            if may_wait:
                self._nudge()
            try:
                if wanted is None and peer.connection.match(expected, _SLICE_S):
                    return expected
                wanted = frame_count(expected)
                frames.append(peer.connection.read(_SLICE_S))
            except NoReply:
                if self.follower is not None and self.follower.meanwhile(step.at_ms):
                    continue
                if time.monotonic() > limit or (not may_wait and self._is_blocked(peer)):
                    break
            if frames and frames[-1].startswith(b"-"):
                break  # an error stands for all the replies that a command would have had
        return b"".join(frames)

    def _is_blocked(self, peer: Peer) -> bool:
        return b"b" in (self._flags(peer) or b"")

    def _wait_until_gone(self, peer: Peer) -> None:
        limit = time.monotonic() + self.watchdog_s
        while self._flags(peer) is not None:
            if time.monotonic() > limit:
                raise RealServerError(f"{self.control.address} does not notice that a client has hung up")
            time.sleep(_PAUSE_S)

    def _flags(self, peer: Peer) -> bytes | None:
        """The flags of a client in CLIENT LIST (`b`: blocked), or None when the server does not know it."""
        listed = refuse_errors(self.control.address, self.control.call(b"CLIENT", b"LIST"))
        mark = b"\nid=" + peer.client_id + b" "
        # The reply's own first line, its size, ends with a newline: every client follows one.
        at = listed.find(mark)
        return None if at < 0 else listed[at:].partition(b" flags=")[2].partition(b" ")[0]

    # ---- what differs ----

    def _compare(self, index: int, peer: Peer, model: bytes, server: bytes) -> None:
        self.replies += 1
        if not self._same(peer, model, server):
            self._differ(index, peer, shown(model), shown(server), self._where(model, server))
        if server == _QUEUED:
            peer.queued.append(peer.argv)
        elif peer.argv[0].upper() in _END_OF_QUEUE:
            peer.queued.clear()

    def part(self, index: int, peer: Peer, model: str, server: str) -> None:
        self._differ(index, peer, model, server)
        raise PartedError

    def _differ(self, index: int, peer: Peer, model: str, server: str, where: str = "") -> None:
        self.differences.append(Difference(index, show_command(peer.argv), model, server, where))
        if len(self.differences) >= self.differences_max:
            raise PartedError


@dataclass
class RealTime(Lockstep):
    """The server's clock is its own: gaps are at least as long as the script's, and no time is compared.

    A gap is counted from the moment when the step before was seen to be over. So whatever was idle for as
    long as some threshold in the script is so here, too.
    """

    def __post_init__(self) -> None:
        super().__post_init__()
        self._comparison = RealTimeComparison(self.script)
        self._at_ms = self.script[0].at_ms if self.script else 0
        self._since_s = time.monotonic()

    def _before(self, index: int, step: Step) -> None:
        if not isinstance(step, Reply):
            self._wait(step)

    def _after(self, step: Step) -> None:
        # A reply may come early by our clock, since the server counts from when it got the command.
        self._wait(step)
        self._at_ms = step.at_ms
        self._since_s = time.monotonic()

    def _wait(self, step: Step) -> None:
        left = self._since_s + self._gap_s(step) - time.monotonic()
        if left > 0:
            time.sleep(left)

    def _gap_s(self, step: Step) -> float:
        return max(0, step.at_ms - self._at_ms) / 1000

    def _at_end(self, index: int) -> None:
        pass

    def _arguments(self, argv: Sequence[bytes]) -> Sequence[bytes]:
        return self._comparison.arguments(argv)

    def _same(self, peer: Peer, model: bytes, server: bytes) -> bool:
        return self._comparison.same_reply(peer.argv, model, server, peer.queued)

    def _where(self, model: bytes, server: bytes) -> str:
        return ""  # IDs and times differ all over the place

    def _nudge(self) -> None:
        pass

    def _limit_s(self, step: Step) -> float:
        return self._gap_s(step) + self.watchdog_s


def frames(replies: bytes) -> list[bytes]:
    """Whole replies, one by one."""
    scanner = FrameScanner()
    scanner.feed(replies)
    return list(iter(scanner.next, None))


def shown(replies: bytes) -> str:
    """Whole replies on one line, for people."""
    return " ".join(show(parse(frame)) for frame in frames(replies)) or NOTHING
