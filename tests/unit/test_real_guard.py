"""Which servers may be used, and how the others are refused: in one line, and untouched."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from redelivery.sim.cli import main
from redelivery.sim.real.address import Address
from redelivery.sim.real.connection import Connection
from redelivery.sim.real.errors import RealServerError
from redelivery.sim.real.guard import admit, closest_dialect
from redelivery.sim.real.servers import ServerBinary, embedded
from redelivery.sim.real.spawn import SpawnedServer

KNOWN = ("redis-6.2", "redis-7.0", "redis-8.2", "redis-8.10", "valkey-8.0")


@pytest.fixture(scope="module")
def binary() -> ServerBinary:
    return embedded()


@pytest.fixture
def theirs(binary: ServerBinary) -> Iterator[SpawnedServer]:
    with SpawnedServer(binary, tcp=True) as server:
        yield server


@contextmanager
def saying(info: str) -> Iterator[Address]:
    """Something on the loopback interface that answers every command with this INFO; it must be asked for no more."""
    body = info.replace("\n", "\r\n").encode()
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def answer() -> None:
            connection, _ = listener.accept()
            with connection:
                while data := connection.recv(4096):
                    reply = b"$%d\r\n%b\r\n" % (len(body), body) if b"INFO" in data else b"-ERR touched\r\n"
                    connection.sendall(reply)

        thread = threading.Thread(target=answer)
        thread.start()
        yield Address(port=listener.getsockname()[1])
        thread.join()


def refused(target: Address | str, *words: str, flush: bool = False) -> None:
    with pytest.raises(RealServerError) as raised:
        admit(target, flush=flush)
    assert "\n" not in str(raised.value)
    for word in words:
        assert word in str(raised.value)


def test_a_server_of_ours_and_an_empty_one_of_theirs_are_admitted(binary: ServerBinary, theirs: SpawnedServer) -> None:
    assert admit(binary).dialect == binary.dialect
    assert admit(f"redis://127.0.0.1:{theirs.address.port}/3").dialect == binary.dialect
    assert admit(theirs.address, dialect="redis-7.0").dialect == "redis-7.0"


def test_a_database_that_is_not_empty_is_refused_and_stays(theirs: SpawnedServer) -> None:
    with theirs.connect() as connection:
        connection.call(b"SET", b"theirs", b"1")
        refused(theirs.address, "is not empty (1 keys)", "may be somebody's", "--flush")
        assert admit(theirs.address, flush=True)
        assert connection.call(b"GET", b"theirs") == b"$1\r\n1\r\n"  # looked at, not emptied


def test_a_server_that_does_not_answer_or_asks_for_a_password_is_refused(theirs: SpawnedServer) -> None:
    address = theirs.address
    with theirs.connect() as connection:
        connection.call(b"CONFIG", b"SET", b"requirepass", b"secret")
        refused(address, "asks for a password", "redis://:PASSWORD@127.0.0.1")
        assert admit(f"redis://:secret@127.0.0.1:{address.port}")
    theirs.close()
    refused(address, "no server answers at redis://127.0.0.1", "refused")


def test_a_cluster_and_a_replica_are_refused(binary: ServerBinary, theirs: SpawnedServer) -> None:
    with theirs.connect() as connection:
        connection.call(b"REPLICAOF", b"127.0.0.1", b"1")
        refused(theirs.address, "is a replica of 127.0.0.1:1", "give the address of a primary", flush=True)
    with saying("redis_version:7.0.15\nredis_mode:cluster") as address:
        refused(address, "runs in cluster mode", flush=True)
    with pytest.raises(RealServerError, match="runs in cluster mode"):
        SpawnedServer(binary, config={"cluster-enabled": "yes"})


@pytest.mark.parametrize(
    ("info", "words"),
    [
        ("redis_version:2.8.3", ("is redis-2.8, which is older than all", "--dialect")),
        ("redis_version:x", ("'x' is not a server's version",)),
        ("redis_mode:standalone", ("does not say its version",)),
        ("redis_version:7.4.0\ndragonfly_version:df-v1.2", ("is Dragonfly, which is neither",)),
        ("redis_version:7.4.0\ngarnet_version:1.0.1", ("is Garnet, which is neither",)),
    ],
)
def test_a_server_of_another_line_or_age_is_refused(info: str, words: tuple[str, ...]) -> None:
    with saying(f"# Server\n{info}\nrole:master") as address:
        refused(address, *words, flush=True)


def test_something_else_that_listens_is_refused() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def greet() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.recv(4096)
                connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

        thread = threading.Thread(target=greet)
        thread.start()
        refused(Address(port=listener.getsockname()[1]))
        thread.join()


def test_a_version_that_is_not_modelled_is_held_against_the_nearest_older_one() -> None:
    assert closest_dialect("redis-7.0", "it", KNOWN) == ("redis-7.0", "")
    assert closest_dialect("redis-8.9", "it", KNOWN) == (
        "redis-8.2",
        "it is redis-8.9, which is not modelled: compared with redis-8.2, the nearest older dialect",
    )
    assert closest_dialect("redis-99.1", "it", KNOWN)[0] == "redis-8.10"
    assert closest_dialect("valkey-9.1", "it", KNOWN)[0] == "valkey-8.0"
    with pytest.raises(RealServerError, match=r"it is valkey-7\.2, which is older than all that is modelled"):
        closest_dialect("valkey-7.2", "it", KNOWN)
    with pytest.raises(RealServerError, match=r"it is other-7\.2, a line that is not modelled; give --dialect "):
        closest_dialect("other-7.2", "it", KNOWN)


def test_the_run_says_what_its_server_was_held_against(
    binary: ServerBinary, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    newer = ServerBinary("newer", "6.9.1", binary.path)
    monkeypatch.setattr("redelivery.sim.real.guard.locate", lambda _: newer)
    with pytest.raises(SystemExit) as stopped:
        main(["run", "crash-before-ack", "--seed", "7", "--against", "newer"])
    assert stopped.value.code == 0
    assert "newer is redis-6.9, which is not modelled: compared with redis-6.2" in capsys.readouterr().out


@pytest.mark.parametrize("verb", ["run crash-before-ack", "replay redelivery-1:crash-before-ack:broken:redis-6.2::"])
def test_a_server_in_use_is_refused_before_anything_is_run(
    theirs: SpawnedServer, capsys: pytest.CaptureFixture[str], verb: str
) -> None:
    with theirs.connect() as connection:
        connection.call(b"SET", b"theirs", b"1")
        with pytest.raises(SystemExit) as stopped:
            main([*verb.split(), "--against", str(theirs.address), "--json"])
        out, err = capsys.readouterr()
        assert (stopped.value.code, out, err.count("\n")) == (2, "", 1)
        assert "is not empty (1 keys)" in err
        assert connection.call(b"DBSIZE") == b":1\r\n"


def test_a_connection_that_is_closed_at_once_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=lambda: listener.accept()[0].close())
        thread.start()
        with pytest.raises(RealServerError, match="closed the connection"), Connection(
            Address(port=listener.getsockname()[1])
        ) as connection:
            connection.call(b"PING")
        thread.join()
