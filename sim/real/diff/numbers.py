"""Numbers as arguments of commands: counts, times, limits, and those that are none."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ....models.stream import Stream
from . import texts

if TYPE_CHECKING:
    from .kinds import Arguments, Kind


def number(*usual: int, edges: tuple[int, ...] = ()) -> Kind:
    """A number of a few, seldom one of the edges, or one that is wrong."""

    edges_share = 30 if edges else 0

    def drawn(at: Arguments) -> list[bytes]:
        draws = at.draws
        how = draws.choose(1000, "number")
        wrong = at.taste.wrong // 2
        if how >= 1000 - wrong:
            return [draws.pick(texts.ODD_NUMBERS, "odd number")]
        if how >= 1000 - wrong - edges_share:
            return [b"%d" % draws.pick(edges, "edge")]
        return [b"%d" % usual[how % len(usual)]]

    return drawn


def ms(at: Arguments) -> list[bytes]:
    """A time in ms; where time is not compared, none at all or for ever."""
    if at.taste.timeless:
        return [at.draws.pick((b"0", b"1000000000000"), "for ever")]
    return _SOME_MS(at)


def unix_ms(at: Arguments) -> list[bytes]:
    """A time about now, in ms."""
    if at.taste.timeless:
        return [b"0"]
    if at.is_wrong(2):
        return [at.draws.pick(texts.ODD_NUMBERS, "odd number")]
    return [b"%d" % (at.now_ms + at.draws.pick((0, -1, 1, -100, 1000, -100_000), "ms from now"))]


def claim_idle(at: Arguments) -> list[bytes]:
    """For CLAIM: not 0 where something pending was delivered in the future, for then a server may never answer."""
    if at.taste.timeless:
        return [b"1000000000000"]
    text = _SOME_MS(at)[0]
    return [b"1" if text == b"0" and _is_ahead(at) else text]


def _is_ahead(at: Arguments) -> bool:
    streams = [value for value in at.server.keys.values() if isinstance(value, Stream)]
    return any(group.newest_ms > at.now_ms for stream in streams for group in stream.groups.values())


def block(at: Arguments) -> list[bytes]:
    """For BLOCK."""
    if at.taste.wrong and at.draws.happens(max(at.taste.wrong, 80), "odd timeout"):
        forms: tuple[bytes, ...] = (b"-1", b"x", b"-1", b"1.5", b"")
        if at.server.dialect.block_overflow_error:  # elsewhere a wait beyond the end of time is undefined behaviour
            forms += (b"9223372036854775807",) * 3 + (b"9223372036854775808",)
        return [at.draws.pick(forms, "odd timeout")]
    return [b"%d" % at.draws.pick((0, 1, 5, 20, 100, 1000, 5000), "timeout")]


def timeout(at: Arguments) -> list[bytes]:
    """For lists: seconds."""
    return [at.draws.pick(texts.ODD_TIMEOUTS if at.is_wrong(2) else texts.TIMEOUTS, "timeout")]


def unix_seconds(at: Arguments) -> list[bytes]:
    """A time about now, in seconds."""
    if at.is_wrong(2):
        return [at.draws.pick(texts.ODD_NUMBERS, "odd number")]
    return [b"%d" % (at.now_ms // 1000 + at.draws.pick((1, 0, 2, -1, 100, -100_000), "seconds from now"))]


def maybe_count(at: Arguments) -> list[bytes]:
    """A count, or nothing."""
    return COUNTS(at) if at.draws.happens(400, "count") else []


COUNTS = number(1, 1, 2, 2, 3, 5, 10, 40, 0, -1, edges=(-2, -2, 10**16, 10**16, 2**63 - 1, 2**63 - 2, 2**63 - 3))
_SOME_MS = number(0, 0, 1, 2, 10, 100, 1000, 10_000, 100_000)
