"""A served model in the hand of a test: its clock, its faults, its history, and the properties on it."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
import redis
from redelivery.models.facts import Acked
from redelivery.sim.errors import BadInput
from redelivery.sim.events import Effect, Lost, Served
from redelivery.sim.history import parse
from redelivery.sim.wire import faults
from redelivery.sim.wire.clock import EPOCH_MS, VirtualClock
from redelivery.sim.wire.in_thread import ServerThread
from redis.backoff import NoBackoff
from redis.retry import Retry

NO_RETRY = Retry(NoBackoff(), 0)


@pytest.fixture
def served() -> Iterator[ServerThread]:
    with ServerThread("redis-8.6", VirtualClock()) as thread:
        yield thread


@pytest.fixture
def jumping() -> Iterator[ServerThread]:
    with ServerThread("redis-8.6", VirtualClock(), autojump=True) as thread:
        yield thread


def client(served: ServerThread, name: str | None = None) -> Any:
    """A client that does not send anything twice. (redis-py's types are those of both its clients at once.)"""
    return redis.Redis(port=served.port, client_name=name, retry=NO_RETRY, socket_timeout=10)


def until_blocked(control: Any, name: str) -> None:
    limit = time.monotonic() + 10
    while not [c for c in control.client_list() if c["name"] == name and "b" in c["flags"]]:
        assert time.monotonic() < limit, f"{name} never blocked"


class Reader(threading.Thread):
    """A blocked command of a client of its own."""

    def __init__(self, served: ServerThread, name: str, *words: Any) -> None:
        super().__init__()
        self.client = client(served, name)
        self.words = words
        self.got: Any = None
        self.start()

    def run(self) -> None:
        try:
            self.got = self.client.execute_command(*self.words)
        except redis.RedisError as error:
            self.got = error

    def result(self) -> Any:
        self.join(10)
        self.client.close()
        return self.got


# ---- the clock ----


def test_time_stands_still_until_it_is_moved(served: ServerThread) -> None:
    with client(served) as r:
        assert r.execute_command("SIM.CLOCK", "GET") == EPOCH_MS
        assert [r.xadd("s", {"a": 1}) for _ in range(2)] == [f"{EPOCH_MS}-{n}".encode() for n in range(2)]
        assert r.execute_command("SIM.CLOCK", "ADVANCE", 1500) == EPOCH_MS + 1500
        assert r.time() == ((EPOCH_MS + 1500) // 1000, 500_000)
        assert r.execute_command("SIM.CLOCK", "SET", EPOCH_MS) == EPOCH_MS
        assert r.xadd("s", {"a": 1}) == f"{EPOCH_MS}-2".encode()


def test_who_waits_until_then_is_answered_on_the_way(served: ServerThread) -> None:
    with client(served) as control:
        early = Reader(served, "early", "XREAD", "BLOCK", 1000, "STREAMS", "s", "$")
        late = Reader(served, "late", "BLPOP", "l", "9.5")
        for name in ("early", "late"):
            until_blocked(control, name)
        control.execute_command("SIM.CLOCK", "ADVANCE", 1000)
        assert control.info("clients")["blocked_clients"] == 2  # a server answers once its time is over
        control.execute_command("SIM.CLOCK", "ADVANCE", 60_000)
        assert early.result() in ([], None, {})
        assert late.result() is None
        lines = control.execute_command("SIM.HISTORY")
        history = parse([line.decode() for line in lines], "SIM.HISTORY")
        assert [event.at_ms for event in history if isinstance(event, Served)] == [1001, 9501]


@pytest.mark.parametrize("words", [["ADVANCE", "-1"], ["ADVANCE", "x"], ["SET", "-5"], ["NOW"], ["GET", "x"]])
def test_a_clock_is_not_set_to_anything(served: ServerThread, words: list[str]) -> None:
    with client(served) as r, pytest.raises(redis.ResponseError):
        r.execute_command("SIM.CLOCK", *words)


def test_the_machines_clock_is_not_set() -> None:
    with ServerThread("redis-7.0") as served, client(served) as r:
        assert abs(r.execute_command("SIM.CLOCK", "GET") - time.time() * 1000) < 10_000
        with pytest.raises(redis.ResponseError, match="--clock virtual"):
            r.execute_command("SIM.CLOCK", "ADVANCE", 5)
        with pytest.raises(redis.ResponseError, match="--history"):
            r.execute_command("SIM.CHECK")


def test_an_idle_half_hour_takes_no_time(jumping: ServerThread) -> None:
    began = time.monotonic()
    with client(jumping) as r:
        for _ in range(900):
            assert not r.xread({"s": "$"}, block=2000)
        assert r.time()[0] >= (EPOCH_MS + 1_800_000) // 1000
    assert time.monotonic() - began < 20


def test_time_jumps_only_when_all_wait(jumping: ServerThread) -> None:
    with client(jumping, "busy") as busy, client(jumping) as control:
        busy.ping()
        reader = Reader(jumping, "reader", "XREAD", "BLOCK", 9000, "STREAMS", "s", "$")
        until_blocked(busy, "reader")
        control.execute_command("SIM.CLOCK", "GET")
        time.sleep(0.1)
        assert control.execute_command("SIM.CLOCK", "GET") == EPOCH_MS  # for busy may send something yet
        assert not busy.xread({"t": "$"}, block=7000)
        assert control.execute_command("SIM.CLOCK", "GET") == EPOCH_MS + 7001
        busy.close()  # so that it holds nobody up
        assert not reader.result()
        assert control.execute_command("SIM.CLOCK", "GET") == EPOCH_MS + 9001


def test_pauses_and_sleeps_take_virtual_time(served: ServerThread) -> None:
    with client(served) as control, client(served) as r:
        control.execute_command("SIM.CLOCK", "GET")
        control.client_pause(1000, all=False)
        assert r.xlen("s") == 0
        writer = Reader(served, "writer", "XADD", "s", "*", "a", "b")
        time.sleep(0.05)
        assert r.xlen("s") == 0
        control.execute_command("SIM.CLOCK", "ADVANCE", 1000)
        assert writer.result() == f"{EPOCH_MS + 1000}-0".encode()


# ---- faults ----


def started(r: Any) -> list[bytes]:
    r.xgroup_create("s", "g", "0", mkstream=True)
    ids = [r.xadd("s", {"n": n}) for n in range(4)]
    r.xreadgroup("g", "c", {"s": ">"})
    return ids


def test_the_reply_of_the_second_ack_is_lost(served: ServerThread) -> None:
    with client(served, "worker-a") as a, client(served, "worker-b") as b:
        ids = started(b)
        b.execute_command("SIM.FAULT", *["lose-reply", "XACK", "nth", "2", "client", "worker-a"])
        b = client(served, "worker-b")
        assert b.xack("s", "g", ids[0]) == 1
        assert a.xack("s", "g", ids[1]) == 1
        with pytest.raises(redis.ConnectionError):
            a.xack("s", "g", ids[2])
        assert a.xpending("s", "g")["pending"] == 1  # it took effect
        assert a.xack("s", "g", ids[3]) == 1
        assert b.execute_command("SIM.FAULT", "LIST") == [
            b"lose-reply XACK nth 2 client worker-a times 1 struck 1",
        ]
        b.close()


def test_a_request_is_lost(served: ServerThread) -> None:
    with client(served) as r, client(served) as control:
        ids = started(r)
        control.execute_command("SIM.FAULT", *["lose-request", "xack", "times", "2"])
        for _ in range(2):
            with pytest.raises(redis.ConnectionError):
                r.xack("s", "g", ids[0])
        assert r.xpending("s", "g")["pending"] == 4
        assert r.xack("s", "g", ids[0]) == 1


def test_a_fault_strikes_what_a_transaction_queued(served: ServerThread) -> None:
    with client(served) as r, client(served) as control:
        ids = started(r)
        control.execute_command("SIM.FAULT", *["lose-reply", "XACK"])
        pipe = r.pipeline()
        pipe.xack("s", "g", ids[0]).xlen("s")
        with pytest.raises(redis.ConnectionError):
            pipe.execute()
        assert r.xpending("s", "g")["pending"] == 3


def test_the_answer_of_a_blocked_read_is_lost(served: ServerThread) -> None:
    with client(served) as r, client(served) as control:
        r.xgroup_create("s", "g", "0", mkstream=True)
        control.execute_command("SIM.FAULT", *["lose-reply", "XREADGROUP", "client", "reader"])
        reader = Reader(
            served, "reader", "XREADGROUP", "GROUP", "g", "c", "BLOCK", "5000", "STREAMS", "s", ">",
        )  # fmt: skip
        until_blocked(r, "reader")
        r.xadd("s", {"a": 1})
        assert isinstance(reader.result(), redis.ConnectionError)
        assert r.xpending("s", "g")["pending"] == 1


def test_a_reply_comes_later(served: ServerThread) -> None:
    with client(served) as control:
        control.execute_command("SIM.FAULT", *["delay", "XLEN", "ms", "300", "client", "slow"])
        slow = Reader(served, "slow", "XLEN", "s")
        time.sleep(0.1)
        assert slow.is_alive()
        control.execute_command("SIM.CLOCK", "ADVANCE", 299)
        time.sleep(0.05)
        assert slow.is_alive()
        control.execute_command("SIM.CLOCK", "ADVANCE", 1)
        assert slow.result() == 0


def test_connections_are_reset_and_refused(served: ServerThread) -> None:
    with client(served, "a") as a, client(served, "b") as b, client(served) as control:
        pipe = a.pubsub()
        pipe.subscribe("x")
        assert b.ping()
        control.execute_command("SIM.FAULT", "reset", "client", "a")
        with pytest.raises(redis.ConnectionError):
            for _ in range(2):
                pipe.get_message(timeout=1)
        pipe.close()
        assert b.ping()
        control.execute_command("SIM.FAULT", "refuse", "times", "2")
        for _ in range(2):
            with pytest.raises(redis.ConnectionError):
                client(served).ping()
        with client(served) as again:
            assert again.ping()


def test_a_crash_keeps_what_was_durable(served: ServerThread) -> None:
    def crash() -> None:
        with client(served) as control, pytest.raises(redis.ConnectionError):
            control.execute_command("SIM.FAULT", "crash")
            control.ping()

    with client(served) as r:
        started(r)
        r.save()
        r.xadd("s", {"late": 1})
    crash()
    with client(served) as r:
        assert r.xlen("s") == 4
        assert r.xpending("s", "g")["pending"] == 4
        r.config_set("appendonly", "yes")
        r.xadd("s", {"later": 1})
    crash()
    with client(served) as r:
        assert r.xlen("s") == 5
        r.config_set("appendonly", "no")
        r.execute_command("SIM.RESET")
        r.xadd("s", {"a": 1})
    crash()
    with client(served) as r:
        assert r.exists("s") == 0


def test_what_was_not_synchronised_is_lost_with_the_power(served: ServerThread) -> None:
    def kept(fsync: str) -> list[bytes]:
        with client(served) as r:
            r.execute_command("SIM.RESET")
            r.config_set("appendonly", "yes")
            r.config_set("appendfsync", fsync)
            for n in range(1, 4):
                r.xadd("s", {"n": n}, id=f"{n}-1")
                r.execute_command("SIM.CLOCK", "ADVANCE", 600)
        with client(served) as r, pytest.raises(redis.ConnectionError):
            r.execute_command("SIM.FAULT", "power-loss")
            r.ping()
        with client(served) as r:
            assert b"crashed at 1800 ms" in dict(r.execute_command("SIM.CHECK"))[b"incomplete"]
            return [entry_id for entry_id, _ in r.xrange("s")]

    assert kept("always") == [b"1-1", b"2-1", b"3-1"]
    assert kept("everysec") == [b"1-1", b"2-1"]
    assert kept("no") == []


def test_the_server_crashes_after_a_command(served: ServerThread) -> None:
    with client(served) as r, client(served) as control:
        r.config_set("appendonly", "yes")
        control.execute_command("SIM.FAULT", *["crash", "XADD", "nth", "2"])
        r.xadd("s", {"n": 1})
        with pytest.raises(redis.ConnectionError):
            r.xadd("s", {"n": 2})
        assert r.xlen("s") == 2


def test_chance_is_drawn_from_the_seed(served: ServerThread) -> None:
    def lost(seed: int) -> list[bool]:
        with client(served) as control:
            control.execute_command("SIM.RESET", seed)
            control.execute_command("SIM.FAULT", *["lose-reply", "PING", "times", "100", "chance", "50", "client", "a"])
        told = []
        for _ in range(12):
            with client(served, "a") as r:
                try:
                    r.ping()
                    told.append(False)
                except redis.ConnectionError:
                    told.append(True)
        return told

    first = lost(1)
    assert first == lost(1)
    assert {True, False} == set(first)
    assert first != lost(2)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("", "a fault begins with"),
        ("loose-reply XACK", "unknown fault 'loose-reply'"),
        ("lose-reply", "needs a command"),
        ("refuse XACK", "strikes no command"),
        ("delay XACK", "delay needs ms"),
        ("lose-reply XACK nth 0", "is not a number above 0"),
        ("lose-reply XACK nth x", "is not a number above 0"),
        ("lose-reply XACK nth", "'nth' is not understood"),
        ("lose-reply XACK often 3", "'often' is not understood"),
    ],
)
def test_what_is_no_fault_is_told(line: str, said: str) -> None:
    with pytest.raises(BadInput, match=said):
        faults.parse(line.split())


# ---- history and properties ----


def test_the_history_tells_what_happened(served: ServerThread) -> None:
    with client(served, "w") as r, client(served) as control:
        ids = started(r)
        control.execute_command("SIM.FAULT", *["lose-reply", "XACK"])
        with pytest.raises(redis.ConnectionError):
            r.xack("s", "g", ids[0])
        pipe = r.pipeline()
        pipe.xack("s", "g", ids[1]).xlen("s")
        pipe.execute()
        lines = [line.decode() for line in control.execute_command("SIM.HISTORY")]
        history = parse(lines, "SIM.HISTORY")
    assert history.header["dialect"] == "redis-8.6"
    acks = [event for event in history if isinstance(event, Effect) and any(isinstance(f, Acked) for f in event.facts)]
    assert [len(event.commands) for event in acks] == [1, 2]
    assert {event.process for event in acks} == {"w"}
    assert [event.what for event in history if isinstance(event, Lost)] == ["reply"]
    assert not any(word[0].startswith(b"SIM.") for e in history if isinstance(e, Effect) for word in e.commands)


def test_the_properties_are_held_against_it(served: ServerThread) -> None:
    with client(served) as r:
        started(r)
        told = dict(r.execute_command("SIM.CHECK", "no-entry-lost"))
        assert told[b"accounted-for"] == b""
        assert told[b"no-entry-lost"] == b""
        r.xtrim("s", maxlen=1, approximate=False)
        told = dict(r.execute_command("SIM.CHECK", "no-entry-lost"))
        assert told[b"accounted-for"] == b""
        assert b"trim" in told[b"no-entry-lost"].lower()
        with pytest.raises(redis.ResponseError, match="unknown property"):
            r.execute_command("SIM.CHECK", "no-such-property")
        r.execute_command("SIM.RESET")
        assert dict(r.execute_command("SIM.CHECK", "no-entry-lost"))[b"no-entry-lost"] == b""
        assert len(r.execute_command("SIM.HISTORY")) == 1


def test_the_same_story_gives_the_same_history() -> None:
    def tell() -> list[bytes]:
        with ServerThread("valkey-9.1", VirtualClock()) as served, client(served, "w") as r:
            started(r)
            r.execute_command("SIM.CLOCK", "ADVANCE", 5000)
            r.xautoclaim("s", "g", "c2", 1000)
            told: list[bytes] = r.execute_command("SIM.HISTORY")
            return told

    assert tell() == tell()


def test_reset_leaves_connections_and_cuts_off_who_is_blocked(served: ServerThread) -> None:
    with client(served) as r:
        reader = Reader(served, "reader", "BLPOP", "l", "0")
        until_blocked(r, "reader")
        r.set("k", "v")
        r.execute_command("SIM.CLOCK", "ADVANCE", 7)
        r.execute_command("SIM.RESET")
        assert isinstance(reader.result(), redis.ConnectionError)
        assert r.dbsize() == 0
        assert r.execute_command("SIM.CLOCK", "GET") == EPOCH_MS


def test_a_unix_socket_serves_too(tmp_path: Any) -> None:
    path = tmp_path / "s"
    with ServerThread("redis-7.0", path=path), socket.socket(socket.AF_UNIX) as raw:
        raw.connect(str(path))
        raw.sendall(b"PING\r\nCLIENT INFO\r\n")
        time.sleep(0.1)
        said = raw.recv(2000)
    assert said.startswith(b"+PONG\r\n")
    assert b" flags=U " in said


def test_what_stands_beside_streams_survives_too(served: ServerThread) -> None:
    with client(served) as r:
        r.config_set("appendonly", "yes")
        r.set("lock", "me", px=5000, nx=True)
        r.set("lock", "other", px=9000, nx=True)
        r.incr("n")
        r.hset("h", mapping={"a": 1, "b": 2})
        r.hdel("h", "a")
        r.sadd("t", "x")
        r.zadd("z", {"due": 2.5})
        r.expire("n", 100)
        r.execute_command("SIM.CLOCK", "ADVANCE", 1000)
    with client(served) as r, pytest.raises(redis.ConnectionError):
        r.execute_command("SIM.FAULT", "crash")
        r.ping()
    with client(served) as r:
        assert (r.get("lock"), r.pttl("lock")) == (b"me", 4000)
        assert (r.get("n"), r.ttl("n")) == (b"1", 99)
        assert r.hgetall("h") == {b"b": b"2"}
        assert r.smembers("t") == {b"x"}
        assert r.zrange("z", 0, -1, withscores=True) in ([(b"due", 2.5)], [[b"due", 2.5]])
        lines = [line.decode() for line in r.execute_command("SIM.HISTORY")]
        assert list(parse(lines, "x").lines()) == lines


def test_values_beside_streams_are_watched_and_of_their_own_type(served: ServerThread) -> None:
    with client(served) as r, client(served) as other:
        r.hset("h", "a", 1)
        with pytest.raises(redis.ResponseError, match="WRONGTYPE"):
            r.xadd("h", {"a": 1})
        with pytest.raises(redis.ResponseError, match="WRONGTYPE"):
            r.get("h")
        pipe = r.pipeline()
        pipe.watch("h")
        other.hincrby("h", "a", 1)
        pipe.multi()
        pipe.hget("h", "a")
        with pytest.raises(redis.WatchError):
            pipe.execute()
        assert r.type("h") == b"hash"
        other.hdel("h", "a")
        assert r.exists("h") == 0
