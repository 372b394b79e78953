"""Stream IDs against a naive reference, written from the rules of C's strtoull and Redis's string2ll."""

from __future__ import annotations

import re

from hypothesis import example, given
from hypothesis import strategies as st
from redelivery.models import ids
from redelivery.models.commands.call import integer

PARTS = st.integers(0, ids.PART_MAX)
IDS = st.builds(ids.make, PARTS, PARTS)

EDGES = (0, 1, 9, 2**63 - 1, 2**63, 2**63 + 1, 2**64 - 1, 2**64, 10**30)
NUMBERS = st.sampled_from(EDGES) | st.integers(0, 2**65)
PIECES = NUMBERS.map(lambda number: b"%d" % number) | st.sampled_from(
    [b"-", b"+", b"*", b" ", b"\t", b"\v", b"0", b"00", b"\0", b"x", b".", b"\xa0"]
)
TEXTS = st.lists(PIECES, max_size=6).map(b"".join)


def naive_part(text: bytes) -> int | None:
    if re.fullmatch(rb"0|-?[1-9][0-9]*", text) and -(2**63) <= int(text) < 2**63:
        return int(text) if int(text) >= 0 else None
    found = re.fullmatch(rb"[ \t\n\v\f\r]*([+-]?)([0-9]+)", text)
    if found is None or int(found[2]) >= 2**64:
        return None
    return -int(found[2]) % 2**64 if found[1] == b"-" else int(found[2])


def naive_id(text: bytes, default_seq: int, strict: bool) -> int | None:
    if len(text) > 127:
        return None
    text = text.split(b"\0")[0]
    if not strict and text in (b"-", b"+"):
        return 0 if text == b"-" else 2**128 - 1
    head, dash, tail = text.partition(b"-")
    ms = naive_part(head)
    seq = naive_part(tail) if dash else default_seq
    return None if ms is None or seq is None else ms * 2**64 + seq


@given(TEXTS, st.sampled_from([0, ids.PART_MAX]), st.booleans())
@example(b"1-" + b"0" * 125, 0, True)
@example(b"1-" + b"0" * 126, 0, True)
@example(b"9--9223372036854775808", 0, True)
@example(b"9--9223372036854775809", 0, True)
@example(b"9- -1", 0, True)
def test_an_id_is_read_as_redis_reads_it(text: bytes, default_seq: int, strict: bool) -> None:
    assert ids.parse(text, default_seq, strict=strict) == naive_id(text, default_seq, strict)


@given(TEXTS)
def test_an_open_sequence_is_read_as_redis_reads_it(text: bytes) -> None:
    head, dash, tail = text.split(b"\0")[0].partition(b"-")
    expected = naive_part(head) if dash and tail == b"*" and len(text) <= 127 else None
    assert ids.parse_open_sequence(text) == expected


@given(TEXTS)
def test_a_number_is_read_as_redis_reads_it(text: bytes) -> None:
    plain = re.fullmatch(rb"0|-?[1-9][0-9]*", text) is not None and -(2**63) <= int(text) < 2**63
    assert integer(text) == (int(text) if plain else None)


@given(IDS)
def test_what_is_shown_reads_back(entry_id: int) -> None:
    assert ids.parse(ids.show(entry_id), 7, strict=True) == entry_id
    assert ids.make(ids.ms_of(entry_id), ids.seq_of(entry_id)) == entry_id


@given(IDS, IDS)
def test_the_order_is_by_milliseconds_and_then_by_sequence(one: int, two: int) -> None:
    assert (one < two) == ((ids.ms_of(one), ids.seq_of(one)) < (ids.ms_of(two), ids.seq_of(two)))


@given(IDS.filter(lambda entry_id: entry_id != ids.ID_MAX), st.integers(0, 2**48))
def test_a_generated_id_is_the_clock_or_one_past_the_last(last: int, now_ms: int) -> None:
    new = ids.next_generated(last, now_ms)
    assert new > last
    assert new == (ids.make(now_ms, 0) if now_ms > ids.ms_of(last) else last + 1)


@given(st.integers(-(2**70), 2**70))
def test_a_signed_number_goes_round(value: int) -> None:
    found = ids.signed64(value)
    assert -(2**63) <= found < 2**63
    assert (found - value) % 2**64 == 0
