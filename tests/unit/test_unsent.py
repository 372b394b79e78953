"""A fault on a command that is never sent is refused where that is certain, and told of where it is not."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import redelivery
from redelivery.sim.check.check import check
from redelivery.sim.cli import main
from redelivery.sim.errors import BadInput
from redelivery.sim.faults import Crash, Lose
from redelivery.sim.plan import Params, Plan, Process, TurnFunction
from redelivery.sim.scenario import Scenario, Variant
from redelivery.sim.unsent import name_of

WORLD = """
from redelivery import Crash, Lose, Plan, Process, Scenario, Variant, handle


async def sell(redis, me, n=0):
    await redis.xadd("orders", {"order": n + 1})
    return n + 1


async def work(redis, me):
    _, left, *_ = await redis.xautoclaim("orders", "workers", me, 3000)
    for entry_id, fields in left:
        await redis.xclaim("orders", "workers", me, 0, [entry_id])
        await redis.xack("orders", "workers", entry_id)
    for _, entries in await redis.xreadgroup("workers", me, {"orders": ">"}, count=1, block=1000):
        for entry_id, fields in entries:
            await handle(entry_id, fields)
            await redis.xack("orders", "workers", entry_id)


def plan(*faults):
    return lambda params: Plan(
        processes=[
            Process("shop", sell, turns=params.orders, initial=0),
            *(Process(f"w{n}", work) for n in range(params.many)),
        ],
        setup=[("XGROUP", "CREATE", "orders", "workers", "$", "MKSTREAM")],
        faults=faults, faults_ms=5000, within_ms=9000,
    )


LOST = Lose("w0", "XCLAIM")
scenario = Scenario(
    name="mine", summary="", params={"orders": 2, "many": 1},
    variants={
        "never": Variant("", plan(LOST)),
        "after-a-crash": Variant("", plan(LOST, Crash("w0", when="holding"))),
        "group": Variant("", plan(Lose("w0", "XGROUP CREATE"))),
        "broken": Variant(
            "", plan(Lose("w0", "xadd"), Crash("w0", when="holding")), violates="handled-at-most-once",
            properties=["handled-at-most-once"],
        ),
    },
)
"""
SENT = "sent are: XADD (by shop); XACK, XAUTOCLAIM, XREADGROUP (by w0)"


@pytest.fixture
def said(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., Any]:
    """Calls the command line in a folder with the world above: exit code, output and errors."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", sys.path.copy())
    (tmp_path / "mine.py").write_text(WORLD)

    def call(*arguments: str) -> tuple[object, str, str]:
        with pytest.raises(SystemExit) as stop:
            main(list(arguments))
        told = capsys.readouterr()
        return stop.value.code, told.out, told.err

    return call


@pytest.mark.parametrize("verb", [["run"], ["run", "--seed", "3"], ["check"], ["check", "--search", "dfs"],
                                  ["check", "--runs", "3"], ["check", "--liveness"]])  # fmt: skip
@pytest.mark.parametrize(("variant", "command"), [("never", "XCLAIM"), ("group", "XGROUP CREATE")])
def test_what_nobody_ever_sends_is_refused_in_one_line(
    verb: list[str], variant: str, command: str, said: Callable[..., Any]
) -> None:
    code, out, err = said(*verb, "mine.py", "--variant", variant)
    assert (code, out) == (2, "")
    [line] = err.splitlines()
    wanted = f"a fault (the reply of w0's {command} is lost: at most 1) can never strike: w0 never sends {command}, "
    assert wanted + "whatever happens; " + SENT in line


def test_what_somebody_else_sends_is_refused_even_where_a_search_would_stop_before_its_end(
    said: Callable[..., Any],
) -> None:
    for verb in ("run", "check"):
        code, _, err = said(verb, "mine.py", "--variant", "broken")
        assert code == 2
        assert "w0 never sends XADD, whatever happens; sent are: XADD (by shop)" in err


def test_what_is_sent_only_after_another_fault_is_not_refused(said: Callable[..., Any]) -> None:
    """In this run nobody crashes, so that nothing is claimed: it says so."""
    code, out, _ = said("run", "mine.py", "--variant", "after-a-crash", "--seed", "7", "--json")
    [note] = json.loads(out)["notes"]
    assert code == 0
    assert note.endswith(f"w0 sent no XCLAIM in this run; {SENT.replace('are', 'were')}")
    code, out, _ = said("run", "mine.py", "--variant", "after-a-crash", "--seed", "7")
    assert f"note: {note}" in out
    code, out, _ = said("check", "mine.py", "--variant", "after-a-crash", "--json")
    assert (code, json.loads(out)["notes"], json.loads(out)["coverage"]["never_struck"]) == (0, [], [])


def test_where_the_world_is_too_large_to_be_sure_it_is_told(said: Callable[..., Any]) -> None:
    large = ("mine.py", "--variant", "never", "--param", "orders=9", "--param", "many=4")
    code, out, _ = said("run", *large, "--json")
    [note] = json.loads(out)["notes"]
    assert code == 0
    assert "w0 sent no XCLAIM in this run; sent were: " in note
    code, out, _ = said("check", *large, "--runs", "2", "--json")
    [note] = json.loads(out)["notes"]
    assert code == 3
    assert "w0 sent no XCLAIM in any of these runs; sent were: " in note
    code, out, _ = said("check", *large, "--depth", "4")
    assert code == 3
    assert "note: this fault never struck (the reply of w0's XCLAIM is lost: at most 1): w0 sent no XCLAIM" in out


async def add_twice(redis: Any, me: str) -> None:
    pipe = redis.pipeline()
    pipe.xadd("orders", {"order": 1})
    pipe.xlen("orders")
    await pipe.execute()


async def in_one_piece(redis: Any, me: str) -> None:
    async def both() -> None:
        await redis.xadd("orders", {"order": 1})
        await redis.xlen("orders")

    await redelivery.atomic(both)


def world(turn: TurnFunction, command: str) -> Scenario:
    def plan(params: Params) -> Plan:
        return Plan([Process("p", turn, turns=2), Process("q", turn, turns=2)], faults=[Lose(("p", "q"), command)])

    return Scenario(name="mine", summary="", variants={"given": Variant("", plan)})


@pytest.mark.parametrize("turn", [add_twice, in_one_piece])
def test_transactions_and_atomic_blocks_count_for_those_who_can_take_each_others_places(turn: TurnFunction) -> None:
    with pytest.raises(BadInput, match=r"p or q never sends XACK.*; sent are: .*XADD, XLEN \(by p, q\)$"):
        check(world(turn, "XACK"))
    assert check(world(turn, "XLEN")).verdict == "holds"


def test_the_search_of_several_workers_knows_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    from redelivery.sim.check import breadth

    monkeypatch.setattr(breadth, "WIDE", 1)
    with pytest.raises(BadInput, match=r"p or q never sends XACK.*XADD, XLEN \(by p, q\)$"):
        check(world(add_twice, "XACK"), workers=2)


def test_a_simulated_test_warns_of_what_never_struck() -> None:
    @redelivery.simulate(seeds=2, faults=[Lose("p", "XCLAIM"), Lose("p", "XADD"), Crash("p")], properties=[])
    def test(sim: Any) -> None:
        async def main() -> None:
            import redis.asyncio

            await redis.asyncio.Redis().xadd("s", {"a": 1})

        sim.start("p", main)

    with pytest.warns(UserWarning, match=r"p sent no XCLAIM with any of 2 seeds; sent were: .*XADD \(by p\)") as told:
        test()
    ours = [one for one in told if one.category is UserWarning]  # clients speak of connections that they left
    assert len(ours) == 1


def test_a_command_is_called_by_its_words() -> None:
    assert name_of((b"xgroup", b"create", b"s", b"g", b"$")) == "XGROUP CREATE"
    assert name_of((b"XACK", b"s", b"g", b"1-1")) == "XACK"
