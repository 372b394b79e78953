"""A replay under the virtual clock: the server's time is the script's, and so is the order of what is due at once.

A wait that is over and a command may come in the same millisecond, and on a server either can be first: what has
arrived is handled before whoever has waited for too long is told so. Where the script has the command first, the
server takes it in one turn between two settings of its clock: it runs at its own time, and when the server looks who
has waited for too long the clock stands where it stood before, at which nobody has.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from ...models.timeouts import milliseconds
from .connection import Connection, refuse_errors
from .errors import RealServerError
from .lockstep import WAITS, Lockstep, Peer, frames, shown
from .masks import same_reply
from .script import Close, Fall, Open, Reply, Send, Step, answered_as_it_closes
from .values import first_difference, parse
from .virtual_clock import VirtualClock, set_clock_command

__all__ = ["VirtualTime", "may_be_over"]


@dataclass
class VirtualTime(Lockstep):
    """The server's clock stands at each step's time, and replies are compared to the byte."""

    clock: VirtualClock = field(kw_only=True)

    def __post_init__(self) -> None:
        super().__post_init__()
        self._ahead_ms: int | None = None
        """The time of a command for which the clock is set for just that long."""

    def _before(self, index: int, step: Step) -> None:
        if isinstance(step, Fall):
            self.clock.set(step.at_ms)  # nobody is left who could be answered
        elif isinstance(step, Reply):
            if step.at_ms != self.clock.now_ms and not self._is_there(step):
                self._move(index, step)
        elif isinstance(step, Send):
            self._nobody_is_served(index)
            self._ahead_ms = None
            if self._is_before_others(index, step):
                self._ahead_ms = step.at_ms
            elif step.at_ms != self.clock.now_ms:
                self._move(index, step)
                self._nobody_is_served(index)
        else:
            self._nobody_is_served(index)  # at the time at which it is: connecting and hanging up take no other

    def _move(self, index: int, step: Step) -> None:
        self._nobody_is_served(index)
        self._ahead_ms = None
        self.clock.set(step.at_ms)

    def _is_there(self, step: Reply) -> bool:
        """Whether a command for which the clock was set for just that long has brought the reply."""
        peer = self._peers.get(step.conn)
        return self._ahead_ms == step.at_ms and peer is not None and peer.connection.readable()

    def _is_before_others(self, index: int, step: Send) -> bool:
        """Whether somebody's wait is over in this moment, and the script has the command before that."""
        over = {
            conn for conn, peer in self._peers.items()
            if peer.waits and may_be_over(tuple(peer.argv), peer.since_ms, step.at_ms)
            and not may_be_over(tuple(peer.argv), peer.since_ms, self.clock.now_ms)
        }  # fmt: skip
        for later in self.script[index + 1 :] if over else ():
            if later.at_ms != step.at_ms:
                break
            if isinstance(later, Fall) or (isinstance(later, Reply | Close) and later.conn in over):
                return True
        return False

    def _transmit(self, peer: Peer, argv: Sequence[bytes]) -> None:
        if self._ahead_ms is None:
            peer.connection.send(argv)
            return
        if self.follower is None:
            raise RealServerError("only a server that was started for the replay can be made to take steps in one turn")
        with Connection(self.control.address, timeout=self.watchdog_s) as last:
            last.call(b"PING")
            self._nudge()  # the kernel keeps who was heard last in its list until the next turn: let that be the first
            with self.follower.server.standing_still():
                self.control.send(set_clock_command(self._ahead_ms))
                peer.connection.send(argv)
                last.send(set_clock_command(self.clock.now_ms))
            for connection in (self.control, last):
                refuse_errors(connection.address, connection.read())

    def _nobody_is_served(self, index: int) -> None:
        """Whoever waits now has no reply yet: else the script would have said so before this step.

        A step of the clock takes effect here, too, with its own turn of the server's event loop. Without it,
        a read whose time is over could still be served by the next command.
        """
        due = answered_as_it_closes(self.script, index) if index < len(self.script) else ()
        waiting = [peer for conn, peer in self._peers.items() if peer.waits and conn not in due]
        if not waiting:
            return
        self._nudge()
        # The first turn queues a reply and may still be writing it when its own is read; after another it is
        # out.
        self._nudge()
        for peer in waiting:
            if peer.connection.readable():
                self.part(index, peer, WAITS, shown(peer.connection.read()))

    def _after(self, step: Step) -> None:
        pass

    def _at_end(self, index: int) -> None:
        if index and isinstance(self.script[-1], Open | Close):
            self.clock.set(self.script[-1].at_ms)
        self._nobody_is_served(index)

    def _arguments(self, argv: Sequence[bytes]) -> Sequence[bytes]:
        return argv

    def _same(self, peer: Peer, model: bytes, server: bytes) -> bool:
        return same_reply(peer.argv, model, server)

    def _where(self, model: bytes, server: bytes) -> str:
        mine, theirs = frames(model), frames(server)
        return first_difference(parse(mine[0]), parse(theirs[0])) if len(mine) == len(theirs) == 1 else ""

    def _nudge(self) -> None:
        self.control.call(b"PING")

    def _limit_s(self, step: Step) -> float:
        return self.watchdog_s


_BY_PLACE = {b"WAIT": 2, b"WAITAOF": 3}
_SECONDS_FIRST = (b"BLMPOP", b"BZMPOP")


def may_be_over(argv: tuple[bytes, ...], since_ms: int, at_ms: int) -> bool:
    """Whether a command that waits since then may be answered by time alone at `at_ms`."""
    limit_ms = _limit_ms(argv)
    return limit_ms is not None and at_ms - since_ms > limit_ms


@lru_cache(maxsize=1024)  # whoever waits is asked about at every step that others take
def _limit_ms(argv: tuple[bytes, ...]) -> int | None:
    """After how many milliseconds a command that waits may be answered by time alone; `None` where it never is.

    A read with CLAIM may be at any later time: when it finds something to claim depends on what is pending.
    """
    word = argv[0].upper()
    if word in (b"XREAD", b"XREADGROUP"):
        options = _read_options(argv)
        if b"CLAIM" in options:
            return 0
        return int(options[b"BLOCK"]) or None
    if word in _BY_PLACE:
        return int(argv[_BY_PLACE[word]]) or None
    return milliseconds(argv[1 if word in _SECONDS_FIRST else -1], rounds_up=False) or None


def _read_options(argv: Sequence[bytes]) -> dict[bytes, bytes]:
    """The options of a read before its streams, each with its argument; names of groups and consumers are none."""
    found: dict[bytes, bytes] = {}
    at = 1
    while (option := argv[at].partition(b"\0")[0].upper()) != b"STREAMS":  # words end at a NUL, as strings of C do
        found[option] = argv[at + 1]
        at += {b"GROUP": 3, b"NOACK": 1}.get(option, 2)
    return found
