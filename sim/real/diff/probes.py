"""Branches of commands that leave no fact, looked up in the state right before the command."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias

from ....models import ids
from ....models.group import Group
from ....models.server import Server
from . import lending

__all__ = ["PROBES", "Probe"]

Probe: TypeAlias = Callable[[Server, Sequence[bytes], int], Sequence[str]]

ENTRIES_MAX = 200


def _integer(text: bytes) -> int:
    return int(text) if text.isdigit() and len(text) < 20 else 0


def _xclaim(server: Server, argv: Sequence[bytes], now_ms: int) -> Sequence[str]:
    found = _group(server, argv)
    if found is None or len(argv) < 6:
        return ()
    wanted = [entry_id for text in argv[5:] if (entry_id := ids.parse(text, 0, strict=True)) is not None]
    return _states(server, argv[1], found, wanted, _integer(argv[4]), now_ms)


def _xautoclaim(server: Server, argv: Sequence[bytes], now_ms: int) -> Sequence[str]:
    found = _group(server, argv)
    if found is None or len(argv) < 6:
        return ()
    pending = list(found.pel.keys()[:ENTRIES_MAX])
    return _states(server, argv[1], found, pending, _integer(argv[4]), now_ms)


def _states(
    server: Server, key: bytes, group: Group, wanted: Sequence[int], min_idle_ms: int, now_ms: int
) -> Sequence[str]:
    """What the entries that are to be claimed are like."""
    stream = lending.stream_at(server, key)
    found = set()
    for entry_id in wanted:
        nack = group.pel.get(entry_id)
        gone = stream is None or stream.get(entry_id) is None
        if nack is None:
            found.add("an entry not pending, gone" if gone else "an entry not pending")
        elif gone:
            found.add("a pending entry gone")
        elif now_ms - nack.delivered_ms < min_idle_ms:
            found.add("a pending entry too young")
    return sorted(found)


def _xpending(server: Server, argv: Sequence[bytes], now_ms: int) -> Sequence[str]:
    found = _group(server, argv)
    if found is None:
        return ()
    if len(argv) == 3:
        return ("summary of none",) if not len(found.pel) else ("summary",)
    if len(argv) > 6 and argv[-1] not in found.consumers:
        return ("consumer unknown",)
    return ()


def _group(server: Server, argv: Sequence[bytes]) -> Group | None:
    return lending.group_at(server, argv[1], argv[2]) if len(argv) > 2 else None


PROBES: Mapping[str, Probe] = {"XCLAIM": _xclaim, "XAUTOCLAIM": _xautoclaim, "XPENDING": _xpending}
