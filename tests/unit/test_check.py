"""The model checker on the shipped scenarios: verdicts, exact counts, counterexamples, and what it refuses."""

from __future__ import annotations

from dataclasses import replace
from itertools import count
from typing import Any

import pytest
from redelivery.models import blocking, databases, followed, group, lists, node, server, session, stream
from redelivery.sim.catalogue import find, shipped
from redelivery.sim.check.check import as_declared, check
from redelivery.sim.check.everything import check_all, names
from redelivery.sim.check.interning import Interned, tagged
from redelivery.sim.check.parts import WORDS
from redelivery.sim.check.reductions import ALL, DEFAULT, parse
from redelivery.sim.errors import BadInput, ScenarioError
from redelivery.sim.events import Handled, Handling
from redelivery.sim.plan import Params, Plan, Process
from redelivery.sim.requests import now, sleep
from redelivery.sim.run import simulate
from redelivery.sim.scenario import Scenario, Variant
from redelivery.sim.tape import parse as parse_tape
from redelivery.sim.watch import Monitor, Property

SMALL = [
    ("crash-before-ack", "broken", {"entries": "1"}),
    ("crash-before-ack", "repaired", {"entries": "1"}),
    ("slow-handler-claimed", "broken", {"entries": "1"}),
    ("slow-handler-claimed", "repaired", {"entries": "1"}),
    ("event-sourcing", "double-spend", {}),
    ("group-world", "broken", {"entries": "2", "consumers": "2"}),
    ("group-world", "repaired", {"entries": "1", "consumers": "2"}),
]


@pytest.mark.parametrize(("name", "variant", "params"), SMALL)
def test_a_check_shows_the_declared_verdict_and_the_same_numbers_again(
    name: str, variant: str, params: dict[str, str]
) -> None:
    scenario = find(name)
    result = check(scenario, variant, params=params)
    assert as_declared(result, scenario.variant(variant))
    assert result == check(scenario, variant, params=params)
    deep = check(scenario, variant, params=params, search="dfs")
    assert deep.verdict == result.verdict
    everything = check(scenario, variant, params=params, reduce=ALL)
    assert (everything.verdict, everything.property_name) == (result.verdict, result.property_name)
    if result.verdict == "holds":
        assert (deep.states, deep.transitions) == (result.states, result.transitions)


@pytest.mark.parametrize(("name", "variant", "params"), [row for row in SMALL if row[1] in ("broken", "double-spend")])
@pytest.mark.parametrize("reduce", [DEFAULT, ALL], ids="+".join)
def test_a_counterexample_is_a_tape_that_the_simulator_runs(
    name: str, variant: str, params: dict[str, str], reduce: tuple[str, ...]
) -> None:
    result = check(find(name), variant, params=params, reduce=reduce)
    assert result.counterexample is not None
    run = simulate(find(name), tape=result.counterexample.tape)
    found = {violation.property: violation.message for violation in run.violations}
    assert found[result.counterexample.property_name] == result.counterexample.message
    assert result.steps


def test_whoever_can_take_anothers_place_did_what_the_other_did() -> None:
    result = check(find("group-world"), "repaired", params={"entries": "1", "consumers": "2"})
    assert result.coverage["never_ran"] == []
    done = {name: [text for text in result.coverage["taken"] if name in text] for name in ("c1", "c2")}
    assert [text.replace("c1", "c2") for text in done["c1"]] == done["c2"]
    assert "fault: c2 crashes" in done["c2"]


def test_time_is_told_by_parts_and_none_of_it_is_lost() -> None:
    ticks = count(1)
    result = check(
        find("group-world"), "repaired", params={"entries": "1", "consumers": "2"}, clock=lambda: float(next(ticks))
    )
    assert set(result.parts) == set(WORDS)
    assert all(result.parts.values())
    assert result.seconds - 3 <= sum(result.parts.values()) <= result.seconds
    assert not any(check(find("group-world"), "broken", params={"entries": "1"}).parts.values())


def scenario_of(turn: Any, *properties: Property, **plan: Any) -> Scenario:
    variant = Variant(
        "it",
        lambda params: Plan(
            processes=[Process("p", turn)], setup=[("XGROUP", "CREATE", "s", "g", "$", "MKSTREAM")],
            **{"faults_ms": 0, "within_ms": 20, **plan},
        ),
        properties=properties,
    )  # fmt: skip
    return Scenario("mine", "Mine.", {"it": variant})


async def claims(redis: Any, me: str) -> None:
    await redis.xautoclaim("s", "g", me, 700, "0-0")
    await sleep(5)


def test_a_threshold_above_the_declared_one_stops_the_check() -> None:
    says = r"XAUTOCLAIM asks for a min-idle time of 700 ms, and .* at most 600 ms.* \(the search ended after \d+ state"
    for search in ("bfs", "dfs"):
        with pytest.raises(ScenarioError, match=says + r"s?, with nothing broken\)"):
            check(scenario_of(claims, idle_ms_max=600), search=search)
    assert check(scenario_of(claims, idle_ms_max=700)).verdict == "holds"
    assert check(scenario_of(claims)).verdict == "holds"


def test_a_turn_that_is_not_deterministic_is_named_with_what_differed() -> None:
    calls = iter(range(10_000))

    async def fickle(redis: Any, me: str) -> None:
        await redis.xlen("s")
        await redis.xlen(f"s{next(calls)}")

    with pytest.raises(ScenarioError, match=r"process 'p' is not deterministic: .* XLEN s\d+ and not XLEN s\d+"):
        check(scenario_of(fickle))


def test_a_property_that_raises_is_named_with_its_place_and_the_tape_that_comes_to_it() -> None:
    class Raises(Monitor):
        def on_started(self, event: Any) -> str | None:
            raise ValueError("no,\nnever")

    at_once = scenario_of(claims, Property("raises", "always", "it raises", Raises))
    says = r"property 'raises' raised ValueError at event \d+: no, never \(.*\.py, line \d+\)"
    with pytest.raises(BadInput, match=says):
        check(at_once)


@pytest.mark.parametrize("how", [{}, {"reduce": ()}, {"search": "dfs"}])
def test_a_property_that_raises_late_is_told_with_a_tape_that_comes_to_it(how: dict[str, Any]) -> None:
    """What a search says of it is what a simulation of the tape says: the same event, and nothing of abstractions."""

    class Looks(Monitor):
        def __init__(self) -> None:
            self.owners: dict[int, bytes] = {}

        def on_claimed(self, fact: Any, event: Any) -> str | None:
            return None if self.owners[fact.id] else "nobody's"

    base = find("crash-before-ack")
    rule = Property("has-owner", "always", "who claims it takes it from somebody", Looks)
    scenario = replace(base, properties=[*base.properties, rule])
    with pytest.raises(BadInput, match=r"\(the search ended after [\d,]+ states, with nothing broken\)") as raised:
        check(scenario, "repaired", params={"entries": "1"}, **how)
    told, tape = str(raised.value).split("; it does so again with: redelivery replay ")
    with pytest.raises(BadInput) as again:
        simulate(scenario, tape=parse_tape(tape))
    assert told.startswith(str(again.value))


def test_a_frozen_world_in_which_nobody_stops_has_no_bounds() -> None:
    with pytest.raises(BadInput, match="the scenario has no bounds"):
        check(scenario_of(claims, frozen=True))


def test_a_process_that_reads_its_clock_is_checked_exactly_and_the_report_says_so() -> None:
    async def reads(redis: Any, me: str) -> None:
        await now()
        await sleep(5)

    result = check(scenario_of(reads))
    assert result.verdict == "holds"
    assert result.notes == ("states are compared exactly: process 'p' reads its clock",)


def test_a_property_that_keeps_times_is_checked_exactly() -> None:
    class Keeps(Monitor):
        def __init__(self) -> None:
            self.at_ms = 0

        def on_started(self, event: Any) -> str | None:
            self.at_ms = event.at_ms
            return None

    result = check(scenario_of(claims, Property("keeps", "always", "it keeps a time", Keeps)))
    assert result.notes == ("states are compared exactly: property 'keeps' goes by times",)


def test_a_bound_on_the_depth_is_never_a_pass() -> None:
    result = check(find("crash-before-ack"), "repaired", params={"entries": "2"}, depth=10)
    assert result.verdict == "incomplete"
    assert result.depth == 10
    assert "bounded" in result.notes[-1]


def test_without_reductions_worlds_are_compared_to_the_last_digit() -> None:
    params = {"entries": "1", "min_idle_ms": "-3000"}
    exact = check(find("crash-before-ack"), "broken", params=params, reduce=())
    reduced = check(find("crash-before-ack"), "broken", params=params)
    assert exact.states > reduced.states
    assert (exact.verdict, exact.property_name, exact.depth) == (reduced.verdict, reduced.property_name, reduced.depth)
    assert len(exact.steps) == len(reduced.steps)


def test_reductions_are_named_on_the_command_line() -> None:
    assert parse("none", ()) == ()
    assert parse("all", ()) == ALL
    assert parse("default", ()) == parse(None, ()) == DEFAULT
    assert parse("all", ("local",)) == tuple(name for name in ALL if name != "local")
    assert parse(None, ("zones",)) == ()
    assert parse(None, ("symmetry",)) == parse("zones", ()) == ("zones",)
    with pytest.raises(BadInput, match="unknown reduction 'zone'; did you mean 'zones'"):
        parse("zone", ())
    assert parse("all", ("zones",)) == ()


def test_nothing_of_a_server_is_left_out_of_a_state_unawares() -> None:
    """Whoever gives a server a new part teaches ``sim/check/servers.py`` to keep it, then adds it here."""
    known: dict[Any, str] = {
        server.Server: "_next_session _subcommands _table config journal pubsub read_lines",
        followed.Followed: "survivors",
        blocking.Blocking: "_first_ms _quiet_ms _served",
        databases.Keyspace: "_being_served _births _ready databases dialect expires keys obeys selected "
        "sessions waiting watchers",
        databases.Database: "claims expires keys waiting watchers",
        lists.List: "born items shared",
        stream.Stream: "_firsts _straight born entries_added groups idempotence last_id length max_deleted_id nodes "
        "shared slowest",
        group.Group: "consumers cursor entries_read epoch name newest_ms pel shared turns",
        group.Pending: "consumer count delivered_ms turn",
        group.Consumer: "active_ms name pel seen_ms shared",
        node.Node: "_bytes _measured _unmeasured_max ids live master_fields shared slots",
        session.Session: "apart broken database dirty id name queue resp subscriptions told wait "
        "watched",
        session.Wait: "argv claim_ms consumer count deadline_ms follow for_list group noack positions "
        "told",
    }
    for kind, slots in known.items():
        assert sorted(kind.__slots__) == slots.split()


def test_params_of_a_plan_may_declare_the_threshold() -> None:
    scenario = find("group-world")
    plan = scenario.variant("repaired").plan(Params(dict(scenario.params), {}))
    assert plan.idle_ms_max == 0


def test_values_that_python_takes_for_equal_are_told_apart() -> None:
    handling: Any = Handling(1, "p", b"s", b"g", b"1-0")
    handled: Any = Handled(1, "p", b"s", b"g", b"1-0")
    assert handling == handled
    table: Interned[Any] = Interned("events", 10, tagged)
    numbers = [table.number((value,)) for value in (handling, handled, True, 1, handling)]
    assert numbers == [0, 1, 2, 3, 0]
    with pytest.raises(OverflowError, match="more than 10 different states of events"):
        for n in range(2, 20):
            table.number((n,))


QUICK = ("crash-before-ack", "slow-handler-claimed")


def test_all_holds_every_variant_against_its_verdict_and_its_count() -> None:
    rows = check_all(names(QUICK), "redis-8.6", DEFAULT, 1, float)
    assert [(row.scenario, row.variant, row.outcome) for row in rows] == [
        (name, variant, "as declared") for name in QUICK for variant in ("broken", "repaired")
    ]
    assert all(row.states == row.declared_states for row in rows)
    assert rows[:2] == check_all(names(QUICK[:1]), "redis-8.6", DEFAULT, 2, float)


def test_every_shipped_variant_declares_its_count() -> None:
    assert all(variant.states for scenario in shipped() for variant in scenario.variants.values())


def test_what_a_property_hears_of_and_never_came_is_told() -> None:
    """Nobody crashes where no fault is left, and nothing is claimed then: what is said of it shows nothing."""
    never = check(find("group-world"), params={"entries": "1", "consumers": "1", "crashes": "0"}).coverage
    assert never["never_observed"]["crashed-busy"] == ["Crashed"]
    assert never["never_observed"]["taken-over"] == ["Claimed"]
    whole = check(find("group-world"), params={"entries": "1", "consumers": "2"}).coverage
    assert "crashed-busy" not in whole["never_observed"]
    assert "taken-over" not in whole["never_observed"]
