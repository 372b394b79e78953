"""Comparing replies when the server has a clock of its own.

Then the IDs that it generates are not the model's (`id_pairs.py`), and times are not compared: `idle`,
`inactive`, `seen-time`, `active-time`, the time of a pending entry, TIME and the TTL family. All else still
is: structure, values, counts, errors.
"""

from __future__ import annotations

from collections.abc import Sequence

from .id_pairs import IdPairs, is_id
from .masks import RADIX_TREE_NODES, is_masked
from .script import Script
from .values import Attributed, Error, Map, Status, parse, show

__all__ = ["RealTimeComparison"]

_NOT_COMPARED = frozenset({b"idle", b"inactive", b"seen-time", b"active-time", RADIX_TREE_NODES})
_TIME_COMMANDS = frozenset({b"TIME", b"TTL", b"PTTL", b"EXPIRETIME", b"PEXPIRETIME", b"LASTSAVE"})


class RealTimeComparison:
    """What one replay in real time has learnt, and how it judges a pair of replies."""

    def __init__(self, script: Script) -> None:
        self._ids = IdPairs(script)

    def arguments(self, argv: Sequence[bytes]) -> tuple[bytes, ...]:
        """The command with the server's IDs in the place of the model's."""
        return self._ids.arguments(argv)

    def same_reply(
        self, argv: Sequence[bytes], model: bytes, server: bytes, queued: Sequence[Sequence[bytes]] = ()
    ) -> bool:
        """Whether the replies agree in all that does not depend on the clock; new IDs are paired on the way.

        `queued` are the commands of a transaction, for the reply to its EXEC: each is judged as what it is.
        """
        mine, theirs = parse(model), parse(server)
        if queued and isinstance(mine, list) and isinstance(theirs, list):
            return len(mine) == len(theirs) == len(queued) and all(map(self._same_result, queued, mine, theirs))
        return self._same_result(argv, mine, theirs)

    def _same_result(self, argv: Sequence[bytes], model: object, server: object) -> bool:
        if is_masked(argv) or argv[0].upper() in _TIME_COMMANDS:
            return type(model) is type(server)
        return self._same(argv, model, server)

    def _same(self, argv: Sequence[bytes], model: object, server: object) -> bool:
        if isinstance(model, Map) and isinstance(server, Map):
            return len(model) == len(server) and all(
                self._same(argv, key, other) and (_is_time_label(key) or self._same(argv, value, theirs))
                for (key, value), (other, theirs) in zip(model, server, strict=True)
            )
        if isinstance(model, Attributed) and isinstance(server, Attributed):
            return self._same(argv, model.value, server.value)
        if type(model) is not type(server):
            return False
        if isinstance(model, list):
            assert isinstance(server, list)
            return self._same_items(argv, model, server)
        if isinstance(model, bytes):
            assert isinstance(server, bytes)
            return self._same_text(argv, model, server)
        return show(model) == show(server)

    def _same_items(self, argv: Sequence[bytes], model: list[object], server: list[object]) -> bool:
        if len(model) != len(server):
            return False
        pending = _pending_time_at(model)
        for index, (mine, theirs) in enumerate(zip(model, server, strict=True)):
            labelled = index > 0 and _is_time_label(model[index - 1])
            skipped = index == pending or labelled
            if not (skipped and type(mine) is type(theirs) is int) and not self._same(argv, mine, theirs):
                return False
        return True

    def _same_text(self, argv: Sequence[bytes], model: bytes, server: bytes) -> bool:
        if isinstance(model, Error | Status):
            return self._ids.in_text(argv, model) == server
        if is_id(model) and is_id(server):
            return self._ids.same_id(argv, model, server)
        return model == server


def _is_time_label(value: object) -> bool:
    return isinstance(value, bytes) and value in _NOT_COMPARED


def _pending_time_at(items: list[object]) -> int | None:
    """Where a pending entry holds its time: last but one, before its count.

    XPENDING lists [ID, consumer, idle, count]; XINFO STREAM FULL [ID, consumer, time, count] for a group and
    [ID, time, count] for a consumer; XREADGROUP with CLAIM [ID, fields, idle, count].
    """
    if len(items) not in (3, 4) or not isinstance(items[0], bytes) or not is_id(items[0]):
        return None
    return len(items) - 2 if type(items[-2]) is int and type(items[-1]) is int else None
