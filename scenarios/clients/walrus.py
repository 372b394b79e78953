"""walrus: its consumer group, in a program that blocks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from ...sim.loop.target import Target

LEASE_MS = 10_000
STREAM, GROUP = "orders", "workers"


def produce(jobs: Iterator[str]) -> None:
    """Adds each job to the stream."""
    from walrus import Database

    stream: Any = Database().Stream(STREAM)
    for job in jobs:
        stream.add({"job": job})


def work(name: str, handle: Callable[[str], None]) -> None:
    """Reads new entries, and claims what has been pending for too long, as its documentation has it."""
    from walrus import Database

    group: Any = Database().consumer_group(GROUP, {STREAM: "0"}, consumer=name)
    group.create(ensure_keys_exist=False, mkstream=True)
    stream = getattr(group, STREAM)
    while True:
        for _, entries in group.read(count=10, block=2000) or ():
            for entry_id, fields in entries:
                handle(fields[b"job"].decode())
                stream.ack(entry_id)
        for entry_id, fields in stream.autoclaim(name, LEASE_MS, 0)[1]:
            handle(fields[b"job"].decode())
            stream.ack(entry_id)


target = Target(
    "walrus",
    produce,
    work,
    needs=("walrus",),
    summary="Database.consumer_group, read and autoclaim in turns, in a plain function",
    lease_ms=LEASE_MS,
)
