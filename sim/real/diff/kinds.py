"""What the arguments of commands look like, kind by kind, as the model's command table names them.

`KINDS` has an entry for every kind in the table (a test sees to it): a function that draws the texts of one
argument, valid mostly, borderline and malformed as often as the taste says. A new kind in the table needs one here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeAlias

from ....models import ids
from ....models.server import Server
from ..script import CLIENT
from . import lending, texts
from .draws import Draws
from .numbers import COUNTS, block, claim_idle, maybe_count, ms, number, timeout, unix_ms, unix_seconds
from .worlds import IDMP_DURATION_S, Taste

__all__ = ["KINDS", "Arguments", "Kind"]


class Arguments:
    """What is at hand while the arguments of one command line are drawn."""

    __slots__ = ("draws", "group", "key", "now_ms", "server", "taste")

    def __init__(self, draws: Draws, server: Server, taste: Taste) -> None:
        self.draws = draws
        self.server = server
        self.taste = taste
        self.now_ms = 0
        self.key = b"s"
        """The key that the command line is about."""
        self.group = b"g"
        """The group that it named last."""

    def of(self, kind: str) -> list[bytes]:
        """The texts of one argument of this kind; some kinds are several."""
        return KINDS[kind](self)

    def choose_key(self, *, streams: bool = False, grouped: bool = False, lists: bool = False) -> None:
        """Settles on a key, mostly one that there is."""
        draws = self.draws
        if draws.happens(self.taste.focus, "known key"):
            known = lending.known_keys(self.server, streams=streams, grouped=grouped, lists=lists)
            if known:
                self.key = draws.pick(known, "key")
                return
        self.key = draws.pick(texts.LISTS if lists else texts.KEYS, "key")

    def wrong_id(self) -> bytes:
        """Something that is no ID, or hardly one."""
        text = self.draws.pick(texts.ODD_IDS, "odd ID")
        return b"~" if self.taste.timeless and text.startswith(b"*") else text

    def near_id(self) -> bytes:
        """An ID that the stream at hand knows, or one beside it."""
        draws = self.draws
        stream = lending.stream_at(self.server, self.key)
        if stream is None or draws.happens(100, "made-up ID"):
            return b"%d-%d" % (draws.choose(12, "ms"), draws.choose(3, "sequence"))
        entry_id = draws.pick(lending.known_ids(stream), "known ID")
        how = draws.choose(20, "beside it")
        if how < 15:
            return ids.show(entry_id)
        if how < 17:
            return ids.show(min(entry_id + 1, ids.ID_MAX))
        if how < 19:
            return ids.show(max(entry_id - 1, 0))
        return b"%d" % ids.ms_of(entry_id)

    def is_wrong(self, share: int = 1) -> bool:
        """Whether to be wrong here, in one of `share` of the cases that the taste says."""
        return self.draws.happens(self.taste.wrong // share, "wrong")


Kind: TypeAlias = Callable[[Arguments], list[bytes]]


# ---- names ----


def _key(at: Arguments) -> list[bytes]:
    return [at.key]


def _keys(at: Arguments) -> list[bytes]:
    return [at.draws.pick(texts.KEYS + texts.LISTS, "key") for _ in range(at.draws.pick((1, 1, 2, 3), "how many keys"))]


def _any_key(at: Arguments) -> list[bytes]:
    return [at.draws.pick(texts.KEYS + texts.LISTS, "key")]


def _list(at: Arguments) -> list[bytes]:
    return [at.draws.pick(texts.LISTS, "list")]


def _lists(at: Arguments) -> list[bytes]:
    return [text for _ in range(at.draws.pick((1, 1, 2, 3), "how many lists")) for text in _list(at)]


def _numbered_lists(at: Arguments) -> list[bytes]:
    found = _lists(at)
    return [at.draws.pick(texts.ODD_NUMBERS, "odd number") if at.is_wrong(2) else b"%d" % len(found), *found]


def _group(at: Arguments) -> list[bytes]:
    at.group = at.draws.pick(texts.GROUPS, "group")
    stream = lending.stream_at(at.server, at.key)
    if stream is not None and stream.groups and at.draws.happens(at.taste.focus, "known group"):
        at.group = at.draws.pick(list(stream.groups), "group")
    return [at.group]


def _consumer(at: Arguments) -> list[bytes]:
    group = lending.group_at(at.server, at.key, at.group)
    if group is not None and group.consumers and at.draws.happens(at.taste.focus, "known consumer"):
        return [at.draws.pick(list(group.consumers), "consumer")]
    return [at.draws.pick(texts.CONSUMERS, "consumer")]


# ---- values ----


def _value(at: Arguments) -> list[bytes]:
    draws = at.draws
    how = draws.choose(1000, "value")
    if how >= 1000 - at.taste.long_values:
        return [draws.pick(texts.LONG_PIECES, "of what") * draws.pick(texts.LONG_SIZES, "how long")]
    if how >= 900:
        return [b"%d" % draws.choose(10**6, "number")]
    return [texts.VALUES[how % len(texts.VALUES)]]


def _channel(at: Arguments) -> list[bytes]:
    return [at.draws.pick(texts.CHANNELS, "channel")]


def _channels(at: Arguments) -> list[bytes]:
    return [text for _ in range(at.draws.pick((1, 1, 2, 3), "how many channels")) for text in _channel(at)]


def _patterns(at: Arguments) -> list[bytes]:
    return [at.draws.pick(texts.PATTERNS, "pattern") for _ in range(at.draws.pick((1, 1, 2), "how many patterns"))]


def _maybe_pattern(at: Arguments) -> list[bytes]:
    return [at.draws.pick(texts.PATTERNS, "pattern")] if at.draws.happens(400, "of a pattern") else []


def _client(at: Arguments) -> list[bytes]:
    if at.is_wrong():
        return [at.draws.pick((b"x", b"", b"-1", b"999999", b"01"), "odd client")]
    return [CLIENT + b"%d" % at.draws.choose(5, "client")]


def _protocol(at: Arguments) -> list[bytes]:
    return [at.draws.pick((b"1", b"4", b"x", b"") if at.is_wrong() else (b"2", b"3"), "protocol")]


def _element(at: Arguments) -> list[bytes]:
    return [at.draws.pick((b"a", b"b", b"c"), "element")] if at.draws.happens(700, "one of a few") else _value(at)


def _elements(at: Arguments) -> list[bytes]:
    return [text for _ in range(at.draws.pick((1, 1, 2, 3), "how many elements")) for text in _element(at)]


def _word(*usual: bytes) -> Kind:
    """One of a few words, seldom none of them."""

    def word(at: Arguments) -> list[bytes]:
        return [b"x" if at.is_wrong() else at.draws.pick(usual, "word")]

    return word


def _fields(at: Arguments) -> list[bytes]:
    many = at.draws.pick((2, 2, 2, 2, 4, 6), "how many texts")
    return [text for _ in range(many) for text in _value(at)]


# ---- idempotence ----


def _producer(at: Arguments) -> list[bytes]:
    return [b"" if at.is_wrong(2) else at.draws.pick(texts.PRODUCERS, "producer")]


def _iid(at: Arguments) -> list[bytes]:
    return [b"" if at.is_wrong(2) else at.draws.pick(texts.IIDS, "idempotent ID")]


# ---- IDs ----


def _id(at: Arguments) -> list[bytes]:
    return [at.wrong_id() if at.is_wrong(2) else at.near_id()]


def _ids(at: Arguments) -> list[bytes]:
    many = at.draws.pick((1, 1, 1, 2, 3, 5), "how many IDs")
    return [text for _ in range(many) for text in _id(at)]


def _recent_id(at: Arguments) -> list[bytes]:
    """An ID whose record a server does not forget at once: when it does so is up to its real clock."""
    text = _id(at)[0]
    entry_id = ids.parse(text, 0, strict=True)
    long_ago = entry_id is not None and ids.ms_of(entry_id) < at.now_ms - 1000 * (IDMP_DURATION_S // 2)
    return [b"9-9-9" if long_ago else text]


def _many_ids(at: Arguments) -> list[bytes]:
    """How many, then so many IDs; seldom another number of them."""
    found = _ids(at)
    if at.is_wrong(2):
        return [at.draws.pick((b"2", b"0", b"-1", b"x", b"9223372036854775807"), "how many"), *found]
    return [b"%d" % len(found), *found]


def _ids_block(at: Arguments) -> list[bytes]:
    return [b"IDS", *_many_ids(at)]


def _nack_mode(at: Arguments) -> list[bytes]:
    return [b"x" if at.is_wrong(2) else at.draws.pick((b"FAIL", b"SILENT", b"FATAL"), "mode")]


def _bound(usual: bytes) -> Kind:
    def bound(at: Arguments) -> list[bytes]:
        if at.is_wrong():
            return [at.draws.pick(texts.ODD_BOUNDS, "odd bound")]
        how = at.draws.choose(4, "bound")
        return [usual if how < 2 else (b"(" if how == 3 else b"") + at.near_id()]

    return bound


def _id_or_last(at: Arguments) -> list[bytes]:
    how = at.draws.choose(4, "from where")
    if how == 3:
        return [at.wrong_id() if at.is_wrong() else at.near_id()]
    return [b"$" if how == 2 else b"0"]


def _new_id(at: Arguments) -> list[bytes]:
    """For XADD: ``*`` mostly, ``ms-*``, and explicit ones about the last one."""
    draws = at.draws
    how = draws.choose(100, "which ID")
    if at.taste.timeless:
        how = how * 3 // 10 + 60
    if how < 60:
        return [b"*"]
    stream = lending.stream_at(at.server, at.key)
    last = 0 if stream is None else stream.last_id
    if how < 75:
        step = draws.pick((0, 0, 0, 1, -1), "ms beside the last")
        return [b"%d-*" % min((ids.ms_of(last) + step) & ids.PART_MAX, at.now_ms)]
    if how < 90:
        return [ids.show(min(last + draws.pick((1, 1, 1, 0, 2, 1 << 64), "after the last"), ids.ID_MAX - 1))]
    if how < 91:
        full = draws.choose(8, "the largest of all") == 7  # seldom: nothing can be added after it
        return [ids.show(ids.ID_MAX) if full else b"%d-%d" % (ids.ms_of(last), ids.PART_MAX)]
    return _id(at)


def _group_position(at: Arguments) -> list[bytes]:
    """For XREADGROUP."""
    how = at.draws.choose(7, "position")
    return [b">" if how < 5 else b"0" if how == 5 else at.near_id()]


def _position(at: Arguments) -> list[bytes]:
    """For XREAD."""
    if at.server.dialect.read_last_entry and at.draws.happens(150, "the last entry"):
        return [b"+"]
    how = at.draws.choose(5, "position")
    return [b"0" if how == 0 else b"$" if how < 3 else at.near_id()]


KINDS: Mapping[str, Kind] = {
    "key": _key,
    "keys": _keys,
    "channel": _channel,
    "channels": _channels,
    "patterns": _patterns,
    "maybe-pattern": _maybe_pattern,
    "client": _client,
    "reason": _word(b"TIMEOUT", b"ERROR", b"error"),
    "protocol": _protocol,
    "name": _word(b"me", b"", b"\x7e!", b"a b", b"\n"),
    "other-key": _any_key,
    "list": _list,
    "lists": _lists,
    "numbered-lists": _numbered_lists,
    "element": _element,
    "elements": _elements,
    "side": _word(b"LEFT", b"RIGHT", b"left"),
    "before-or-after": _word(b"BEFORE", b"AFTER"),
    "index": number(0, 1, -1, 2, -2, 3, 10, -10, edges=(2**63 - 1, -(2**63))),
    "maybe-count": maybe_count,
    "timeout": timeout,
    "replicas": number(0, 1, 1, 2, edges=(-1, 2**63 - 1)),
    "files": number(0, 0, 1, 2, edges=(-1,)),
    "database": number(0, 0, 0, 1, 1, 2, edges=(15, 16, -1, 2**31, 2**63 - 1)),
    "seconds": number(1, 100, 2, 10, 0, -1, edges=(2**63 - 1, 2**53, -(2**63))),
    "unix-seconds": unix_seconds,
    "group": _group,
    "consumer": _consumer,
    "value": _value,
    "fields": _fields,
    "id": _id,
    "ids": _ids,
    "trim-id": _id,
    "start": _bound(b"-"),
    "end": _bound(b"+"),
    "id-or-last": _id_or_last,
    "new-id": _new_id,
    "position": _position,
    "group-position": _group_position,
    "count": COUNTS,
    "entries-read": COUNTS,
    "entries-added": COUNTS,
    "trim-length": number(0, 1, 2, 3, 5, 8, 20, 100, edges=(-1,)),
    "limit": number(0, 1, 2, 3, 5, 10, 100, edges=(-1,)),
    "ms": ms,
    "min-idle": ms,
    "unix-ms": unix_ms,
    "producer": _producer,
    "iid": _iid,
    "idmp-seconds": number(86_400, 86_400, 86_399, 86_401, 0),
    "idmp-records": number(100, 100, 1, 2, 3, 10_000, 10_001, 0),
    "recent-id": _recent_id,
    "many-bytes": number(40, 60, 100, 300, 1000, 1),
    "many-ids": _many_ids,
    "claim-idle": claim_idle,
    "claim-idle-blocked": number(1, 2, 10, 100, 1000, 10_000),
    "ids-block": _ids_block,
    "nack-mode": _nack_mode,
    "block": block,
}
"""Every kind of argument in the command table, and how one is drawn."""
