"""Two replicas of one deployment call themselves 'worker'. The second reads the history of the first as its own."""

from __future__ import annotations

from ..sim.plan import Params, Plan, Process
from ..sim.properties.sometimes import READ_AGAIN
from ..sim.scenario import Scenario, Variant, Without
from .crash_before_ack import GROUP, STREAM, take_orders
from .crash_before_ack_same_name import history_first


def _plan(params: Params, *names: str) -> Plan:
    return Plan(
        processes=[
            Process("shop", take_orders, turns=params.entries, initial=0),
            *(
                Process(
                    f"replica-{i}", history_first, consumer=name, handle_ms=params.handle_ms, initial="0",
                    start_ms=params.apart_ms * (i - 1),
                )
                for i, name in enumerate(names, 1)
            ),
        ],
        setup=[("XGROUP", "CREATE", STREAM, GROUP, "$", "MKSTREAM")],
        faults_ms=params.entries * 400,
        within_ms=params.entries * params.handle_ms + 3000,
    )  # fmt: skip


scenario = Scenario(
    name="two-replicas-one-name",
    summary="A deployment is scaled to two; the new replica must not do the other's orders again.",
    variants={
        "broken": Variant(
            "both replicas use the consumer 'worker', and read their history after a start",
            lambda params: _plan(params, "worker", "worker"),
            violates="single-handler",
            sometimes=[READ_AGAIN],
            states=14,
        ),
        "repaired": Variant(
            "each replica has a consumer name of its own",
            lambda params: _plan(params, "worker-1", "worker-2"),
            properties=["handled-at-most-once"],
            states=37,
            safeguards={
                "names-of-their-own": Without(lambda params: _plan(params, "worker", "worker"), "single-handler"),
            },
        ),
    },
    properties=["no-entry-lost", "handled-at-least-once", "single-handler", "pel-drains"],
    params={"entries": 3, "handle_ms": 900, "apart_ms": 500},
    evidence="the worker's name is fixed in the configuration: a restart hides a death, and the other instance's job "
    "is queued again (apalis-dev/apalis PR #507)",
    advice="The owner in a pending list is a name, and two processes that share it share everything pending. Give each "
    "process a name that no other living process has.",
)
