"""Commands on the model, called directly, against fakeredis on the same commands."""

from __future__ import annotations

from typing import Any

import fakeredis
import pytest
from redelivery.models.server import Server

COMMANDS = 300
"""How often the round of commands is made."""

WORLDS = {"a young stream": 0, "a backlog of 10,000 entries, 2,500 of them pending": 10_000}
"""What is there before the round begins."""


def backlog(entries: int) -> list[tuple[bytes, ...]]:
    """The stream and the group as the round finds them."""
    lines: list[tuple[bytes, ...]] = [(b"XGROUP", b"CREATE", b"s", b"g", b"$", b"MKSTREAM")]
    lines += [(b"XADD", b"s", b"%d-1" % n, b"order", b"%d" % n, b"item", b"tea") for n in range(1, entries + 1)]
    if entries:
        count = b"%d" % (entries // 4)
        lines.append((b"XREADGROUP", b"GROUP", b"g", b"a", b"COUNT", count, b"STREAMS", b"s", b">"))
    return lines


def round_of_commands(after: int) -> list[tuple[bytes, ...]]:
    """A consumer's life: add, read, look at what is pending, claim, acknowledge, range."""
    lines: list[tuple[bytes, ...]] = []
    for n in range(1, COMMANDS + 1):
        entry = b"%d-1" % n
        lines += [
            (b"XADD", b"s", b"%d-1" % (after + n), b"order", b"%d" % n, b"item", b"tea"),
            (b"XREADGROUP", b"GROUP", b"g", b"a", b"COUNT", b"1", b"STREAMS", b"s", b">"),
            (b"XPENDING", b"s", b"g", b"-", b"+", b"10"),
            (b"XCLAIM", b"s", b"g", b"b", b"0", entry),
            (b"XACK", b"s", b"g", entry),
            (b"XRANGE", b"s", entry, b"+", b"COUNT", b"5"),
        ]
    return lines


@pytest.fixture(params=WORLDS)
def entries(request: pytest.FixtureRequest, benchmark: Any) -> int:
    benchmark.group = f"model against fakeredis, {request.param}"
    return WORLDS[request.param]


def test_ours(benchmark: Any, entries: int) -> None:
    lines = round_of_commands(entries)

    def fresh() -> tuple[tuple[Server, int], dict[str, Any]]:
        server = Server("redis-8.6")
        session = server.open()
        for line in backlog(entries):
            server.execute(session, line, 0)
        return (server, session), {}

    def run(server: Server, session: int) -> None:
        for now_ms, line in enumerate(lines):
            server.execute(session, line, now_ms)

    benchmark.extra_info["commands"] = len(lines)
    benchmark.pedantic(run, setup=fresh, rounds=10)


def test_peer(benchmark: Any, entries: int) -> None:
    lines = round_of_commands(entries)

    def fresh() -> tuple[tuple[Any], dict[str, Any]]:
        client: Any = fakeredis.FakeRedis(server=fakeredis.FakeServer(version=(7,)))
        for line in backlog(entries):
            client.execute_command(*line)
        return (client,), {}

    def run(client: Any) -> None:
        for line in lines:
            client.execute_command(*line)

    benchmark.extra_info["commands"] = len(lines)
    benchmark.pedantic(run, setup=fresh, rounds=4)
