"""What differs between server lines, as named behaviours: the fields of a dialect.

A command asks ``dialect.claim_drops_deleted``, never a version. Each field says what the behaviour is and since
when; its value for each server line stands in ``dialects``. How each was seen: ``redelivery diff`` and the
differential tests run every command against the real server of that line.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

Release: TypeAlias = tuple[int, int]

FORK: Release = (7, 2)
"""The release of Redis from which Valkey was forked: it has what that had, and later its own."""

SMALLER = b"ERR The ID specified in XADD is equal or smaller than the target stream top item"
TOO_LARGE = b"ERR Elements are too large to be stored"


@dataclass(frozen=True, slots=True)
class Dialect:
    """One server line's behaviour. Every field is a rule of Redis, not an opinion of ours."""

    name: str
    """As users write it, e.g. ``redis-7.0``."""

    release: Release
    """Its own release; ``has`` compares it with the table of commands, and nothing else does."""

    valkey: bool
    """Whether it is a Valkey."""

    subcommands_are_commands: bool
    """XGROUP and XINFO look up the subcommand and its arity before the key (7.0)."""

    new_error_texts: bool
    """Quotes instead of back-ticks, ``'xadd' command`` instead of ``XADD``, lower-case ``unknown``, and the
    names of unknown commands and subcommands cut at 128 bytes (7.0)."""

    unknown_alone_is_bare: bool
    """The error for an unknown command without arguments does not go on to list them (seen in 8.6)."""

    group_creates_consumers: bool
    """XGROUP has CREATECONSUMER (6.2)."""

    xinfo_alone_text: bytes
    """The error for a subcommand of XINFO without a key, ``b""`` where it is that of a wrong shape (6.2)."""

    open_ranges: bool
    """``(`` excludes an end of a range (6.2)."""

    xpending_argc_max: int
    """How many arguments XPENDING takes: from 6.2 on what comes after the consumer is ignored."""

    xtrim_key_first: bool
    """XTRIM looks at the key before its options, and has its own words where it is to trim by nothing (6.0)."""

    strategy_repeats: bool
    """MAXLEN may be given twice, the last one counts (6.0)."""

    approx_limited: bool
    """``~`` removes at most 100 nodes' worth of entries where LIMIT does not say otherwise (6.2)."""

    tombstones_fill_nodes: bool
    """A deleted entry still counts for ``stream-node-max-entries`` (6.2)."""

    node_bytes_zero: int
    """What ``stream-node-max-bytes`` 0 means: no limit, or a node for each entry (6.0)."""

    nested_multi_text: bytes
    """The error for MULTI inside a transaction."""

    nested_multi_breaks: bool
    """MULTI inside a transaction makes EXEC abort (Valkey)."""

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

    wait_on_replica_text: bytes
    """What a replica answers to WAIT."""

    reads_await: bool
    """Whatever a connection ran last, its WAIT is for all that was told by then; from 7.2 on only a command that told
    something itself counts."""

    read_last_entry: str
    """What ``+`` means to XREAD: ``""`` nothing (before 7.4), ``generated`` the last ID that was generated, an error
    where there is none (7.4, Valkey 8.0), ``filled`` the same, and no error for an empty stream (Valkey 9.1),
    ``live`` the last entry that is still there (8.0)."""

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

    blocked_rotates: bool
    """When a list serves who is blocked on it, those who wait for something else go to the end of the queue (6.0)."""

    timeout_rounds_up: bool
    """A timeout in seconds is rounded up to milliseconds, not cut off (7.0)."""

    range_hides_kind: bool
    """A number that must lie in a range gets the error of the range even if it is no number (6.2)."""

    lset_index_wraps: bool
    """LSET cuts its index to 32 bits (7.2)."""

    lrem_refuses_least: bool
    """LREM refuses the smallest of all integers, whose absolute value is none (7.4)."""

    lpos_refuses_least: bool
    """LPOS refuses that as a RANK (7.2)."""

    zero_rank_text: bytes
    """The error of LPOS for RANK 0."""

    ltrim_touches_unchanged: bool
    """LTRIM touches a watched key even if nothing was cut off (not Valkey 9.1)."""

    watch_knows_expired: bool
    """A key whose time was over when WATCH was sent does not abort EXEC when it goes (7.0)."""

    nested_watch_text: bytes
    """The error for WATCH inside a transaction."""

    move_text: bytes
    """The error of MOVE for whatever is no database, where there is just one (6.0)."""

    select_text: bytes
    """The error of SELECT for what is no number, where it is one of its own (6.0)."""

    index_is_int: bool
    """The number of a database must fit into 32 bits to be one (6.2)."""

    expire_guards_overflow: bool
    """A time so far away that it overflows is an error (6.2)."""

    expire_text: bytes
    """That error; SET has it in every dialect, for a time that is not above 0, too."""

    push_precedes_reply: bool
    """Who publishes to itself gets the message before the reply; from 7.2 on after it, and after the whole EXEC."""

    numpat_counts_subscriptions: bool
    """PUBSUB NUMPAT counts each subscription to a pattern, not each pattern (6.0)."""

    subscriber_text: bytes
    """The error for what a subscriber may not send in RESP2."""

    wrong_password_text: bytes
    """The error of AUTH for a user or a password that is wrong (6.2 says more)."""

    client_error_ends_bare: bool
    """The error of CLIENT for a wrong subcommand has no full stop (6.0)."""

    unsubscribe_needs_subscription: bool
    """UNSUBSCRIBE is refused where a session is subscribed to nothing, but not inside EXEC (Valkey 8.0 alone)."""

    unblock_ignores_more: bool
    """CLIENT UNBLOCK takes more arguments than it knows, and then not even looks at its reason (Valkey 8.1)."""

    hello_names_integer: bool
    """HELLO tells a protocol that is no number from one that it does not speak (6.2)."""

    approx_references: bool
    """``~`` with DELREF or ACKED trims entry by entry (8.6); before, it trims nothing."""

    destroy_keeps_slowest: bool
    """XGROUP DESTROY forgets to forget what the smallest cursor of the groups is, so ACKED errs (8.2, 8.4)."""

    claim_counts_deleted: bool
    """Deleted entries that are still pending use up COUNT of XREADGROUP CLAIM (8.4)."""

    claims_as_listed: bool
    """Pending entries stand in a list by time, in which deliveries go to the end (8.6).

    XREADGROUP CLAIM takes them from its head, up to the first that is not idle enough. Where it is false, by time
    and ID (8.4).
    """

    count_saturates: bool
    """A delivery count stays at 2^63 - 1 once it is there (8.8)."""

    releases: bool
    """Pending entries may belong to nobody: XNACK, and ``nacked-count`` in XINFO (8.8)."""

    propagates_units: bool
    """What a command, or a transaction, puts on the stream is one unit, in MULTI and EXEC if it is several (7.0).

    Before, a command in MULTI is wrapped even where it is the only one, and the many of a read never are."""

    select_in_unit: bool
    """The SELECT that a unit needs stands after its MULTI, not before it (7.2)."""

    idle_ltrim_told: bool
    """LTRIM is put on the stream even where it cut nothing off (6.0)."""

    reads_tell_cursor: bool
    """XREADGROUP puts XGROUP SETID with ENTRIESREAD on the stream, after its XCLAIMs (7.4, Valkey 8.0)."""

    claims_tell_old_cursor: bool
    """LASTID of those XCLAIMs is where the cursor was before, not at the entry (8.4)."""

    noack_tells_consumer: bool
    """XREADGROUP NOACK puts XGROUP CREATECONSUMER on the stream where the consumer is new (6.2)."""

    reads_tell_consumer: bool
    """XREADGROUP does so without NOACK, too, and even where it reads nothing (8.8)."""

    given_ids_complete: bool
    """An XADD whose ID was given is put on the stream with both parts of it (up to 6.2)."""

    expires_as_deadline: bool
    """EXPIRE and its kin reach replicas as PEXPIREAT, not as they were (7.0); the disk gets that in all lines."""

    deadlines_told_apart: bool
    """The disk gets a SET with a time to live as SET and PEXPIREAT, since SET takes no deadline (6.0)."""

    given_deadline_told_as_it_was: bool
    """A SET whose deadline was given (PXAT) is told as it was (7.2)."""

    getset_told_as_set: bool
    """GETSET is told as SET (6.2)."""

    set_drops_expired: bool
    """SET with a deadline that has passed removes the key at once, and is told as that (Valkey)."""

    expired_unlinked: bool
    """Keys whose time is over are put on the stream as UNLINK, not DEL (Valkey)."""

    no_consumer_removed_told: bool
    """XGROUP DELCONSUMER of no consumer is put on the stream all the same (up to 6.2)."""

    flushdb_always_told: bool
    """FLUSHDB of an empty database is put on the stream, too (7.0)."""

    set_gets_if_free: bool
    """SET takes NX and GET together (7.0)."""

    decrement_wraps: bool
    """DECRBY by the smallest of all integers adds it, since there is no such number above 0 (up to 6.2)."""

    pops_look_at_count_first: bool
    """ZPOPMIN and ZPOPMAX look at their count before the key, and take nothing for one below 1 (up to 6.2)."""

    zrange_by_rank_alone: bool
    """ZRANGE knows ranks alone, and it and ZRANGEBYSCORE read their ranges before their options (6.0)."""

    scripts_read_without_block: bool
    """A read with BLOCK in a script does not block, instead of failing (7.4, Valkey)."""

    shortest_scores: bool
    """A score is printed with as few digits as tell it, not with seventeen (7.2)."""

    def has(self, since: Release, since_valkey: Release | None = None) -> bool:
        """Whether this line knows what Redis knows ``since`` then, and Valkey ``since_valkey``.

        Without the latter Valkey knows it if Redis did when it was forked.
        """
        if not self.valkey:
            return since <= self.release
        return since <= FORK or (since_valkey is not None and since_valkey <= self.release)
