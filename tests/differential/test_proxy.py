"""The proxy before real servers: clients notice nothing, the model follows, and links fail as they are told."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
from redelivery.models.facts import Acked, Added, Claimed, Delivered
from redelivery.sim.history import read
from redelivery.sim.real.servers import ServerBinary
from redelivery.sim.real.spawn import SpawnedServer
from redis.backoff import NoBackoff
from redis.retry import Retry

from .proxied_servers import proxy_to
from .test_wire_redis_py import chosen


@pytest.fixture(params=chosen(), ids=lambda server: server.dialect)
def real_port(request: pytest.FixtureRequest) -> Iterator[int]:
    binary: ServerBinary = request.param
    with SpawnedServer(binary, enable_debug=True, tcp=True) as server:
        yield server.address.port


@pytest.fixture
def embedded_port() -> Iterator[int]:
    with SpawnedServer(chosen()[0], enable_debug=True, tcp=True) as server:
        yield server.address.port


def once(port: int, **kwargs: Any) -> Any:
    """A client that tries each command once."""
    return redis.Redis(port=port, retry=Retry(NoBackoff(), 0), **kwargs)


@pytest.mark.parametrize("protocol", [2, 3])
def test_the_model_follows_all_that_redis_py_does(real_port: int, protocol: int, tmp_path: Path) -> None:
    kept = tmp_path / "history.jsonl"
    with proxy_to(real_port, "--history", kept, "--property", "no-entry-lost") as proxy:
        shop: Any = redis.Redis(port=proxy.port, protocol=protocol, client_name="shop")
        worker: Any = redis.Redis(port=proxy.port, protocol=protocol, client_name="worker")
        shop.xgroup_create("orders", "workers", "$", mkstream=True)
        ids = [shop.xadd("orders", {"n": n}, maxlen=100) for n in range(5)]
        assert len(shop.xreadgroup("workers", "a", {"orders": ">"}, count=5)) == 1
        assert not shop.xreadgroup("workers", "a", {"orders": ">"}, block=20)
        answers: list[Any] = []
        reader = threading.Thread(
            target=lambda: answers.append(worker.xreadgroup("workers", "b", {"orders": ">"}, block=10_000))
        )
        reader.start()
        until = time.monotonic() + 10
        while shop.info("clients")["blocked_clients"] != 1 and time.monotonic() < until:
            time.sleep(0.01)
        pipe = shop.pipeline()
        pipe.xadd("orders", {"n": 5})
        pipe.xack("orders", "workers", ids[0])
        late, acked = pipe.execute()
        reader.join()
        assert (acked, len(answers)) == (1, 1)
        claimed = shop.xautoclaim("orders", "workers", "c", 0)
        assert len(claimed[1]) == 5
        assert shop.xack("orders", "workers", *ids[1:], late) == 5
        with pytest.raises(redis.ResponseError, match="NOGROUP"):
            shop.xreadgroup("nobody", "a", {"orders": ">"})
        assert real_keys(real_port) == ["orders"]
    assert (proxy.code, proxy.report["differences"], proxy.report["violations"]) == (0, [], [])
    facts = [fact for event in read(kept) for fact in getattr(event, "facts", ())]
    count = {kind: sum(isinstance(fact, kind) for fact in facts) for kind in (Added, Delivered, Claimed, Acked)}
    assert count == {Added: 6, Delivered: 6, Claimed: 5, Acked: 6}
    assert {getattr(event, "process", "") for event in read(kept)} >= {"shop", "worker"}


def real_keys(port: int) -> list[str]:
    real: Any = redis.Redis(port=port, decode_responses=True)
    return sorted(real.keys())


def test_a_reply_is_lost_after_the_effect_and_a_request_before(embedded_port: int, tmp_path: Path) -> None:
    faults = tmp_path / "faults.txt"
    faults.write_text("lose-reply XADD nth 2 client shop  # it is there, and nobody knows\nlose-request XACK\n")
    with proxy_to(embedded_port, "--faults", faults) as proxy:
        shop = once(proxy.port, client_name="shop")
        shop.xgroup_create("orders", "workers", "$", mkstream=True)
        first = shop.xadd("orders", {"n": 1})
        with pytest.raises(redis.ConnectionError):
            shop.xadd("orders", {"n": 2})
        assert shop.xlen("orders") == 2
        shop.xreadgroup("workers", "a", {"orders": ">"})
        with pytest.raises(redis.ConnectionError):
            shop.xack("orders", "workers", first)
        assert shop.xpending("orders", "workers")["pending"] == 2
        began = time.monotonic()
        control = once(proxy.port)  # whoever sends SIM looks on from outside: no fault meets it
        control.execute_command("SIM.FAULT", "delay", "XACK", "ms", "300")
        assert shop.xack("orders", "workers", first) == 1
        assert time.monotonic() - began >= 0.3
        with pytest.raises(redis.ResponseError, match="a proxy has no hold of the server to crash it"):
            control.execute_command("SIM.FAULT", "crash")
        control.execute_command("SIM.FAULT", "refuse")
        with pytest.raises(redis.ConnectionError):
            once(proxy.port).ping()
        assert once(proxy.port).ping()
    assert [fault.rpartition(" ")[2] for fault in proxy.report["faults"]] == ["1"] * 4
    assert proxy.report["differences"] == []


def test_what_breaks_a_property_is_told_and_the_code_is_one(embedded_port: int) -> None:
    with proxy_to(embedded_port, "--property", "no-entry-lost") as proxy:
        shop: Any = redis.Redis(port=proxy.port)
        shop.xgroup_create("orders", "workers", "$", mkstream=True)
        shop.xadd("orders", {"n": 1})
        shop.xreadgroup("workers", "a", {"orders": ">"})
        shop.xtrim("orders", maxlen=0, approximate=False)
    assert proxy.code == 1
    assert [violation["property"] for violation in proxy.report["violations"]] == ["no-entry-lost"]


def test_what_the_model_does_not_know_is_named_and_the_code_is_three(embedded_port: int) -> None:
    redis.Redis(port=embedded_port).xadd("before", {"n": 1})
    with proxy_to(embedded_port) as proxy:
        shop: Any = redis.Redis(port=proxy.port)
        shop.pfadd("visitors", "a")
        shop.xadd("before", {"n": 2})
        with shop.pubsub() as heard:
            heard.subscribe("news")
            assert heard.get_message(timeout=5)["type"] == "subscribe"
            redis.Redis(port=embedded_port).publish("news", "hello")
            assert heard.get_message(timeout=5)["data"] == b"hello"
    assert proxy.code == 3
    assert [note.partition(":")[0] for note in proxy.report["notes"]] == [
        "the server held 1 keys before", "not followed, for the model does not know them",
        "passed on without a look, after SUBSCRIBE",
    ]  # fmt: skip


@pytest.mark.parametrize(("options", "line"), [
    (["--to", "localhost:6379"], "--to localhost:6379: a server's URL starts with redis:// or unix://"),
    (["--to", "redis://127.0.0.1:1"], "no server answers at redis://127.0.0.1:1/0: Connection refused"),
    (["--to", "redis://127.0.0.1:1", "--dialect", "redis-9"], "unknown dialect 'redis-9'"),
    (["--to", "redis://127.0.0.1:{port}", "--property", "no-such"], "unknown property 'no-such'"),
    (["--to", "redis://127.0.0.1:{port}", "--port", "{port}"], "cannot listen on --port {port} on 127.0.0.1"),
    (["--to", "redis://127.0.0.1:{port}", "--faults", "{faults}"], "{faults}, line 1: lose-reply needs a command"),
    (["--to", "redis://127.0.0.1:{port}", "--history", "/nowhere/h.jsonl"], "/nowhere"),
])  # fmt: skip
def test_bad_input_is_one_line(options: list[str], line: str, embedded_port: int, tmp_path: Path) -> None:
    faults = tmp_path / "faults"
    faults.write_text("lose-reply\n")
    known = {"port": embedded_port, "faults": faults}
    command = [sys.executable, "-m", "redelivery", "proxy", *(option.format(**known) for option in options)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 2
    assert line.format(**known) in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1, done.stderr
