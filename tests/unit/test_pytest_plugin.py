"""The pytest plugin, in sessions of its own: simulated tests, their fixtures and options, beside other plugins."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAMS = '''
import asyncio
import contextlib
import pytest
import redelivery
import redis
import redis.asyncio
from redelivery import Crash, Lose

async def produce():
    client = redis.asyncio.Redis()
    for n in range(3):
        await client.xadd("jobs", {"job": f"job-{n}"})
        await asyncio.sleep(0.2)

def worker(reclaims):
    async def work(me):
        client = redis.asyncio.Redis()
        with contextlib.suppress(redis.ResponseError):
            await client.xgroup_create("jobs", "workers", "0", mkstream=True)
        while True:
            read = await client.xreadgroup("workers", me.name, {"jobs": ">"}, count=1, block=500)
            entries = [entry for _, found in read or () for entry in found]
            if reclaims:
                entries += (await client.xautoclaim("jobs", "workers", me.name, 2000))[1]
            for entry_id, fields in entries:
                await redelivery.work(fields[b"job"], 100)
                await client.xack("jobs", "workers", entry_id)
    return work

def people(sim, reclaims):
    sim.start("producer", produce)
    for name in ("a", "b"):
        sim.start(name, worker(reclaims), restart_ms=300)
'''

TESTS = PROGRAMS + '''
@redelivery.simulate(seeds=2, faults=[Crash(("a", "b"))], within_ms=8_000, faults_ms=3_000)
def test_reclaims(sim):
    people(sim, True)
    sim.run()
    assert len(set(sim.handled())) == 3

@redelivery.simulate(seeds=40, faults=[Crash(("a", "b"), when="holding")], within_ms=8_000, faults_ms=3_000)
def test_forgets(sim):
    people(sim, False)

@redelivery.simulate(seeds=40, faults=[Lose("producer", "XADD")], properties=(), within_ms=8_000, faults_ms=3_000)
def test_counts(sim):
    people(sim, True)
    sim.run()
    assert len(sim.handled()) == 3, sim.handled()

@redelivery.simulate(seeds=2, properties=())
async def test_inside(sim, sim_redis, tmp_path):
    sim.start("producer", produce)
    began = asyncio.get_running_loop().time()
    assert await sim_redis.xread({"jobs": "$"}, block=60_000)
    await asyncio.sleep(3600)
    assert asyncio.get_running_loop().time() >= began + 3600
    assert tmp_path.is_dir()

@redelivery.simulate(seeds=2)
async def test_inside_fails(sim_redis):
    await sim_redis.set("k", "v")
    assert await sim_redis.get("k") == b"w"

@redelivery.simulate(seeds=2)
async def test_never_ends():
    await asyncio.Event().wait()

@pytest.mark.asyncio
async def test_with_pytest_asyncio(sim_redis):
    assert await sim_redis.xread({"jobs": "$"}, block=60_000) in ([], {}, None)
    await sim_redis.aclose()

@pytest.mark.anyio
@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_with_anyio(sim_redis, anyio_backend):
    assert await sim_redis.ping()
    await sim_redis.aclose()

def test_plain(sim, sim_redis, real_redis):
    people(sim, True)
    sim.run()
    assert len(sim.handled()) == 3
    entry = sim_redis.xadd("s", {"k": "v"}, id="1-1")
    assert entry == real_redis.xadd("s", {"k": "v"}, id="1-1") == b"1-1"
'''


def session(folder: Path, *options: str) -> tuple[int, str]:
    (folder / "pytest.ini").write_text("[pytest]\nasyncio_default_fixture_loop_scope = function\n")
    command = [sys.executable, "-m", "pytest", "-p", "no:randomly", "-q", "-rA", *options]
    ran = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    return ran.returncode, ran.stdout + ran.stderr


def outcomes(said: str) -> dict[str, str]:
    return {name: word for word, name in re.findall(r"^(PASSED|FAILED|ERROR) test_it\.py::(\S+)", said, re.MULTILINE)}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("plugin")
    (path / "test_it.py").write_text(TESTS)
    return path


def test_simulated_tests_pass_and_fail_and_print_what_runs_them_again(folder: Path) -> None:
    code, said = session(folder, "-n", "2")
    assert outcomes(said) == {
        "test_reclaims": "PASSED", "test_forgets": "FAILED", "test_counts": "FAILED", "test_inside": "PASSED",
        "test_inside_fails": "FAILED", "test_never_ends": "FAILED",
        "test_with_pytest_asyncio": "PASSED", "test_with_anyio[asyncio]": "PASSED", "test_plain": "PASSED",
    }, said  # fmt: skip
    assert code == 1
    lines = re.findall(r"again: pytest (\S+) --redelivery-tape=(\S+)", said)
    tapes = dict(lines)
    failing = ("test_forgets", "test_counts", "test_inside_fails", "test_never_ends")
    assert set(tapes) == {f"test_it.py::{name}" for name in failing}
    assert "the test never ends: it waits for something that never comes" in said
    assert "struck: a or b crashes while it holds an entry: at most 1" in said
    pictures = {Path(path) for path in re.findall(r"timeline: (\S+)", said)}
    assert len(pictures) == len(failing)
    assert all(picture.stat().st_size > 1000 for picture in pictures)
    node, tape = "test_it.py::test_forgets", tapes["test_it.py::test_forgets"]
    code, said = session(folder, node, f"--redelivery-tape={tape}")
    assert code == 1
    assert "the tape, at " in said
    assert tape in said
    code, said = session(folder, "test_it.py::test_reclaims", f"--redelivery-tape={tape}")
    assert code == 1
    assert "the tape is of test_forgets, and this is test_reclaims: run that test alone" in said


def test_seeds_are_chosen_on_the_command_line_and_bad_options_are_named(folder: Path) -> None:
    code, said = session(folder, "-m", "redelivery", "--redelivery-seeds=1", "-k", "reclaims or forgets")
    assert set(outcomes(said)) == {"test_reclaims", "test_forgets"}
    for option, named in (("--redelivery-seeds=0", "give at least 1"), ("--redelivery-tape=x", "not a tape")):
        code, said = session(folder, option)
        assert code == 4
        assert named in said


def test_loading_the_plugin_loads_nothing_heavy(tmp_path: Path) -> None:
    (tmp_path / "test_none.py").write_text(
        "import sys\n\ndef test_none():\n    assert 'redelivery.sim.pytest_plugin' in sys.modules\n"
        "    heavy = ('redis', 'matplotlib', 'networkx', 'hypothesis.strategies', 'redelivery.sim.loop')\n"
        "    assert not [name for name in heavy if name in sys.modules]\n"
    )
    code, said = session(tmp_path, "-p", "no:hypothesispytest")
    assert code == 0, said
