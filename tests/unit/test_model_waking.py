"""Blocking and its end: who waits, who is served in which order, who gives up when."""

from __future__ import annotations

from random import Random

import pytest
from redelivery.models.commands import waking
from redelivery.models.dialects import DIALECTS
from redelivery.models.replies import BLOCKED, NIL_ARRAY, Map, Reply
from redelivery.models.server import Server
from redelivery.models.snapshot import snapshot

NOW = 1_700_000_000_000
EACH = pytest.mark.parametrize("dialect", DIALECTS)
OLD = pytest.mark.parametrize("dialect", ["redis-6.2", "redis-7.0"])


class Crowd:
    """A server and sessions by name."""

    def __init__(self, dialect: str, names: str = "abcd") -> None:
        self.server = Server(dialect)
        self.producer = self.server.open()
        self.sessions = {name: self.server.open() for name in names}
        self.do("XGROUP CREATE k g 0 MKSTREAM", "XGROUP CREATE l g 0 MKSTREAM")

    def do(self, *lines: str, now_ms: int = NOW) -> Reply:
        reply: Reply = ()
        for line in lines:
            reply, _ = self.server.execute(self.producer, line.encode().split(), now_ms)
        return reply

    def block(self, line: str, names: str = "abcd", now_ms: int = NOW) -> None:
        for name in names:
            argv = line.replace("ME", name).encode().split()
            assert self.server.execute(self.sessions[name], argv, now_ms)[0] is BLOCKED

    def served(self) -> list[tuple[str, list[str]]]:
        """Who was served since the last call, each with the IDs, key by key."""
        names = {session: name for name, session in self.sessions.items()}
        return [(names[served.session], _ids(served.reply)) for served in self.server.take_served()]


def _ids(reply: Reply) -> list[str]:
    if not isinstance(reply, Map):
        return [str(reply)]
    found = []
    for key, entries in reply.pairs:
        assert isinstance(key, bytes)
        assert isinstance(entries, tuple)
        found += [f"{key.decode()}:{entry[0].decode()}" for entry in entries]
    return found


@EACH
def test_one_entry_serves_who_has_waited_longest(dialect: str) -> None:
    crowd = Crowd(dialect)
    crowd.block("XREADGROUP GROUP g ME BLOCK 0 STREAMS k >", "bacd")
    for at, name in enumerate("bacd", 1):
        crowd.do(f"XADD k {at}-1 f v")
        assert crowd.served() == [(name, [f"k:{at}-1"])]
    assert crowd.server.waiting == {}


@EACH
def test_every_plain_reader_is_served_in_the_order_of_blocking(dialect: str) -> None:
    crowd = Crowd(dialect)
    crowd.block("XREAD BLOCK 0 STREAMS k $", "dacb")
    crowd.do("XADD k 1-1 f v")
    assert crowd.served() == [(name, ["k:1-1"]) for name in "dacb"]


@EACH
def test_groups_and_readers_stand_in_one_queue(dialect: str) -> None:
    crowd = Crowd(dialect)
    crowd.block("XREADGROUP GROUP g ME BLOCK 0 STREAMS k >", "a")
    crowd.block("XREAD BLOCK 0 STREAMS k $", "b")
    crowd.block("XREADGROUP GROUP g ME BLOCK 0 STREAMS k >", "c")
    crowd.block("XREAD BLOCK 0 STREAMS k $", "d")
    crowd.do("XADD k 1-1 f v")
    assert [name for name, _ in crowd.served()] == ["a", "b", "d"]
    assert crowd.server.waiting == {b"k": [crowd.sessions["c"]]}


@EACH
def test_a_transaction_serves_after_its_end(dialect: str) -> None:
    crowd = Crowd(dialect)
    crowd.block("XREADGROUP GROUP g ME COUNT 2 BLOCK 0 STREAMS k >", "abc")
    crowd.do("MULTI", "XADD k 1-1 f v", "XADD k 2-1 f v", "XADD k 3-1 f v")
    assert crowd.served() == []
    crowd.do("EXEC")
    assert crowd.served() == [("a", ["k:1-1", "k:2-1"]), ("b", ["k:3-1"])]


@pytest.mark.parametrize(
    ("dialect", "found"),
    [("redis-6.2", ["l:1-1"]), ("redis-7.0", ["l:1-1"]), ("redis-8.6", ["k:2-1", "l:1-1"])],
)
def test_two_keys_filled_at_once(dialect: str, found: list[str]) -> None:
    crowd = Crowd(dialect)
    crowd.block("XREADGROUP GROUP g ME BLOCK 0 STREAMS k l > >", "a")
    crowd.do("MULTI", "XADD l 1-1 f v", "XADD k 2-1 f v", "EXEC")
    assert crowd.served() == [("a", found)]
    assert crowd.server.waiting == {}


@pytest.mark.parametrize(("dialect", "count"), [("redis-6.2", 1000), ("redis-7.0", 1000), ("redis-8.6", 1100)])
def test_how_much_a_woken_reader_gets(dialect: str, count: int) -> None:
    crowd = Crowd(dialect)
    crowd.block("XREAD BLOCK 0 STREAMS k $", "a")
    crowd.do("MULTI", *(f"XADD k {at}-1 f v" for at in range(1, 1101)), "EXEC")
    ((_, found),) = crowd.served()
    assert len(found) == count


@OLD
def test_of_a_key_given_twice_the_first_position_counts(dialect: str) -> None:
    crowd = Crowd(dialect)
    crowd.block("XREAD BLOCK 0 STREAMS k k 9-9 5-1", "a")
    crowd.do("XADD k 6-1 f v")
    assert crowd.served() == []
    crowd.do("XADD k 10-1 f v")
    assert crowd.served() == [("a", ["k:10-1"])]


def test_later_releases_read_both_positions_of_a_key_given_twice() -> None:
    crowd = Crowd("redis-8.6")
    crowd.block("XREAD BLOCK 0 STREAMS k k 9-9 5-1", "a")
    crowd.do("XADD k 6-1 f v")
    assert crowd.served() == [("a", ["k:6-1"])]


def test_who_is_woken_in_vain_keeps_the_order_and_the_deadline() -> None:
    crowd = Crowd("redis-8.6")
    crowd.block("XREADGROUP GROUP g ME BLOCK 100 STREAMS k >", "abc")
    crowd.do("XADD k 1-1 f v", now_ms=NOW + 60)
    assert crowd.served() == [("a", ["k:1-1"])]
    assert crowd.server.waiting == {b"k": [crowd.sessions["b"], crowd.sessions["c"]]}
    assert crowd.server.next_deadline() == NOW + 101
    assert crowd.server.is_quiet(NOW + 100)
    assert not crowd.server.is_quiet(NOW + 101)
    crowd.do("SET other v PX 50", now_ms=NOW + 60)
    assert not crowd.server.is_quiet(NOW + 100), "a key goes before, which may wake somebody"
    crowd.do("DEL other", now_ms=NOW + 60)
    crowd.do("XADD k 2-1 f v", now_ms=NOW + 60)
    assert crowd.served() == [("b", ["k:2-1"])]


@EACH
def test_who_blocks_again_goes_to_the_tail(dialect: str) -> None:
    crowd = Crowd(dialect)
    crowd.block("XREADGROUP GROUP g ME BLOCK 0 STREAMS k >", "ab")
    crowd.do("XADD k 1-1 f v")
    crowd.served()
    crowd.block("XREADGROUP GROUP g ME BLOCK 0 STREAMS k >", "a")
    crowd.do("XADD k 2-1 f v", "XADD k 3-1 f v")
    assert crowd.served() == [("b", ["k:2-1"]), ("a", ["k:3-1"])]


@EACH
def test_the_deadline_must_be_over(dialect: str) -> None:
    crowd = Crowd(dialect)
    crowd.block("XREAD BLOCK 50 STREAMS k $", "b")
    crowd.block("XREAD BLOCK 20 STREAMS k $", "a")
    crowd.block("XREAD BLOCK 0 STREAMS k $", "c")
    assert crowd.server.next_deadline() == NOW + 21
    crowd.server.expire(NOW + 20)
    assert crowd.served() == []
    crowd.server.expire(NOW + 51)
    assert crowd.served() == [("a", [str(NIL_ARRAY)]), ("b", [str(NIL_ARRAY)])]
    assert crowd.server.next_deadline() is None
    assert crowd.server.waiting == {b"k": [crowd.sessions["c"]]}


@EACH
def test_who_hangs_up_waits_no_more(dialect: str) -> None:
    crowd = Crowd(dialect)
    crowd.block("XREADGROUP GROUP g ME BLOCK 0 STREAMS k l > >", "ab")
    crowd.server.close(crowd.sessions["a"])
    crowd.do("XADD l 1-1 f v")
    assert crowd.served() == [("b", ["l:1-1"])]
    assert crowd.server.waiting == {}


@EACH
def test_a_blocked_session_may_not_send(dialect: str) -> None:
    crowd = Crowd(dialect)
    crowd.block("XREAD BLOCK 0 STREAMS k $", "a")
    with pytest.raises(AssertionError, match="blocked"):
        crowd.server.execute(crowd.sessions["a"], [b"PING"], NOW)


@EACH
def test_nothing_blocks_in_a_transaction(dialect: str) -> None:
    crowd = Crowd(dialect)
    reply = crowd.do("MULTI", "XREAD BLOCK 0 STREAMS k $", "EXEC")
    assert reply == (NIL_ARRAY,)


def test_a_stream_that_is_made_empty_tells_a_reader_whose_group_went_with_the_old_one() -> None:
    """Up to 6.2 a reader sleeps on when its key is deleted; the next stream there wakes it, entries or not."""
    crowd = Crowd("redis-6.2", "a")
    crowd.block("XREADGROUP GROUP g ME BLOCK 0 STREAMS k >", "a")
    crowd.do("DEL k")
    assert crowd.server.take_served() == []
    crowd.do("XGROUP CREATE k other 0 MKSTREAM")
    (served,) = crowd.server.take_served()
    assert b"the consumer group this client was blocked on no longer exists" in getattr(served.reply, "text", b"")


LINES = (
    "XADD k * f v", "XADD k * f v", "XADD l * f v", "XREADGROUP GROUP g ME BLOCK 50 STREAMS k >",
    "XREADGROUP GROUP g ME COUNT 2 BLOCK 0 STREAMS k >", "XREADGROUP GROUP h ME BLOCK 70 STREAMS k >",
    "XREADGROUP GROUP g ME BLOCK 60 STREAMS k l > >", "XREADGROUP GROUP g ME BLOCK 60 STREAMS k k > >",
    "XREADGROUP GROUP g ME CLAIM 20 BLOCK 90 STREAMS k >", "XREAD BLOCK 40 STREAMS k $", "BLPOP k 1",
    "XGROUP SETID k g 0", "XGROUP DELCONSUMER k g a", "XGROUP DESTROY k h", "XGROUP CREATE k h $ MKSTREAM",
    "XREADGROUP GROUP g ME BLOCK 90 STREAMS l >", "PEXPIRE l 30", "DEL k", "XGROUP CREATE k g 0 MKSTREAM",
    "XTRIM k MAXLEN 1", "XACK k g 1-1", "CLIENT UNBLOCK 3",
)  # fmt: skip


def story(dialect: str, seed: int) -> list[object]:
    """What comes of random commands of four sessions: replies, facts, queues, deadlines, who was served, the end."""
    chance, crowd, now_ms = Random(seed), Crowd(dialect), NOW
    server, told = crowd.server, list[object]()
    for _ in range(250):
        now_ms += chance.randrange(12)
        name = chance.choice("abcd")
        session = server.sessions.get(crowd.sessions[name])
        if session is None:
            crowd.sessions[name] = server.open()
        elif session.wait is None:
            argv = chance.choice(LINES).replace("ME", name).encode().split()
            told.append(server.execute(session.id, argv, now_ms))
        elif not chance.randrange(9):
            server.close(session.id)
        deadline_ms = server.next_deadline()
        waits = [session.wait for session in server.sessions.values() if session.wait is not None]
        least = min((wait.deadline_ms for wait in waits if wait.deadline_ms is not None), default=None)
        if not any(database.claims or database.expires for database in server.databases.values()):
            assert deadline_ms == (None if least is None else least + 1)
        if deadline_ms is not None and deadline_ms <= now_ms:
            server.expire(now_ms)
        told += [server.take_served(), str(server.waiting), [str(wait) for wait in waits], deadline_ms]
    return [*told, snapshot(server)]


@pytest.mark.parametrize("dialect", ["redis-7.2", "redis-8.6", "valkey-9.1"])
def test_a_reader_that_would_find_nothing_is_as_if_it_had_run_again(
    dialect: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    short = [story(dialect, seed) for seed in range(6)]
    monkeypatch.setattr(waking, "_finds_nothing", lambda *_: False)
    assert short == [story(dialect, seed) for seed in range(6)]
