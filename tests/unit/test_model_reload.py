"""What a load rebuilds, and what it leaves as it was."""

from __future__ import annotations

import pytest
from redelivery.models.dialects import DIALECTS
from redelivery.models.reload import reloaded
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
