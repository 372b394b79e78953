"""What breaks the properties of retention, and what nearly does."""

from __future__ import annotations

from redelivery.models import facts as f

from .telling import (
    START,
    A,
    B,
    Case,
    G,
    S,
    acked,
    added,
    claimed,
    consumer_removed,
    created,
    deleted,
    did,
    entries,
    entry,
    forgotten,
    group_removed,
    moved,
    read,
    trimmed,
)


def nacked(n: int) -> f.Nacked:
    return f.Nacked(S, 1, G, entry(n), A, False, "FAIL", 1)


BREAKS = [
    Case("trim-respects-pending", "XTRIM takes what is pending",
         [*START, read(1, 0), trimmed(1)], ("XTRIM took entry 1-0", "a had it", "group g")),
    Case("trim-respects-pending", "XADD takes what was claimed, after what was acknowledged",
         [*START, read(1, 0), acked(1), read(2, 1), claimed(2), trimmed(1, 2, cause="XADD")],
         ("XADD took entry 2-0", "b had it")),
    Case("trim-respects-pending", "XDEL takes what was given back", [*START, read(1, 0), did(nacked(1)), deleted(1)],
         ("XDEL took entry 1-0", "it was pending")),
    Case("trim-respects-pending", "DELREF takes the entry with its reference",
         [*START, read(1, 0), did(f.Forgotten(S, 1, G, entry(1), A, "XTRIM"), f.Trimmed(S, 1, entries(1), "XTRIM"))],
         ("XTRIM took entry 1-0", "a had it")),
    Case("trim-respects-cursor", "an entry is trimmed before a group came to it",
         [*START, read(1, 0), acked(1), trimmed(1, 2, 3)], ("XTRIM took entry 2-0", "group g", "1 more")),
    Case("trim-respects-cursor", "one of two groups has come so far",
         [*START, did(created(0, group=b"slow")), read(1, 0), acked(1), deleted(1)],
         ("XDEL took entry 1-0", "group slow")),
    Case("trim-respects-cursor", "the group was set back",
         [*START, read(1, 0), acked(1), did(moved(1, 0, "SETID")), trimmed(1)], ("entry 1-0", "group g")),
]  # fmt: skip

NEARLY = [
    Case("trim-respects-pending", "everything was settled before, in one way or another",
         [*START, read(1, 0), acked(1), read(2, 1), consumer_removed(A, 2), read(3, 2), forgotten(3),
          trimmed(1, 2, 3)]),
    Case("trim-respects-pending", "a claim finds out that it was deleted before it was delivered elsewhere",
         [*START, deleted(1), read(1, 0), forgotten(1)]),
    Case("trim-respects-pending", "it was not delivered at all, and its group went with what was",
         [*START, read(1, 0), trimmed(2), did(group_removed(1)), trimmed(1)]),
    Case("trim-respects-pending", "another stream has the same entry",
         [*START, read(1, 0), claimed(1, B), did(f.Trimmed(b"t", 2, entries(1), "XTRIM"))]),
    Case("trim-respects-cursor", "every group has come to it, though it is pending",
         [*START, did(created(3, group=b"h")), read(1, 0), trimmed(1)]),
    Case("trim-respects-cursor", "nobody reads the stream in a group any more",
         [*START, did(group_removed()), trimmed(1)]),
    Case("trim-respects-cursor", "the group starts after it", [did(added(1)), did(created(1)), deleted(1)]),
]  # fmt: skip

EXCEPTIONS = [
    Case("trim-respects-pending", "it was given with NOACK", [*START, read(1, 0, noack=True), trimmed(1)],
         exception="what was given with NOACK"),
    Case("trim-respects-cursor", "SETID skipped it", [*START, did(moved(0, 2, "SETID")), trimmed(1, 2)],
         exception="a group that was set past an entry"),
]  # fmt: skip
