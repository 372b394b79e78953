"""Dialects: what differs between server lines, as named behaviours.

A command asks ``dialect.claim_drops_deleted``, never a version. Each field says what the behaviour is;
its value for each server line stands in the table below. How each was seen: ``redelivery diff`` and
the differential tests run every command against the real server of that line.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

SMALLER = b"ERR The ID specified in XADD is equal or smaller than the target stream top item"
TOO_LARGE = b"ERR Elements are too large to be stored"


@dataclass(frozen=True, slots=True)
class Dialect:
    """One server line's behaviour. Every field is a rule of Redis, not an opinion of ours."""

    name: str
    """As users write it, e.g. ``redis-7.0``."""

    release: tuple[int, int]
    """What ``since`` in the command table is compared with, there and nowhere else."""

    subcommands_are_commands: bool
    """XGROUP and XINFO look up the subcommand and its arity before the key (7.0)."""

    new_error_texts: bool
    """Quotes instead of back-ticks, ``'xadd' command`` instead of ``XADD``, lower-case ``unknown``, and the
    names of unknown commands and subcommands cut at 128 bytes (7.0)."""

    unknown_alone_is_bare: bool
    """The error for an unknown command without arguments does not go on to list them (seen in 8.6)."""

    counts_entries: bool
    """Streams keep entries-added and max-deleted-entry-id, groups entries-read and lag (7.0)."""

    lag_by_position: bool
    """Tombstones and the read counter are judged where the group is, not at the entry (8.0, Valkey 8.1)."""

    lag_known_when_unread: bool
    """The lag of an empty stream is 0, of an unread one without tombstones its length (8.0, not Valkey)."""

    entries_read_capped: bool
    """ENTRIESREAD above entries-added is cut down to it (8.4)."""

    claim_drops_deleted: bool
    """XCLAIM and XAUTOCLAIM drop pending entries whose entry is gone, instead of answering nil (7.0)."""

    autoclaim_count_max: int
    """The largest COUNT that XAUTOCLAIM takes."""

    autoclaim_memory_error: bool
    """XAUTOCLAIM refuses a COUNT for which it cannot allocate its list of deleted IDs (7.0)."""

    tracks_active_time: bool
    """Consumers have an active-time; a read or claim that gets nothing still creates and sees them (7.2)."""

    blocked_reexecutes: bool
    """A blocked read runs its whole command again when it is woken, instead of serving one key (7.2)."""

    blocked_notices_deletion: bool
    """XREADGROUP wakes with an error when its key is deleted or becomes another type (7.0)."""

    unbalanced_text: str
    """Which wording an odd STREAMS list is answered with: ``list``, ``quoted`` (7.2) or ``plus`` (8.0)."""

    block_overflow_error: bool
    """BLOCK so large that now + BLOCK overflows is an error (7.2)."""

    read_last_entry: bool
    """XREAD takes ``+`` for the last entry (7.4)."""

    open_sequence: bool
    """XADD takes ``ms-*`` (7.0)."""

    open_sequence_full_text: bytes
    """The error where the sequence of ``ms-*`` is already at its largest.

    7.0 forgets to say which error it is: it answers as here, or as later releases do if the last XADD that
    failed was refused for its ID.
    """

    approx_limit_clamped: bool
    """The default LIMIT of ``~`` is 10,000 where nodes have no limit of entries, at most 1,000,000 (7.0)."""

    setid_options: bool
    """XSETID takes ENTRIESADDED and MAXDELETEDID, and reads its arguments before the key (7.0)."""

    setid_guards_deleted: bool
    """XSETID refuses an ID below max-deleted-entry-id (7.2)."""

    xinfo_idempotence: bool
    """XINFO STREAM shows the state of idempotent XADD (8.6)."""


_REDIS_6_2 = Dialect(
    name="redis-6.2",
    release=(6, 2),
    subcommands_are_commands=False,
    new_error_texts=False,
    unknown_alone_is_bare=False,
    counts_entries=False,
    lag_by_position=False,
    lag_known_when_unread=False,
    entries_read_capped=False,
    claim_drops_deleted=False,
    autoclaim_count_max=2**63 - 1,
    autoclaim_memory_error=False,
    tracks_active_time=False,
    blocked_reexecutes=False,
    blocked_notices_deletion=False,
    unbalanced_text="list",
    block_overflow_error=False,
    read_last_entry=False,
    open_sequence=False,
    open_sequence_full_text=b"",
    approx_limit_clamped=False,
    setid_options=False,
    setid_guards_deleted=False,
    xinfo_idempotence=False,
)

_REDIS_7_0 = replace(
    _REDIS_6_2,
    name="redis-7.0",
    release=(7, 0),
    subcommands_are_commands=True,
    new_error_texts=True,
    counts_entries=True,
    claim_drops_deleted=True,
    autoclaim_count_max=(2**63 - 1) // 16,
    autoclaim_memory_error=True,
    blocked_notices_deletion=True,
    open_sequence=True,
    open_sequence_full_text=TOO_LARGE,
    approx_limit_clamped=True,
    setid_options=True,
)

_REDIS_8_6 = replace(
    _REDIS_7_0,
    name="redis-8.6",
    release=(8, 6),
    unknown_alone_is_bare=True,
    lag_by_position=True,
    lag_known_when_unread=True,
    entries_read_capped=True,
    tracks_active_time=True,
    blocked_reexecutes=True,
    unbalanced_text="plus",
    block_overflow_error=True,
    read_last_entry=True,
    open_sequence_full_text=SMALLER,
    setid_guards_deleted=True,
    xinfo_idempotence=True,
)

DIALECTS: dict[str, Dialect] = {d.name: d for d in (_REDIS_6_2, _REDIS_7_0, _REDIS_8_6)}
"""Every dialect by name, oldest first."""

DEFAULT = "redis-8.6"
