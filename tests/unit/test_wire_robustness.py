"""Clients that mean no good, or read nothing: they are refused or dropped, and the others do not notice."""

from __future__ import annotations

import resource
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing

import pytest
import redis
from redelivery.sim.wire.in_thread import ServerThread


@pytest.fixture
def served() -> Iterator[ServerThread]:
    with ServerThread("redis-8.6") as thread:
        yield thread
        with redis.Redis(port=thread.port, socket_timeout=5) as other:
            assert other.ping()


def connected(served: ServerThread) -> socket.socket:
    return socket.create_connection(("127.0.0.1", served.port), timeout=5)


def is_closed(client: socket.socket) -> bool:
    """Whether the server closes the connection within a while, whatever it said before."""
    try:
        while client.recv(1 << 20):
            pass
    except TimeoutError:
        return False
    except ConnectionError:
        pass
    return True


def test_two_thousand_connections_at_once(served: ServerThread) -> None:
    """They come, ask, block, and are all woken by one entry; each is two open files here."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    with ExitStack() as stack, redis.Redis(port=served.port) as other:
        stack.callback(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))
        clients = [stack.enter_context(closing(connected(served))) for _ in range(2000)]
        for client in clients:
            client.sendall(b"PING\r\n")
        assert all(client.recv(100) == b"+PONG\r\n" for client in clients)
        assert other.info("clients")["connected_clients"] == 2001
        for client in clients:
            client.sendall(b"XREAD BLOCK 0 STREAMS s $\r\n")
        limit = time.monotonic() + 20
        while other.info("clients")["blocked_clients"] < 2000:
            assert time.monotonic() < limit
        assert other.xadd("s", {"a": 1}, id="1-1") == b"1-1"
        entry = b"*1\r\n*2\r\n$1\r\ns\r\n*1\r\n*2\r\n$3\r\n1-1\r\n*2\r\n$1\r\na\r\n$1\r\n1\r\n"
        assert all(client.recv(100) == entry for client in clients)
    with redis.Redis(port=served.port) as other:
        limit = time.monotonic() + 5
        while other.info("clients")["connected_clients"] > 1:
            assert time.monotonic() < limit


def test_too_many_connections_are_refused(served: ServerThread) -> None:
    with redis.Redis(port=served.port) as other, closing(connected(served)) as first:
        first.sendall(b"PING\r\n")
        assert first.recv(100) == b"+PONG\r\n"
        other.config_set("maxclients", 2)
        with closing(connected(served)) as third:
            assert third.recv(100) == b"-ERR max number of clients reached\r\n"
            assert is_closed(third)
        first.sendall(b"PING\r\n")
        assert first.recv(100) == b"+PONG\r\n"


def test_half_a_request_holds_nobody_up(served: ServerThread) -> None:
    with closing(connected(served)) as slow, redis.Redis(port=served.port) as other:
        slow.sendall(b"*2147483647\r\n$536870912\r\nabc")
        assert other.xadd("s", {"a": 1}, id="1-1") == b"1-1"
        slow.sendall(b"x" * 1_000_000)
        assert other.xlen("s") == 1


def test_a_client_that_reads_nothing_is_not_listened_to(served: ServerThread) -> None:
    """It asks for far more than it reads: what is made for it has a bound, and it gets all of it when it reads."""
    with closing(connected(served)) as greedy, redis.Redis(port=served.port) as other:
        other.xadd("s", {"a": b"x" * 1_000_000}, id="1-1")
        one = b"*1\r\n*2\r\n$3\r\n1-1\r\n*2\r\n$1\r\na\r\n$1000000\r\n" + b"x" * 1_000_000 + b"\r\n"
        greedy.sendall(b"XRANGE s - +\r\n" * 120)
        time.sleep(0.2)
        assert other.xlen("s") == 1
        owed = served.ask(lambda server: max(c.unread_bytes() for c in server.connections.values()))
        assert 10_000_000 < owed < 80_000_000
        left = 120 * len(one)
        while left:
            came = greedy.recv(1 << 20)
            assert came
            left -= len(came)
        greedy.sendall(b"PING\r\n")
        assert greedy.recv(100) == b"+PONG\r\n"


def test_a_subscriber_that_reads_nothing_is_dropped_at_its_limit(served: ServerThread) -> None:
    with closing(connected(served)) as slow, redis.Redis(port=served.port) as other:
        other.config_set("client-output-buffer-limit", "pubsub 1mb 0 0")
        slow.sendall(b"SUBSCRIBE ch\r\n")
        assert slow.recv(200).startswith(b"*3\r\n$9\r\nsubscribe")
        sent = 0
        while other.publish("ch", "x" * 500_000):
            sent += 1
            assert sent < 100
        assert is_closed(slow)
        assert other.pubsub_numsub("ch") == [(b"ch", 0)]


def test_a_limit_for_everybody(served: ServerThread) -> None:
    with closing(connected(served)) as greedy, redis.Redis(port=served.port) as other:
        other.xadd("s", {"a": b"x" * 1_000_000})
        other.config_set("client-output-buffer-limit", "normal 2mb 0 0")
        greedy.sendall(b"XRANGE s - +\r\n" * 50)
        time.sleep(0.1)
        assert is_closed(greedy)


def test_what_a_blocked_client_sends_has_a_bound(served: ServerThread) -> None:
    with closing(connected(served)) as client:
        client.sendall(b"CLIENT ID\r\nXREAD BLOCK 0 STREAMS s $\r\n")
        number = int(client.recv(100)[1:-2])

        def narrow(server: object) -> None:
            served.server.connections[number].parser.query_max = 100_000

        served.ask(narrow)
        with pytest.raises(ConnectionError):
            for _ in range(200):
                client.sendall(b"PING\r\n" * 1000)
                time.sleep(0.001)


def test_what_a_client_sent_while_it_was_blocked_is_run_then(served: ServerThread) -> None:
    with closing(connected(served)) as client, redis.Redis(port=served.port) as other:
        client.sendall(b"BLPOP l 0\r\nPING\r\nECHO x\r\nQUIT\r\n")
        time.sleep(0.05)
        other.rpush("l", "v")
        said = b""
        while came := client.recv(1000):
            said += came
        assert said == b"*2\r\n$1\r\nl\r\n$1\r\nv\r\n+PONG\r\n$1\r\nx\r\n+OK\r\n"


def test_a_client_that_goes_while_it_is_blocked_is_forgotten(served: ServerThread) -> None:
    with redis.Redis(port=served.port) as other:
        other.xgroup_create("s", "g", mkstream=True)
        with closing(connected(served)) as client:
            client.sendall(b"XREADGROUP GROUP g gone BLOCK 0 STREAMS s >\r\n")
            limit = time.monotonic() + 5
            while not other.info("clients")["blocked_clients"]:
                assert time.monotonic() < limit
        while other.info("clients")["blocked_clients"]:
            assert time.monotonic() < limit
        other.xadd("s", {"a": 1})
        assert other.xpending("s", "g")["pending"] == 0


def test_nonsense_in_a_flood(served: ServerThread) -> None:
    with closing(connected(served)) as client:
        client.sendall(b"\xff\xfe garbage\r\n" * 2000 + b"QUIT\r\n")
        said = b""
        while came := client.recv(1 << 16):
            said += came
        assert said.count(b"-ERR unknown command") == 2000


def test_many_keys_and_cursors(served: ServerThread) -> None:
    with redis.Redis(port=served.port) as client:
        pipe = client.pipeline()
        for n in range(500):
            pipe.set(f"k{n}", n)
        pipe.execute()
        assert sorted(client.scan_iter(count=7)) == sorted(f"k{n}".encode() for n in range(500))
        seen = []
        cursor = -1
        while cursor:
            cursor, keys = client.scan(max(cursor, 0), count=20)
            seen += keys
            client.delete(*[f"k{n}" for n in range(0, 500, 2)])  # what stays is seen, once, whatever goes
        assert {f"k{n}".encode() for n in range(1, 500, 2)} <= set(seen)
        assert len(seen) == len(set(seen))
