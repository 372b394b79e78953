"""Digests of worlds: the same for equal states, on every run, in every process, on every Python."""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING

from ..models.snapshot import snapshot

if TYPE_CHECKING:
    from .world import World

DIGEST_BYTES = 16


def fingerprint(world: World) -> bytes:
    """A digest of everything that the future of a world depends on. Nothing is abstracted away."""
    parts = (
        world.now_ms,
        sorted(world.offsets.items()),
        sorted(world.drifts.items()),
        snapshot(world.server),
        [process.components() for process in world.processes],
        [tuple(held) for held in world.held],
        [(item.at_ms, item.priority, type(item.event).__name__, item.event) for item in world.kernel.pending()],
        world.budgets,
        sorted(world.waiting.items()),
        world.calls,
        world.healed,
        world.ended,
        None if world.watch is None else world.watch.components(),
    )
    return blake2b(repr(parts).encode(), digest_size=DIGEST_BYTES).digest()
