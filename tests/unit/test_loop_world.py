"""Unmodified redis.asyncio programs in one world: virtual time, chance by the tape, hard crashes, named faults."""

from __future__ import annotations

import asyncio
import datetime
import os
import random
import secrets
import socket
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Awaitable, Callable, Sequence
from hashlib import sha256
from time import time as time_by_name
from typing import Any

import pytest
import redis
import redis.asyncio
from redelivery import Crash, Delay, HandlerFailed, Lose, Pause, Reset, SlowHandler
from redelivery.sim import events
from redelivery.sim.choices import Choices, Drawn, Replayed
from redelivery.sim.errors import RedeliveryError
from redelivery.sim.faults import ClockJump, FailHandler, Fault
from redelivery.sim.loop.program import Program
from redelivery.sim.loop.work import work
from redelivery.sim.loop.world import LoopWorld
from redelivery.sim.server_faults import Failover, Flush, ServerRestart

JOBS = 4
WORKERS = ("a", "b")


async def produce() -> None:
    client: Any = redis.asyncio.Redis()
    for n in range(JOBS):
        await client.xadd("jobs", {"job": f"job-{n}", "token": str(uuid.uuid4())})
        await asyncio.sleep(random.random())
    await client.aclose()


async def consume(me: Program) -> None:
    client: Any = redis.asyncio.Redis()
    try:
        await client.xgroup_create("jobs", "workers", "0", mkstream=True)
    except redis.ResponseError as error:
        assert "BUSYGROUP" in str(error)
    try:
        while True:
            entries = [e for _, found in await client.xreadgroup(
                "workers", me.name, {"jobs": ">"}, count=1, block=1000) for e in found]
            entries += (await client.xautoclaim("jobs", "workers", me.name, 5000))[1]
            for entry_id, fields in entries:
                await work(fields[b"job"], 200)
                await client.xack("jobs", "workers", entry_id)
    finally:
        await client.set("cleaned-up", me.name)


def jobs(choices: Choices, faults: Sequence[Fault] = (), **options: Any) -> LoopWorld:
    world = LoopWorld(choices, faults=faults, **options)
    world.start("producer", produce)
    for name in WORKERS:
        world.start(name, consume, restart_ms=500)
    world.run()
    return world


def digest(world: LoopWorld) -> str:
    return sha256("\n".join(world.history.lines()).encode()).hexdigest()


def kinds(world: LoopWorld, *wanted: type) -> list[Any]:
    return [event for event in world.history if isinstance(event, wanted)]


def alone(body: Callable[..., Awaitable[object]], **options: Any) -> LoopWorld:
    world = LoopWorld(Replayed(()), **options)
    world.start("one", body)
    world.run()
    return world


# ---- determinism ----


def test_a_tape_gives_the_same_bytes_and_another_seed_others() -> None:
    first = jobs(Drawn(7), [Crash(WORKERS)])
    again = jobs(Replayed(tuple(first.choices.answers)), [Crash(WORKERS)])
    assert digest(first) == digest(again)
    assert digest(jobs(Drawn(8), [Crash(WORKERS)])) != digest(first)
    handled = {event.entry for event in kinds(first, events.Handled)}
    assert len(handled) == JOBS


def test_a_world_inside_a_running_loop_leaves_that_as_it_was() -> None:
    async def notebook() -> str:
        told = digest(jobs(Drawn(7)))
        await asyncio.sleep(0)  # it goes on, in a loop of its own
        return told

    assert asyncio.run(notebook()) == digest(jobs(Drawn(7)))


def test_a_fresh_interpreter_with_other_hashes_gives_the_same_bytes() -> None:
    code = (
        "import importlib.util, sys\n"
        "spec = importlib.util.spec_from_file_location('worlds', sys.argv[1])\n"
        "worlds = importlib.util.module_from_spec(spec)\n"
        "spec.loader.exec_module(worlds)\n"
        "print(worlds.digest(worlds.jobs(worlds.Drawn(7), [worlds.Crash(worlds.WORKERS)])))"
    )
    printed = set()
    for seed in ("1", "2"):
        environment = {**os.environ, "PYTHONHASHSEED": seed}
        command = [sys.executable, "-c", code, __file__]
        printed.add(subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout.strip())
    assert printed == {digest(jobs(Drawn(7), [Crash(WORKERS)]))}


# ---- time and chance ----


async def look(seen: list[Any]) -> None:
    began_s = time.monotonic()
    await asyncio.sleep(90)
    seen += [
        time.monotonic() - began_s, time.time(), time_by_name(), time.time_ns(), datetime.datetime.now(datetime.UTC),
        time.strftime("%H:%M", time.gmtime()), datetime.datetime.now().timestamp(), datetime.date.today(),
        random.random(), random.Random().random(), random.SystemRandom().random(), str(uuid.uuid4()),
        str(uuid.uuid1()), os.urandom(4), secrets.token_hex(4), os.getpid(), socket.gethostname(),
    ]  # fmt: skip


def test_time_and_chance_are_of_the_world() -> None:
    first: list[Any] = []
    again: list[Any] = []
    for seen in (first, again):
        alone(lambda seen=seen: look(seen), within_ms=100_000)
    assert first == again
    assert first[0] == 90
    assert first[1] == first[2] == first[3] / 1e9 == first[4].timestamp() == first[6] == 1_700_000_090.0
    assert first[-1] == "one"
    machine: list[Any] = [time_by_name(), datetime.datetime.now().timestamp(), os.getpid(), random.random()]
    assert machine[0] > 1_750_000_000 < machine[1]
    assert machine[2] != first[-2]
    assert time.time.__module__ == "time", "the stand-ins are gone"


def test_threads_that_only_sleep_let_the_loop_go_on_and_a_sleep_on_it_does_not() -> None:
    told: list[Any] = []

    async def main() -> None:
        loop = asyncio.get_running_loop()

        async def tick() -> None:
            await asyncio.sleep(1)
            told.append(("tick", loop.time()))

        ticking = asyncio.ensure_future(tick())
        await asyncio.to_thread(time.sleep, 5)
        told.append(("thread", loop.time()))
        await ticking
        client: Any = redis.asyncio.Redis()
        ticking = asyncio.ensure_future(tick())
        await asyncio.sleep(0)
        time.sleep(7)
        await client.set("after", "7 s")
        await ticking
        told.append(("end", loop.time()))

    world = alone(main)
    assert told == [("tick", 1.0), ("thread", 5.0), ("tick", 12.0), ("end", 12.0)]
    assert [event.at_ms for event in kinds(world, events.Effect)] == [12_000]


def test_clocks_jump_by_host() -> None:
    told: dict[str, int] = {}

    async def main(me: Program) -> None:
        client: Any = redis.asyncio.Redis()
        await client.ping()
        await client.set("k", "v")
        await asyncio.sleep(1)
        told[me.name] = round(time.time()) - 1_700_000_000

    world = LoopWorld(Replayed((1,)), faults=[ClockJump("b", 3_600_000)])
    for name in WORKERS:
        world.start(name, main)
    world.run()
    assert told == {"a": 1, "b": 3601}


def test_a_loop_that_never_waits_does_not_stop_time() -> None:
    async def spin() -> None:
        while asyncio.get_running_loop().time() < 0.05:
            await asyncio.sleep(0)

    assert kinds(alone(spin), events.Finished)[0].at_ms == 50


# ---- faults ----


def places(*each: int) -> Replayed:
    """A tape whose faults strike at these of their opportunities, in the plain order of things."""
    return Replayed(each)


def test_a_hard_crash_is_hard() -> None:
    world = jobs(places(9), [Crash("a")])
    (crashed,) = kinds(world, events.Crashed)
    assert (crashed.process, crashed.why) == ("a", "fault")
    written = [command for event in kinds(world, events.Effect) for command in event.commands if command[0] == b"SET"]
    assert not written, "the finally block of a dead process reached the server"
    lives = [(event.process, event.incarnation) for event in kinds(world, events.Started)]
    assert lives[-1] == ("a", 2)


def test_messages_are_lost_and_late_by_name() -> None:
    lost = jobs(places(1), [Lose(WORKERS, "XACK")])
    (event,) = kinds(lost, events.Lost)
    assert event.what == "reply"
    (xack,) = [effect for effect in kinds(lost, events.Effect) if effect.call == event.call]
    assert xack.commands[0][0] == b"XACK"
    assert kinds(jobs(places(2), [Lose(WORKERS, "XACK", part="request")]), events.Lost)[0].what == "request"
    silent = jobs(places(1), [Lose("producer", "XADD", how="silence")])
    added = len([e for e in kinds(silent, events.Effect) if e.commands[0][0] == b"XADD"])
    # Up to redis-py 7 a client waits for an answer for ever; from 8 on it gives up after a while, and sends again.
    assert added in ((JOBS, JOBS + 1) if int(redis.__version__.partition(".")[0]) >= 8 else (1,))
    for part in ("request", "reply"):
        (late,) = kinds(jobs(places(1), [Delay("producer", 700, "XADD", part=part)]), events.Delayed)
        assert (late.what, late.by_ms) == (part, 700)


def test_processes_stand_still_and_are_cut_off() -> None:
    world = jobs(places(12), [Pause("a", 3000)])
    paused, resumed = kinds(world, events.Paused)[0], kinds(world, events.Resumed)[0]
    assert resumed.at_ms - paused.at_ms == 3000
    between = [e for e in kinds(world, events.Effect) if paused.at_ms < e.at_ms < resumed.at_ms]
    assert between
    assert all(event.process != "a" for event in between)
    cut = jobs(places(20), [Reset("a")])
    assert kinds(cut, events.Disconnected)
    assert len({event.entry for event in kinds(cut, events.Handled)}) == JOBS


def test_work_is_slow_or_fails() -> None:
    slow = jobs(places(1), [SlowHandler("a", 9000)])
    assert kinds(slow, events.Slowed)[0].by_ms == 9000
    assert len(kinds(slow, events.Handled)) > JOBS, "b claims it meanwhile"

    failed: list[str] = []

    async def main() -> None:
        try:
            await work("an-entry", 10)
        except HandlerFailed as error:
            failed.append(str(error))

    world = LoopWorld(places(1), faults=[FailHandler("one")])
    world.start("one", main)
    world.run()
    assert failed == ["entry an-entry could not be handled"]
    assert kinds(world, events.HandleFailed)


@pytest.mark.parametrize(
    ("fault", "cause"),
    [(ServerRestart(keeps="nothing"), "restart"), (ServerRestart(), "restart"), (Failover(loses=1), "failover")],
)
def test_the_server_falls(fault: Fault, cause: str) -> None:
    world = jobs(places(8), [fault])
    (lost,) = kinds(world, events.ServerLost)
    assert lost.cause == cause
    assert kinds(world, events.Effect)[-1].at_ms > lost.at_ms


def test_somebody_flushes() -> None:
    world = jobs(places(8), [Flush()])
    assert [e.process for e in kinds(world, events.Effect) if e.commands[0][0] == b"FLUSHALL"] == ["somebody"]
    assert any(event.why == "raised" and "NOGROUP" in event.message for event in kinds(world, events.Crashed))


# ---- what cannot be simulated is named ----


async def start_thread() -> None:
    threading.Thread(target=print).start()


async def start_program() -> None:
    subprocess.Popen(["true"])


async def ask_by_socket() -> None:
    redis.Redis().ping()


async def block_the_loop() -> None:
    while True:
        try:
            while True:
                pass
        except Exception:
            pass


async def run_a_loop() -> None:
    asyncio.get_running_loop().run_until_complete(asyncio.sleep(0))


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (start_thread, "one starts a thread, which is not simulated"),
        (start_program, "one starts another program, which is not simulated"),
        (ask_by_socket, "which is not simulated"),
        (run_a_loop, "one runs an event loop inside the one that runs it, which is not simulated"),
        (block_the_loop, "one had control, at 0 ms of the world's time"),
    ],
)
def test_what_escapes_is_named(body: Callable[[], Awaitable[object]], said: str) -> None:
    with pytest.raises(RedeliveryError) as raised:
        alone(body, real_s_max=0.5)
    assert said in str(raised.value)
    assert "\n" not in str(raised.value)


def test_another_address_is_refused_and_noted() -> None:
    async def main() -> None:
        client: Any = redis.asyncio.Redis(host="queue.example")
        await client.ping()

    world = alone(main)
    assert list(world.network.refused) == ["queue.example:6379"]
    assert world.network.made == 0
    assert "Error 111" in kinds(world, events.Crashed)[0].message


def test_a_command_that_there_is_not_is_noted() -> None:
    async def main() -> None:
        client: Any = redis.asyncio.Redis()
        with pytest.raises(redis.ResponseError):
            await client.execute_command("FT.SEARCH", "index", "*")

    assert list(alone(main).unsupported) == ["FT.SEARCH"]
