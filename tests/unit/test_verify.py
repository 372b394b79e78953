"""``redelivery verify``: a small framework with known mistakes, the report card, tapes that run again, bad input."""

from __future__ import annotations

import importlib.util
import json
import re
from pathlib import Path
from typing import Any

import pytest
import redelivery
from redelivery.sim.cli import main
from redelivery.sim.errors import BadInput
from redelivery.sim.loop.campaign import SITUATIONS, Card, rerun, verify
from redelivery.sim.loop.card import HOW_TO_READ
from redelivery.sim.loop.judging import PROPERTIES
from redelivery.sim.loop.target import find_target, shipped_targets
from redelivery.sim.tape import Tape

FRAMEWORK = '''
import contextlib
import redis
import redis.asyncio
from redelivery import Target

async def produce(jobs):
    client = redis.asyncio.Redis()
    async for job in jobs:
        await client.xadd("jobs", {"job": job})

def worker(reclaims):
    async def work(name, handle):
        client = redis.asyncio.Redis()
        with contextlib.suppress(redis.ResponseError):
            await client.xgroup_create("jobs", "workers", "0", mkstream=True)
        while True:
            read = await client.xreadgroup("workers", name, {"jobs": ">"}, count=5, block=1000)
            entries = [entry for _, found in read or () for entry in found]
            if reclaims:
                entries += (await client.xautoclaim("jobs", "workers", name, 4000))[1]
            for entry_id, fields in entries:
                await handle(fields[b"job"].decode())
                await client.xack("jobs", "workers", entry_id)
    return work

def produce_now(jobs):
    client = redis.Redis()
    for job in jobs:
        client.xadd("jobs", {"job": job})

def work_now(name, handle):
    client = redis.Redis()
    with contextlib.suppress(redis.ResponseError):
        client.xgroup_create("jobs", "workers", "0", mkstream=True)
    while True:
        for _, found in client.xreadgroup("workers", name, {"jobs": ">"}, count=5, block=1000) or ():
            for entry_id, fields in found:
                handle(fields[b"job"].decode())
                client.xack("jobs", "workers", entry_id)

target = Target("own", produce, worker(True), lease_ms=4000)
forgetful = Target("forgetful", produce, worker(False), lease_ms=4000)
blocking = Target("blocking", produce_now, work_now, lease_ms=4000)
'''


@pytest.fixture
def framework(tmp_path: Path) -> Path:
    path = tmp_path / "framework.py"
    path.write_text(FRAMEWORK)
    return path


def command(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as stopped:
        main(["verify", *arguments])
    said = capsys.readouterr()
    assert isinstance(stopped.value.code, int)
    return stopped.value.code, said.out, said.err


def broken(card: Card, situation: str) -> set[str]:
    (row,) = [row for row in card.rows if row.situation.key == situation]
    return set(row.cells)


def test_a_quiet_stream_shows_who_never_reclaims(framework: Path) -> None:
    reclaims, forgetful = find_target(f"{framework}"), find_target(f"{framework}:forgetful")
    assert broken(verify(reclaims, only="quiet-stream", places_max=3, chance_runs=1), "quiet-stream") <= {
        "handled-at-most-once"
    }
    for target in (forgetful, find_target(f"{framework}:blocking")):
        card = verify(target, only="quiet-stream", places_max=3, chance_runs=1)
        assert broken(card, "quiet-stream") >= {"added-implies-handled", "pel-drains"}


def test_a_slow_handler_shows_who_claims_too_early(framework: Path) -> None:
    card = verify(find_target(f"{framework}"), only="slow-handler", places_max=2, chance_runs=0)
    assert broken(card, "slow-handler") >= {"single-handler", "handled-at-most-once"}


def test_the_command_prints_tapes_that_run_again(
    framework: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    reference, page, folder = f"{framework}:forgetful", tmp_path / "card.md", tmp_path / "pictures"
    options = ["--only", "crash-before-ack", "--runs", "0", "--report", str(page), "--pictures", str(folder), "--json"]
    code, out, _ = command([reference, *options], capsys)
    told: dict[str, Any] = json.loads(out)
    assert (code, told["verdict"], told["target"]) == (1, "violated", reference)
    (row,) = told["rows"]
    assert row["properties"]["pel-drains"] == "violated"
    assert row["properties"]["no-hot-loop"] == "holds"
    assert row["places"]["tried"] == min(row["places"]["of"], 12) == row["runs"] - 1
    assert f"| {row['places']['tried']} of {row['places']['of']} |" in page.read_text()
    assert any(version.startswith("redis ") for version in told["versions"])
    finding = next(finding for finding in row["findings"] if finding["property"] == "pel-drains")
    assert finding["faults"] == ["worker-a or worker-b crashes while it holds an entry: at most 1"]
    assert all(Path(picture).stat().st_size > 1000 for picture in told["pictures"])
    assert f"redelivery verify --tape {finding['tape']}" in page.read_text()
    timeline = tmp_path / "again.txt"
    code, out, _ = command(["--tape", finding["tape"], "--timeline", str(timeline), "--json"], capsys)
    again: dict[str, Any] = json.loads(out)
    assert (code, again["digest"], again["tape"]) == (1, finding["digest"], finding["tape"])
    assert "worker-a" in timeline.read_text()
    code, out, _ = command(["--tape", finding["tape"], "--against", "embedded"], capsys)
    assert (code, "violated at" in out, again["digest"] in out) == (1, True, True)
    assert re.search(r"confirmed on a real redis-\S+ \(\S+\): \d+ replies, all the same", out)
    code, out, _ = command([str(framework), "--only", "plain", "--runs", "0"], capsys)
    assert code == 0
    assert "· · · · · · · · · ·   nothing goes wrong: 1 run" in out


def test_a_card_in_a_notebook_is_a_table_and_a_page(framework: Path) -> None:
    card = redelivery.verify(f"{framework}:forgetful", only=("plain", "quiet-stream"), places_max=1, chance_runs=0)
    assert [row.situation.key for row in card.rows] == ["plain", "quiet-stream"]
    told = "quiet-stream  ✗ · · · · ✗ · · · ·   a worker crashes with a job, and no more jobs come: 2 runs, 1 of "
    assert re.search(re.escape(told) + r"\d+ places\n", str(card))
    page = card._repr_html_()
    assert page.count("<tr>") == 3
    assert page.count("✗") == 2
    assert re.search(r'title="nobody ever handled entry \d+-0 of jobs"', page)
    finding = card.finding("quiet-stream", "pel-drains")
    assert f"redelivery verify --tape {finding.outcome.tape}" in str(card)
    with pytest.raises(BadInput, match=r"unknown property that breaks in quiet-stream 'pel-drain'.*pel-drains"):
        card.finding("quiet-stream", "pel-drain")
    with pytest.raises(BadInput, match="unknown situation of the card 'quite'"):
        card.finding("quite", "pel-drains")


def test_a_target_may_import_what_lies_beside_it(framework: Path) -> None:
    (framework.parent / "beside_it.py").write_text("from redelivery import Target\nfrom framework import *\n")
    assert find_target(str(framework.parent / "beside_it.py")).name == "own"


NEVER_DONE = """
async def work(name, handle):
    client = redis.asyncio.Redis()
    with contextlib.suppress(redis.ResponseError):
        await client.xgroup_create("jobs", "workers", "0", mkstream=True)
    while True:
        for _, found in await client.xreadgroup("workers", name, {"jobs": ">"}, count=5, block=1000) or ():
            for entry_id, fields in found:
                with contextlib.suppress(redelivery.HandlerFailed):
                    await handle(fields[b"job"].decode())
                await client.xack("jobs", "workers", entry_id)
target = Target("acks-all", produce, work, lease_ms=4000)
"""


def test_what_a_situation_takes_away_is_held_against_nobody(framework: Path) -> None:
    path = framework.parent / "acks_all.py"
    path.write_text(f"import redelivery\n{FRAMEWORK.split('def worker')[0]}{NEVER_DONE}")
    card = verify(find_target(str(path)), only=("poison", "trimmed", "flush"), places_max=2, chance_runs=0)
    assert broken(card, "poison") == {"acked-implies-handled"}, "the others are handled, and that one cannot be"
    assert not broken(card, "trimmed") & {"no-entry-lost", "handled-at-most-once"}
    assert "no-entry-lost" not in broken(card, "flush")


def test_links_are_in_the_campaign(framework: Path) -> None:
    links = ("reset", "torn-reply", "half-open", "slow-link", "cut-off")
    card = verify(find_target(f"{framework}:forgetful"), only=links, places_max=4, chance_runs=0)
    assert [(row.situation.key, row.places, row.struck) for row in card.rows] == [(key, 4, 4) for key in links]
    assert all(row.places_of > 30 for row in card.rows)


def test_what_programs_print_is_no_part_of_the_report(
    framework: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    handles = "                await handle("
    framework.write_text(FRAMEWORK.replace(handles, f"                print('on', entry_id)\n{handles}"))
    code, out, err = command([str(framework), "--only", "plain", "--runs", "0", "--json"], capsys)
    assert (code, json.loads(out)["verdict"], err) == (0, "holds", "")
    tape = f"redelivery-1:{framework}:plain:redis-8.6::"
    code, out, err = command(["--tape", tape, "--json"], capsys)
    assert (code, json.loads(out)["verdict"]) == (0, "holds")
    assert err.count("on b'1700000002500-0'") == 1


PRODUCES = "async def produce(jobs):\n    async for job in jobs: pass\n"
BAD: dict[str, tuple[str, str]] = {
    "does not import": ("import no_such_module_of_mine\n", "no_such_module_of_mine"),
    "has no target": ("x = 1\n", "holds no redelivery.Target"),
    "needs what is not there": (
        PRODUCES + "from redelivery import Target\nt = Target('t', produce, produce, needs=('no_such_framework',))\n",
        "needs no_such_framework, which is not installed",
    ),
    "never connects": (
        PRODUCES + "import asyncio\nfrom redelivery import Target\nasync def work(name, handle):\n"
        "    await asyncio.sleep(1e9)\nt = Target('t', produce, work)\n",
        "never connects: its server is redis://localhost:6379",
    ),
    "connects elsewhere": (
        PRODUCES + "import redis.asyncio\nfrom redelivery import Target\nasync def work(name, handle):\n"
        "    await redis.asyncio.Redis(host='queue.example').ping()\nt = Target('t', produce, work)\n",
        "it tried queue.example:6379",
    ),
    "starts threads": (
        PRODUCES + "import threading\nfrom redelivery import Target\nasync def work(name, handle):\n"
        "    threading.Thread(target=print).start()\nt = Target('t', produce, work)\n",
        "worker-a starts a thread, which is not simulated",
    ),
    "handles nothing": (
        PRODUCES + "import redis.asyncio\nfrom redelivery import Target\nasync def work(name, handle):\n"
        "    await redis.asyncio.Redis().ping()\n    raise ValueError('no luck')\nt = Target('t', produce, work)\n",
        "handles no job, though nothing goes wrong; ValueError: no luck",
    ),
    "returns": (
        PRODUCES + "import redis.asyncio\nfrom redelivery import Target\nasync def work(name, handle):\n"
        "    await redis.asyncio.Redis().ping()\nt = Target('t', produce, work)\n",
        "its worker returns, and has to run until it is cancelled",
    ),
    "sends what is not there": (
        PRODUCES + "import redis.asyncio\nfrom redelivery import Target\nasync def work(name, handle):\n"
        "    await redis.asyncio.Redis().execute_command('GEOADD', 'g', 1, 2, 'x')\nt = Target('t', produce, work)\n",
        "it sends GEOADD, which the model of its server does not have",
    ),
    "handles what is no job": (
        PRODUCES + "import asyncio, redis.asyncio\nfrom redelivery import Target\nasync def work(name, handle):\n"
        "    await redis.asyncio.Redis().ping()\n    await handle('other')\nt = Target('t', produce, work)\n",
        "calls handle with 'other', which is no job that the producer sent",
    ),
    "ends everything": (
        PRODUCES + "import os\nfrom redelivery import Target\nasync def work(name, handle):\n"
        "    os._exit(7)\nt = Target('t', produce, work)\n",
        "worker-a calls os._exit, which is not simulated",
    ),
    "hides a coroutine": (
        PRODUCES + "from redelivery import Target\nt = Target('t', produce, lambda name, handle: produce([]))\n",
        "runs a plain function that returns a coroutine: write async def",
    ),
    "has no function": ("from redelivery import Target\nt = Target('t', 5, print)\n", "produce is 5; give a function"),
    "has a lease in words": (
        "from redelivery import Target\nt = Target('t', print, print, lease_ms='10 s')\n",
        "lease_ms is '10 s'; give a whole number, at least 1",
    ),
    "needs one name": (
        "from redelivery import Target\nt = Target('t', print, print, needs='redis')\n",
        "needs is 'redis'; give a tuple of names of modules",
    ),
    "goes with an older redis-py": (
        "from redelivery import Target\nt = Target('t', print, print, redis_below=2)\n",
        "goes with redis-py below 2, and",
    ),
    "are several": (
        "from redelivery import Target\na, b = Target('a', print, print), Target('b', print, print)\n",
        "holds 2 targets; name one: ",
    ),
}


@pytest.mark.parametrize("what", BAD)
def test_bad_targets_are_named_in_one_line(what: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text, said = BAD[what]
    path = tmp_path / "bad.py"
    path.write_text(text)
    code, out, err = command([str(path), "--only", "plain"], capsys)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert said in err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "name a target"),
        (["no-such-target"], "unknown target 'no-such-target'"),
        (["faststream-redis", "--dialect", "redis-5"], "unknown dialect"),
        (["faststream-redis", "--timeline", "x.svg"], "--timeline goes with --tape"),
        (["--tape", "nonsense"], "not a tape"),
    ],
)
def test_bad_options_are_named_in_one_line(arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = command(arguments, capsys)
    assert (code, out) == (2, "")
    assert said in err


# ---- real frameworks ----


def test_targets_are_shipped() -> None:
    assert shipped_targets() == ["faststream-redis", "pydocket", "repid", "taskiq-redis", "walrus"]


CARDS = sorted((Path(__file__).resolve().parents[2] / "scenarios" / "clients").glob("*.md"))


@pytest.mark.parametrize("card", CARDS, ids=lambda card: card.stem)
def test_report_cards_are_of_this_campaign(card: Path) -> None:
    text = card.read_text()
    name = card.stem.replace(".", ":")  # faststream-redis.from_zero.md is of faststream-redis:from_zero
    assert text.startswith(f"# {name}\n")
    tapes = [Tape.parse(line) for line in re.findall(r"`redelivery verify --tape (\S+)`", text)]
    assert {tape.scenario for tape in tapes} == {name}
    assert text.count("Confirmed on a real redis-") == len(tapes)
    assert all(line in text for line in HOW_TO_READ)
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines() if line[:2] == "| "]
    assert rows[0] == ["situation", "runs", "places", *(p if isinstance(p, str) else p.name for p in PROPERTIES)]
    titles = [situation.title for situation in SITUATIONS]
    assert [row[0] for row in rows[2:]][: len(titles)] == titles
    assert all(re.fullmatch(r"the (reply|request) of an? [A-Z]+ is lost", row[0]) for row in rows[2 + len(titles) :])


@pytest.mark.parametrize("name", ["faststream-redis", "pydocket", "repid", "taskiq-redis", "walrus"])
def test_what_a_report_card_says_comes_again(name: str) -> None:
    target = find_target(name)
    if any(importlib.util.find_spec(module.partition(".")[0]) is None for module in target.needs):
        pytest.skip(f"needs the extra '{target.extra}'")
    text = next(card for card in CARDS if card.stem == name).read_text()
    if f"({', '.join(target.versions())})" not in text:
        pytest.skip(f"the card is of other versions than {target.versions()}: make it anew")
    finding = re.search(r"\*\*.*: (\S+)\.\*\* (.*)\.\n  `redelivery verify --tape (\S+)`", text)
    assert finding is not None
    broken, message, line = finding.groups()
    tape = Tape.parse(line)
    outcome = rerun(name, tape.variant, tape.choices)
    told = [violation.message for violation in outcome.violations if violation.property == broken]
    assert [text[:1].upper() + text[1:] for text in told] == [message]


def test_faststream_from_zero_reads_nothing_after_a_restart() -> None:
    target = find_target("faststream-redis:from_zero")
    card = verify(target, only="crash-before-ack", places_max=1, chance_runs=0)
    assert broken(card, "crash-before-ack") >= {"no-hot-loop", "added-implies-handled"}


@pytest.mark.skipif(importlib.util.find_spec("taskiq_redis") is None, reason="needs the extra 'clients'")
def test_taskiq_never_reclaims_on_a_quiet_stream_and_runs_slow_jobs_twice() -> None:
    target = find_target("taskiq-redis")
    quiet = verify(target, only="quiet-stream", places_max=4, chance_runs=0)
    assert broken(quiet, "quiet-stream") == {"added-implies-handled", "pel-drains"}
    slow = verify(target, only="slow-handler", places_max=1, chance_runs=0)
    assert broken(slow, "slow-handler") == {"single-handler", "handled-at-most-once"}
