"""What a server evicts when memory is short goes as if somebody had deleted it, for whoever reads from it, too."""

from __future__ import annotations

import os
import sys

import pytest
from redelivery.models.dialects import DIALECTS
from redelivery.models.replies import BLOCKED, encode
from redelivery.models.server import Server
from redelivery.sim.real.guard import closest_dialect
from redelivery.sim.real.servers import ServerBinary
from redelivery.sim.real.spawn import SpawnedServer
from redelivery.sim.real.virtual_clock import START_MS, VirtualClock

from .servers_at_hand import servers_named

pytestmark = pytest.mark.skipif(
    sys.platform != "linux" or os.uname().machine != "x86_64", reason="the virtual clock is for Linux x86-64"
)

BEFORE = ("XADD s 1-1 a b", "XGROUP CREATE s g $", "SET other x")
READ = "XREADGROUP GROUP g c BLOCK 0 STREAMS s >"
AFTER = ("XADD s 2-1 a b", "XREADGROUP GROUP g c STREAMS s >", "XLEN s", "XGROUP CREATE s g 0", "XINFO GROUPS s")


@pytest.mark.parametrize("binary", servers_named(), ids=lambda binary: f"{binary.line}-{binary.version}")
def test_an_evicted_stream_takes_its_groups_with_it(binary: ServerBinary) -> None:
    with VirtualClock(START_MS) as clock, SpawnedServer(binary, clock=clock, enable_debug=True) as server:
        model = Server(closest_dialect(server.dialect, binary.name)[0])
        assert model.dialect in DIALECTS.values()
        writer, reader, control = (server.connect(timeout=5.0) for _ in range(3))
        writes, reads = model.open(), model.open()

        def ask(line: str) -> None:
            argv = tuple(line.encode().split())
            reply, _ = model.execute(writes, argv, clock.now_ms)
            assert writer.call(*argv) == encode(reply, 2), line

        for line in BEFORE:
            ask(line)
        reader.send(tuple(READ.encode().split()))
        assert model.execute(reads, tuple(READ.encode().split()), clock.now_ms)[0] is BLOCKED
        control.call(b"PING")
        assert control.call(b"CONFIG", b"SET", b"maxmemory-policy", b"allkeys-random") == b"+OK\r\n"
        control.call(b"CONFIG", b"SET", b"maxmemory", b"1")
        control.call(b"SET", b"more", b"x")
        control.call(b"CONFIG", b"SET", b"maxmemory", b"0")
        assert model.evictable((b"s",), volatile=False) == (b"s",)
        for key in (b"other", b"s"):
            model.execute(writes, (b"DEL", key), clock.now_ms)
        served = model.take_served()
        if served:
            assert reader.read() == encode(served[0].reply, 2)
        else:
            assert not reader.readable(0.1)
        ask("DBSIZE")
        for line in AFTER:
            ask(line)
        if not served:
            assert reader.read() == encode(model.take_served()[0].reply, 2)
        for connection in (writer, reader, control):
            connection.close()
