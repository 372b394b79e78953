"""Differential testing, generation apart, against redis-py's bare pipeline: the same commands on the same server.

Ours runs the model, encodes its replies, sends the commands, moves the clock among them and compares every byte;
redis-py sends the commands and parses the replies.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import redis
from redelivery.models.server import Config
from redelivery.sim.choices import Drawn
from redelivery.sim.real.diff.bench import Bench
from redelivery.sim.real.diff.recorder import Recorder, record
from redelivery.sim.real.diff.source import Run, draw_run
from redelivery.sim.real.diff.worlds import Taste, World
from redelivery.sim.real.script import Send
from redelivery.sim.real.servers import embedded

GROUP = "differential commands against a bare redis-py pipeline"
RUNS = 10
COMMANDS_A_RUN = 500
CHANGES_THE_CONNECTION = (
    "QUIT", "RESET", "HELLO", "CLIENT", "SUBSCRIBE", "PSUBSCRIBE", "UNSUBSCRIBE", "PUNSUBSCRIBE",
)  # fmt: skip
WORLD = World(Config(), Taste(weights=dict.fromkeys(CHANGES_THE_CONNECTION, 0), block=0), connections=5)
"""Nobody blocks, hangs up or listens: a pipeline of redis-py cannot."""


@pytest.fixture(scope="module")
def bench() -> Iterator[Bench]:
    with Bench(embedded(), tcp=True) as found:
        yield found


@pytest.fixture(scope="module")
def runs(bench: Bench) -> list[Run]:
    return [draw_run(Drawn(seed), bench.dialect, COMMANDS_A_RUN, world=WORLD) for seed in range(RUNS)]


def sent(recorder: Recorder) -> list[tuple[bytes, ...]]:
    return [step.argv for step in recorder.script if isinstance(step, Send)]


@pytest.mark.benchmark(group=GROUP)
def test_ours(benchmark: Any, bench: Bench, runs: list[Run]) -> None:
    def compare() -> None:
        for run in runs:
            assert not bench.differs(record(bench.dialect, run.world.config, run.actions))

    benchmark.extra_info["commands"] = sum(len(sent(run.recorder)) for run in runs)
    benchmark.pedantic(compare, rounds=7, warmup_rounds=1)


@pytest.mark.benchmark(group=GROUP)
def test_peer(benchmark: Any, bench: Bench, runs: list[Run]) -> None:
    address = bench.server.address
    client = redis.Redis(host=address.host, port=address.port, protocol=2)
    client.response_callbacks.clear()  # so that it does no more than parse
    lines = [sent(run.recorder) for run in runs]

    def pipelined() -> None:
        for commands in lines:
            client.flushall()
            pipeline: Any = client.pipeline(transaction=False)
            for argv in commands:
                pipeline.execute_command(*argv)
            pipeline.execute(raise_on_error=False)

    benchmark.extra_info["commands"] = sum(map(len, lines))
    benchmark.pedantic(pipelined, rounds=7, warmup_rounds=1)
    client.close()
