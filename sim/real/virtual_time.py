"""A replay under the virtual clock: the server's time is the script's, and so is the order of what is due at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from .lockstep import WAITS, Lockstep, Peer, frames, shown
from .masks import same_reply
from .script import Reply, Step, answered_as_it_closes
from .values import first_difference, parse
from .virtual_clock import VirtualClock

__all__ = ["VirtualTime"]


@dataclass
class VirtualTime(Lockstep):
    """The server's clock stands at each step's time, and replies are compared to the byte."""

    clock: VirtualClock = field(kw_only=True)

    def _before(self, index: int, step: Step) -> None:
        moves = step.at_ms != self.clock.now_ms
        if moves or not isinstance(step, Reply):
            self._nobody_is_served(index)
        if moves:
            self.clock.set(step.at_ms)
            if not isinstance(step, Reply):
                self._nobody_is_served(index)

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
