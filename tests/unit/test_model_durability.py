"""What survives a server: a prefix of what it told, and what a load makes of it."""

from __future__ import annotations

import pytest
from redelivery.models.append_only_file import DamagedFileError, commands, encoded, units_of, written
from redelivery.models.dialects import DIALECTS
from redelivery.models.durability import (
    SYNCED,
    Copy,
    copy_of,
    load_file,
    load_units,
    promoted,
    restarted,
)
from redelivery.models.group import Group
from redelivery.models.journal import Journal, Unit
from redelivery.models.replies import Reply
from redelivery.models.server import Config, Server
from redelivery.models.stream import Stream

NOW = 1_700_000_000_000


class Told:
    """A server, what it told, and the time."""

    def __init__(self, dialect: str) -> None:
        self.server = Server(dialect)
        self.server.journal = Journal()
        self.session = self.server.open()
        self.now_ms = NOW
        self.units: list[Unit] = []

    def do(self, *lines: str) -> list[Reply]:
        found = []
        for line in lines:
            self.now_ms += 1000
            found.append(self.server.execute(self.session, line.encode().split(), self.now_ms)[0])
            assert self.server.journal is not None
            self.units += self.server.journal.take()
        return found

    def words(self, since: int = 0) -> list[str]:
        return [" ".join(each.argv[0].decode() for each in unit.told) for unit in self.units[since:]]


def group_of(server: Server) -> Group:
    stream = server.keys[b"k"]
    assert isinstance(stream, Stream)
    return stream.groups[b"g"]


READ = ("XADD k 1-1 a 1", "XADD k 2-1 a 2", "XGROUP CREATE k g 0", "XREADGROUP GROUP g c STREAMS k >")


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_read_tells_who_got_what(dialect: str) -> None:
    told = Told(dialect)
    told.do(*READ)
    units = told.units[3:]
    claims = [each.argv for unit in units for each in unit.told if each.argv[0] == b"XCLAIM"]
    assert [argv[:6] for argv in claims] == [(b"XCLAIM", b"k", b"g", b"c", b"0", id) for id in (b"1-1", b"2-1")]
    whole = DIALECTS[dialect].propagates_units
    assert len(units) == (1 if whole else 2), "a read is told as one unit, or entry by entry"
    assert all(bool(unit.end) is whole for unit in units)


@pytest.mark.parametrize("dialect", DIALECTS)
def test_what_changes_nothing_tells_nothing(dialect: str) -> None:
    told = Told(dialect)
    told.do(*READ)
    before = len(told.units)
    told.do("XACK k g 9-9", "XDEL k 9-9", "XTRIM k MAXLEN 5", "XREADGROUP GROUP g c STREAMS k 0", "XPENDING k g")
    told.do("XREADGROUP GROUP g d STREAMS k >", "DEL nobody", "XCLAIM k g d 900000 1-1")
    only_new_names = ["XGROUP"] if DIALECTS[dialect].reads_tell_consumer else []
    assert told.words(before) == only_new_names


def test_a_delivery_that_a_read_from_history_counts_is_lost() -> None:
    told = Told("redis-8.6")
    told.do(*READ, "XREADGROUP GROUP g c STREAMS k 0")
    mine, loaded = group_of(told.server), group_of(load_units(told.units, told.server.dialect, Config(), told.now_ms))
    assert [nack.count for _, nack in mine.pel.items()] == [2, 2]
    assert [nack.count for _, nack in loaded.pel.items()] == [1, 1]
    assert (loaded.consumers[b"c"].seen_ms, mine.consumers[b"c"].seen_ms) == (told.now_ms, told.now_ms)


@pytest.mark.parametrize(("dialect", "entries_read"), [("redis-7.0", -1), ("redis-7.4", 2), ("valkey-8.1", 2)])
def test_what_a_group_has_read_survives_from_7_4_on(dialect: str, entries_read: int) -> None:
    told = Told(dialect)
    told.do(*READ)
    loaded = group_of(load_units(told.units, told.server.dialect, Config(), told.now_ms))
    assert (group_of(told.server).entries_read, loaded.entries_read) == (2, entries_read)


def test_an_end_that_was_cut_off_is_left_out_with_its_transaction() -> None:
    told = Told("redis-8.6")
    told.do(*READ)
    data = written(told.units, told.server.dialect)
    whole = load_file(data, told.server.dialect, Config(), told.now_ms)
    assert len(group_of(whole).pel) == 2
    for cut in range(len(written(told.units[:3], told.server.dialect)), len(data)):
        assert len(group_of(load_file(data[:cut], told.server.dialect, Config(), told.now_ms)).pel) == 0
    older = Told("redis-6.2")
    older.do(*READ)
    data = written(older.units, older.server.dialect)
    assert len(group_of(load_file(data[:-1], older.server.dialect, Config(), older.now_ms)).pel) == 1


def test_a_file_that_holds_something_else_is_refused() -> None:
    good = encoded((b"XADD", b"k", b"1-1", b"a", b"1"))
    assert units_of(commands(good)[0]) == [Unit(0, (units_of(commands(good)[0])[0].told[0],))]
    for bad, what in ((b"XADD k\r\n", "is expected"), (b"*x\r\n", "no number"), (b"*0\r\n", "0 words")):
        with pytest.raises(DamagedFileError, match=what):
            commands(good + bad)


def test_a_replica_is_behind_by_what_has_not_reached_it() -> None:
    told = Told("redis-8.6")
    told.do(*READ)
    copy = copy_of(told.server)
    before = len(told.units)
    told.do("XACK k g 1-1", "XADD k 3-1 a 3")
    copy.hear(told.units[before:])
    copy.take_over(1)
    twin = copy.fork()
    twin.take_over(1)
    master = promoted(copy)
    stream = master.keys[b"k"]
    assert isinstance(stream, Stream)
    assert (stream.last_id >> 64, group_of(master).pel.keys()) == (2, (2 << 64 | 1,)), "it has the XACK, not the XADD"
    assert not master.obeys
    assert promoted(twin).keys[b"k"].last_id >> 64 == 3  # type: ignore[union-attr]
    assert copy.must_have(told.now_ms, None, 1) == 0
    assert copy.must_have(told.now_ms, None, 0) == 1
    assert (copy.must_have(told.now_ms + 999, 1000), copy.must_have(told.now_ms + 1000, 1000)) == (0, 1)
    assert SYNCED == {"always": 0, "everysec": 1000, "no": None}


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_file_that_was_followed_is_what_a_load_makes_of_it(dialect: str) -> None:
    told = Told(dialect)
    told.do(*READ, "XADD k 3-1 a 3", "XREADGROUP GROUP g d COUNT 1 STREAMS k >", "XCLAIM k g c 0 3-1", "XACK k g 1-1")
    blank = Server(dialect)
    blank.obeys = True
    copy = Copy(blank)
    copy.hear(told.units)
    copy.take_over(len(told.units))
    now_ms = told.now_ms + 5000
    followed, loaded = restarted(copy, now_ms), load_units(told.units, told.server.dialect, Config(), now_ms)
    line = b"XINFO STREAM k FULL" if dialect != "redis-6.0" else b"XINFO STREAM k"
    for argv in (line.split(), b"XPENDING k g - + 9".split(), b"XINFO CONSUMERS k g".split()):
        assert followed.execute(followed.open(), argv, now_ms) == loaded.execute(loaded.open(), argv, now_ms)


def test_a_copy_removes_no_key_by_itself() -> None:
    told = Told("redis-8.6")
    told.do("SET s 1", "PEXPIRE s 500", "GET s")
    assert told.words() == ["SET", "PEXPIREAT", "DEL"]
    blank = Server("redis-8.6")
    blank.obeys = True
    copy = Copy(blank)
    copy.hear(told.units)
    copy.take_over(2)
    assert copy.server.expires, "its time is over, and nobody has said so yet"
    assert copy.server.keys
    copy.take_over(1)
    assert not copy.server.keys
