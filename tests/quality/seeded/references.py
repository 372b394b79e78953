"""Bugs in what came with 8.2 to 8.6: references to entries, reads that claim, idempotent additions."""

from __future__ import annotations

from redelivery.models import references
from redelivery.models.commands import claim_reads, deleting, idempotent
from redelivery.models.idempotence import Idempotence

from .faults import Bug, Lines, only

NEWEST = ("redis-8.6",)
DELETING = only({
    "XADD": 20, "XGROUP": 8, "XREADGROUP": 25, "XACK": 8, "XDELEX": 20, "XACKDEL": 20, "XPENDING": 3, "XDEL": 3,
}, focus=990, wrong=20)  # fmt: skip
CLAIM_READS = only({"XADD": 15, "XGROUP": 5, "XREADGROUP": 60, "XCLAIM": 5, "XACK": 3}, focus=990)
IDEMPOTENT = only({"XADD": 60, "XINFO": 10, "XCFGSET": 10, "XDEL": 3}, focus=990)

REFERENCES = (
    Bug("acked-forgets-who-has-yet-to-read", "ACKED removes an entry that a group has not come to",
        "the plain reading of the word; redis/redis #14130 (what the option is for)",
        Lines(references.is_referenced, "if slowest < entry_id:", "if False:"), NEWEST, DELETING),
    Bug("acked-forgets-who-has-it-pending", "ACKED removes an entry that is pending in a group that has read it",
        "mis-modelled: delivered is not acknowledged",
        Lines(references.is_referenced, "return any(group.pel.get(entry_id) is not None", "return any(False"),
        NEWEST, DELETING),
    Bug("delref-leaves-it-pending", "DELREF deletes the entry and leaves it on the pending lists",
        "what XDEL does, and what the default, KEEPREF, stands for",
        Lines(references.drop_references, "in sorted(stream.groups):", "in ():"), NEWEST, DELETING),
    Bug("ackdel-of-a-deleted-entry-is-missing", "XACKDEL of a pending entry that is gone from the stream answers -1",
        "mis-modelled: it was acknowledged, so 1",
        Lines(deleting.xackdel, "DELETED if outcome == MISSING else outcome", "outcome"), NEWEST, DELETING),
    Bug("ackdel-deletes-what-is-not-pending", "XACKDEL deletes an entry, whether or not the group has it pending",
        "the name; mis-modelled: without an acknowledgment nothing is deleted",
        Lines(deleting.xackdel, "replies.append(MISSING)",
              'replies.append(_delete(call, stream, entry_id, strategy, "XACKDEL", deleted))'), NEWEST, DELETING),
    Bug("delex-of-no-stream-is-empty", "XDELEX of a missing key is answered by an empty array",
        "mis-modelled: -1 for each ID",
        Lines(deleting.xdelex, "return (MISSING,) * len(texts)", "return ()"), NEWEST, DELETING),
)  # fmt: skip

CLAIMS = (
    Bug("claim-read-needs-more-than-min-idle", "XREADGROUP CLAIM leaves an entry that is idle for exactly min-idle",
        "mis-modelled after what wakes a blocked one, which is strictly later",
        Lines(claim_reads.claim_and_deliver, "0 <= idle_ms < min_idle_ms", "0 <= idle_ms <= min_idle_ms"),
        NEWEST, CLAIM_READS),
    Bug("claim-read-tells-the-new-count", "XREADGROUP CLAIM tells the delivery count with this delivery in it",
        "mis-modelled: the count before it",
        Lines(claim_reads.claim_and_deliver, "ids.signed64(nack.count)", "ids.signed64(more)"), NEWEST, CLAIM_READS),
    Bug("claim-read-in-order-of-ids", "XREADGROUP CLAIM comes to pending entries in the order of their IDs",
        "XAUTOCLAIM does; mis-modelled: longest idle first",
        Lines(claim_reads._walk, "found = group.by_time(as_listed=listed)",
              "found = iter(sorted(group.by_time(as_listed=listed), key=lambda pending: pending[0]))"),
        NEWEST, CLAIM_READS),
)  # fmt: skip

IDEMPOTENCE = (
    Bug("idmp-knows-no-producers", "an idempotent ID is remembered for all producers together",
        "mis-modelled: each producer has its own",
        Lines(Idempotence.find, "return self.producers.setdefault(producer, {}).get(iid)",
              "self.producers.setdefault(producer, {})\n"
              "    return next((found[iid] for found in self.producers.values() if iid in found), None)"),
        NEWEST, IDEMPOTENT),
    Bug("idmp-counts-no-duplicate", "XINFO STREAM tells of no duplicates that were not added",
        "mis-modelled: each is counted",
        Lines(idempotent.duplicate_of, "records.duplicates += 1", "records.duplicates += 0"), NEWEST, IDEMPOTENT),
    Bug("cfgset-keeps-what-was-remembered", "XCFGSET with another value keeps the records of idempotent additions",
        "mis-modelled: it forgets them all",
        Lines(idempotent.xcfgset, "records.producers = {}", "pass"), NEWEST, IDEMPOTENT),
)  # fmt: skip

BUGS = (*REFERENCES, *CLAIMS, *IDEMPOTENCE)
