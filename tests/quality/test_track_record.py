"""Every seeded bug is found by random comparison with a real server, soon, and made small.

The track record says after how many commands and how small; REDELIVERY_TRACK_RECORD=write makes it anew. What takes
long, the search that is fond of nothing, is made only for bugs that have no such number there.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import islice

import pytest
from redelivery.models.dialects import DIALECTS
from redelivery.sim.real.diff.bench import Bench
from redelivery.sim.real.diff.story import story_of
from redelivery.sim.real.servers import ServerBinary, at_hand

from .seeded import track_record
from .seeded.catalogue import BUGS
from .seeded.faults import Bug, Lines, switched_on
from .seeded.hunting import COMMANDS_MAX, Hunter, length_of
from .seeded.track_record import PAGE, Record, page, read

pytestmark = pytest.mark.skipif(
    sys.platform != "linux" or os.uname().machine != "x86_64", reason="the virtual clock is for Linux x86-64"
)

WRITES = os.environ.get("REDELIVERY_TRACK_RECORD") == "write"

RUNS_MAX = 3
"""So many runs that show a bug are made small before it counts as larger than it was. No action can be left out of what
remains of a run, and yet another run may have less to leave: which one comes first depends on all that the generator
can draw. For the same reason it may be larger by a command or two than the least that is recorded."""

SLACK = 2

each = pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.name)


@pytest.fixture(scope="module")
def hunter_for() -> Iterator[Callable[[Bug], Hunter]]:
    """A search on the first server at hand that can tell a bug; servers are started when they are needed first."""
    servers: dict[str, ServerBinary] = {}
    for server in at_hand():
        servers.setdefault(server.dialect, server)
    hunters: dict[str, Hunter] = {}

    def hunter(bug: Bug) -> Hunter:
        dialect = next((dialect for dialect in bug.dialects if dialect in servers), None)
        if dialect is None:
            pytest.skip(f"needs a real server of {' or '.join(bug.dialects)} (`redelivery servers install`)")
        if dialect not in hunters:
            hunters[dialect] = Hunter(Bench(servers[dialect]))
        return hunters[dialect]

    yield hunter
    for known in hunters.values():
        known.close()
        known.bench.close()


@each
def test_the_bug_is_found_and_made_small(bug: Bug, hunter_for: Callable[[Bug], Hunter]) -> None:
    hunter = hunter_for(bug)
    before = read().get(bug.name)
    best: Record | None = None
    with switched_on(bug, hunter.bench.dialect):
        for caught in islice(hunter.focused(bug), RUNS_MAX):
            left = hunter.shrunk(caught)
            record = Record(
                hunter.bench.dialect,
                best.found_after if best else caught.after,
                length_of(left),
                story_of(left, caught.config),
                before.unfocused if before else None,
            )
            if best is None or record.shrunk_to < best.shrunk_to:
                best = record
            if not WRITES and before is not None and best.shrunk_to <= before.shrunk_to + SLACK:
                break
        assert best is not None, f"not found within {COMMANDS_MAX} commands"
        if WRITES:
            unfocused = best.unfocused
            if unfocused is None and not bug.apart:
                unfocused = hunter.unfocused() or 0
            track_record.write({**read(), bug.name: replace(best, unfocused=unfocused)})
    recorded = read()[bug.name].shrunk_to
    assert best.shrunk_to <= recorded + SLACK, f"it was {recorded} commands once, and is now:\n{best.story}"


@each
def test_what_was_left_of_it_tells_the_bug_and_nothing_else(bug: Bug, hunter_for: Callable[[Bug], Hunter]) -> None:
    hunter = hunter_for(bug)
    story = read()[bug.name].story
    with switched_on(bug, hunter.bench.dialect):
        assert hunter.differs(story)
    assert not hunter.differs(story)


def test_there_are_many_of_them_each_with_a_name_of_its_own() -> None:
    assert len(BUGS) >= 40
    assert len({bug.name for bug in BUGS}) == len({bug.says for bug in BUGS}) == len(BUGS)
    assert all(bug.mirrors and set(bug.dialects) <= set(DIALECTS) for bug in BUGS)


def test_the_page_tells_the_record() -> None:
    records = read()
    assert list(records) == [bug.name for bug in BUGS]
    assert page(records) == PAGE.read_text()
    assert max(record.found_after for record in records.values()) <= COMMANDS_MAX


@each
def test_a_bug_is_switched_off_again(bug: Bug) -> None:
    fault, dialect = bug.fault, bug.dialects[0]

    def model() -> object:
        return fault.function.__code__ if isinstance(fault, Lines) else DIALECTS[dialect]

    right = model()
    with pytest.raises(RuntimeError, match="stop"), switched_on(bug, dialect):
        assert model() != right
        raise RuntimeError("stop")
    assert model() is right


def test_a_model_without_a_bug_is_not_caught(hunter_for: Callable[[Bug], Hunter]) -> None:
    bug = next(bug for bug in BUGS if bug.name == "claim-keeps-idle")
    hunter = hunter_for(bug)
    assert list(hunter.focused(bug, 1000)) == []
