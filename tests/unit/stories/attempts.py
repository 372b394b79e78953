"""Stories of jobs: each property of their retries, what breaks it, and what nearly does."""

from __future__ import annotations

from .ordering import KEYED
from .telling import Case, crashed, handled, handling

BREAKS = [
    Case("one-attempt-per-key", "the retry is begun while the first attempt is redelivered",
         [*KEYED, handling(1), handling(3, "b")], ("b began", "x", "while a was")),
    Case("one-attempt-per-key", "somebody else crashed", [*KEYED, handling(3, "b"), crashed("c"), handling(1)],
         ("a began",)),
]  # fmt: skip

NEARLY = [
    Case("one-attempt-per-key", "one attempt follows the other, beside another job and what has no key",
         [*KEYED, handling(1), handling(2, "b"), handling(9, "c"), handled(1), handling(3, "c"), handled(3, "c")]),
    Case("one-attempt-per-key", "the first is dead when the second begins",
         [*KEYED, handling(1), crashed(), handling(3, "b")]),
]  # fmt: skip

EXCEPTIONS: list[Case] = []
