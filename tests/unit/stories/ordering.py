"""Stories of order: each property, what breaks it, what nearly does, and its exceptions."""

from __future__ import annotations

from redelivery.models import facts as f

from .telling import START, A, Case, claimed, did, entry, handled, handling, read
from .telling import S as STREAM


def keyed(n: int, key: bytes) -> f.Added:
    return f.Added(STREAM, 1, entry(n), (b"n", b"%d" % n, b"key", key))


KEYED = [did(keyed(1, b"x")), did(keyed(2, b"y")), did(keyed(3, b"x"))]
"""Three entries, the first and the last of one key."""

BREAKS = [
    Case("per-key-order", "the older entry of a key is claimed and handled after the newer",
         [*KEYED, read(1, 0), handling(1), read(3, 1), handled(3, "b"), claimed(1), handled(1, "b")],
         ("b handled entry 1-0", "key x", "group g", "the newer 3-0")),
    Case("per-key-order", "the slow handler of the older entry ends last",
         [*KEYED, handling(1), handling(3, "b"), handled(3, "b"), handled(1)], ("a handled entry 1-0",)),
]  # fmt: skip

NEARLY = [
    Case("per-key-order", "in order, with another key between, and out of order in another group",
         [*KEYED, handled(1), handled(3), handled(2), handled(3, group=b"h")]),
    Case("per-key-order", "the older one is begun later, and nobody comes to the end of it",
         [*KEYED, handled(3), handling(1)]),
]  # fmt: skip

EXCEPTIONS = [
    Case("per-key-order", "it is handled twice before the newer one is",
         [*KEYED, handled(1), handled(1, "b"), handled(3)], exception="an entry may be handled again"),
    Case("per-key-order", "the entries have no key",
         [*START, read(1, 0, A), handled(2), handled(1)], exception="entries without a key"),
    Case("per-key-order", "who reads without a group takes them as they come",
         [*KEYED, handled(3, group=b""), handled(1, group=b"")], exception="entries read without a group"),
]  # fmt: skip
