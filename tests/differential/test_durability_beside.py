"""What strings, hashes, sets and sorted sets tell the disk and replicas, against real servers, to the byte."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

import pytest
from redelivery.models.append_only_file import commands, lines
from redelivery.models.journal import DISK, EVERYWHERE, REPLICAS, Argv, Journal
from redelivery.models.server import Server
from redelivery.sim.real.virtual_clock import START_MS

from .durable_runs import meaningful
from .servers_at_hand import servers_named
from .test_durability import FILE, REPLICATION, RawReplica, Real, cannot_replicate, pytestmark
from .test_wire_beside import drawn

__all__ = ["pytestmark"]
COMMANDS = 1_500


@pytest.fixture(scope="module", params=servers_named(), ids=lambda binary: f"{binary.line}-{binary.version}")
def real(request: pytest.FixtureRequest) -> Iterator[Real]:
    found = Real(request.param, {**FILE, **REPLICATION})
    yield found
    found.close()


def answer(real: Real, wanted: list[Argv]) -> None:
    for argv in wanted:
        real.control.call(*argv)


def told_by_model(real: Real, wanted: list[Argv], target: int) -> list[Argv]:
    server = Server(real.dialect)
    server.journal = Journal(EVERYWHERE)
    session = server.open()
    for argv in wanted:
        server.execute(session, argv, START_MS)
    return meaningful(lines(server.journal.take(), real.dialect, target, selected=0))


def test_what_is_kept_beside_streams_is_told_alike(real: Real) -> None:
    """Random commands of all families: what changed nothing tells nothing, times are told as deadlines."""
    chance = Random(7)
    wanted: list[Argv] = [tuple(word.encode() for word in drawn(chance)) for _ in range(COMMANDS)]
    real.clock.set(START_MS)
    seen = len(commands(real.file())[0])
    if cannot_replicate(real):
        answer(real, wanted)
        read = None
    else:
        with RawReplica(real.server) as replica:
            answer(real, wanted)
            read = replica.read_on(real.control)
    on_disk = commands(real.file())[0][seen:]
    assert len(on_disk) > COMMANDS // 10
    assert_same(meaningful(on_disk), told_by_model(real, wanted, DISK))
    if read is not None:
        assert_same(meaningful(read), told_by_model(real, wanted, REPLICAS))


def assert_same(theirs: list[Argv], ours: list[Argv]) -> None:
    at = next((at for at, (a, b) in enumerate(zip(theirs, ours, strict=False)) if a != b), min(len(theirs), len(ours)))
    assert theirs[at : at + 3] == ours[at : at + 3], f"after {theirs[max(at - 3, 0) : at]}"
