"""Jobs wait in a list, and a worker crashes with the job that it has popped."""

from __future__ import annotations

from typing import Any

from ..models.facts import ListPushed
from ..sim.events import Event, Handled
from ..sim.plan import Crash, Params, Plan, Process, Restart, TurnFunction
from ..sim.properties.sometimes import CRASHED
from ..sim.requests import handle, sleep
from ..sim.scenario import Scenario, Variant, Without
from ..sim.watch import Monitor, Property

QUEUE = "jobs"


class PushedImpliesHandled(Monitor):
    """Collects what was put into the queue, and crosses off what was handled."""

    def __init__(self) -> None:
        self.left: dict[bytes, None] = {}

    def on_list_pushed(self, fact: ListPushed, event: Event) -> str | None:
        """Somebody must handle it."""
        if fact.key == QUEUE.encode():
            self.left.update(dict.fromkeys(fact.elements))
        return None

    def on_handled(self, event: Handled) -> str | None:
        """Done."""
        self.left.pop(event.entry, None)
        return None

    def at_end(self, at_ms: int) -> str | None:
        """What did nobody handle?"""
        return f"nobody handled {next(iter(self.left)).decode()}" if self.left else None


PUSHED_IMPLIES_HANDLED = Property(
    "pushed-implies-handled", "eventually", "every job that is put into the queue is handled", PushedImpliesHandled,
    "at the end, each element of a ListPushed fact of the queue has a Handled event",
)  # fmt: skip


async def add_jobs(redis: Any, me: str, n: int = 0) -> int:
    """Puts a job into the queue, and waits for the next."""
    await redis.lpush(QUEUE, f"job-{n + 1}")
    await sleep(400)
    return n + 1


async def pop(redis: Any, me: str) -> None:
    """Pops a job and does it; nobody but this process knows of it then."""
    popped = await redis.brpop(QUEUE, timeout=1)
    if popped:
        await handle(popped[1], stream=QUEUE)


async def move(redis: Any, me: str) -> None:
    """Moves a job to a list of its own, does it, and removes it there; what lies there from before comes first."""
    mine = f"{QUEUE}:{me}"
    job = await redis.lindex(mine, -1) or await redis.brpoplpush(QUEUE, mine, timeout=1)
    if job:
        await handle(job, stream=QUEUE)
        await redis.lrem(mine, 1, job)


def _plan(params: Params, work: TurnFunction, *, new_name: bool = False) -> Plan:
    return Plan(
        processes=[
            Process("source", add_jobs, turns=params.entries, initial=0),
            *(
                Process(name, work, handle_ms=params.handle_ms, restart=Restart(after_ms=500, new_name=new_name))
                for name in ("worker-a", "worker-b")
            ),
        ],
        faults=[Crash(("worker-a", "worker-b"), when="busy")],
        faults_ms=params.entries * 400,
        within_ms=3000,
    )


scenario = Scenario(
    name="list-pop-crash",
    summary="A worker crashes with a job that it has taken from a list; the job must be done all the same.",
    variants={
        "broken": Variant(
            "the worker pops the job, and the list knows nothing of it any more",
            lambda params: _plan(params, pop),
            violates="popped-implies-handled",
            states=187,
        ),
        "repaired": Variant(
            "the worker moves the job to a list of its own, and looks there first when it is back",
            lambda params: _plan(params, move),
            states=1383,
            safeguards={
                "moving-instead-of-popping": Without(lambda params: _plan(params, pop), "popped-implies-handled"),
                "coming-back-under-its-name": Without(
                    lambda params: _plan(params, move, new_name=True), "pushed-implies-handled"
                ),
            },
        ),
    },
    properties=["popped-implies-handled", PUSHED_IMPLIES_HANDLED],
    sometimes=[CRASHED],
    params={"entries": 5, "handle_ms": 300},
    evidence="what streams are compared with: RPOP and BRPOP hand a job over and forget it, which queues on lists "
    "have learned to get around",
    advice="A list has no pending entries: whoever pops an element is the only one to know it. Move it to a list of "
    "the worker's own with LMOVE and remove it when it is done, or use a stream with a group.",
)
