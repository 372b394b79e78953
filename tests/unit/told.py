"""Scripts in the making, with what the model answers."""

from __future__ import annotations

from redelivery.models.dialects import DIALECTS
from redelivery.models.journal import FILE, NOTHING, REPLICA, SNAPSHOT
from redelivery.models.replies import BLOCKED, encode
from redelivery.models.server import Server
from redelivery.models.survivors import FAILOVER, FROM_SNAPSHOT, RESTART, follow, lose
from redelivery.sim.real.script import Close, Cut, Fall, Follow, Open, Reply, Send, Step
from redelivery.sim.real.servers import ServerBinary
from redelivery.sim.real.virtual_clock import START_MS

CAUSES = {FILE: RESTART, REPLICA: FAILOVER, SNAPSHOT: FROM_SNAPSHOT}


class Told:
    """A script in the making, with what the model answers; ``who`` follows it once ``followed`` is called."""

    def __init__(self, binary: ServerBinary, who: str = NOTHING) -> None:
        self.model = Server(DIALECTS[binary.dialect])
        self.who = who
        self.script: list[Step] = []
        self.now_ms = START_MS
        self._sessions: dict[int, int] = {}

    def followed(self, lag: int) -> None:
        follow(self.model, self.who, lag)
        self.script.append(Follow(self.who, self.now_ms))

    def does(self, conn: int, *lines: str) -> None:
        """Each a millisecond after the one before."""
        for line in lines:
            self.now_ms += 1
            self.at_once(conn, line)

    def at_once(self, conn: int, line: str) -> None:
        if conn not in self._sessions:
            self._sessions[conn] = self.model.open(3)
            self.script.append(Open(conn, 3, self.now_ms))
        argv = tuple(line.encode().split())
        reply, _ = self.model.execute(self._sessions[conn], argv, self.now_ms)
        self.script.append(Send(conn, argv, self.now_ms, None if reply is BLOCKED else encode(reply, 3)))

    def hangs_up(self, conn: int) -> None:
        self.model.close(self._sessions.pop(conn))
        self.script.append(Close(conn, self.now_ms))

    def served(self) -> None:
        """Whoever was served by the last command is answered."""
        for served in self.model.take_served():
            conn = next(conn for conn, session in self._sessions.items() if session == served.session)
            self.script.append(Reply(conn, self.now_ms, encode(served.reply, 3)))

    def later(self, by_ms: int) -> None:
        """Time goes by, and whoever waited for too long, or for what is there by now, is answered."""
        self.now_ms += by_ms
        self.expire()

    def expire(self) -> None:
        """Whoever has waited for too long is answered."""
        self.model.expire(self.now_ms)
        self.served()

    def cut(self, for_ms: int) -> None:
        self.model.cut_off(self.now_ms + for_ms)
        self.script.append(Cut(self.now_ms, for_ms))

    def falls(self, lacking: int) -> None:
        self.now_ms += 1
        lose(self.model, CAUSES[self.who] if lacking >= 0 else RESTART, lacking, self.now_ms)
        self._sessions.clear()
        self.script += [Fall(CAUSES[self.who], lacking, self.now_ms), Follow(self.who, self.now_ms)]
