"""What lists and keys leave as facts, and when a key whose time is over is gone."""

from __future__ import annotations

from typing import Any

import pytest
from redelivery.models.facts import (
    GroupRemoved,
    KeyCopied,
    KeyExpired,
    KeyMoved,
    ListEdited,
    ListMoved,
    ListPopped,
    ListPushed,
    ListRemoved,
    StreamRemoved,
)
from redelivery.models.replies import BLOCKED, NIL_ARRAY, Failure
from redelivery.models.server import Config, Server
from redelivery.models.timeouts import milliseconds

NOW_MS = 1_000_000


def said(server: Server, session: int, line: str, now_ms: int = NOW_MS) -> Any:
    return server.execute(session, tuple(line.encode().split()), now_ms)[0]


def facts(server: Server, session: int, line: str, now_ms: int = NOW_MS) -> list[Any]:
    return list(server.execute(session, tuple(line.encode().split()), now_ms)[1])


@pytest.fixture
def server() -> Server:
    made = Server("redis-8.6")
    for _ in range(3):
        made.open()
    return made


def test_an_element_is_followed_from_its_push_to_its_receiver(server: Server) -> None:
    assert facts(server, 1, "RPUSH l a b c") == [ListPushed(b"l", 1, (b"a", b"b", b"c"), "right", "RPUSH")]
    assert facts(server, 2, "LPOP l") == [ListPopped(b"l", 1, (b"a",), "left", 2, "LPOP")]
    assert facts(server, 3, "RPOPLPUSH l m") == [ListMoved(b"l", 1, b"m", 2, b"c", 3, "RPOPLPUSH")]
    assert facts(server, 1, "LSET l 0 B") == [ListEdited(b"l", 1, (b"b",), (b"B",), "LSET")]
    assert facts(server, 1, "LREM l 0 none") == []
    assert facts(server, 2, "LMPOP 2 none l LEFT") == [ListPopped(b"l", 1, (b"B",), "left", 2, "LMPOP")]
    assert facts(server, 1, "RPUSH l d") == [ListPushed(b"l", 3, (b"d",), "right", "RPUSH")], "another incarnation"
    assert facts(server, 1, "DEL l") == [ListRemoved(b"l", 3, (b"d",), "DEL")]


def test_who_was_blocked_is_the_receiver(server: Server) -> None:
    assert said(server, 2, "BLMOVE l m LEFT RIGHT 0") is BLOCKED
    assert said(server, 3, "BLPOP m 0") is BLOCKED
    server.execute(1, (b"RPUSH", b"l", b"a"), NOW_MS)
    first, second = server.take_served()
    assert (first.session, first.reply, first.facts) == (2, b"a", (ListMoved(b"l", 1, b"m", 2, b"a", 2, "BLMOVE"),))
    assert (second.session, second.reply) == (3, (b"m", b"a"))
    assert second.facts == (ListPopped(b"m", 2, (b"a",), "left", 3, "BLPOP"),)


def test_a_stream_under_another_key_is_another_incarnation_of_the_same(server: Server) -> None:
    server.execute(1, (b"XADD", b"s", b"1-1", b"k", b"v"), NOW_MS)
    assert facts(server, 1, "RENAME s t") == [KeyMoved(b"s", 0, 1, b"t", 0, 2, "RENAME")]
    assert facts(server, 1, "MOVE t 3") == [KeyMoved(b"t", 0, 2, b"t", 3, 3, "MOVE")]
    said(server, 1, "SELECT 3")
    assert facts(server, 1, "COPY t u DB 0") == [KeyCopied(b"t", 3, 3, b"u", 0, 4, "COPY")]
    assert said(server, 1, "XLEN t") == 1
    assert said(server, 2, "XLEN u") == 1


def test_a_copy_shares_nothing(server: Server) -> None:
    for line in ("XADD s 1-1 k v", "XGROUP CREATE s g 0", "XREADGROUP GROUP g c STREAMS s >", "COPY s t"):
        said(server, 1, line)
    assert said(server, 1, "XACK t g 1-1") == 1
    assert said(server, 1, "XDEL t 1-1") == 1
    assert said(server, 1, "XLEN s") == 1
    assert said(server, 1, "XACK s g 1-1") == 1


def test_a_key_goes_when_somebody_looks_at_it(server: Server) -> None:
    said(server, 1, "XGROUP CREATE s g 0 MKSTREAM")
    said(server, 1, "PEXPIRE s 10")
    assert said(server, 1, "EXISTS s", NOW_MS + 10) == 1
    assert said(server, 1, "DBSIZE", NOW_MS + 11) == 1, "nobody has looked"
    assert facts(server, 1, "XLEN s", NOW_MS + 11) == [
        KeyExpired(b"s", 0, 1, NOW_MS + 10, "access"),
        GroupRemoved(b"s", 1, b"g", 2, (), "EXPIRE"),
        StreamRemoved(b"s", 1, "EXPIRE"),
    ]
    assert said(server, 1, "DBSIZE", NOW_MS + 11) == 0


def test_a_blocked_reader_is_told_when_the_time_of_its_key_is_over(server: Server) -> None:
    said(server, 1, "XGROUP CREATE s g 0 MKSTREAM")
    said(server, 1, "PEXPIRE s 10")
    assert server.next_deadline() is None, "nobody would notice"
    assert said(server, 2, "XREADGROUP GROUP g c BLOCK 50 STREAMS s >") is BLOCKED
    assert server.next_deadline() == NOW_MS + 11
    server.expire(NOW_MS + 10)
    assert server.take_served() == []
    server.expire(NOW_MS + 11)
    (served,) = server.take_served()
    assert served.session == 2
    assert isinstance(served.reply, Failure)
    assert served.reply.text.startswith(b"NOGROUP")
    assert served.facts[0] == KeyExpired(b"s", 0, 1, NOW_MS + 10, "cycle")


@pytest.mark.parametrize(("dialect", "config"), [("redis-6.2", Config()), ("redis-8.6", Config(active_expire=False))])
def test_elsewhere_it_waits_on(dialect: str, config: Config) -> None:
    server = Server(dialect, config)
    one, two = server.open(), server.open()
    said(server, one, "XGROUP CREATE s g 0 MKSTREAM")
    said(server, one, "PEXPIRE s 10")
    assert said(server, two, "XREADGROUP GROUP g c BLOCK 50 STREAMS s >") is BLOCKED
    assert server.next_deadline() == NOW_MS + 51
    server.expire(NOW_MS + 51)
    assert [served.reply for served in server.take_served()] == [NIL_ARRAY]


@pytest.mark.parametrize(
    ("text", "up", "down"),
    [
        (b"0", 0, 0),
        (b"1", 1000, 1000),
        (b"0.001", 1, 0),  # the nearest long double is a little less, and so is a thousand times that
        (b"0.0001", 1, 0),
        (b"0.1", 100, 100),
        (b"-0.0001", 0, 0),
        (b"-1", -1000, -1000),
        (b"1e-3", 1, 0),
        (b"+.5", 500, 500),
        (b"0x1p-4", 63, 62),
        (b"0x10", 16_000, 16_000),
        (b"4611686018427387905", 4611686018427387905024, 4611686018427387905024),
        (b"1.00000000000000000001", 1000, 1000),
        (b"inf", 2**63, 2**63),
        (b"-Infinity", -(2**63), -(2**63)),
        *((text, None, None) for text in (b"", b"x", b" 1", b"1 ", b"1e", b".", b"0x", b"nan", b"1e9999", b"1e-9999")),
    ],
)
def test_a_timeout_is_read_as_a_long_double(text: bytes, up: int | None, down: int | None) -> None:
    assert milliseconds(text, rounds_up=True) == up
    assert milliseconds(text, rounds_up=False) == down
