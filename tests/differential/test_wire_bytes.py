"""What a server sends back to polite clients and to others: the served model as the real server, to the byte."""

from __future__ import annotations

import select
import socket
import struct
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from typing import Any

import pytest
import redis
from redelivery.sim.real.servers import ServerBinary
from redelivery.sim.real.spawn import SpawnedServer
from redelivery.sim.wire.in_thread import ServerThread

from .servers_at_hand import servers_named

QUIET_S = 0.03
"""For so long nothing must come before an answer counts as whole."""


@pytest.fixture(scope="module", params=servers_named(), ids=lambda server: server.dialect)
def ports(request: pytest.FixtureRequest) -> Iterator[tuple[int, int]]:
    """The port of the served model, and that of the real server of its dialect."""
    binary: ServerBinary = request.param
    with ServerThread(binary.dialect) as served, SpawnedServer(binary, enable_debug=True, tcp=True) as real:
        yield served.port, real.address.port


@pytest.fixture
def dialect(request: pytest.FixtureRequest) -> str:
    """The dialect of the servers at ``ports``."""
    binary: ServerBinary = request.node.callspec.params["ports"]
    return binary.dialect


def connected(port: int) -> socket.socket:
    client = socket.create_connection(("127.0.0.1", port), timeout=5)
    client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return client


def answer(client: socket.socket, *pieces: bytes) -> tuple[bytes, bool]:
    """What came back to the pieces, sent one after the other, and whether the connection is still open."""
    said = b""
    try:
        for piece in pieces:
            client.sendall(piece)
            time.sleep(0.005 if len(pieces) > 1 else 0)
        client.settimeout(1)
        while True:
            came = client.recv(1 << 16)
            if not came:
                return said, False
            said += came
            client.settimeout(QUIET_S)
    except TimeoutError:
        return said, True
    except ConnectionError:
        return said, False


def line(*words: bytes) -> bytes:
    return b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%b\r\n" % (len(word), word) for word in words)


def both(ports: tuple[int, int], *pieces: bytes) -> tuple[bytes, bool]:
    """The answer of the served model, which is that of the real server."""

    def ask(port: int) -> tuple[bytes, bool]:
        with closing(connected(port)) as client:
            client.sendall(b"FLUSHALL\r\n")
            assert client.recv(100) == b"+OK\r\n"
            return answer(client, *pieces)

    with ThreadPoolExecutor(2) as both_at_once:
        model, real = both_at_once.map(ask, ports)
    assert model == real
    return model


MALFORMED = {
    "no count": b"*x\r\n",
    "a count past all": b"*2147483648\r\n",
    "a large count": b"*1048577\r\n!\r\n",
    "no dollar": b"*1\r\n+PING\r\n",
    "no length": b"*1\r\n$x\r\n",
    "a length below 0": b"*2\r\n$4\r\nPING\r\n$-1\r\n",
    "a length past all": b"*1\r\n$536870913\r\n",
    "a count without end": b"*" + b"1" * 66000,
    "a length without end": b"*1\r\n$" + b"1" * 66000,
    "an open quote": b'SET k "a\r\n',
    "good before bad": line(b"PING") + b"*1\r\n!\r\n" + line(b"PING"),
    "behind what blocks": line(b"XREAD", b"BLOCK", b"20", b"STREAMS", b"s", b"$") + b"*1\r\n!\r\n",
    "in a transaction": line(b"MULTI") + line(b"SET", b"k", b"v") + b"*1\r\n$-5\r\n",
}


@pytest.mark.parametrize("case", MALFORMED)
def test_malformed_requests_get_an_error_and_are_cut_off(case: str, ports: tuple[int, int], dialect: str) -> None:
    if (case, dialect) == ("a length without end", "redis-8.6"):  # this release alone waits for its end for ever
        with closing(connected(ports[0])) as model, closing(connected(ports[1])) as real:
            assert answer(model, MALFORMED[case]) == (b"-ERR Protocol error: too big bulk count string\r\n", False)
            assert answer(real, MALFORMED[case]) == (b"", True)
        return
    if case == "behind what blocks" and dialect in ("redis-8.0", "redis-8.6"):  # these look at it when more comes
        with closing(connected(ports[0])) as model, closing(connected(ports[1])) as real:
            assert answer(model, MALFORMED[case]) == (b"*-1\r\n-ERR Protocol error: expected '$', got '!'\r\n", False)
            assert answer(real, MALFORMED[case]) == (b"*-1\r\n", True)
            assert answer(real, b"\r\n") == (b"-ERR Protocol error: expected '$', got '!'\r\n", False)
        return
    said, is_open = both(ports, MALFORMED[case])
    assert b"-ERR Protocol error: " in said
    assert not is_open


POLITE = {
    "inline": b"PING\r\n",
    "inline, with a bare end": b"PING\nECHO 'a b'\n",
    "nothing": b"\r\n\r\n*0\r\n*-1\r\nPING\r\n",
    "an unknown command": line(b"NOSUCH", b"a", b"b"),
    "an empty command": line(b""),
    "a wrong number of arguments": line(b"XADD", b"s"),
    "an unknown subcommand": line(b"CLIENT", b"MAINT_NOTIFICATIONS", b"ON"),
    "pipelined": line(b"XADD", b"s", b"1-1", b"a", b"b") * 3 + line(b"XLEN", b"s"),
    "a transaction": line(b"MULTI") + line(b"XADD", b"s", b"1-1", b"a", b"b") + line(b"XLEN", b"s") + line(b"EXEC"),
    "an aborted transaction": line(b"MULTI") + line(b"NOSUCH") + line(b"XLEN", b"s") + line(b"EXEC"),
    "a list of names in a transaction": line(b"MULTI") + line(b"CLIENT", b"GETNAME") + line(b"EXEC"),
    "RESP3": line(b"HELLO", b"3", b"AUTH", b"x", b"y") + line(b"XREAD", b"STREAMS", b"s", b"0"),
    "a name": line(b"CLIENT", b"SETNAME", b"n") + line(b"CLIENT", b"GETNAME"),
    "a bad name": line(b"CLIENT", b"SETNAME", b"a b"),
    "a subscriber": line(b"SUBSCRIBE", b"ch") + line(b"XLEN", b"s") + line(b"PING"),
    # One at a time: from 7.2 on a server forgets this error where another answer is still to be written.
    "AUTH": line(b"AUTH", b"p"),
    "AUTH of nobody": line(b"AUTH", b"a", b"b"),
    "AUTH of anybody": line(b"AUTH", b"default", b"b"),
    "AUTH of more": line(b"AUTH", b"a", b"b", b"c"),
    "SELECT": line(b"SELECT", b"3") + line(b"SELECT", b"77") + line(b"SELECT", b"x"),
    "QUIT": line(b"QUIT") + line(b"PING"),
    "KILL of nobody": line(b"CLIENT", b"KILL", b"1.2.3.4:5") + line(b"CLIENT", b"KILL", b"ID", b"123456"),
    "KILL of none": line(b"CLIENT", b"KILL", b"ID", b"0") + line(b"CLIENT", b"KILL", b"ID", b"123456", b"123457"),
    "KILL of what": line(b"CLIENT", b"KILL", b"ID", b"x") + line(b"CLIENT", b"KILL", b"WHAT", b"x"),
    "LIST of what": line(b"CLIENT", b"LIST", b"TYPE", b"x") + line(b"CLIENT", b"LIST", b"WHAT", b"x"),
    "PAUSE": line(b"CLIENT", b"PAUSE", b"x") + line(b"CLIENT", b"PAUSE", b"-1"),
    "REPLY": line(b"CLIENT", b"REPLY", b"x") + line(b"CLIENT", b"REPLY", b"SKIP") + line(b"PING") + line(b"ECHO", b"x"),
    "REPLY OFF": line(b"CLIENT", b"REPLY", b"OFF") + line(b"PING") + line(b"CLIENT", b"REPLY", b"ON"),
    "CONFIG": line(b"CONFIG", b"GET", b"stream-node*y*") + line(b"CONFIG", b"SET", b"what", b"x"),
    "CONFIG of a wrong value": line(b"CONFIG", b"SET", b"maxclients", b"x"),
    "CONFIG of limits": line(b"CONFIG", b"GET", b"client-output-buffer-limit"),
    "SCAN": line(b"SCAN", b"x") + line(b"SCAN", b"0", b"COUNT", b"0") + line(b"SCAN", b"0", b"WHAT", b"1"),
    "SCAN of one": line(b"XADD", b"s", b"1-1", b"a", b"b") + line(b"SCAN", b"0", b"MATCH", b"?") + line(b"KEYS", b"*"),
    "SCAN of a type": line(b"XADD", b"s", b"1-1", b"a", b"b") + line(b"SCAN", b"0", b"TYPE", b"stream"),
    "OBJECT": line(b"XADD", b"s", b"1-1", b"a", b"b") + line(b"OBJECT", b"ENCODING", b"s"),
    "OBJECT of nothing": line(b"OBJECT", b"WHAT", b"s") + line(b"RANDOMKEY"),
    "ROLE": line(b"ROLE"),
    "no cluster": line(b"CLUSTER", b"INFO") + line(b"READONLY") + line(b"READWRITE"),
    "GETKEYS": line(b"COMMAND", b"GETKEYS", b"XREAD", b"STREAMS", b"a", b"b", b"0", b"0"),
    "SAVE": line(b"SAVE"),
    "DEBUG RELOAD": line(b"XADD", b"s", b"1-1", b"a", b"b") + line(b"DEBUG", b"RELOAD") + line(b"XLEN", b"s"),
    "RESET": line(b"MULTI") + line(b"RESET") + line(b"PING"),
    "FUNCTION": line(b"FUNCTION", b"LIST") + line(b"FUNCTION", b"FLUSH") + line(b"FUNCTION", b"FLUSH", b"NOW"),
    "FUNCTION of nothing": line(b"FUNCTION", b"DELETE", b"x") + line(b"FUNCTION", b"KILL") + line(b"FUNCTION", b"WHAT"),
    "FUNCTION LIST": line(b"HELLO", b"2", b"AUTH", b"x", b"y") + line(b"FUNCTION", b"LIST", b"WITHCODE"),
    "FCALL": line(b"FCALL", b"f", b"0") + line(b"FCALL", b"f", b"1") + line(b"FCALL", b"f", b"x"),
    "FCALL of too few": line(b"FCALL", b"f", b"-1") + line(b"FCALL_RO", b"f", b"0"),
    "DUMP of nothing": line(b"DUMP", b"s") + line(b"DUMP"),
    "RESTORE of no dump": line(b"RESTORE", b"s", b"0", b"x") + line(b"RESTORE", b"s", b"-1", b"x"),
    "RESTORE and options": line(b"RESTORE", b"s", b"x", b"x") + line(b"RESTORE", b"s", b"0", b"x", b"WHAT"),
    "RESTORE of an age": line(b"RESTORE", b"s", b"0", b"x", b"IDLETIME", b"-1"),
    "RESTORE without an age": line(b"RESTORE", b"s", b"0", b"x", b"FREQ"),
    "RESTORE onto a key": line(b"SET", b"k", b"v") + line(b"RESTORE", b"k", b"0", b"x"),
    "CONFIG past a bound": line(b"CONFIG", b"SET", b"stream-idmp-duration", b"86401"),
    "CONFIG of yes": line(b"CONFIG", b"SET", b"aof-use-rdb-preamble", b"maybe"),
    "DBSIZE": line(b"SET", b"k", b"v") + line(b"DBSIZE"),
}


@pytest.mark.parametrize("case", POLITE)
def test_what_clients_send_gets_the_same_bytes(case: str, ports: tuple[int, int]) -> None:
    said, _ = both(ports, POLITE[case])
    assert said


def test_half_a_request_is_waited_for(ports: tuple[int, int]) -> None:
    request = line(b"XADD", b"s", b"1-1", b"field", b"value")
    said, is_open = both(ports, *[request[at : at + 1] for at in range(len(request))])
    assert said == b"$3\r\n1-1\r\n"
    assert is_open


def undisturbed(port: int, hostile: Callable[[socket.socket], object]) -> list[object]:
    """What a hostile client meets, and what another client sees meanwhile and when the first has gone."""
    with redis.Redis(port=port, socket_timeout=5) as other:
        other.flushall()
        other.xadd("s", {"f": b"x" * 100_000}, id="1-1")
        there = other.info("clients")["connected_clients"]
        with closing(connected(port)) as client:
            met = hostile(client)
            seen = [met, other.xadd("s", {"a": 1}, id="2-1"), other.xlen("s"), other.exists("k")]
        limit = time.monotonic() + 5
        while other.info("clients")["connected_clients"] > there and time.monotonic() < limit:
            time.sleep(0.005)
        return [*seen, other.info("clients")["connected_clients"] - there, other.ping()]


def reset_after(client: socket.socket, sent: bytes) -> None:
    """Sends something, and resets the connection."""
    client.sendall(sent)
    time.sleep(0.01)
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.close()


def last_words(client: socket.socket, sent: bytes) -> tuple[bytes, bool]:
    """Sends something, and nothing more ever; what it gets."""
    client.sendall(sent)
    time.sleep(0.01)
    client.shutdown(socket.SHUT_WR)
    return answer(client)


def is_cut_off(client: socket.socket, piece: bytes) -> bool:
    """Sends one piece after the other and reads nothing; whether the server ends that."""
    client.setblocking(False)
    limit = time.monotonic() + 5
    while time.monotonic() < limit:
        try:
            client.send(piece)
        except BlockingIOError:
            time.sleep(0.002)
        except ConnectionError:
            return True
        if select.select([client], [], [], 0)[0] and not _there(client):
            return True
    return False


def _there(client: socket.socket) -> bool:
    try:
        return bool(client.recv(1, socket.MSG_PEEK))
    except ConnectionError:
        return False


HALF = line(b"SET", b"k", b"v")[:-3]
HOSTILE: dict[str, Callable[[socket.socket], object]] = {
    "a reset within a request": lambda client: reset_after(client, HALF),
    "a reset within an argument": lambda client: reset_after(client, b"*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$9999999\r\nx"),
    "a reset while it is blocked": lambda client: reset_after(client, line(b"BLPOP", b"l", b"0") + HALF),
    "a reset within a transaction": lambda client: reset_after(client, line(b"MULTI") + line(b"SET", b"k", b"v")),
    "an end within a request": lambda client: last_words(client, line(b"PING") + HALF),
    "an end while it is blocked": lambda client: last_words(client, line(b"BLPOP", b"l", b"0")),
    "garbage": lambda client: answer(client, b"\xfe gar'bage' \x01\r\n\x80\x81\n" * 40),
    "a NUL in garbage": lambda client: answer(client, b"\x80\r\n", b"\x81 \0\r\nPING\r\n"),
    "much behind a NUL": lambda client: answer(client, b"\0\r\n" * 22_000),
    "garbage that looks like a request": lambda client: answer(client, b"*3\r\n$3\r\nSET\r\n$-7\r\n" * 3),
    "an argument past the limit": lambda client: answer(client, b"*2\r\n$4\r\nECHO\r\n$536870913\r\n", b"x" * 99),
    "a large argument that never comes": lambda client: last_words(client, b"*2\r\n$4\r\nECHO\r\n$536870912\r\nx"),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_hostile_clients_disturb_nobody(case: str, ports: tuple[int, int]) -> None:
    model, real = (undisturbed(port, HOSTILE[case]) for port in ports)
    assert model == real
    assert real[1:] == [b"2-1", 2, 0, 0, True]


@pytest.mark.parametrize("kind", ["normal", "pubsub"])
def test_who_reads_nothing_is_cut_off_at_the_limit(kind: str, ports: tuple[int, int]) -> None:
    for port in ports:
        with redis.Redis(port=port) as other, closing(connected(port)) as client:
            usual = other.config_get("client-output-buffer-limit")["client-output-buffer-limit"]
            other.config_set("client-output-buffer-limit", f"{kind} 4mb 0 0")
            other.xadd("s", {"f": b"x" * 100_000})
            if kind == "normal":
                assert is_cut_off(client, line(b"XRANGE", b"s", b"-", b"+"))
            else:
                client.sendall(line(b"SUBSCRIBE", b"ch"))
                assert client.recv(100).startswith(b"*3")
                pipe = other.pipeline(transaction=False)
                for _ in range(2000):  # Valkey 9.1 does not count messages of more than some 16 kB
                    pipe.publish("ch", b"x" * 10_000)
                got = pipe.execute()
                assert got == sorted(got, reverse=True)
                assert got[0] == 1
                assert got[-1] == 0
            assert other.ping()
            other.config_set("client-output-buffer-limit", usual)
            other.flushall()


def test_large_arguments(ports: tuple[int, int]) -> None:
    value = b"x" * 3_000_000
    said, _ = both(ports, line(b"XADD", b"s", b"1-1", b"f", value) + line(b"XRANGE", b"s", b"-", b"+"))
    assert value in said


def test_the_one_who_blocked_first_is_served_first(ports: tuple[int, int]) -> None:
    told = []
    for port in ports:
        with closing(connected(port)) as producer:
            producer.sendall(b"FLUSHALL\r\nXGROUP CREATE s g $ MKSTREAM\r\n")
            producer.recv(100)
            readers = [connected(port) for _ in range(3)]
            for number, reader in enumerate(readers):
                reader.sendall(b"XREADGROUP GROUP g c%d COUNT 1 BLOCK 5000 STREAMS s >\r\nPING\r\n" % number)
                time.sleep(0.02)
            producer.sendall(b"MULTI\r\nXADD s 1-1 a b\r\nXADD s 1-2 a b\r\nEXEC\r\n")
            told.append([answer(reader)[0] for reader in readers[:2]])
            readers[2].settimeout(QUIET_S)
            with pytest.raises(TimeoutError):
                readers[2].recv(1)
            for reader in readers:
                reader.close()
    assert told[0] == told[1]


def test_a_client_that_is_killed_sees_its_connection_closed(ports: tuple[int, int]) -> None:
    for port in ports:
        with closing(connected(port)) as victim, closing(connected(port)) as killer:
            victim.sendall(b"CLIENT ID\r\n")
            number = victim.recv(100)[1:-2]
            victim.sendall(b"XREAD BLOCK 0 STREAMS s $\r\n")
            killer.sendall(b"CLIENT KILL ID " + number + b"\r\n")
            assert killer.recv(100) == b":1\r\n"
            assert victim.recv(100) == b""
            killer.sendall(b"CLIENT ID\r\n")
            own = killer.recv(100)[1:-2]
            assert answer(killer, b"CLIENT KILL ID " + own + b" SKIPME no\r\nPING\r\n") == (b":1\r\n", False)


def test_a_monitor_sees_what_runs(ports: tuple[int, int]) -> None:
    seen = []
    for port in ports:
        with closing(connected(port)) as watcher, closing(connected(port)) as client:
            watcher.sendall(b"MONITOR\r\n")
            assert watcher.recv(100) == b"+OK\r\n"
            answer(client, b'SET k "a\\x01\\n"\r\nCONFIG GET x\r\nMULTI\r\nXADD s * a b\r\nNOSUCH\r\nDISCARD\r\n')
            lines = answer(watcher)[0].split(b"\r\n")
            seen.append([said.partition(b"] ")[2] for said in lines])
    assert seen[0] == seen[1]


def test_what_dump_gives_restore_takes(ports: tuple[int, int]) -> None:
    told = []
    for port in ports:
        client: Any = redis.Redis(port=port)
        client.flushall()
        client.xgroup_create("s", "g", "$", mkstream=True)
        for number in range(1, 5):
            client.xadd("s", {"n": number}, id=f"{number}-1")
        client.xreadgroup("g", "c", {"s": ">"}, count=2)
        client.xdel("s", "4-1")
        text = client.dump("s")
        client.xtrim("s", maxlen=0)
        said = [client.restore("t", 0, text), client.ttl("t"), client.xrange("t"), client.xpending("t", "g")]
        said += [client.xinfo_stream("t")["last-generated-id"], client.xreadgroup("g", "c", {"t": ">"})]
        with pytest.raises(redis.ResponseError, match="BUSYKEY") as refused:
            client.restore("t", 0, text)
        said += [str(refused.value), client.restore("t", 100_000, text, replace=True), 0 < client.ttl("t") <= 100]
        told.append([*said, client.xlen("t"), client.restore("gone", 1, text, absttl=True), client.exists("gone")])
    assert told[0] == told[1]


def test_commands_and_errors_are_counted(ports: tuple[int, int]) -> None:
    told = []
    for port in ports:
        client: Any = redis.Redis(port=port)
        client.config_resetstat()
        for words in ("XADD s 1-1 a b", "XADD s 1-1 a b", "xreadgroup GROUP g c STREAMS s >", "XLEN", "NOSUCH"):
            with suppress(redis.ResponseError):
                client.execute_command(*words.split())
        commands, errors = client.info("commandstats"), client.info("errorstats")
        counts = ("calls", "rejected_calls", "failed_calls")
        shown = {n: [value.get(count) for count in counts] for n, value in commands.items() if "cmdstat_x" in n}
        told.append((shown, errors, client.info("stats").get("total_error_replies")))
    assert told[0] == told[1]
