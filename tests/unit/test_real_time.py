"""Replies of a server with a clock of its own: which IDs stand for each other, and what is not compared."""

from __future__ import annotations

import pytest
from redelivery.sim.real.real_time import RealTimeComparison
from redelivery.sim.real.script import Send
from redelivery.sim.real.virtual_clock import START_MS

NOW = b"%d-0" % START_MS  # what the model generates


def bulk(text: bytes) -> bytes:
    return b"$%d\r\n%b\r\n" % (len(text), text)


def array(*items: bytes) -> bytes:
    return b"*%d\r\n%b" % (len(items), b"".join(items))


def send(command: str, reply: bytes) -> Send:
    return Send(1, tuple(command.encode().split()), START_MS, reply)


def test_ids_are_paired_only_where_the_model_generated_them() -> None:
    then = b"1800000000000-0"
    script = [
        send("XADD s 7-1 k v", bulk(b"7-1")),
        send("XADD s * k v", bulk(NOW)),
        send(f"XACK s g {NOW.decode()}", b":1\r\n"),
    ]
    comparison = RealTimeComparison(script)
    add, read = (b"XADD", b"s", b"*", b"k", b"v"), (b"XRANGE", b"s", b"-", b"+")
    for argv in (add, read):
        assert not comparison.same_reply(argv, bulk(b"7-1"), bulk(then))  # spelled out
        assert not comparison.same_reply(argv, bulk(b"0-0"), bulk(then))  # stands for none
        assert not comparison.same_reply(argv, bulk(b"9-3"), bulk(b"9-4"))  # not of the script's times
        assert not comparison.same_reply(argv, bulk(NOW), bulk(b"later"))
        assert not comparison.same_reply(argv, bulk(NOW), bulk(b"7-1"))
    assert comparison.same_reply(add, bulk(NOW), bulk(then))
    assert comparison.same_reply(read, bulk(NOW), bulk(then))
    assert not comparison.same_reply(read, bulk(NOW), bulk(b"1800000000000-1"))
    assert not comparison.same_reply(add, bulk(b"%d-1" % START_MS), bulk(then))  # no stream generates an ID twice
    assert comparison.arguments((b"XACK", b"s", NOW, b"(" + NOW)) == (b"XACK", b"s", then, b"(" + then)
    error, echoed = b"-ERR args: `%b`\r\n" % NOW, b"-ERR args: `%b`\r\n" % then
    assert comparison.same_reply((b"NOSUCH", NOW), error, echoed)


def test_the_same_id_in_two_streams_is_two_pairs_also_within_a_transaction() -> None:
    on_s, on_t = b"1800000000000-0", b"1800000000001-0"
    adds = [(b"XADD", stream, b"*", b"k", b"v") for stream in (b"s", b"t")]
    comparison = RealTimeComparison([Send(1, argv, START_MS, bulk(NOW)) for argv in adds])
    model, server = array(bulk(NOW), bulk(NOW)), array(bulk(on_s), bulk(on_t))
    assert comparison.same_reply((b"EXEC",), model, server, adds)
    assert not comparison.same_reply((b"EXEC",), array(bulk(NOW)), array(bulk(on_s)), adds)
    assert comparison.arguments((b"XDEL", b"s", NOW)) == (b"XDEL", b"s", on_s)
    assert comparison.arguments((b"XDEL", b"t", NOW)) == (b"XDEL", b"t", on_t)
    read = (b"XREAD", b"COUNT", b"1", b"STREAMS", b"s", b"t", NOW, NOW)
    assert comparison.arguments(read)[-2:] == (on_s, on_t)


@pytest.mark.parametrize("label", [b"idle", b"inactive", b"seen-time", b"active-time"])
def test_times_are_not_compared_and_their_kind_is(label: bytes) -> None:
    comparison = RealTimeComparison([])
    flat = [array(bulk(label), value, bulk(b"count"), b":2\r\n") for value in (b":5\r\n", b":70\r\n", b"_\r\n")]
    pairs = [b"%1\r\n" + bulk(label) + value for value in (b":5\r\n", b":70\r\n")]
    assert comparison.same_reply((b"XINFO",), flat[0], flat[1])
    assert not comparison.same_reply((b"XINFO",), flat[0], flat[2])
    assert comparison.same_reply((b"XINFO",), pairs[0], pairs[1])
