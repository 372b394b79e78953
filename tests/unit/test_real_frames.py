"""The raw connection's frame scanner, and replies as values."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from queue import SimpleQueue

import pytest
from hypothesis import given
from hypothesis import strategies as st
from redelivery.sim.real.address import Address
from redelivery.sim.real.connection import Connection, encode
from redelivery.sim.real.errors import NoReply, RealServerError, ServerClosed
from redelivery.sim.real.frames import FrameScanner, frame_count
from redelivery.sim.real.values import Nil, Status, first_difference, parse, show

LINES = st.text("abc -0", max_size=12).map(str.encode)
SCALARS = st.one_of(
    LINES.map(lambda text: b"+%b\r\n" % text),
    LINES.map(lambda text: b"-ERR %b\r\n" % text),
    st.integers(-(2**63), 2**63 - 1).map(lambda number: b":%d\r\n" % number),
    st.binary(max_size=40).map(lambda text: b"$%d\r\n%b\r\n" % (len(text), text)),
    st.binary(max_size=40).map(lambda text: b"!%d\r\n%b\r\n" % (len(text), text)),
    st.binary(max_size=40).map(lambda text: b"=%d\r\ntxt:%b\r\n" % (len(text) + 4, text)),
    st.sampled_from([b"$-1\r\n", b"*-1\r\n", b"_\r\n", b"#t\r\n", b"#f\r\n", b",inf\r\n", b",-0.5\r\n"]),
    st.integers().map(lambda number: b"(%d\r\n" % number),
)


def _aggregates(inner: st.SearchStrategy[bytes]) -> st.SearchStrategy[bytes]:
    items = st.lists(inner, max_size=4)
    pairs = st.lists(st.tuples(inner, inner).map(b"".join), max_size=3)
    return st.one_of(
        st.tuples(st.sampled_from([b"*", b"~", b">"]), items).map(
            lambda drawn: b"%b%d\r\n%b" % (drawn[0], len(drawn[1]), b"".join(drawn[1]))
        ),
        pairs.map(lambda drawn: b"%%%d\r\n%b" % (len(drawn), b"".join(drawn))),
        st.tuples(pairs, inner).map(lambda drawn: b"|%d\r\n%b%b" % (len(drawn[0]), b"".join(drawn[0]), drawn[1])),
    )


FRAMES = st.recursive(SCALARS, _aggregates, max_leaves=20)


@given(st.lists(FRAMES, max_size=6), st.data())
def test_frames_come_out_whole_however_they_are_cut(frames: list[bytes], data: st.DataObject) -> None:
    stream = b"".join(frames)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=12)))
    scanner, out = FrameScanner(), []
    for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True):
        scanner.feed(stream[start:end])
        while (frame := scanner.next()) is not None:
            out.append(frame)
    assert out == frames
    assert scanner.held == 0
    assert frame_count(stream) == len(frames)


@given(st.lists(FRAMES, min_size=1, max_size=4), st.lists(FRAMES, min_size=1, max_size=4), st.data())
def test_match_takes_equal_replies_and_nothing_else(
    frames: list[bytes], expected: list[bytes], data: st.DataObject
) -> None:
    stream, wanted = b"".join(frames), b"".join(expected)
    cut = data.draw(st.integers(0, len(stream)))
    scanner = FrameScanner()
    scanner.feed(stream[:cut])
    first = scanner.match(wanted)
    if first is not True:  # else the match took its bytes before the rest came
        scanner.feed(stream[cut:])
        assert first is None or not stream.startswith(wanted)
    same = first or scanner.match(wanted)
    assert same is (stream.startswith(wanted) or (None if wanted.startswith(stream) else False))
    if same is False:
        assert scanner.next() == frames[0]


@given(FRAMES, FRAMES)
def test_replies_show_alike_only_if_their_bytes_are_alike(one: bytes, other: bytes) -> None:
    if one != other:
        # `(0` and `(-0`, `,1` and `,1.0` are spelled apart; nothing else has two spellings here.
        assert show(parse(one)) != show(parse(other))


def test_long_streams_are_compacted_between_frames() -> None:
    frame = b"$50000\r\n" + bytes(50_000) + b"\r\n"
    scanner = FrameScanner()
    for _ in range(10):
        scanner.feed(frame + frame[:100])
        assert scanner.next() == frame
        assert scanner.next() is None
        scanner.feed(frame[100:])
        assert scanner.next() == frame


@pytest.mark.parametrize("junk", [b"HTTP/1.1 400 Bad Request\r\n", b"*x\r\n", b"$?\r\n", b"\r\n", b"@3\r\n"])
def test_what_is_not_a_reply_is_named(junk: bytes) -> None:
    scanner = FrameScanner()
    scanner.feed(junk)
    with pytest.raises(RealServerError, match="not RESP"):
        scanner.next()


def test_replies_cut_short_are_no_replies() -> None:
    with pytest.raises(ValueError, match="not whole replies"):
        frame_count(b"+OK\r\n$5\r\nab")
    for cut in (b"", b"$5\r\nab\r\n", b"*2\r\n:1\r\n", b"+OK"):
        with pytest.raises(RealServerError, match="not a reply"):
            parse(cut)
    with pytest.raises(RealServerError, match="more than a reply"):
        parse(b"+OK\r\n+OK\r\n")


def test_values_keep_apart_what_clients_read_as_one() -> None:
    assert [parse(nil) for nil in (b"$-1\r\n", b"*-1\r\n", b"_\r\n")] == [Nil.BULK, Nil.ARRAY, Nil.NULL]
    assert parse(b"*2\r\n$1\r\na\r\n:3\r\n") == [b"a", 3]
    status = parse(b"+OK\r\n")
    assert isinstance(status, Status)
    assert show(status) == "OK"
    assert show(parse(b"$2\r\nOK\r\n")) == '"OK"'
    assert show(parse(b"%1\r\n+k\r\n*2\r\n:1\r\n$2\r\n\x00\n\r\n")) == '{k: [1, "\\x00\\n"]}'
    assert show(parse(b"|1\r\n+ttl\r\n:5\r\n$1\r\nv\r\n")) == '|{ttl: 5} "v"'


def test_the_place_of_a_difference_is_a_path() -> None:
    model = parse(b"%2\r\n$1\r\na\r\n:1\r\n$1\r\nb\r\n*2\r\n:1\r\n:2\r\n")
    server = parse(b"%2\r\n$1\r\na\r\n:1\r\n$1\r\nb\r\n*2\r\n:1\r\n:3\r\n")
    assert first_difference(model, server) == '."b"[1]'
    assert first_difference(parse(b":1\r\n"), parse(b":2\r\n")) == ""


def test_a_command_is_an_array_of_strings() -> None:
    assert encode([b"XADD", b"", b"\r\n"]) == b"*3\r\n$4\r\nXADD\r\n$0\r\n\r\n$2\r\n\r\n\r\n"


class FixedServer:
    """A server that sends what it is told to, and hangs up when it is told None."""

    def __init__(self) -> None:
        self.pieces: SimpleQueue[bytes | None] = SimpleQueue()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = Address(port=self._listener.getsockname()[1])
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        with self._listener, self._listener.accept()[0] as client:
            for piece in iter(self.pieces.get, None):
                client.sendall(piece)

    def end(self) -> None:
        self.pieces.put(None)
        self._thread.join()


@pytest.fixture
def server() -> Iterator[FixedServer]:
    server = FixedServer()
    yield server
    server.end()


def test_a_connection_reads_on_after_it_gave_up_waiting(server: FixedServer) -> None:
    with Connection(server.address) as connection:
        server.pieces.put(b"*2\r\n:1\r\n")
        with pytest.raises(NoReply, match="has not answered"):
            connection.read(0.1)
        assert not connection.match(b"+OK\r\n", 0.1)
        server.pieces.put(b":2\r\n+OK\r\n")
        assert connection.read(5) == b"*2\r\n:1\r\n:2\r\n"
        assert connection.match(b"+OK\r\n", 5)
        assert not connection.readable()


def test_a_server_that_hangs_up_in_the_middle_of_a_reply_is_named(server: FixedServer) -> None:
    with Connection(server.address) as connection:
        server.pieces.put(b"*2\r\n:1\r\n")
        server.pieces.put(None)
        with pytest.raises(ServerClosed, match="closed the connection"):
            connection.read()
