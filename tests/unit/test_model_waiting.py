"""Who waits for a replica: what the replica may still lack afterwards, and what it may not."""

from __future__ import annotations

import pytest
from redelivery.models.journal import FILE, REPLICA, SNAPSHOT
from redelivery.models.replies import BLOCKED, Failure, Reply
from redelivery.models.server import Server
from redelivery.models.stream import Stream
from redelivery.models.survivors import FAILOVER, FROM_SNAPSHOT, RESTART, follow

NOW = 1_700_000_000_000


class Followed:
    """A server that something follows, lacking as many units at most."""

    def __init__(self, who: str = REPLICA, lag: int = 2, dialect: str = "redis-8.6") -> None:
        self.server = Server(dialect)
        follow(self.server, who, lag)
        self.sessions = {name: self.server.open() for name in "ab"}
        self.now_ms = NOW

    def do(self, name: str, line: str) -> Reply:
        return self.server.execute(self.sessions[name], line.encode().split(), self.now_ms)[0]

    def at(self, now_ms: int) -> list[tuple[int, Reply]]:
        """Time goes by; who was answered."""
        self.now_ms = now_ms
        self.server.expire(now_ms)
        return [(served.session, served.reply) for served in self.server.take_served()]

    def left(self, lacking: int, cause: str = FAILOVER) -> int:
        """How many entries there would be if so many units were lost."""
        twin = self.server.fork()
        twin.lose(cause, lacking, self.now_ms)
        stream = twin.keys.get(b"s")
        return stream.length if isinstance(stream, Stream) else 0


def test_what_was_waited_for_is_not_lost() -> None:
    world = Followed()
    for _ in range(2):
        world.do("a", "XADD s * a 1")
    assert [world.left(lacking) for lacking in (0, 1, 2)] == [2, 1, 0]
    assert world.do("a", "WAIT 1 0") == 1
    assert [world.left(lacking) for lacking in (0, 1, 2)] == [2, 2, 2]
    world.do("a", "XADD s * a 1")
    assert [world.left(lacking) for lacking in (0, 1, 2)] == [3, 2, 2]


def test_a_connection_that_wrote_nothing_asks_for_nothing() -> None:
    world = Followed()
    world.do("a", "XADD s * a 1")
    assert world.do("b", "WAIT 1 0") == 1
    assert world.left(1) == 0, "what the other connection has written may be lost all the same"
    older = Followed(dialect="redis-7.0")
    older.do("a", "XADD s * a 1")
    older.do("b", "PING")
    assert older.do("b", "WAIT 1 0") == 1
    assert older.left(1) == 1, "up to 7.0 all that was told before its last command"


def test_a_transaction_does_not_wait() -> None:
    world = Followed()
    world.do("a", "MULTI")
    world.do("a", "XADD s 1-1 a 1")
    world.do("a", "WAIT 1 0")
    assert world.do("a", "EXEC") == (b"1-1", 1), "it counts who has what was told before the transaction"
    assert world.left(1) == 0


def test_while_it_is_cut_off_a_replica_lacks_all_and_says_nothing() -> None:
    world = Followed(lag=1)
    assert world.server.survivors is not None
    world.server.survivors.cut_off(NOW + 1000)
    for _ in range(3):
        world.do("a", "XADD s * a 1")
    assert [world.left(lacking) for lacking in (1, 3)] == [2, 0]
    assert world.do("a", "WAIT 1 300") is BLOCKED
    assert world.server.next_deadline() == NOW + 301
    assert world.at(NOW + 300) == []
    assert world.at(NOW + 301) == [(world.sessions["a"], 0)]
    assert world.do("a", "WAIT 1 0") is BLOCKED
    assert world.do("b", "WAIT 2 0") is BLOCKED
    assert world.server.next_deadline() == NOW + 1000
    assert world.at(NOW + 999) == []
    assert world.at(NOW + 1000) == [(world.sessions["a"], 1)]
    assert world.left(3) == 3
    assert world.server.next_deadline() is None, "nobody comes to be the second"


def test_it_lags_no_more_than_usual_once_something_reaches_it() -> None:
    world = Followed(lag=1)
    assert world.server.survivors is not None
    world.server.survivors.cut_off(NOW + 10)
    for _ in range(3):
        world.do("a", "XADD s * a 1")
    world.now_ms = NOW + 10
    assert world.left(3) == 2


def test_a_file_is_waited_for_with_waitaof() -> None:
    world = Followed(FILE)
    world.do("a", "XADD s * a 1")
    assert world.do("a", "WAITAOF 1 0 0") == (1, 0)
    assert world.left(1, RESTART) == 1
    assert world.do("a", "WAIT 1 20") is BLOCKED
    assert world.at(NOW + 21) == [(world.sessions["a"], 0)]


def test_who_follows_has_to_be_there() -> None:
    world = Followed()
    assert isinstance(world.do("a", "WAITAOF 1 0 0"), Failure)
    world.do("a", "XADD s * a 1")
    assert world.do("a", "WAITAOF 0 0 0") == (0, 0)


@pytest.mark.parametrize("word", ["TIMEOUT", "ERROR"])
def test_client_unblock_ends_it(word: str) -> None:
    world = Followed()
    assert world.do("a", "WAIT 2 0") is BLOCKED
    assert world.do("b", f"CLIENT UNBLOCK {world.sessions['a']} {word}") == 1
    ((session, reply),) = world.at(NOW)
    assert session == world.sessions["a"]
    assert reply == 1 if word == "TIMEOUT" else isinstance(reply, Failure)


def test_a_snapshot_may_have_been_taken_at_any_time() -> None:
    """It keeps what is never told, and is asked by no WAIT."""
    world = Followed(SNAPSHOT)
    for _ in range(2):
        world.do("a", "XADD s * a 1")
    assert [world.left(lacking, FROM_SNAPSHOT) for lacking in (0, 1, 2)] == [2, 1, 0]
    assert world.do("a", "WAIT 1 5") is BLOCKED
    assert world.at(NOW + 6) == [(world.sessions["a"], 0)]
    assert [world.left(lacking, FROM_SNAPSHOT) for lacking in (0, 1, 2)] == [2, 1, 0]
    assert isinstance(world.do("a", "WAITAOF 1 0 0"), Failure)
    world.do("a", "XGROUP CREATE s g 0")
    world.do("a", "XREADGROUP GROUP g c STREAMS s >")
    world.now_ms += 5000
    world.do("a", "XREADGROUP GROUP g c STREAMS s 0")
    twin = world.server.fork()
    twin.lose(FROM_SNAPSHOT, 0, world.now_ms + 1000)
    stream = twin.keys[b"s"]
    assert isinstance(stream, Stream)
    assert stream.groups[b"g"].consumers[b"c"].seen_ms == NOW + 5006, "when it was seen is never told, and kept"
