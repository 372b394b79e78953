"""Dialects: what each server line answers differently, release by release as the lines changed.

Each value is one of the fields of ``Dialect``, which says what it means and how to see it.
"""

from __future__ import annotations

from dataclasses import replace

from .dialect import SMALLER, TOO_LARGE, Dialect, Release

__all__ = ["DEFAULT", "DIALECTS", "SMALLER", "TOO_LARGE", "Dialect", "Release"]

ZERO_RANK = b"ERR RANK can't be zero: use 1 to start from the first match, 2 from the second"

ON_REPLICA = (
    b" cannot be used with replica instances. Please also note that %b a replica is configured to be writable "
    b"(which is not the default) writes to replicas are just local and are not propagated."
)

ONLY_SUBSCRIBER = b"ERR Can't execute '%%b': only %b / PING / %b are allowed in this context"

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
    wait_on_replica_text=b"ERR WAIT" + ON_REPLICA % b"since Redis 4.0 if",
    reads_await=True,
    read_last_entry="",
    open_sequence=False,
    open_sequence_full_text=b"",
    approx_limit_clamped=False,
    setid_options=False,
    setid_guards_deleted=False,
    xinfo_idempotence=False,
    blocked_rotates=True,
    timeout_rounds_up=False,
    range_hides_kind=False,
    lset_index_wraps=False,
    lrem_refuses_least=False,
    lpos_refuses_least=False,
    zero_rank_text=ZERO_RANK + b", ...",
    ltrim_touches_unchanged=True,
    watch_knows_expired=False,
    nested_watch_text=b"ERR WATCH inside MULTI is not allowed",
    move_text=b"ERR index out of range",
    select_text=b"ERR invalid DB index",
    index_is_int=False,
    expire_guards_overflow=False,
    expire_text=b"ERR invalid expire time in %b",
    push_precedes_reply=True,
    numpat_counts_subscriptions=True,
    subscriber_text=ONLY_SUBSCRIBER % (b"(P)SUBSCRIBE / (P)UNSUBSCRIBE", b"QUIT"),
    wrong_password_text=b"WRONGPASS invalid username-password pair",
    client_error_ends_bare=True,
    unsubscribe_needs_subscription=False,
    unblock_ignores_more=False,
    hello_names_integer=False,
    approx_references=True,
    destroy_keeps_slowest=False,
    claim_counts_deleted=False,
    claims_as_listed=False,
    count_saturates=False,
    releases=False,
    propagates_units=False,
    select_in_unit=False,
    idle_ltrim_told=True,
    reads_tell_cursor=False,
    claims_tell_old_cursor=False,
    noack_tells_consumer=False,
    reads_tell_consumer=False,
    given_ids_complete=True,
    expires_as_deadline=False,
    deadlines_told_apart=True,
    given_deadline_told_as_it_was=False,
    getset_told_as_set=False,
    set_drops_expired=False,
    expired_unlinked=False,
    no_consumer_removed_told=True,
    flushdb_always_told=False,
    set_gets_if_free=False,
    decrement_wraps=True,
    pops_look_at_count_first=True,
    zrange_by_rank_alone=True,
    scripts_read_without_block=False,
    shortest_scores=False,
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
    range_hides_kind=True,
    move_text=b"",
    select_text=b"",
    index_is_int=True,
    expire_guards_overflow=True,
    numpat_counts_subscriptions=False,
    subscriber_text=ONLY_SUBSCRIBER % (b"(P)SUBSCRIBE / (P)UNSUBSCRIBE", b"QUIT / RESET"),
    wrong_password_text=b"WRONGPASS invalid username-password pair or user is disabled.",
    client_error_ends_bare=False,
    hello_names_integer=True,
    idle_ltrim_told=False,
    deadlines_told_apart=False,
    getset_told_as_set=True,
    noack_tells_consumer=True,
    zrange_by_rank_alone=False,
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
    blocked_rotates=False,
    timeout_rounds_up=True,
    zero_rank_text=ZERO_RANK + b" ... or use negative to start from the end of the list",
    watch_knows_expired=True,
    expire_text=b"ERR invalid expire time in '%b' command",
    subscriber_text=ONLY_SUBSCRIBER % (b"(P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE", b"QUIT / RESET"),
    propagates_units=True,
    given_ids_complete=False,
    expires_as_deadline=True,
    no_consumer_removed_told=False,
    flushdb_always_told=True,
    set_gets_if_free=True,
    decrement_wraps=False,
    pops_look_at_count_first=False,
)

_REDIS_7_2 = replace(
    _REDIS_7_0,
    name="redis-7.2",
    release=(7, 2),
    given_deadline_told_as_it_was=True,
    tracks_active_time=True,
    blocked_reexecutes=True,
    push_precedes_reply=False,
    unbalanced_text="quoted",
    block_overflow_error=True,
    reads_await=False,
    open_sequence_full_text=SMALLER,
    setid_guards_deleted=True,
    lset_index_wraps=True,
    lpos_refuses_least=True,
    select_in_unit=True,
    shortest_scores=True,
)

_REDIS_7_4 = replace(
    _REDIS_7_2,
    name="redis-7.4",
    release=(7, 4),
    read_last_entry="generated",
    lrem_refuses_least=True,
    reads_tell_cursor=True,
    scripts_read_without_block=True,
)

_REDIS_8_0 = replace(
    _REDIS_7_4,
    name="redis-8.0",
    release=(8, 0),
    lag_by_position=True,
    lag_known_when_unread=True,
    unbalanced_text="plus",
    read_last_entry="live",
)

_REDIS_8_2 = replace(
    _REDIS_8_0,
    name="redis-8.2",
    release=(8, 2),
    entries_read_capped=True,
    approx_references=False,
    destroy_keeps_slowest=True,
)

_REDIS_8_4 = replace(
    _REDIS_8_2, name="redis-8.4", release=(8, 4), claim_counts_deleted=True, claims_tell_old_cursor=True
)

_REDIS_8_6 = replace(
    _REDIS_8_4,
    name="redis-8.6",
    release=(8, 6),
    unknown_alone_is_bare=True,
    xinfo_idempotence=True,
    approx_references=True,
    destroy_keeps_slowest=False,
    claim_counts_deleted=False,
    claims_as_listed=True,
)

_REDIS_8_8 = replace(
    _REDIS_8_6, name="redis-8.8", release=(8, 8), count_saturates=True, releases=True, reads_tell_consumer=True
)

_REDIS_8_10 = replace(_REDIS_8_8, name="redis-8.10", release=(8, 10))

_VALKEY_8_0 = replace(
    _REDIS_7_2,
    name="valkey-8.0",
    wait_on_replica_text=b"ERR WAIT" + ON_REPLICA % b"if",
    scripts_read_without_block=True,
    release=(8, 0),
    valkey=True,
    nested_multi_text=b"ERR Command not allowed inside a transaction",
    nested_watch_text=b"ERR Command not allowed inside a transaction",
    unsubscribe_needs_subscription=True,
    nested_multi_breaks=True,
    lrem_refuses_least=True,
    read_last_entry="generated",
    reads_tell_cursor=True,
    expired_unlinked=True,
    set_drops_expired=True,
)

_VALKEY_8_1 = replace(
    _VALKEY_8_0,
    name="valkey-8.1",
    release=(8, 1),
    lag_by_position=True,
    unsubscribe_needs_subscription=False,
    unblock_ignores_more=True,
)

_VALKEY_9_1 = replace(
    _VALKEY_8_1,
    name="valkey-9.1",
    release=(9, 1),
    nested_multi_text=b"ERR Command 'multi' not allowed inside a transaction",
    ltrim_touches_unchanged=False,
    nested_watch_text=b"ERR Command 'watch' not allowed inside a transaction",
    read_last_entry="filled",
)

DIALECTS: dict[str, Dialect] = {
    dialect.name: dialect
    for dialect in (
        _REDIS_6_0, _REDIS_6_2, _REDIS_7_0, _REDIS_7_2, _REDIS_7_4, _REDIS_8_0, _REDIS_8_2,
        _REDIS_8_4, _REDIS_8_6, _REDIS_8_8, _REDIS_8_10,
        _VALKEY_8_0, _VALKEY_8_1, _VALKEY_9_1,
    )
}  # fmt: skip
"""Every dialect by name: those of Redis, oldest first, then those of Valkey."""

DEFAULT = "redis-8.6"
