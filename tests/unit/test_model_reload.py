"""What a load rebuilds, and what it leaves as it was."""

from __future__ import annotations

import pytest
from redelivery.models.dialects import DIALECTS
from redelivery.models.reload import reloaded
from redelivery.models.replies import Map
from redelivery.models.server import Server
from redelivery.models.snapshot import snapshot
from redelivery.models.stream import Stream

NOW = 1_700_000_000_000


def do(server: Server, session: int, *lines: str) -> None:
    for line in lines:
        server.execute(session, line.encode().split(), NOW)


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_load_keeps_what_a_stream_is(dialect: str) -> None:
    server = Server(dialect)
    session = server.open()
    do(server, session, "XADD k 1-1 a 1", "XADD k 2-1 a 2", "XGROUP CREATE k g 0", "XREADGROUP GROUP g c STREAMS k >")
    do(server, session, "XDEL k 2-1", "XCLAIM k g d 0 1-1 IDLE 70 RETRYCOUNT 5")
    before = snapshot(server)
    stream = server.keys[b"k"]
    assert isinstance(stream, Stream)
    loaded = reloaded(stream, server.dialect)
    server.keys[b"k"] = loaded
    assert snapshot(server) == before
    do(server, session, "XADD k 3-1 a 3", "XGROUP DELCONSUMER k g d")
    server.keys[b"k"] = stream
    assert snapshot(server) == before, "the loaded stream is independent of what it was loaded from"


def claimed(server: Server, session: int) -> list[bytes]:
    reply, _ = server.execute(session, b"XREADGROUP GROUP g e CLAIM 0 STREAMS k >".split(), NOW)
    assert isinstance(reply, Map)
    (_, entries) = reply.pairs[0]
    assert isinstance(entries, tuple)
    return [entry[0] for entry in entries]


@pytest.mark.parametrize("dialect", [name for name, dialect in DIALECTS.items() if dialect.has((8, 4))])
def test_a_load_puts_equal_delivery_times_in_order_of_id(dialect: str) -> None:
    server = Server(dialect)
    session = server.open()
    do(server, session, "XADD k 1-1 a 1", "XADD k 2-1 a 2", "XGROUP CREATE k g 0", "XREADGROUP GROUP g c STREAMS k >")
    do(server, session, "XCLAIM k g d 0 1-1 JUSTID")
    twin = server.fork()
    stream = twin.keys[b"k"]
    assert isinstance(stream, Stream)
    twin.keys[b"k"] = reloaded(stream, twin.dialect)
    listed = server.dialect.claims_as_listed
    assert (snapshot(server) == snapshot(twin)) is not listed
    assert claimed(server, session) == ([b"2-1", b"1-1"] if listed else [b"1-1", b"2-1"])
    assert claimed(twin, session) == [b"1-1", b"2-1"]


@pytest.mark.parametrize("dialect", [name for name, dialect in DIALECTS.items() if dialect.has((8, 8))])
def test_a_load_keeps_what_was_given_back_and_records_of_idempotence(dialect: str) -> None:
    server = Server(dialect)
    session = server.open()
    do(server, session, "XADD k 1-1 a 1", "XADD k 2-1 a 2", "XGROUP CREATE k g 0", "XREADGROUP GROUP g c STREAMS k >")
    do(server, session, "XNACK k g FAIL IDS 1 2-1", "XNACK k g FAIL IDS 1 1-1", "XADD k IDMP p i * a 3")
    before = snapshot(server)
    stream = server.keys[b"k"]
    assert isinstance(stream, Stream)
    server.keys[b"k"] = reloaded(stream, server.dialect)
    assert snapshot(server) == before
    assert claimed(server, session)[:2] == [b"2-1", b"1-1"]
