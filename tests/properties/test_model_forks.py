"""Forks of a server, and runs that are taken twice: nothing is shared that one side can see of the other."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from redelivery.models.dialects import DIALECTS
from redelivery.models.facts import Fact
from redelivery.models.group import Group
from redelivery.models.lists import List
from redelivery.models.replies import Blocked, encode
from redelivery.models.server import Config, Server
from redelivery.models.snapshot import snapshot
from redelivery.models.stream import Stream
from redelivery.sim.choices import Drawn
from redelivery.sim.real.diff.command_lines import CommandLines
from redelivery.sim.real.diff.draws import Draws
from redelivery.sim.real.diff.worlds import KEEPING, LISTENING, QUEUING, READING, REMOVING, Taste

SESSIONS = 4
TASTES = (
    Taste(focus=950, damaged=20),
    Taste(weights=READING, focus=950, damaged=0, block=800),
    Taste(weights=REMOVING, focus=950, damaged=0),
    Taste(weights=QUEUING, focus=700, damaged=20, block=800),
    Taste(weights=KEEPING, focus=800, damaged=20, block=800),
    Taste(weights=LISTENING, focus=800, damaged=0),
)

Answer = tuple[int, bytes, tuple[Fact, ...]]


class Side:
    """A server, and everything that it answered."""

    def __init__(self, server: Server, now_ms: int) -> None:
        self.server = server
        self.now_ms = now_ms
        self.answers: list[Answer] = []

    def run(self, steps: list[tuple[int, int, tuple[bytes, ...]]]) -> None:
        for elapsed_ms, session, argv in steps:
            self.now_ms += elapsed_ms
            self.server.expire(self.now_ms)
            if session not in self.server.sessions:  # the server closed it
                assert self.server.open() > session
            elif self.server.sessions[session].wait is None:
                reply, facts = self.server.execute(session, argv, self.now_ms)
                said = b"" if isinstance(reply, Blocked) else encode(reply, 3)
                self.answers.append((session, said, facts))
            for served in self.server.take_served():
                self.answers.append((served.session, encode(served.reply, 3), served.facts))
            if not self.server.sessions:  # all have hung up
                self.server.open()

    def chosen(self, draws: Draws, taste: Taste, count: int) -> list[tuple[int, int, tuple[bytes, ...]]]:
        """Steps that suit the state, each taken as soon as it is chosen."""
        lines = CommandLines(draws, self.server, taste)
        steps = []
        for _ in range(count):
            step = (
                draws.pick((0, 1, 7, 500), "elapsed"),
                draws.pick(sorted(self.server.sessions), "session"),
                lines.next(self.now_ms, may_block=True),
            )
            self.run([step])
            steps.append(step)
        return steps


def started(dialect: str) -> Side:
    server = Server(dialect, Config(stream_node_max_entries=3))
    for _ in range(SESSIONS):
        server.open()
    return Side(server, 1_700_000_000_000)


@pytest.mark.parametrize("dialect", DIALECTS)
@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32), st.sampled_from(TASTES))
def test_neither_side_of_a_fork_sees_the_other(dialect: str, seed: int, taste: Taste) -> None:
    draws = Draws(Drawn(seed))
    one = started(dialect)
    one.chosen(draws, taste, 40)
    two = Side(one.server.fork(), one.now_ms)
    before = snapshot(one.server)
    assert snapshot(two.server) == before

    two.chosen(draws, taste, 25)
    assert snapshot(one.server) == before
    after = snapshot(two.server)
    one.chosen(draws, taste, 25)
    assert snapshot(two.server) == after


@pytest.mark.parametrize("dialect", DIALECTS)
@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32), st.sampled_from(TASTES))
def test_a_fork_goes_on_as_the_original_does(dialect: str, seed: int, taste: Taste) -> None:
    draws = Draws(Drawn(seed))
    one = started(dialect)
    one.chosen(draws, taste, 40)
    two = Side(one.server.fork(), one.now_ms)
    one.answers.clear()
    two.run(one.chosen(draws, taste, 40))
    assert two.answers == one.answers
    assert snapshot(two.server) == snapshot(one.server)
    assert hash(snapshot(two.server)) == hash(snapshot(one.server))


@pytest.mark.parametrize("dialect", DIALECTS)
@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32))
def test_the_same_steps_give_the_same_answers_facts_and_state(dialect: str, seed: int) -> None:
    one, two = started(dialect), started(dialect)
    two.run(one.chosen(Draws(Drawn(seed)), TASTES[0], 60))
    assert one.answers == two.answers
    assert snapshot(one.server) == snapshot(two.server)


@pytest.mark.parametrize("dialect", DIALECTS)
@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32), st.sampled_from(TASTES))
def test_the_structures_agree_with_themselves(dialect: str, seed: int, taste: Taste) -> None:
    side = started(dialect)
    side.chosen(Draws(Drawn(seed)), taste, 80)
    databases = side.server.databases.values()
    for value in [value for database in databases for value in database.keys.values()]:
        assert not isinstance(value, List) or value.items, "an empty list is no key"
        if isinstance(value, Stream):
            live = [entry_id for entry_id, _ in value.ascending(0, 2**128 - 1)]
            assert value.length == len(live) == sum(node.live for node in value.nodes)
            assert live == sorted(live)
            assert live[::-1] == [entry_id for entry_id, _ in value.descending(0, 2**128 - 1)]
            assert (value.first_id(), value.last_live_id()) == ((live[0], live[-1]) if live else (0, 0))
            for group in value.groups.values():
                check_pending(group)
    blocked = {session.id for session in side.server.sessions.values() if session.wait is not None}
    assert {session for database in databases for queue in database.waiting.values() for session in queue} == blocked
    watching = {session.id for session in side.server.sessions.values() if session.watched}
    assert {session for database in databases for ids in database.watchers.values() for session in ids} == watching
    assert all(database.expires.keys() <= database.keys.keys() for database in databases)
    subscribed = {session.id: session.subscriptions for session in side.server.sessions.values()}
    counted = {session: subscriber.count() for session, subscriber in side.server.pubsub.subscribers.items()}
    assert counted == {session: count for session, count in subscribed.items() if count}


def check_pending(group: Group) -> None:
    """The group's pending entries are the disjoint union of its consumers' and of those that nobody has (XNACK)."""
    owned = {
        entry_id: (consumer.name, nack)
        for consumer in group.consumers.values()
        for entry_id, nack in consumer.pel.items()
    }
    unowned = [entry_id for entry_id, nack in group.pel.items() if nack.consumer is None]
    assert sum(len(consumer.pel) for consumer in group.consumers.values()) == len(owned)
    assert len(owned) + len(unowned) == len(group.pel)
    for entry_id, nack in group.pel.items():
        assert nack.consumer is None or owned[entry_id] == (nack.consumer, nack)
