"""Commands on the model, called directly, against fakeredis on the same commands."""

from __future__ import annotations

from typing import Any

import fakeredis
import pytest
from redelivery.models.server import Server

ENTRIES = 300
GROUP = "model against fakeredis"


def command_lines() -> list[tuple[bytes, ...]]:
    """A consumer's life: add, read, look at what is pending, claim, acknowledge, range, trim."""
    lines: list[tuple[bytes, ...]] = [(b"XGROUP", b"CREATE", b"s", b"g", b"$", b"MKSTREAM")]
    for n in range(1, ENTRIES + 1):
        entry = b"%d-1" % n
        lines += [
            (b"XADD", b"s", entry, b"order", b"%d" % n, b"item", b"tea"),
            (b"XREADGROUP", b"GROUP", b"g", b"a", b"COUNT", b"1", b"STREAMS", b"s", b">"),
            (b"XPENDING", b"s", b"g", b"-", b"+", b"10"),
            (b"XCLAIM", b"s", b"g", b"b", b"0", entry),
            (b"XACK", b"s", b"g", entry),
            (b"XRANGE", b"s", entry, b"+", b"COUNT", b"5"),
        ]
    return lines


LINES = command_lines()


@pytest.mark.benchmark(group=GROUP)
def test_ours(benchmark: Any) -> None:
    def fresh() -> tuple[tuple[Server, int], dict[str, Any]]:
        server = Server("redis-8.6")
        return (server, server.open()), {}

    def run(server: Server, session: int) -> None:
        for now_ms, line in enumerate(LINES):
            server.execute(session, line, now_ms)

    benchmark.extra_info["commands"] = len(LINES)
    benchmark.pedantic(run, setup=fresh, rounds=15)


@pytest.mark.benchmark(group=GROUP)
def test_peer(benchmark: Any) -> None:
    def fresh() -> tuple[tuple[Any], dict[str, Any]]:
        return (fakeredis.FakeRedis(server=fakeredis.FakeServer(version=(7,))),), {}

    def run(client: Any) -> None:
        for line in LINES:
            client.execute_command(*line)

    benchmark.extra_info["commands"] = len(LINES)
    benchmark.pedantic(run, setup=fresh, rounds=5)
