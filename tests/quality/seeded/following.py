"""Bugs in WAIT and WAITAOF, on a server that nobody follows. Campaigns draw neither: they are compared apart."""

from __future__ import annotations

from dataclasses import replace

from redelivery.models.commands import waiting

from .faults import Bug, Lines, only

WITH_FILES = ("redis-8.0", "valkey-8.1", "redis-7.2", "redis-8.6", "valkey-9.1")
"""Servers that have WAITAOF."""
AWAITING = only({"WAIT": 40, "XADD": 5, "MULTI": 8}, focus=990, block=900)
AWAITING_FILES = only({"WAITAOF": 40, "XADD": 5, "MULTI": 8}, focus=990, block=900)
GARBLED = replace(AWAITING, wrong=500)

MET = "if is_met(server, wanted) or not call.may_block:"
REPLICAS = "replicas = need_integer(call.argv[1], NOT_AN_INTEGER)"
TIMEOUT_FIRST = f"_deadline(call, 2)\n    {REPLICAS}"

BUGS = (
    Bug("waits-for-nobody", "WAIT for no replica waits until somebody follows",
        "mis-modelled: as many as are wanted have it",
        Lines(waiting.is_met, "replicas >= wanted.follow[1]", "replicas > wanted.follow[1]"),
        taste=AWAITING, apart=True),
    Bug("alone-does-not-wait", "WAIT is answered at once where no replica is there",
        "doubles that answer 0 without a look at the timeout",
        Lines(waiting._wait, MET, "if server.survivors is None or not call.may_block:"), taste=AWAITING, apart=True),
    Bug("waits-in-seconds", "WAIT takes its timeout for seconds",
        "mis-modelled: BLPOP's are seconds, these are milliseconds",
        Lines(waiting._deadline, "call.now_ms + timeout_ms", "call.now_ms + 1000 * timeout_ms"),
        taste=AWAITING, apart=True),
    Bug("zero-does-not-wait", "a timeout of 0 is over at once",
        "mis-modelled: 0 has no end",
        Lines(waiting._deadline, "call.now_ms + timeout_ms if timeout_ms else None", "call.now_ms + timeout_ms"),
        taste=AWAITING, apart=True),
    Bug("exec-says-what-was-wanted", "WAIT in a transaction answers how many were wanted, as it cannot wait",
        "mis-modelled: it answers how many have it",
        Lines(waiting._wait, MET, "if not call.may_block:\n        return replicas\n    if is_met(server, wanted):"),
        taste=AWAITING, apart=True),
    Bug("timeout-is-looked-at-first", "of two wrong arguments WAIT tells the timeout",
        "mis-modelled: the replicas come first",
        Lines(waiting.wait, REPLICAS, TIMEOUT_FIRST), taste=GARBLED, apart=True),
    Bug("keeps-the-number-whole", "WAIT for 2^63 - 1 replicas waits for them",
        "found by this very search: a blocked client keeps 32 bits of the number",
        Lines(waiting._as_kept, "(replicas + 2**31) % 2**32 - 2**31", "replicas"), taste=AWAITING, apart=True),
    Bug("waitaof-answers-one-number", "WAITAOF answers as WAIT does, with one number",
        "mis-modelled: this server's file, and those of replicas",
        Lines(waiting.answer, '(files, replicas) if wanted.argv[0].upper() == b"WAITAOF" else replicas', "replicas"),
        WITH_FILES, AWAITING_FILES, apart=True),
    Bug("waits-for-a-file-that-is-off", "WAITAOF waits for a file where there is none",
        "mis-modelled: it is refused",
        Lines(waiting.waitaof, "if files and (call.server.survivors is None or call.server.survivors.who != FILE):",
              "if False:"), WITH_FILES, AWAITING_FILES, apart=True),
    Bug("a-file-each", "WAITAOF takes any number of files",
        "mis-modelled: a server has one, or none",
        Lines(waiting.waitaof, "if files not in (0, 1):", "if files < 0:"), WITH_FILES, AWAITING_FILES, apart=True),
)  # fmt: skip
