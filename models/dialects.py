"""Dialects: what each server line answers differently, release by release as the lines changed.

Each value is one of the fields of ``Dialect``, which says what it means and how to see it.
"""

from __future__ import annotations

from dataclasses import replace

from .dialect import SMALLER, TOO_LARGE, Dialect, Release

__all__ = ["DEFAULT", "DIALECTS", "SMALLER", "TOO_LARGE", "Dialect", "Release"]

_REDIS_6_0 = Dialect(
    name="redis-6.0",
    release=(6, 0),
    valkey=False,
    subcommands_are_commands=False,
    new_error_texts=False,
    unknown_alone_is_bare=False,
    group_creates_consumers=False,
    xinfo_alone_text=b"ERR syntax error, try 'XINFO HELP'",
    open_ranges=False,
    xpending_argc_max=7,
    xtrim_key_first=True,
    strategy_repeats=True,
    approx_limited=False,
    tombstones_fill_nodes=False,
    node_bytes_zero=1,
    nested_multi_text=b"ERR MULTI calls can not be nested",
    nested_multi_breaks=False,
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
    read_last_entry="",
    open_sequence=False,
    open_sequence_full_text=b"",
    approx_limit_clamped=False,
    setid_options=False,
    setid_guards_deleted=False,
    xinfo_idempotence=False,
)

_REDIS_6_2 = replace(
    _REDIS_6_0,
    name="redis-6.2",
    release=(6, 2),
    group_creates_consumers=True,
    xinfo_alone_text=b"",
    open_ranges=True,
    xpending_argc_max=9,
    xtrim_key_first=False,
    strategy_repeats=False,
    approx_limited=True,
    tombstones_fill_nodes=True,
    node_bytes_zero=0,
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

_REDIS_7_2 = replace(
    _REDIS_7_0,
    name="redis-7.2",
    release=(7, 2),
    tracks_active_time=True,
    blocked_reexecutes=True,
    unbalanced_text="quoted",
    block_overflow_error=True,
    open_sequence_full_text=SMALLER,
    setid_guards_deleted=True,
)

_REDIS_7_4 = replace(_REDIS_7_2, name="redis-7.4", release=(7, 4), read_last_entry="generated")

_REDIS_8_0 = replace(
    _REDIS_7_4,
    name="redis-8.0",
    release=(8, 0),
    lag_by_position=True,
    lag_known_when_unread=True,
    unbalanced_text="plus",
    read_last_entry="live",
)

_REDIS_8_6 = replace(
    _REDIS_8_0,
    name="redis-8.6",
    release=(8, 6),
    unknown_alone_is_bare=True,
    entries_read_capped=True,
    xinfo_idempotence=True,
)

_VALKEY_8_0 = replace(
    _REDIS_7_2,
    name="valkey-8.0",
    release=(8, 0),
    valkey=True,
    nested_multi_text=b"ERR Command not allowed inside a transaction",
    nested_multi_breaks=True,
    read_last_entry="generated",
)

_VALKEY_8_1 = replace(_VALKEY_8_0, name="valkey-8.1", release=(8, 1), lag_by_position=True)

_VALKEY_9_1 = replace(
    _VALKEY_8_1,
    name="valkey-9.1",
    release=(9, 1),
    nested_multi_text=b"ERR Command 'multi' not allowed inside a transaction",
    read_last_entry="filled",
)

DIALECTS: dict[str, Dialect] = {
    dialect.name: dialect
    for dialect in (
        _REDIS_6_0, _REDIS_6_2, _REDIS_7_0, _REDIS_7_2, _REDIS_7_4, _REDIS_8_0, _REDIS_8_6,
        _VALKEY_8_0, _VALKEY_8_1, _VALKEY_9_1,
    )
}  # fmt: skip
"""Every dialect by name: those of Redis, oldest first, then those of Valkey."""

DEFAULT = "redis-8.6"
