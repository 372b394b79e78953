"""A finding: one file that brings everything back, one line in a test, and one line when it has changed."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import redelivery
from redelivery.sim.catalogue import find
from redelivery.sim.check import finding as f
from redelivery.sim.check.hunt import hunt
from redelivery.sim.check.memory import Memory
from redelivery.sim.check.report import LIVENESS, Counterexample
from redelivery.sim.check.schedules import Start
from redelivery.sim.errors import BadInput
from redelivery.sim.plan import Crash, Plan, Process
from redelivery.sim.requests import handle, sleep
from redelivery.sim.run import build, simulate
from redelivery.sim.scenario import Scenario, Variant
from redelivery.sim.tape import Tape, parse

ORPHAN = "redelivery-1:crash-before-ack:broken:redis-8.6:entries=1:1.2.3x1"


def counterexample(tape: str = ORPHAN, property_name: str = "no-orphan", **options: Any) -> Counterexample:
    of = parse(tape)
    return Counterexample(of.scenario, of.variant, of.dialect, of.params, of.choices, property_name, **options)


@pytest.fixture(scope="module")
def orphan() -> f.Finding:
    return f.make(counterexample(), size={"faults": 1}, found_by={"search": "by hand"})[0]


# ---- the file ----


def test_a_finding_holds_what_is_needed_to_see_it_again(orphan: f.Finding) -> None:
    run = simulate(find("crash-before-ack"), tape=orphan.tape)
    violation = next(v for v in run.violations if v.property == "no-orphan")
    assert str(orphan.tape) == ORPHAN
    assert (orphan.property, orphan.event, orphan.at_ms, orphan.message) == violation
    assert orphan.events == len(run.history)
    assert "worker-a crashes while it handles entry 1" in "\n".join(orphan.story)
    assert orphan.story[-1] == f"redelivery replay {ORPHAN}"
    assert set(orphan.versions) == {"redelivery", "redis-py", "python"}
    assert orphan.changed(run) == ""


def test_a_file_gives_the_same_finding_and_the_same_bytes(orphan: f.Finding, tmp_path: Path) -> None:
    orphan.write(tmp_path / "a.json")
    again = f.read(tmp_path / "a.json")
    assert again == orphan
    again.write(tmp_path / "b.json")
    assert (tmp_path / "a.json").read_bytes() == (tmp_path / "b.json").read_bytes()
    value = json.loads((tmp_path / "a.json").read_text())
    assert (value["redelivery"], value["version"]) == ("finding", 1)
    assert f.make(counterexample(), size={"faults": 1}, found_by={"search": "by hand"})[0].lines() == orphan.lines()


def test_the_hash_is_of_the_events_and_not_of_the_words_around_them() -> None:
    scenario = find("crash-before-ack")
    run = simulate(scenario, tape=parse(ORPHAN))
    other = simulate(replace(scenario, summary="Other words."), tape=parse(ORPHAN))
    assert f.hash_of(run.history) == f.hash_of(other.history)
    other.history.events[3] = other.history.events[3]._replace(at_ms=1)
    assert f.hash_of(run.history) != f.hash_of(other.history)


def test_the_story_of_a_finding_ends_where_the_property_breaks() -> None:
    tape = "redelivery-1:slow-handler-claimed:broken:redis-8.6:entries=1:1.2x2.3x1"
    found, run = f.make(counterexample(tape, "single-handler"))
    whole = "\n".join(redelivery.tell(run.history))
    assert "slow has handled entry 1" in whole
    assert "slow has handled entry 1" not in "\n".join(found.story)
    assert "quick claims entry 1 from slow" in "\n".join(found.story)


def test_what_breaks_nothing_is_no_finding() -> None:
    with pytest.raises(ValueError, match="does not break no-orphan"):
        f.make(counterexample("redelivery-1:crash-before-ack:repaired:redis-8.6::"))


def test_a_changed_run_is_told_in_one_line(orphan: f.Finding) -> None:
    slower = "redelivery-1:crash-before-ack:broken:redis-8.6:entries=1,handle_ms=250:1.2.3x1"
    line = orphan.changed(simulate(find("crash-before-ack"), tape=parse(slower)))
    assert "\n" not in line
    assert line.startswith("the run still breaks no-orphan, but it is not the run that was found: 46 events with hash ")
    assert f"not 46 with {orphan.history_hash}" in line
    assert "the story parts at '3.     250 ms  worker-a crashes" in line
    calm = simulate(find("crash-before-ack"), tape=parse("redelivery-1:crash-before-ack:broken:redis-8.6::"))
    other = replace(orphan, versions={"redelivery": "0.0.9", "redis-py": orphan.versions["redis-py"]})
    line = other.changed(calm)
    assert line.startswith("the run no longer breaks no-orphan, but")
    assert f"redelivery was 0.0.9 and is {redelivery.__version__}" in line
    assert "redis-py was" not in line


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (lambda text: text[:200], "f.json, line .*: not JSON; was the finding cut?"),
        (lambda text: "[]", "f.json is not a finding"),
        (lambda text: text.replace('"finding"', '"history"'), "f.json is not a finding"),
        (lambda text: text.replace('"version": 1', '"version": 2'), "version 2; this Redelivery reads 1"),
        (lambda text: text.replace('"event": 46', '"event": "x"'), "the finding's 'event' is 'x', it must be a whole"),
        (lambda text: text.replace('"kind": "safety"', '"kind": "bad"'), "must be one of: safety, liveness"),
        (lambda text: text.replace("redelivery-1:", "redelivery-9:", 1), "the tape has format 'redelivery-9'"),
        (lambda text: text.replace('"story"', '"storey"'), "the finding's 'story' is None, it must be a list"),
    ],
)
def test_a_spoilt_file_is_named(spoil: Callable[[str], str], says: str, orphan: f.Finding, tmp_path: Path) -> None:
    (tmp_path / "f.json").write_text(spoil(orphan.lines()))
    with pytest.raises(BadInput, match=says.replace("?", r"\?")):
        f.read(tmp_path / "f.json")


def test_files_that_are_not_there_or_no_text_are_named(orphan: f.Finding, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"cannot read the finding .*: No such file"):
        f.read(tmp_path / "none.json")
    (tmp_path / "b").write_bytes(b"\xff\xfe{")
    with pytest.raises(BadInput, match="not UTF-8"):
        f.read(tmp_path / "b")
    with pytest.raises(BadInput, match=r"cannot write the finding to .*: No such file"):
        orphan.write(tmp_path / "no" / "f.json")


# ---- lassos ----


async def poll(redis: Any, me: str) -> None:
    for _, entries in await redis.xreadgroup("g", me, {"s": ">"}, count=1):
        for entry_id, fields in entries:
            await handle(entry_id, fields)
            await redis.xack("s", "g", entry_id)
    await sleep(500)


def polling(params: Any) -> Plan:
    return Plan(
        processes=[
            Process("a", poll, restart=None, handle_ms=2000),
            *(Process(name, poll, start_ms=100) for name in ("b", "c")),
        ],
        setup=[("XADD", "s", "*", "n", "1"), ("XGROUP", "CREATE", "s", "g", "0")],
        faults=[Crash("a", when="holding")],
        faults_ms=1000,
        within_ms=9000,
    )


POLLING = Scenario(
    "polling", "Two pollers wake at the same moment, again and again, and nobody claims.",
    {"broken": Variant("as it is", polling, violates="no-orphan")}, properties=["no-orphan"],
)  # fmt: skip


class Contrary:
    """Always the last answer: the crash as soon as it can be, and the pollers the other way round."""

    def __init__(self) -> None:
        self.answers: list[int] = []

    def choose(self, n: int, label: str, weights: Sequence[int] | None = None) -> int:
        if n > 1:
            self.answers.append(n - 1)
        return n - 1


def lasso_of_pollers() -> tuple[Counterexample, tuple[int, ...]]:
    """The prefix and one round of 500 ms, and the whole tape of the run that goes round and round."""
    world, policy = build(POLLING, "broken", "redis-8.6", {})[0], Contrary()
    ends: dict[int, int] = {}
    while steps := world.enabled():
        ends.setdefault(steps[0].at_ms // 500, len(policy.answers))
        world.take(steps[policy.choose(len(steps), "step")], policy)
    whole = tuple(policy.answers)
    begin, end = ends[6], ends[7]
    assert end - begin >= 2, "the pollers' order is decided in each round"
    example = Counterexample(
        "polling", "broken", "redis-8.6", {}, whole[:end], "no-orphan", LIVENESS, loop_start=begin, loop_end=end,
        loop_ms=500,
    )  # fmt: skip
    return example, whole


def test_a_lasso_becomes_a_tape_that_goes_round_until_the_run_is_over() -> None:
    lasso, whole = lasso_of_pollers()
    found, run = f.make(lasso, POLLING)
    assert found.tape.choices == whole
    assert len(whole) > 2 * len(lasso.choices)
    assert run.sim_ms > 9000
    assert found.lasso == {"loop_start": lasso.loop_start, "loop_end": lasso.loop_end, "loop_ms": 500}
    assert f.load(found.lines(), "f") == found
    assert found.changed(simulate(POLLING, tape=found.tape)) == ""


def test_a_loop_without_decisions_goes_round_by_itself() -> None:
    tape = parse(ORPHAN)
    n = len(tape.choices)
    still = counterexample(kind=LIVENESS, loop_start=n, loop_end=n, loop_ms=2001)
    assert f.make(still)[0].tape.choices == tape.choices


# ---- in a test ----


def test_a_finding_in_a_test_fails_until_it_is_mended(orphan: f.Finding, tmp_path: Path) -> None:
    assert orphan.test_line() == f'redelivery.assert_holds("{ORPHAN}", "no-orphan")'
    with pytest.raises(AssertionError, match="no-orphan is violated at 10005 ms") as told:
        eval(orphan.test_line())
    assert "worker-a crashes while it handles entry 1" in str(told.value)
    mended = ORPHAN.replace("broken", "repaired")
    assert redelivery.assert_holds(mended).violations == []
    orphan.write(tmp_path / "f.json")
    with pytest.raises(AssertionError, match="handled-at-least-once"):
        redelivery.assert_holds(tmp_path / "f.json")
    with pytest.raises(AssertionError, match="no-orphan"):
        redelivery.assert_holds(str(tmp_path / "f.json"), "no-orphan")
    assert redelivery.assert_holds(ORPHAN, "single-handler").violations


def test_a_tape_that_does_not_fit_mended_code_is_tried_as_far_as_it_fits() -> None:
    long = Tape("crash-before-ack", "repaired", "redis-8.6", {"entries": "1"}, (9, 1, 2, 1, 1, 1, *(1,) * 200))
    with pytest.raises(BadInput, match="does not fit"):
        simulate(find("crash-before-ack"), tape=long)
    run = redelivery.assert_holds(long)
    assert run.tape.choices[:2] == (0, 1)


def test_what_is_known_to_break_can_be_pinned() -> None:
    assert redelivery.assert_violates(ORPHAN, "no-orphan").verdict == "violated"
    with pytest.raises(AssertionError, match="does not break single-handler; it breaks handled-at-least-once, no-orph"):
        redelivery.assert_violates(ORPHAN, "single-handler")
    with pytest.raises(BadInput, match="does not fit"):
        redelivery.assert_violates(ORPHAN + ".9", "no-orphan")


# ---- the hunt ----


@pytest.mark.parametrize("method", ["random", "pct", "swarm", "hypothesis"])
def test_every_search_ends_in_the_same_finding(method: str) -> None:
    done = hunt(Start(find("crash-before-ack"), "broken"), method, seed=1, runs=60)
    assert done.finding is not None
    assert str(done.finding.tape) == ORPHAN
    assert done.fewer == {0: 60}
    assert done.finding.found_by["search"] == method
    assert done.finding.size["faults"] == 1


def test_fewer_faults_are_tried_first() -> None:
    """Two crashes allowed, and the search strikes eagerly: one is enough."""
    scenario = find("crash-before-ack")
    plan = scenario.variant("broken").plan

    def eager(params: Any) -> Any:
        given = plan(params)
        return replace(given, faults=[replace(given.faults[0], budget=4)])

    own = replace(scenario, variants={"broken": replace(scenario.variant("broken"), plan=eager)})
    done = hunt(Start(own, "broken"), "random", runs=60)
    assert done.search.found is not None
    assert done.search.found.course.counts.faults > 1
    assert done.minimal is not None
    assert done.minimal.course.counts.faults == 1
    assert list(done.fewer) == [0]


def test_nothing_found_is_nothing_kept(tmp_path: Path) -> None:
    start = Start(find("crash-before-ack"), "repaired")
    done = hunt(start, "random", runs=5, memory=Memory(tmp_path))
    assert (done.finding, done.minimal, done.first) == (None, None, "")
    assert Memory(tmp_path).of(start) == []


def test_what_was_found_is_remembered_and_tried_first_and_forgotten_when_mended(tmp_path: Path) -> None:
    start, memory = Start(find("crash-before-ack"), "broken"), Memory(tmp_path)
    first = hunt(start, "hypothesis", runs=60, memory=memory)
    assert first.search.method == "hypothesis"
    again = hunt(start, "hypothesis", runs=60, memory=Memory(tmp_path))
    assert (again.search.method, again.search.remembered, again.search.runs) == ("memory", 1, 1)
    assert first.finding is not None
    assert again.finding is not None
    assert again.finding.tape == first.finding.tape
    mended = replace(start.scenario, variants={"broken": start.scenario.variant("repaired")})
    done = hunt(Start(mended, "broken"), "random", runs=5, memory=memory)
    assert (done.search.method, done.search.verdict) == ("random", "incomplete")
    assert memory.of(start) == []


def test_what_was_found_with_other_settings_is_no_answer(tmp_path: Path) -> None:
    known = find("crash-before-ack")
    mended = replace(known, variants={"broken": known.variant("repaired")})
    start, memory = Start(mended, "broken"), Memory(tmp_path)
    for params in ("", "entries=1", "entries=9", "handle_ms=250", "gone=1"):
        memory.keep(start, parse(f"redelivery-1:crash-before-ack:broken:redis-8.6:{params}:1.2.3x1"))
    for given, tried in (({}, 2), ({"handle_ms": "250"}, 1), ({"entries": "1"}, 1), ({"entries": "9"}, 3)):
        done = hunt(replace(start, params=given), "random", runs=1, memory=memory)
        assert done.search.method == "random"
        kept = {str(tape) for tape in memory.of(start)}
        assert len(kept) == 5 - tried, given
        for tape in ("entries=1", "", "entries=9", "handle_ms=250"):
            memory.keep(start, parse(f"redelivery-1:crash-before-ack:broken:redis-8.6:{tape}:1.2.3x1"))
    hunt(start, "random", runs=1, memory=memory, only="ids-increase")
    assert len(memory.of(start)) == 5, "what is not asked for may still be broken"


def test_a_database_that_is_a_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "f").write_text("")
    with pytest.raises(BadInput, match=r"the example database .* is a file"):
        Memory(tmp_path / "f")
