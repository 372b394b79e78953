"""How often each command was answered, and with which errors: INFO's commandstats and errorstats."""

from __future__ import annotations

from ...models.replies import Failure, Reply

REJECTED = (b"ERR wrong number of arguments", b"ERR unknown subcommand")
"""Errors of commands that were not run at all."""


class Tally:
    """Counts since the start, or since CONFIG RESETSTAT. What a transaction ran counts as its EXEC."""

    def __init__(self) -> None:
        self._commands: dict[bytes, list[int]] = {}
        """By the name as it was sent: answered, rejected, failed."""
        self._errors: dict[bytes, int] = {}

    def count(self, name: bytes, reply: Reply) -> None:
        """A command was answered."""
        counts = self._commands.get(name)
        if type(reply) is Failure:
            kind = reply.text.partition(b" ")[0]
            self._errors[kind] = self._errors.get(kind, 0) + 1
            if reply.text.startswith(b"ERR unknown command"):
                return
        if counts is None:
            counts = self._commands[name] = [0, 0, 0]
        counts[0] += 1
        if type(reply) is Failure:
            counts[1 if reply.text.startswith(REJECTED) else 2] += 1

    @property
    def errors(self) -> int:
        """How many answers were errors."""
        return sum(self._errors.values())

    def clear(self) -> None:
        """Begins anew."""
        self._commands.clear()
        self._errors.clear()

    def of_errors(self) -> list[tuple[bytes, bytes]]:
        """The lines of errorstats."""
        return [(b"errorstat_%b" % kind, b"count=%d" % count) for kind, count in sorted(self._errors.items())]

    def of_commands(self, *, with_errors: bool) -> list[tuple[bytes, bytes]]:
        """The lines of commandstats, from 6.2 on ``with_errors``; times are told as 0."""
        merged: dict[bytes, list[int]] = {}
        for name, counts in self._commands.items():
            known = merged.setdefault(name.lower(), [0, 0, 0])
            for place, count in enumerate(counts):
                known[place] += count
        told = []
        for name, (answered, rejected, failed) in sorted(merged.items()):
            line = b"calls=%d,usec=0,usec_per_call=0.00" % (answered - rejected)
            if with_errors:
                line += b",rejected_calls=%d,failed_calls=%d" % (rejected, failed)
            if with_errors or answered > rejected:
                told.append((b"cmdstat_" + name, line))
        return told
