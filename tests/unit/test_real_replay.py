"""Replaying recorded runs on real servers: what is seen as a difference, and what is not."""

from __future__ import annotations

import dataclasses
import os
import sys
import time
from collections.abc import Iterator

import pytest
from redelivery.sim.real.address import Address
from redelivery.sim.real.errors import ClockUnavailable, RealServerError
from redelivery.sim.real.lockstep import Difference
from redelivery.sim.real.masks import same_reply
from redelivery.sim.real.replay import Outcome, replay
from redelivery.sim.real.script import Close, Open, Reply, Send, Step, duration_ms, show_command
from redelivery.sim.real.servers import ServerBinary, embedded
from redelivery.sim.real.spawn import SpawnedServer
from redelivery.sim.real.virtual_clock import START_MS, VirtualClock

needs_clock = pytest.mark.skipif(
    sys.platform != "linux" or os.uname().machine != "x86_64", reason="the virtual clock is for Linux x86-64"
)

NIL = b"*-1\r\n"


@pytest.fixture(scope="module")
def binary() -> ServerBinary:
    return embedded()


@pytest.fixture(scope="module")
def virtual(binary: ServerBinary) -> Iterator[SpawnedServer]:
    with VirtualClock() as clock, SpawnedServer(binary, clock=clock) as server:
        yield server


@pytest.fixture(scope="module")
def real(binary: ServerBinary) -> Iterator[SpawnedServer]:
    with SpawnedServer(binary, tcp=True) as server:
        yield server


@pytest.fixture
def foreign(real: SpawnedServer) -> Address:
    """The address of an empty server, as if somebody else had started it."""
    with real.connect() as connection:
        connection.call(b"FLUSHALL")
    return real.address


def bulk(text: bytes) -> bytes:
    return b"$%d\r\n%b\r\n" % (len(text), text)


def array(*items: bytes) -> bytes:
    return b"*%d\r\n%b" % (len(items), b"".join(items))


def listed(entry_id: bytes, value: bytes) -> bytes:
    return array(array(bulk(entry_id), array(bulk(b"k"), bulk(value))))


def delivered(entry_id: bytes, value: bytes, resp: int = 2) -> bytes:
    entries = bulk(b"s") + listed(entry_id, value)
    return b"%1\r\n" + entries if resp == 3 else b"*1\r\n*2\r\n" + entries


def new_id(after_ms: int, serial: int = 0) -> bytes:
    return b"%d-%d" % (START_MS + after_ms, serial)


def send(conn: int, after_ms: int, command: str, reply: bytes | None) -> Send:
    return Send(conn, tuple(command.encode().split()), START_MS + after_ms, reply)


def opened(*conns: int) -> list[Step]:
    return [Open(conn, 2, START_MS) for conn in conns]


def group_run(gap_ms: int) -> list[Step]:
    """A producer, a consumer that dies with an entry in hand, and one that claims it after `gap_ms`."""
    first, second = new_id(0), new_id(gap_ms)
    read = "XREADGROUP GROUP g {} COUNT 9 {}STREAMS s >"
    return [
        *opened(1, 2),
        Open(3, 3, START_MS),
        send(1, 0, "XGROUP CREATE s g 0 MKSTREAM", b"+OK\r\n"),
        send(1, 0, "XADD s * k one", bulk(first)),
        send(2, 0, read.format("a", ""), delivered(first, b"one")),
        send(2, 0, read.format("a", "BLOCK 0 "), None),
        Close(2, START_MS),  # had the server not noticed, the next entry would go to the dead client
        send(3, 0, read.format("b", "BLOCK 0 "), None),
        send(1, gap_ms, "XADD s * k two", bulk(second)),
        Reply(3, START_MS + gap_ms, delivered(second, b"two", resp=3)),
        send(
            1,
            gap_ms,
            "XPENDING s g - + 9",
            array(
                array(bulk(first), bulk(b"a"), b":%d\r\n" % gap_ms, b":1\r\n"),
                array(bulk(second), bulk(b"b"), b":0\r\n", b":1\r\n"),
            ),
        ),
        send(3, gap_ms, f"XCLAIM s g b {gap_ms} {first.decode()} JUSTID", array(bulk(first))),
        send(3, gap_ms, f"XACK s g {first.decode()} {second.decode()}", b":2\r\n"),
        send(1, gap_ms, f"XRANGE s ({first.decode()} + COUNT 1", listed(second, b"two")),
        Close(3, START_MS + gap_ms),
    ]


def with_reply(script: list[Step], index: int, reply: bytes) -> list[Step]:
    step = script[index]
    assert isinstance(step, Send | Reply)
    return [*script[:index], dataclasses.replace(step, reply=reply), *script[index + 1 :]]


def only(outcome: Outcome) -> Difference:
    (difference,) = outcome.differences
    return difference


# ---- under the virtual clock ----


@needs_clock
def test_a_right_script_shows_no_difference(virtual: SpawnedServer) -> None:
    outcome = replay(group_run(3_600_000), virtual)
    assert outcome.differences == ()
    assert outcome.replies == 9
    assert outcome.time_compared
    assert (outcome.version, outcome.dialect) == (virtual.version, virtual.dialect)
    # Once more on the same server: a replay starts from nothing and leaves no client behind.
    assert replay(group_run(3_600_000), virtual) == outcome


@needs_clock
def test_a_server_is_started_for_the_replay_where_none_runs(binary: ServerBinary) -> None:
    outcome = replay(group_run(1), str(binary.path))
    assert (outcome.differences, outcome.time_compared) == ((), True)
    assert replay([], binary).replies == 0


@needs_clock
def test_a_seeded_difference_is_found_and_explained(virtual: SpawnedServer) -> None:
    script = group_run(5)
    index = next(at for at, step in enumerate(script) if isinstance(step, Send) and step.argv[0] == b"XPENDING")
    right = script[index]
    assert isinstance(right, Send)
    assert right.reply is not None
    outcome = replay(with_reply(script, index, right.reply.replace(b":5\r\n", b":6\r\n")), virtual)
    assert outcome.replies == 9  # it goes on after a difference
    assert only(outcome) == Difference(
        index,
        "XPENDING s g - + 9",
        '[["1700000000000-0", "a", 6, 1], ["1700000000005-0", "b", 0, 1]]',
        '[["1700000000000-0", "a", 5, 1], ["1700000000005-0", "b", 0, 1]]',
        "[0][2]",
    )


@needs_clock
@pytest.mark.parametrize(
    ("wrong", "shown"),
    [(b"$2\r\nOK\r\n", '"OK"'), (b"$-1\r\n", "(nil)"), (b"-ERR no\r\n", '(error) "ERR no"')],
)
def test_replies_that_clients_may_read_alike_differ(virtual: SpawnedServer, wrong: bytes, shown: str) -> None:
    script = [*opened(1), send(1, 0, "SET a b", wrong)]
    assert only(replay(script, virtual)) == Difference(1, "SET a b", shown, "OK")


@needs_clock
def test_a_blocked_read_ends_exactly_one_millisecond_after_its_time(virtual: SpawnedServer) -> None:
    def script(nil_ms: int) -> list[Step]:
        return [
            *opened(1, 2),
            send(1, 0, "XREAD BLOCK 5000 STREAMS s $", None),
            Reply(1, START_MS + nil_ms, NIL),
            send(2, nil_ms, "XADD s * k v", bulk(new_id(nil_ms))),
            send(1, nil_ms, "XLEN s", b":1\r\n"),
        ]

    assert replay(script(5001), virtual).differences == ()
    early = replay(script(5000), virtual, watchdog_s=0.5)
    assert only(early) == Difference(3, "XREAD BLOCK 5000 STREAMS s $", "(nil array)", "(still waits)")
    assert early.replies == 0  # who waits is not the same any more: what follows cannot be lined up
    late = only(replay([*script(5001)[:3], send(2, 5001, "PING", b"+PONG\r\n")], virtual))
    assert (late.index, late.model, late.server) == (3, "(still waits)", "(nil array)")
    forgotten = only(replay([*script(5001)[:3], Open(3, 2, START_MS + 5001)], virtual))
    assert (forgotten.model, forgotten.server) == ("(still waits)", "(nil array)")


@needs_clock
def test_a_read_whose_time_is_over_is_not_served_by_the_next_command(virtual: SpawnedServer) -> None:
    script: list[Step] = [
        *opened(1, 2, 3),
        send(1, 0, "XREAD BLOCK 10 STREAMS s $", None),
        send(2, 0, "XREAD BLOCK 10 STREAMS s $", None),
        Reply(1, START_MS + 11, NIL),
        Reply(2, START_MS + 11, NIL),
        send(3, 11, "XADD s * k v", bulk(new_id(11))),
    ]
    for _ in range(20):
        assert replay(script, virtual).differences == ()


@needs_clock
def test_who_waits_is_compared(virtual: SpawnedServer) -> None:
    read = "XREAD BLOCK 10 STREAMS s 0"
    blocks = only(replay([*opened(1), send(1, 0, read, NIL), send(1, 0, "PING", b"+PONG\r\n")], virtual))
    assert blocks == Difference(1, read, "(nil array)", "(blocks)")
    add = send(1, 0, "XADD s * k v", bulk(new_id(0)))
    answers = only(replay([*opened(1), add, send(1, 0, read, None)], virtual))
    assert answers == Difference(2, read, "(blocks)", '[["s", [["1700000000000-0", ["k", "v"]]]]]')
    served = only(replay([*opened(1, 2), send(2, 0, read, None), add, Close(1, START_MS)], virtual))
    assert (served.index, served.model) == (4, "(still waits)")


@needs_clock
def test_a_wait_may_be_over_in_the_moment_in_which_another_hangs_up(virtual: SpawnedServer) -> None:
    waits = [*opened(1, 2, 3), *(send(conn, 0, "XREAD BLOCK 10 STREAMS s $", None) for conn in (2, 3))]
    over = [Reply(conn, START_MS + 11, NIL) for conn in (2, 3)]
    assert replay([*waits, Close(1, START_MS + 11), *over], virtual).differences == ()
    early = only(replay([*waits, Close(1, START_MS + 11), over[0], send(2, 11, "PING", b"+PONG\r\n")], virtual))
    assert (early.model, early.server) == ("(still waits)", "(nil array)")


@needs_clock
def test_several_replies_to_one_command_and_pushed_messages(virtual: SpawnedServer) -> None:
    def confirmed(channel: bytes, count: int) -> bytes:
        return array(bulk(b"subscribe"), bulk(channel), b":%d\r\n" % count)

    script: list[Step] = [
        *opened(1, 2),
        send(1, 0, "SUBSCRIBE a b", confirmed(b"a", 1) + confirmed(b"b", 2)),
        send(2, 0, "PUBLISH b hello", b":1\r\n"),
        Reply(1, START_MS, array(bulk(b"message"), bulk(b"b"), bulk(b"hello"))),
        send(2, 0, "PUBLISH c hello", b":0\r\n"),
    ]
    outcome = replay(script, virtual)
    assert (outcome.differences, outcome.replies) == ((), 4)
    silent = only(replay([*script, Reply(1, START_MS, b"+more\r\n")], virtual, watchdog_s=0.2))
    assert (silent.model, silent.server) == ("more", "(no reply)")
    refused = only(replay([*opened(1), send(1, 0, "SUBSCRIBE", confirmed(b"a", 1) * 2)], virtual))
    assert refused.server.startswith('(error) "ERR wrong number of arguments')


@needs_clock
def test_a_connection_that_the_server_closes_is_a_difference(virtual: SpawnedServer) -> None:
    script = [*opened(1), send(1, 0, "QUIT", b"+OK\r\n"), send(1, 0, "PING", b"+PONG\r\n")]
    outcome = replay(script, virtual)
    assert only(outcome) == Difference(2, "PING", "PONG", "(closes the connection)")


@needs_clock
def test_only_so_many_differences_are_collected(virtual: SpawnedServer) -> None:
    script = [*opened(1), *[send(1, 0, "PING", b"+PENG\r\n")] * 50]
    outcome = replay(script, virtual, differences_max=3)
    assert (len(outcome.differences), outcome.replies) == (3, 3)


def test_a_script_that_cannot_be_is_named(virtual: SpawnedServer) -> None:
    with pytest.raises(ValueError, match="step 0 uses connection 1, which is not open"):
        replay([send(1, 0, "PING", b"+PONG\r\n")], virtual)
    with pytest.raises(ValueError, match="step 1 opens connection 1, which is open"):
        replay(opened(1, 1), virtual)
    waits = [*opened(1), *[send(1, 0, "XREAD BLOCK 0 STREAMS s $", None)] * 2]
    with pytest.raises(ValueError, match="step 2 sends on connection 1, whose last command still waits"):
        replay(waits, virtual)


@needs_clock
def test_masks_cover_what_the_design_says_and_no_more(virtual: SpawnedServer) -> None:
    with virtual.connect() as connection:
        connection.call(b"FLUSHALL")
        connection.call(b"XADD", b"s", b"1-1", b"k", b"v")
        info = connection.call(b"XINFO", b"STREAM", b"s")
        memory = connection.call(b"INFO", b"memory")
    argv = (b"XINFO", b"STREAM", b"s")
    nodes = b"radix-tree-nodes\r\n:"
    assert nodes in info
    assert same_reply(argv, info.replace(nodes, nodes + b"4"), info)
    assert not same_reply(argv, info.replace(b"radix-tree-keys\r\n:", b"radix-tree-keys\r\n:4"), info)
    assert same_reply((b"INFO", b"memory"), memory.replace(b"used_memory:", b"used_memory:1"), memory)
    assert not same_reply((b"INFO", b"memory"), memory.replace(b"# Memory", b"# memory"), memory)
    assert same_reply((b"xinfo", b"help"), b"*1\r\n+a\r\n", b"*0\r\n")
    assert not same_reply((b"XINFO", b"HELP"), b"*0\r\n", b"-ERR no\r\n")
    assert same_reply((b"MEMORY", b"USAGE", b"s"), b":1\r\n", b":700\r\n")


# ---- in real time ----


def test_in_real_time_gaps_are_kept_and_ids_are_mapped(foreign: Address, real: SpawnedServer) -> None:
    script = group_run(150)
    for target in (foreign, real):
        started = time.monotonic()
        outcome = replay(script, target)
        assert outcome.differences == ()
        assert (outcome.replies, outcome.time_compared) == (9, False)
        assert time.monotonic() - started >= duration_ms(script) / 1000 == 0.15


def test_in_real_time_structure_and_values_still_count(foreign: Address) -> None:
    script = group_run(3)
    for index, step in enumerate(script):
        if isinstance(step, Send | Reply) and step.reply is not None and b":1\r\n" in step.reply:
            wrong = replay(with_reply(script, index, step.reply.replace(b":1\r\n", b":7\r\n", 1)), foreign)
            assert only(wrong).index == index
    index = next(at for at, step in enumerate(script) if isinstance(step, Reply))
    other = replay(with_reply(script, index, delivered(new_id(0), b"two", resp=3)), foreign)
    assert only(other).index == index  # the ID is known, and stands for another entry


def test_in_real_time_a_read_gives_up_on_its_own(foreign: Address) -> None:
    script: list[Step] = [
        *opened(1),
        send(1, 0, "XREAD BLOCK 60 STREAMS s $", None),
        Reply(1, START_MS + 61, NIL),
        send(1, 61, "TIME", array(bulk(b"1700000000"), bulk(b"61000"))),
        send(1, 61, "XADD s 5-1 k v", bulk(b"5-1")),
        send(1, 61, "XADD s * k v", bulk(new_id(61))),
    ]
    assert replay(script, foreign).differences == ()


def test_without_a_virtual_clock_the_replay_says_so(binary: ServerBinary, monkeypatch: pytest.MonkeyPatch) -> None:
    def none(now_ms: int) -> VirtualClock:
        raise ClockUnavailable("no clock on this machine")

    monkeypatch.setattr("redelivery.sim.real.replay.VirtualClock", none)
    outcome = replay(group_run(2), binary)
    assert (outcome.differences, outcome.time_compared) == ((), False)
    assert outcome.note == "no clock on this machine"
    assert replay(group_run(2), binary, virtual=False).note == ""


# ---- servers that are not ours ----


def test_a_database_in_use_is_refused_unless_it_may_be_emptied(foreign: Address, real: SpawnedServer) -> None:
    script = [*opened(1), send(1, 0, "DBSIZE", b":0\r\n"), send(1, 0, "SET mine 1", b"+OK\r\n")]
    with real.connect() as connection:
        connection.call(b"SET", b"theirs", b"1")
        with pytest.raises(RealServerError, match=r"is not empty \(1 keys\).*--flush") as raised:
            replay(script, foreign)
        assert "\n" not in str(raised.value)
        assert connection.call(b"GET", b"theirs") == bulk(b"1")
        elsewhere = dataclasses.replace(foreign, db=3)
        assert replay(script, elsewhere).differences == ()
        assert connection.call(b"GET", b"theirs") == bulk(b"1")
        reaching = [*opened(1), send(1, 0, "FLUSHALL", b"+OK\r\n")]
        with pytest.raises(RealServerError, match="has keys in db0, which the run can reach by FLUSHALL"):
            replay(reaching, elsewhere)
        assert replay(script, foreign, flush=True).differences == ()
        assert connection.call(b"DBSIZE") == b":0\r\n"  # nothing of ours stays either


def test_servers_that_cannot_be_used_are_named_in_one_line(binary: ServerBinary) -> None:
    with SpawnedServer(binary, tcp=True) as server:
        with server.connect() as connection:
            connection.call(b"CONFIG", b"SET", b"requirepass", b"secret")
        with pytest.raises(RealServerError, match=r"asks for a password.*redis://:PASSWORD@127"):
            replay([], server.address)
        with pytest.raises(RealServerError, match="refuses: WRONGPASS"):
            replay([], dataclasses.replace(server.address, password="wrong"))
        allowed = dataclasses.replace(server.address, password="secret")
        assert replay([*opened(1), send(1, 0, "PING", b"+PONG\r\n")], allowed).differences == ()
        with pytest.raises(RealServerError, match="DB index is out of range"):
            replay([], dataclasses.replace(allowed, db=99))
    with pytest.raises(RealServerError, match=r"no server answers at redis://127.*refused") as raised:
        replay([], server.address)
    assert "\n" not in str(raised.value)
    with pytest.raises(RealServerError, match="runs in cluster mode"):
        SpawnedServer(binary, config={"cluster-enabled": "yes"})


# ---- scripts ----


def test_commands_show_as_one_types_them_into_redis_cli() -> None:
    shown = show_command((b"XADD", b"a b", b"*", b"", b'q"\\', b"it's", b"\x00\n\xff", "é".encode()))
    assert shown == r'XADD "a b" * "" "q\"\\" "it' + "'" + r's" "\x00\n\xff" "\xc3\xa9"'


def test_the_length_of_a_script_counts_only_time_that_passes() -> None:
    steps: list[Step] = [Open(1, 2, 5), Close(1, 25), Open(1, 2, 10), Close(1, 11)]
    assert duration_ms(steps) == 21
    assert duration_ms([]) == 0
