"""Who gets what is published, what is kept of it (nothing), and when a subscriber that does not read is dropped."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from redelivery.models.dialects import DIALECTS
from redelivery.models.facts import Published, Subscribed, SubscriberDropped, Unsubscribed
from redelivery.models.glob import matches
from redelivery.models.pubsub import Limits
from redelivery.models.replies import Frames, Push, Reply, encode
from redelivery.models.server import Config, Server
from redelivery.models.snapshot import snapshot


class Room:
    """A server with sessions by letter: capitals speak RESP3."""

    def __init__(self, dialect: str = "redis-8.6", limits: Limits | None = None) -> None:
        self.server = Server(dialect, Config(pubsub_limits=limits or Limits()))
        self.sessions = {name: self.server.open(3 if name.isupper() else 2) for name in "abcABC"}
        self.now_ms = 1_000_000

    def say(self, name: str, line: str) -> tuple[Reply, Sequence[Any]]:
        return self.server.execute(self.sessions[name], tuple(line.encode().split()), self.now_ms)

    def heard(self) -> list[tuple[str, Reply]]:
        letters = {session: name for name, session in self.sessions.items()}
        return [(letters[served.session], served.reply) for served in self.server.take_served()]


def test_a_message_names_its_receivers_and_nobody_else_ever_gets_it() -> None:
    room = Room()
    assert room.say("a", "PUBLISH c early")[1] == (Published(b"c", b"early", 1, ()),)
    _, facts = room.say("b", "SUBSCRIBE c d")
    assert facts == (Subscribed(2, b"c", False), Subscribed(2, b"d", False))
    room.say("C", "PSUBSCRIBE c*")
    room.say("C", "SUBSCRIBE c")
    reply, facts = room.say("a", "PUBLISH c hello")
    assert (reply, facts) == (3, (Published(b"c", b"hello", 1, (2, 6, 6)),))
    assert room.heard() == [
        ("b", Push((b"message", b"c", b"hello"))),
        ("C", Push((b"message", b"c", b"hello"))),
        ("C", Push((b"pmessage", b"c*", b"c", b"hello"))),
    ]
    assert room.heard() == []


def test_a_push_is_an_array_in_resp2() -> None:
    push = Push((b"message", b"c", b"x"))
    assert encode(push, 3) == b">3\r\n$7\r\nmessage\r\n$1\r\nc\r\n$1\r\nx\r\n"
    assert encode(push, 2) == b"*3\r\n$7\r\nmessage\r\n$1\r\nc\r\n$1\r\nx\r\n"
    assert encode(Frames((push, 1)), 2) == encode(push, 2) + b":1\r\n"


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_message_to_oneself_stands_beside_the_reply(dialect: str) -> None:
    room = Room(dialect)
    room.say("A", "SUBSCRIBE c")
    reply, _ = room.say("A", "PUBLISH c x")
    push = Push((b"message", b"c", b"x"))
    before = dialect in ("redis-6.0", "redis-6.2", "redis-7.0")
    assert reply == (Frames((push, 1)) if before else 1)
    assert room.heard() == ([] if before else [("A", push)])


def test_a_closed_connection_is_subscribed_to_nothing() -> None:
    room = Room()
    room.say("b", "SUBSCRIBE c")
    room.say("b", "PSUBSCRIBE c*")
    room.server.close(room.sessions["b"])
    assert room.say("a", "PUBLISH c x")[0] == 0
    assert not room.server.pubsub.subscribers
    room.say("c", "SUBSCRIBE c")
    assert room.say("c", "QUIT")[1] == (Unsubscribed(3, b"c", False, "QUIT"),)
    assert 3 not in room.server.sessions


MESSAGE = "PUBLISH c " + "x" * 100


def size() -> int:
    return len(encode(Push((b"message", b"c", b"x" * 100)), 2))


def test_who_reads_is_never_dropped() -> None:
    room = Room(limits=Limits(hard_bytes=size(), soft_bytes=1, soft_s=0))
    room.say("b", "SUBSCRIBE c")
    for _ in range(5):
        assert room.say("a", MESSAGE)[0] == 1
        room.now_ms += 5000


def test_past_the_hard_limit_a_subscriber_is_dropped_and_the_publisher_does_not_notice() -> None:
    room = Room(limits=Limits(hard_bytes=3 * size(), soft_bytes=0))
    room.say("b", "SUBSCRIBE c")
    room.server.stop_reading(2)
    assert room.say("a", MESSAGE)[0] == 1
    assert room.say("a", MESSAGE)[0] == 1
    reply, facts = room.say("a", MESSAGE)
    assert reply == 1, "it is still counted"
    assert facts[-1] == SubscriberDropped(2, 3 * size(), "hard")
    assert 2 not in room.server.sessions
    assert room.say("a", MESSAGE)[0] == 0


def test_a_whole_transaction_counts_a_subscriber_that_goes_with_it() -> None:
    room = Room(limits=Limits(hard_bytes=1, soft_bytes=0))
    room.say("b", "SUBSCRIBE c")
    room.server.stop_reading(2)
    room.say("a", "MULTI")
    room.say("a", MESSAGE)
    room.say("a", MESSAGE)
    reply, facts = room.say("a", "EXEC")
    assert reply == (1, 1)
    assert [fact for fact in facts if isinstance(fact, SubscriberDropped)] == [SubscriberDropped(2, size(), "hard")]
    assert len(room.heard()) == 1, "what comes after it is about to be dropped is not even sent"


def test_past_the_soft_limit_it_has_some_seconds() -> None:
    room = Room(limits=Limits(hard_bytes=0, soft_bytes=2 * size(), soft_s=10))
    room.say("b", "SUBSCRIBE c")
    room.server.stop_reading(2)
    room.say("a", MESSAGE)
    room.say("a", MESSAGE)
    room.now_ms += 10_000
    assert room.say("a", MESSAGE)[0] == 1
    assert 2 in room.server.sessions, "exactly so many seconds are allowed"
    room.server.read(2, 2 * size())
    room.now_ms += 60_000
    room.say("a", MESSAGE)
    assert 2 in room.server.sessions, "it was below the limit in between"
    room.now_ms += 11_000
    _, facts = room.say("a", MESSAGE)
    assert facts[-1] == SubscriberDropped(2, 3 * size(), "soft")


def test_who_goes_on_reading_has_read_everything() -> None:
    room = Room(limits=Limits(hard_bytes=2 * size()))
    room.say("b", "SUBSCRIBE c")
    room.server.stop_reading(2)
    room.say("a", MESSAGE)
    room.server.go_on_reading(2)
    room.say("a", MESSAGE)
    room.say("a", MESSAGE)
    assert 2 in room.server.sessions


def test_a_fork_has_subscribers_of_its_own() -> None:
    room = Room(limits=Limits(hard_bytes=2 * size()))
    room.say("b", "SUBSCRIBE c")
    room.server.stop_reading(2)
    room.say("a", MESSAGE)
    room.heard()
    before = snapshot(room.server)
    twin = room.server.fork()
    assert snapshot(twin) == before
    twin.execute(1, tuple(MESSAGE.encode().split()), room.now_ms)
    assert 2 not in twin.sessions
    assert snapshot(room.server) == before


@pytest.mark.parametrize(
    ("pattern", "text", "hit"),
    [
        (b"*", b"a", True),
        (b"*", b"", False),
        (b"", b"", True),
        (b"a*b*c", b"a--b--c", True),
        (b"a*b*c", b"a--c", False),
        (b"a**", b"a", True),
        (b"?", b"", False),
        (b"[^a]", b"a", False),
        (b"[^a]", b"b", True),
        (b"[c-a]", b"b", True),
        (b"[a-]", b"-", False),
        (b"[\\]]", b"]", True),
        (b"[ab", b"b", True),
        (b"[", b"[", False),
        (b"[^", b"x", True),
        (b"\\", b"\\", True),
        (b"\\*", b"*", True),
        (b"\\*", b"a", False),
        (b"[\x7f-\x80]", b"a", True),
        (b"[\x80-\xff]", b"a", False),
    ],
)
def test_a_pattern_means_what_the_server_takes_it_for(pattern: bytes, text: bytes, hit: bool) -> None:
    assert matches(pattern, text) is hit
