"""What each command reports as facts: what it made true, and nothing that it did not."""

from __future__ import annotations

import pytest
from redelivery.models import facts, ids
from redelivery.models.dialects import DIALECTS
from redelivery.models.facts import Fact
from redelivery.models.replies import Failure
from redelivery.models.server import Server

NOW = 1_700_000_000_000
ONE, TWO, THREE = ids.make(1, 1), ids.make(2, 1), ids.make(3, 1)
K, G = b"k", b"g"


class Told:
    """A server with one session, which tells the facts of the last command."""

    def __init__(self, dialect: str) -> None:
        self.server = Server(dialect)
        self.session = self.server.open()
        self.now_ms = NOW

    def do(self, *lines: str) -> tuple[Fact, ...]:
        found: tuple[Fact, ...] = ()
        for line in lines:
            reply, found = self.server.execute(self.session, line.encode().split(), self.now_ms)
            assert not isinstance(reply, Failure), reply
        return found

    def fails(self, line: str) -> tuple[Fact, ...]:
        reply, found = self.server.execute(self.session, line.encode().split(), self.now_ms)
        assert isinstance(reply, Failure)
        return found


@pytest.fixture(params=list(DIALECTS))
def told(request: pytest.FixtureRequest) -> Told:
    return Told(request.param)


@pytest.fixture
def three(told: Told) -> Told:
    """Three entries (born 1), a group (epoch 2) in which c has the first."""
    told.do("XADD k 1-1 a 1", "XADD k 2-1 a 2", "XADD k 3-1 a 3", "XGROUP CREATE k g 0")
    told.do("XREADGROUP GROUP g c COUNT 1 STREAMS k >")
    return told


def counted(told: Told, value: int) -> int | None:
    return value if told.server.dialect.counts_entries else None


def test_xadd(told: Told) -> None:
    added = facts.Added(K, 1, ONE, (b"a", b"1"))
    assert told.do("XADD k 1-1 a 1") == (facts.StreamCreated(K, 1), added)
    if told.server.dialect.has((6, 2)):
        assert told.do("XADD nokey NOMKSTREAM * a 1") == ()
    assert told.fails("XADD k 1-1 a 1") == ()
    assert told.do("XADD k MAXLEN 1 2-1 b 2") == (
        facts.Added(K, 1, TWO, (b"b", b"2")),
        facts.Trimmed(K, 1, (ONE,), "XADD"),
    )


def test_xtrim_and_xdel(three: Told) -> None:
    assert three.do("XTRIM k MAXLEN 9") == ()
    assert three.do("XTRIM k MAXLEN 2") == (facts.Trimmed(K, 1, (ONE,), "XTRIM"),)
    assert three.do("XDEL k 1-1 3-1 2-1") == (facts.Deleted(K, 1, (THREE, TWO), "XDEL"),)
    assert three.do("XDEL k 1-1") == ()


def test_xgroup_create_and_destroy(told: Told) -> None:
    assert told.do("XGROUP CREATE k g $ MKSTREAM") == (
        facts.StreamCreated(K, 1),
        facts.GroupCreated(K, 1, G, 2, 0),
    )
    assert told.fails("XGROUP CREATE k g 0") == ()
    told.do("XADD k 1-1 a 1", "XREADGROUP GROUP g c STREAMS k >")
    assert told.do("XGROUP DESTROY k g") == (facts.GroupRemoved(K, 1, G, 2, (ONE,), "XGROUP DESTROY"),)
    assert told.do("XGROUP DESTROY k g") == ()


def test_xgroup_setid_opens_an_epoch(three: Told) -> None:
    (moved,) = three.do("XGROUP SETID k g 0")
    assert moved == facts.CursorMoved(K, 1, G, 3, ONE, 0, None, counted(three, 3), "SETID")


def test_xgroup_consumers(three: Told) -> None:
    if three.server.dialect.group_creates_consumers:
        assert three.do("XGROUP CREATECONSUMER k g d") == (facts.ConsumerCreated(K, 1, G, b"d"),)
        assert three.do("XGROUP CREATECONSUMER k g d") == ()
    assert three.do("XGROUP DELCONSUMER k g c") == (facts.ConsumerRemoved(K, 1, G, b"c", (ONE,)),)
    assert three.do("XGROUP DELCONSUMER k g c") == ()


def test_new_entries(three: Told) -> None:
    told = three
    assert told.do("XREADGROUP GROUP g d COUNT 1 STREAMS k >") == (
        facts.ConsumerCreated(K, 1, G, b"d"),
        facts.Delivered(K, 1, G, 2, b"d", TWO, 1, False, None),
        facts.CursorMoved(K, 1, G, 2, ONE, TWO, counted(told, 2), counted(told, 1), "read"),
    )
    assert told.do("XREADGROUP GROUP g d NOACK STREAMS k >") == (
        facts.Delivered(K, 1, G, 2, b"d", THREE, 1, True, None),
        facts.CursorMoved(K, 1, G, 2, TWO, THREE, counted(told, 3), counted(told, 0), "read"),
    )
    assert told.do("XREADGROUP GROUP g d STREAMS k >") == ()


def test_new_entries_again_after_setid(three: Told) -> None:
    three.do("XGROUP SETID k g 0")
    found = three.do("XREADGROUP GROUP g d COUNT 1 STREAMS k >")
    assert facts.Delivered(K, 1, G, 3, b"d", ONE, 1, False, b"c") in found


def test_history(three: Told) -> None:
    assert three.do("XREADGROUP GROUP g c STREAMS k 0") == (facts.Reread(K, 1, G, b"c", ONE, 2),)
    three.do("XDEL k 1-1")
    assert three.do("XREADGROUP GROUP g c STREAMS k 0") == ()


def test_xack(three: Told) -> None:
    assert three.do("XACK k g 2-1 1-1 1-1") == (facts.Acked(K, 1, G, ONE, b"c"),)
    assert three.do("XACK k nog 1-1") == ()


def test_xclaim(three: Told) -> None:
    three.do("XREADGROUP GROUP g d STREAMS k 0")
    three.now_ms += 70
    assert three.do("XCLAIM k g d 71 1-1") == ()
    assert three.do("XCLAIM k g d 70 1-1") == (facts.Claimed(K, 1, G, b"d", ONE, b"c", 70, 70, 2, three.now_ms),)
    assert three.do("XCLAIM k g d 0 2-1 FORCE JUSTID IDLE 5") == (
        facts.Claimed(K, 1, G, b"d", TWO, None, None, 0, 1, three.now_ms - 5),
    )
    (moved,) = three.do("XCLAIM k g d 0 LASTID 3-1")
    assert isinstance(moved, facts.CursorMoved)
    assert (moved.before, moved.cursor, moved.cause) == (ONE, THREE, "LASTID")


def test_claiming_what_is_deleted(three: Told) -> None:
    three.do("XDEL k 1-1", "XREADGROUP GROUP g d STREAMS k 0")
    twin = three.server.fork()
    found = three.do("XCLAIM k g d 0 1-1")
    if not three.server.dialect.has((6, 2)):
        assert found == (facts.Claimed(K, 1, G, b"d", ONE, b"c", 0, 0, 2, NOW),)
        return
    by_scan = twin.execute(three.session, b"XAUTOCLAIM k g d 0 0".split(), NOW)[1]
    if three.server.dialect.claim_drops_deleted:
        assert found == (facts.Forgotten(K, 1, G, ONE, b"c", "XCLAIM"),)
        assert by_scan == (facts.Forgotten(K, 1, G, ONE, b"c", "XAUTOCLAIM"),)
    else:
        assert found == by_scan == (facts.Claimed(K, 1, G, b"d", ONE, b"c", 0, 0, 2, NOW),)


def test_xautoclaim(three: Told) -> None:
    if not three.server.dialect.has((6, 2)):
        assert isinstance(three.server.execute(three.session, b"XAUTOCLAIM k g c 5 0".split(), NOW)[0], Failure)
        return
    three.now_ms += 5
    assert three.do("XAUTOCLAIM k g c 5 0") == (facts.Claimed(K, 1, G, b"c", ONE, b"c", 5, 5, 2, NOW + 5),)


def test_xsetid(three: Told) -> None:
    assert three.do("XSETID k 9-9") == (facts.LastIdSet(K, 1, THREE, ids.make(9, 9)),)


def test_xinfo_reports_the_lag(three: Told) -> None:
    lag = (facts.LagReported(K, 1, G, ONE, 2),) if three.server.dialect.counts_entries else ()
    assert three.do("XINFO GROUPS k") == three.do("XINFO STREAM k FULL") == lag


@pytest.mark.parametrize(("line", "cause"), [("DEL k", "DEL"), ("FLUSHALL", "FLUSHALL"), ("SET k x", "SET")])
def test_a_key_goes_with_its_groups(three: Told, line: str, cause: str) -> None:
    assert three.do(line) == (
        facts.GroupRemoved(K, 1, G, 2, (ONE,), cause),
        facts.StreamRemoved(K, 1, cause),
    )
    three.do("DEL k")
    assert three.do("XADD k 1-1 a 1")[0] == facts.StreamCreated(K, 3), "another incarnation"


def test_a_transaction_reports_when_it_runs(told: Told) -> None:
    assert told.do("MULTI", "XADD k 1-1 a 1", "XDEL k 1-1") == ()
    assert told.do("EXEC") == (
        facts.StreamCreated(K, 1),
        facts.Added(K, 1, ONE, (b"a", b"1")),
        facts.Deleted(K, 1, (ONE,), "XDEL"),
    )


def test_a_blocked_read_reports_when_it_is_served(told: Told) -> None:
    told.do("XGROUP CREATE k g $ MKSTREAM")
    reader = told.server.open()
    read = b"XREADGROUP GROUP g c BLOCK 0 STREAMS k >".split()
    created = facts.ConsumerCreated(K, 1, G, b"c")
    early = told.server.execute(reader, read, NOW)[1]
    assert told.do("XADD k 1-1 a 1") == (facts.Added(K, 1, ONE, (b"a", b"1")),)
    (served,) = told.server.take_served()
    assert served.session == reader
    assert early + served.facts == (
        created,
        facts.Delivered(K, 1, G, 2, b"c", ONE, 1, False, None),
        facts.CursorMoved(K, 1, G, 2, 0, ONE, counted(told, 1), counted(told, 0), "read"),
    )


@pytest.mark.parametrize(
    "line",
    [
        *(
            "XRANGE k - +",
            "XREVRANGE k + -",
            "XLEN k",
            "XREAD STREAMS k 0",
            "XPENDING k g",
            "XPENDING k g - + 9",
        ),
        *("XINFO CONSUMERS k g", "EXISTS k", "TYPE k", "TIME", "PING", "XGROUP HELP"),
    ],
)
def test_looking_makes_nothing_true(three: Told, line: str) -> None:
    assert three.do(line) == ()


@pytest.fixture(params=[name for name, dialect in DIALECTS.items() if dialect.has((8, 8))])
def newest(request: pytest.FixtureRequest) -> Told:
    """Three entries (born 1), two groups (epochs 2 and 3) in each of which c has the first two."""
    told = Told(request.param)
    told.do("XADD k 1-1 a 1", "XADD k 2-1 a 2", "XADD k 3-1 a 3", "XGROUP CREATE k g 0", "XGROUP CREATE k h 0")
    told.do("XREADGROUP GROUP g c COUNT 2 STREAMS k >", "XREADGROUP GROUP h c COUNT 2 STREAMS k >")
    return told


def forgotten(group: bytes, entry_id: int, cause: str) -> facts.Forgotten:
    return facts.Forgotten(K, 1, group, entry_id, b"c", cause)


def test_deleting_with_references(newest: Told) -> None:
    assert newest.do("XDELEX k ACKED IDS 2 1-1 3-1") == ()
    assert newest.do("XDELEX k DELREF IDS 1 1-1") == (
        forgotten(G, ONE, "XDELEX"),
        forgotten(b"h", ONE, "XDELEX"),
        facts.Deleted(K, 1, (ONE,), "XDELEX"),
    )
    assert newest.do("XACKDEL k g ACKED IDS 1 2-1") == (facts.Acked(K, 1, G, TWO, b"c"),)
    assert newest.do("XACKDEL k h ACKED IDS 1 2-1") == (
        facts.Acked(K, 1, b"h", TWO, b"c"),
        facts.Deleted(K, 1, (TWO,), "XACKDEL"),
    )


def test_trimming_with_references(newest: Told) -> None:
    assert newest.do("XTRIM k MAXLEN 0 ACKED") == ()
    assert newest.do("XTRIM k MAXLEN 2 DELREF") == (
        forgotten(G, ONE, "XTRIM"),
        forgotten(b"h", ONE, "XTRIM"),
        facts.Trimmed(K, 1, (ONE,), "XTRIM"),
    )


def test_a_read_that_claims(newest: Told) -> None:
    newest.now_ms += 50
    found = newest.do("XREADGROUP GROUP g d CLAIM 50 STREAMS k >")
    assert found == (
        facts.ConsumerCreated(K, 1, G, b"d"),
        *(facts.Claimed(K, 1, G, b"d", i, b"c", 50, 50, 2, NOW + 50) for i in (ONE, TWO)),
        facts.Delivered(K, 1, G, 2, b"d", THREE, 1, False, None),
        facts.CursorMoved(K, 1, G, 2, TWO, THREE, 3, 0, "read"),
    )


def test_giving_back(newest: Told) -> None:
    assert newest.do("XNACK k g FAIL IDS 2 1-1 3-1") == (facts.Nacked(K, 1, G, ONE, b"c", False, "FAIL", 1),)
    assert newest.do("XNACK k g SILENT IDS 1 3-1 FORCE") == (facts.Nacked(K, 1, G, THREE, None, True, "SILENT", 0),)
    assert newest.do("XACK k g 1-1") == (facts.Acked(K, 1, G, ONE, None),)


def test_adding_once(newest: Told) -> None:
    added = newest.do("XADD k IDMP p i * a 4")
    assert added == (facts.Added(K, 1, ids.make(NOW, 0), (b"a", b"4")),)
    assert newest.do("XADD k IDMP p i MAXLEN 0 * b 5") == (facts.Deduplicated(K, 1, b"p", ids.make(NOW, 0)),)
    newest.now_ms += 100_000
    assert newest.do("XADD k IDMP p i * a 4") == (facts.Added(K, 1, ids.make(newest.now_ms, 0), (b"a", b"4")),)
