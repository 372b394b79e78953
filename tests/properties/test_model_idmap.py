"""The sorted map of IDs against a plain dictionary, with copies that share chunks."""

from __future__ import annotations

from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st
from redelivery.models import idmap
from redelivery.models.idmap import IdMap

KEYS = st.integers(0, 60)
OPERATIONS = st.lists(
    st.tuples(st.sampled_from(["put", "put", "put", "pop", "copy"]), st.integers(0, 5), KEYS, st.integers()),
    max_size=120,
)


def check(found: IdMap[int], expected: dict[int, int]) -> None:
    assert len(found) == len(expected)
    assert list(found.items()) == sorted(expected.items())
    assert found.keys() == tuple(sorted(expected))
    if expected:
        assert (found.first(), found.last()) == (min(expected), max(expected))


@given(OPERATIONS, KEYS)
def test_maps_and_their_copies_are_dictionaries(operations: list[tuple[str, int, int, int]], start: int) -> None:
    with patch.object(idmap, "CHUNK_MAX", 4):  # so that few keys make many chunks
        maps: list[tuple[IdMap[int], dict[int, int]]] = [(IdMap(), {})]
        for what, which, key, value in operations:
            found, expected = maps[which % len(maps)]
            if what == "put":
                found.put(key, value)
                expected[key] = value
            elif what == "pop":
                assert found.pop(key) == expected.pop(key, None)
            elif len(maps) < 6:
                maps.append((found.copy(), expected.copy()))
            assert found.get(key) == expected.get(key)
    for found, expected in maps:
        check(found, expected)
        assert list(found.items(start)) == sorted(item for item in expected.items() if item[0] >= start)


@pytest.mark.parametrize("keys", [range(1000), range(999, -1, -1), [*range(0, 1000, 2), *range(1, 1000, 2)]])
def test_many_keys_in_any_order(keys: list[int]) -> None:
    found: IdMap[int] = IdMap()
    for key in keys:
        found.put(key, -key)
    copy = found.copy()
    for key in keys:
        assert copy.pop(key) == -key
    check(copy, {})
    check(found, {key: -key for key in keys})


def test_an_ascending_run_leaves_full_chunks() -> None:
    found: IdMap[int] = IdMap()
    for key in range(10 * idmap.CHUNK_MAX):
        found.put(key, key)
    assert len(found._chunks) <= 11
