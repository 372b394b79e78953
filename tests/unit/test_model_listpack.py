"""Sizes of listpacks, which decide where a stream's nodes end."""

from __future__ import annotations

import pytest
from redelivery.models.ids import make
from redelivery.models.listpack import EMPTY_BYTES, size_of_bytes, size_of_int
from redelivery.models.node import Node


@pytest.mark.parametrize(
    ("value", "size"),
    [
        (0, 2), (127, 2), (128, 3), (-1, 3), (4095, 3), (4096, 4), (-4096, 3), (-4097, 4), (32767, 4),
        (32768, 5),
        (-32768, 4), (-32769, 5), (8388607, 5), (8388608, 6), (-8388609, 6), (2**31 - 1, 6), (2**31, 10),
        (-(2**31), 6), (-(2**31) - 1, 10), (2**63 - 1, 10), (-(2**63), 10),
    ],
)  # fmt: skip
def test_integers(value: int, size: int) -> None:
    assert size_of_int(value) == size
    assert size_of_bytes(b"%d" % value) == size


@pytest.mark.parametrize(
    ("text", "size"),
    [
        (b"", 2), (b"a", 3), (b"-0", 4), (b"01", 4), (b"+1", 4), (b"9223372036854775808", 21),
        (b"a" * 63, 65),
        (b"a" * 64, 67), (b"a" * 125, 128), (b"a" * 126, 130), (b"a" * 4095, 4099), (b"a" * 4096, 4103),
        (b"a" * 16377, 16384), (b"a" * 16378, 16386), (b"a" * 2097145, 2097153), (b"a" * 2097146, 2097155),
    ],
)  # fmt: skip
def test_strings(text: bytes, size: int) -> None:
    assert size_of_bytes(text) == size


def test_names_like_the_first_entry_s_are_not_stored_again() -> None:
    node = Node((b"name",))
    node.append(make(1, 0), (b"name", b"v"), 5)
    first = node.size_bytes
    node.append(make(2, 0), (b"name", b"v"), 5)
    same = node.size_bytes - first
    node.append(make(3, 0), (b"eman", b"v"), 5)
    assert node.size_bytes - first - same == same + size_of_bytes(b"eman") + size_of_int(1)


@pytest.mark.parametrize("text", [b"", b"-", b"7", b"4096", b"-32769", b"2147483648", b"a" * 20, b"a" * 57, b"a" * 64])
@pytest.mark.parametrize("steps", [(0, 1), (1, 0), (2**31 - 1, 2**63), (2**31, 0), (2**40, 5)])
def test_what_was_not_measured_takes_no_more_than_was_thought(text: bytes, steps: tuple[int, int]) -> None:
    for names in ((b"name",), (b"other",), (b"",) * 29):
        node = Node(names[::-1])
        for at in range(5):
            fields = tuple(word for name in names for word in (name, text))
            node.append(make(9 + at * steps[0], at * steps[1]), fields, sum(map(len, fields)))
        thought = node._bytes + node._unmeasured_max
        node.measure()
        assert node._bytes <= thought


def test_a_deleted_entry_changes_counts_only() -> None:
    node = Node((b"name",))
    node.append(make(1, 0), (b"name", b"v"), 5)
    for at in range(2, 200):
        node.append(make(at, 0), (b"name", b"v"), 5)
    size = node.size_bytes
    node.slots[0] = None
    node.live -= 1
    assert node.size_bytes == size
    assert size > EMPTY_BYTES
