"""Requests as bytes: whole, in pieces, inline, and wrong."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from redelivery.sim.wire.parser import RequestParser, TooMuch, split

LINES = st.lists(st.lists(st.binary(max_size=12), min_size=1, max_size=5), min_size=1, max_size=5)


def encoded(argv: list[bytes]) -> bytes:
    return b"*%d\r\n" % len(argv) + b"".join(b"$%d\r\n%b\r\n" % (len(word), word) for word in argv)


def parsed(data: bytes, *cuts: int) -> list[list[bytes]]:
    parser = RequestParser()
    at = 0
    for cut in (*sorted(cuts), len(data)):
        parser.feed(data[at:cut])
        at = cut
    assert parser.error is None
    return list(parser.requests)


@given(LINES, st.lists(st.integers(0, 200), max_size=8))
def test_requests_arrive_whole_however_they_are_cut(lines: list[list[bytes]], cuts: list[int]) -> None:
    assert parsed(b"".join(map(encoded, lines)), *cuts) == lines


@given(st.integers(1, 4), st.data())
def test_a_pipeline_of_requests_that_are_alike(words: int, data: st.DataObject) -> None:
    word = st.binary(max_size=6) | st.sampled_from([b"", b"\r\n", b"$1\r\na", b"*1\r\n"])
    lines = data.draw(st.lists(st.lists(word, min_size=words, max_size=words), min_size=2, max_size=40))
    sent = b"".join(map(encoded, lines))
    end = data.draw(st.integers(0, len(sent)))
    assert parsed(sent, end) == lines
    odd = encoded([b"x"] * words).replace(b"$1", b"$2", 1)
    parser = RequestParser()
    parser.feed(sent + odd)
    assert list(parser.requests) == lines
    assert parser.held


@given(LINES)
def test_requests_arrive_byte_by_byte(lines: list[list[bytes]]) -> None:
    data = b"".join(map(encoded, lines))
    assert parsed(data, *range(len(data))) == lines


@given(LINES, st.integers(0, 200))
def test_what_came_while_the_client_was_blocked_is_read_later(lines: list[list[bytes]], cut: int) -> None:
    data = b"".join(map(encoded, lines))
    parser = RequestParser()
    parser.feed(data[:cut])
    parser.hold(data[cut:])
    parser.feed(b"")
    assert list(parser.requests) == lines


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (b"", []),
        (b"  PING  ", [b"PING"]),
        (b'SET k "a b"', [b"SET", b"k", b"a b"]),
        (b"SET k 'a \"b'", [b"SET", b"k", b'a "b']),
        (b'SET k "\\x41\\n\\t\\"\\q"', [b"SET", b"k", b'A\n\t"q']),
        (b"SET k 'it\\'s'", [b"SET", b"k", b"it's"]),
        (b'SET k ""', [b"SET", b"k", b""]),
        (b'SET k "open', None),
        (b'SET k "a"b', None),
        (b"SET k 'open", None),
    ],
)
def test_inline_words(line: bytes, words: list[bytes] | None) -> None:
    assert split(line) == words


def test_inline_and_arrays_may_be_mixed_and_empty_ones_are_nothing() -> None:
    data = b"PING\r\n\r\n*0\r\n*-1\r\nECHO x\n*1\r\n$4\r\nPING\r\n"
    assert parsed(data) == [[b"PING"], [b"ECHO", b"x"], [b"PING"]]


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (b"*x\r\n", b"invalid multibulk length"),
        (b"*2147483648\r\n", b"invalid multibulk length"),
        (b"*1\r\n+PING\r\n", b"expected '$', got '+'"),
        (b"*1\r\n$x\r\n", b"invalid bulk length"),
        (b"*1\r\n$-1\r\n", b"invalid bulk length"),
        (b"*1\r\n$536870913\r\n", b"invalid bulk length"),
        (b"*1\r\n$01\r\n", b"invalid bulk length"),
        (b"*" + b"1" * 70000, b"too big mbulk count string"),
        (b"*1\r\n$" + b"1" * 70000, b"too big bulk count string"),
        (b"x" * 70000, b"too big inline request"),
        (b"x\0\r\n" * 20000, b"too big inline request"),
        (b'"\r\n', b"unbalanced quotes in request"),
    ],
)
def test_what_is_wrong_is_told_and_ends_it(data: bytes, error: bytes) -> None:
    parser = RequestParser()
    parser.feed(encoded([b"PING"]) + data)
    assert list(parser.requests) == [[b"PING"]]
    assert parser.error == error
    parser.feed(encoded([b"PING"]))
    assert len(parser.requests) == 1


def test_a_large_count_costs_nothing_until_it_comes() -> None:
    parser = RequestParser()
    parser.feed(b"*2147483647\r\n$536870912\r\nabc")
    assert parser.error is None
    assert not parser.requests
    assert parser.held < 100


@pytest.mark.parametrize("piece", [b"$0\r\n\r\n" * 100, b"$100\r\n" + b"x" * 100 + b"\r\n"])
def test_a_request_that_never_ends_is_too_much(piece: bytes) -> None:
    parser = RequestParser(query_max=100_000)
    parser.feed(b"*2147483647\r\n")
    with pytest.raises(TooMuch):
        for _ in range(1001):
            parser.feed(piece)


def test_a_line_that_is_held_up_is_too_much() -> None:
    parser = RequestParser(query_max=1000)
    parser.hold(b"x" * 900)
    with pytest.raises(TooMuch):
        parser.hold(b"x" * 200)
