"""The served model against a real Redis, and against fakeredis's own TCP server, under redis-benchmark.

Fifty connections, without pipelining and with sixteen requests in each, as `redis-benchmark` sends them. The program
comes with Redis; the servers that `redelivery servers install` brings have it beside them.
"""

from __future__ import annotations

import shlex
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest
import redis
from redelivery.sim.real.servers import at_hand, embedded
from redelivery.sim.real.spawn import SpawnedServer

SERVE = [sys.executable, "-m", "redelivery", "serve", "--dialect", "redis-6.2", "--port"]
FAKE = "import sys; from fakeredis import TcpFakeServer as S; S(('127.0.0.1', int(sys.argv[1]))).serve_forever()"
REQUESTS = {1: 4_000, 16: 16_000}
"""How many, by how many are sent at once."""

FAKE_REQUESTS = 1_200
"""Fewer, for fakeredis takes its time; many enough that the start of redis-benchmark is not what is measured."""

COMMANDS = {
    "XADD": ("XADD", "s", "*", "field", "value"),
    "XREADGROUP": ("XREADGROUP", "GROUP", "g", "c", "COUNT", "1", "STREAMS", "s", ">"),
    "XACK": ("XACK", "s", "g", "__rand_int__-1"),
}


@pytest.fixture(scope="module")
def load() -> Callable[..., None]:
    """Runs redis-benchmark; where there is none the test is skipped."""
    command: list[str] = []
    for name in ("redis-benchmark", "valkey-benchmark"):
        if shutil.which(name):
            command = [name]
    for server in () if command else at_hand():
        line = server.path.read_bytes()[:4000] if server.path.name == "run" else b""
        words = shlex.split(line.decode().rpartition("exec ")[2].strip()) if line else []
        program = words[-2].replace("-server", "-benchmark") if len(words) > 1 else ""
        if program and shutil.which(program):
            command = [*words[:-2], program]
            break
    if not command:
        pytest.skip("redis-benchmark is not at hand: `redelivery servers install redis-7.0` brings it")

    def run(port: int, pipelined: int, requests: int, *words: str) -> None:
        options = f"-p {port} -c 50 -q -P {pipelined} -n {requests} -r {requests}".split()
        subprocess.run([*command, *options, *words], capture_output=True, check=True, timeout=120)

    return run


@contextmanager
def started(*command: str) -> Iterator[int]:
    """A server that takes its port as its last argument."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    process = subprocess.Popen([*command, str(port)], stdout=subprocess.DEVNULL)
    try:
        limit = time.monotonic() + 30
        while True:
            try:
                socket.create_connection(("127.0.0.1", port)).close()
                break
            except OSError:
                assert time.monotonic() < limit, f"{command} does not listen"
                time.sleep(0.05)
        yield port
    finally:
        process.terminate()
        process.wait()


@pytest.fixture(scope="module")
def ports() -> Iterator[dict[str, int]]:
    """The servers' ports, by name."""
    with ExitStack() as stack:
        real = stack.enter_context(SpawnedServer(embedded(), tcp=True))
        yield {
            "ours": stack.enter_context(started(*SERVE)),
            "real Redis": real.address.port,
            "fakeredis": stack.enter_context(started(sys.executable, "-c", FAKE)),
        }


def measure(benchmark: Any, load: Callable[..., None], port: int, name: str, pipelined: int, requests: int) -> None:
    """Times a command; each round begins with a stream that has an entry for each request."""

    def filled() -> None:
        with redis.Redis(port=port) as client:
            client.flushall()
            client.xgroup_create("s", "g", "0", mkstream=True)
            if name != "XADD":
                pipe = client.pipeline(transaction=False)
                for n in range(1, requests + 1):
                    pipe.xadd("s", {"field": "value"}, id=f"{n}-1")
                pipe.execute()
            if name == "XACK":
                client.xreadgroup("g", "c", {"s": ">"})

    benchmark.extra_info["commands"] = requests
    benchmark.pedantic(lambda: load(port, pipelined, requests, *COMMANDS[name]), setup=filled, rounds=1)


def group(name: str, pipelined: int, peer: str) -> str:
    return f"serve, {name}, {'pipelined' if pipelined > 1 else 'one at a time'}, against {peer}"


@pytest.mark.parametrize("peer", ["real Redis", "fakeredis"])
@pytest.mark.parametrize("pipelined", [1, 16])
@pytest.mark.parametrize("name", COMMANDS)
@pytest.mark.parametrize("side", ["ours", "peer"])
def test_requests(
    side: str, name: str, pipelined: int, peer: str, benchmark: Any, load: Callable[..., None], ports: dict[str, int]
) -> None:
    benchmark.group = group(name, pipelined, peer)
    requests = FAKE_REQUESTS if (side, peer) == ("peer", "fakeredis") else REQUESTS[pipelined]
    measure(benchmark, load, ports["ours" if side == "ours" else peer], name, pipelined, requests)
