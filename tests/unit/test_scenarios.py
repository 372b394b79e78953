"""Every shipped scenario shows what it declares: by default, in every dialect, and whatever the seed."""

from __future__ import annotations

import re
from collections import Counter

import pytest
from redelivery.models.dialects import DIALECTS
from redelivery.sim.catalogue import find, shipped
from redelivery.sim.errors import RedeliveryError
from redelivery.sim.plan import Params
from redelivery.sim.properties import SERVER_INVARIANTS
from redelivery.sim.run import HOLDS, INCOMPLETE, simulate
from redelivery.sim.scenario import Scenario

SCENARIOS = {scenario.name: scenario for scenario in shipped()}
VARIANTS = [(scenario.name, variant) for scenario in SCENARIOS.values() for variant in scenario.variants]
SEEDS = 40
AS_DECLARED_MIN = 28
RARER = {
    "ack-lost-then-claimed": 24, "error-is-acked": 21, "failover-loses-xadd": 8, "reply-lost-claim": 15,
    "reply-lost-xadd-dup": 24,
}  # fmt: skip
"""How many of so many seeds show what is declared; fewer where one reply among many has to be the one that is lost."""

TOO = {
    ("cancelled-read-steals", "broken"): {"handled-at-least-once"},  # what nobody received, nobody handles
    ("clock-back-freezes-idle", "broken"): {"handled-at-least-once"},  # what nobody can claim, nobody handles
    ("crash-before-ack", "broken"): {"handled-at-least-once"},  # where it crashes before it has handled the order
    ("crash-before-ack-new-name", "broken"): {"handled-at-least-once"},  # the same
    ("crash-before-ack-same-name", "broken"): {"handled-at-least-once"},  # the same
    ("delconsumer-ghost", "broken"): {"handled-at-least-once"},  # where it crashed before it had handled the order
    ("error-is-acked", "broken"): {"handled-at-least-once"},  # what failed and was acknowledged is never done
    ("event-sourcing", "broken"): {"projections-agree"},  # the late projection never gets what was trimmed
    ("string-min-trim", "broken"): {"handled-at-least-once"},  # what was trimmed is never delivered
    ("last-id-zero-after-restart", "broken"): {"handled-at-least-once"},  # what is new is never asked for
    ("list-pop-crash", "broken"): {"pushed-implies-handled"},  # the same, from the producer's side
    ("orphan-never-claimed", "broken"): {"handled-at-least-once"},  # where it crashes before it has handled the order
    ("quiet-stream-no-reclaim", "broken"): {"handled-at-least-once"},  # the same
    ("reply-lost-claim", "broken"): {"handled-at-least-once"},  # what nobody received, nobody handles
    ("reply-lost-read", "broken"): {"handled-at-least-once"},  # the same
    ("trim-unacked-maxlen", "broken"): {"handled-at-least-once"},  # what was trimmed is there for no claimer
    ("trim-unacked-maxlen", "delref"): {"handled-at-least-once"},
    ("trim-undelivered-slow-group", "broken"): {"handled-at-least-once"},  # what was trimmed is never delivered
    ("trim-undelivered-slow-group", "maxlen"): {"handled-at-least-once"},
    ("zombie-renewal-steals-back", "broken"): {"no-zombie-ack"},  # who steals it back acknowledges it after the other
}
"""What a variant may break beside what it is declared to break: another way to say the same."""

EMPTY_HANDED = {
    ("failover-loses-xadd", "broken"), ("failover-loses-xadd", "other-connection"), ("half-open-read", "cut-off"),
    ("reply-lost-read", "broken"),
}  # fmt: skip
"""Where the reply that was lost may have told of nothing, or the replica have had what was promised."""

CLAIMING = [name for name, dialect in DIALECTS.items() if dialect.has((6, 2))]
"""The dialects with XAUTOCLAIM, by which every scenario takes over what a crash left behind."""


def dialects_of(name: str, variant: str) -> list[str]:
    """Where a variant shows what it declares."""
    return list(SCENARIOS[name].variants[variant].dialects) or CLAIMING


def may_break(name: str, variant: str) -> set[str]:
    violates = SCENARIOS[name].variants[variant].violates
    return TOO.get((name, variant), set()) | ({violates} if violates else set())


@pytest.mark.parametrize(
    ("name", "variant", "dialect"), [(*each, dialect) for each in VARIANTS for dialect in dialects_of(*each)]
)
def test_the_default_run_shows_the_declared_verdict(name: str, variant: str, dialect: str) -> None:
    run = simulate(find(name), variant, dialect=dialect)
    violates = run.variant.violates
    assert run.as_declared
    assert run.verdict == ("holds" if violates is None else "violated")
    assert [violation.property for violation in run.violations][:1] == ([] if violates is None else [violates])
    assert {violation.property for violation in run.violations} <= may_break(name, variant)
    assert run.unmet == []
    assert run.commands > 8


@pytest.mark.parametrize(("name", "variant"), VARIANTS)
def test_whatever_the_seed_a_run_is_as_declared_or_shows_nothing(name: str, variant: str) -> None:
    scenario = find(name)
    shown: Counter[str] = Counter()
    dialects = dialects_of(name, variant)
    for seed in range(SEEDS):
        dialect = dialects[seed % len(dialects)]
        run = simulate(scenario, variant, dialect=dialect, seed=seed)
        assert {v.property for v in run.violations} <= may_break(name, variant), f"seed {seed}, {dialect}"
        nothing = (INCOMPLETE, HOLDS) if (name, variant) in EMPTY_HANDED else (INCOMPLETE,)
        assert run.as_declared or run.verdict in nothing, f"seed {seed}, {dialect}: {run.verdict}"
        shown[run.verdict] += run.as_declared
    assert shown.total() >= RARER.get(name, AS_DECLARED_MIN), shown


@pytest.mark.parametrize(("name", "variant"), VARIANTS)
def test_every_run_checks_the_server_invariants_and_all_that_the_scenario_names(name: str, variant: str) -> None:
    scenario = find(name)
    checked = simulate(scenario, variant).properties
    assert list(checked)[: len(SERVER_INVARIANTS)] == [p.name for p in SERVER_INVARIANTS]
    for p in (*scenario.properties, *scenario.variant(variant).properties):
        assert (p if isinstance(p, str) else p.name) in checked
    assert set(checked.values()) <= {"holds", "violated", "met"}


@pytest.mark.parametrize(("name", "variant"), VARIANTS)
def test_a_variant_is_run_where_it_declares_its_verdict(name: str, variant: str) -> None:
    declared = SCENARIOS[name].variants[variant]
    assert simulate(find(name), variant).dialect == declared.dialect
    assert declared.dialect in dialects_of(name, variant)
    assert declared.dialect == "redis-8.6" or "redis-8.6" not in dialects_of(name, variant)


@pytest.mark.parametrize("scenario", SCENARIOS.values(), ids=SCENARIOS)
def test_every_scenario_says_what_it_is_about(scenario: Scenario) -> None:
    assert {"broken", "repaired"} <= set(scenario.variants)
    assert scenario.default_variant == "repaired"
    assert scenario.variants["broken"].violates is not None
    assert scenario.variants["repaired"].violates is None
    assert re.fullmatch(r"[A-Z][^.]+\.", scenario.summary), "one sentence"
    assert len(re.findall(r"[.!?](?= |$)", scenario.advice)) == 2, "two sentences"
    assert scenario.advice.endswith(".")
    assert scenario.evidence
    summaries = [variant.summary for variant in scenario.variants.values()]
    assert all(summaries)
    assert len(set(summaries)) == len(summaries)


@pytest.mark.parametrize(("name", "variant"), VARIANTS)
def test_the_budget_of_a_run_bounds_it(name: str, variant: str) -> None:
    scenario = find(name)
    plan = scenario.variant(variant).plan(Params(dict(scenario.params), {}))
    run = simulate(scenario, variant)
    assert run.budget == plan.budget()
    assert run.sim_ms <= plan.faults_ms + plan.within_ms
    there_before = any(argv[0] == "XADD" for argv in plan.setup)
    assert run.budget["turns"] or there_before, "whoever adds entries has to stop at some time"


@pytest.mark.parametrize(
    ("name", "params", "message"),
    [
        ("crash-before-ack", {"entries": "0"}, r"process 'shop': turns is 0, it must be at least 1"),
        ("crash-before-ack", {"entries": "-5"}, r"process 'shop': turns is -5, it must be at least 1"),
        ("crash-before-ack", {"min_idle_ms": "-9000"}, r"within_ms is -4000, it must be at least 0"),
        ("event-sourcing", {"late_ms": "-5"}, r"process 'late': start_ms is -5, it must be at least 0"),
        ("slow-handler-claimed", {"heartbeat_ms": "0"}, r"more than 64 commands in one turn"),
    ],
)
def test_parameters_that_make_no_world_are_refused_in_words(name: str, params: dict[str, str], message: str) -> None:
    with pytest.raises(RedeliveryError, match=message):
        simulate(find(name), params=params)


@pytest.mark.parametrize("entries", ["1", "2", "9"])
@pytest.mark.parametrize(("name", "variant"), [each for each in VARIANTS if "entries" in SCENARIOS[each[0]].params])
def test_with_more_or_fewer_entries_nothing_else_breaks(name: str, variant: str, entries: str) -> None:
    for seed in range(5):
        run = simulate(find(name), variant, params={"entries": entries}, seed=seed)
        assert {violation.property for violation in run.violations} <= may_break(name, variant)
