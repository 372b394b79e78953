"""XNACK: giving pending entries back to the group, owned by nobody. Source: xnackCommand; known from documents."""

from __future__ import annotations

from ..facts import Nacked
from ..group import COUNT_MAX
from ..replies import Reply
from .call import Call, CommandError, integer, shown
from .claiming import stream_and_group
from .stream_ids import strict_ids


def xnack(call: Call) -> Reply:
    """XNACK key group SILENT|FAIL|FATAL IDS n id ... [RETRYCOUNT n] [FORCE]"""
    key, name = call.argv[1], call.argv[2]
    stream, group = stream_and_group(call, key, name)
    mode, texts, given, force = _parse(call)
    wanted = strict_ids(texts)
    nacked = 0
    for entry_id in wanted:
        before = group.pel.get(entry_id)
        if before is None and (not force or stream.get(entry_id) is None):
            continue
        count = 0 if before is None else before.count
        if given is not None:
            count = given
        elif mode == b"SILENT":
            count = max(count - 1, 0)
        elif mode == b"FATAL":
            count = COUNT_MAX
        owner = group.disown(entry_id, count)
        nacked += 1
        call.facts.append(Nacked(key, stream.born, name, entry_id, owner, before is None, mode.decode(), count))
    if nacked:
        call.server.signal(key)
    return nacked


def _parse(call: Call) -> tuple[bytes, list[bytes], int | None, bool]:
    argv = call.argv
    mode = shown(argv[3]).upper()
    if mode not in (b"SILENT", b"FAIL", b"FATAL"):
        raise CommandError(b"ERR mode must be SILENT, FAIL, or FATAL")
    if call.takes(argv[4]) != b"IDS":
        raise CommandError(b"ERR syntax error, expected IDS keyword")
    many = integer(argv[5])
    if many is None or many < 1:
        raise CommandError(b"ERR numids must be a positive integer")
    if many > len(argv) - 6:
        raise CommandError(b"ERR number of IDs doesn't match numids")
    given: int | None = None
    force = False
    at = 6 + many
    while at < len(argv):
        word = call.takes(argv[at])
        if word == b"FORCE":
            force = True
        elif word == b"RETRYCOUNT" and at + 1 < len(argv):
            at += 1
            given = integer(argv[at])
            if given is None or given < 0:
                raise CommandError(b"ERR Invalid RETRYCOUNT value, must be >= 0")
        else:
            raise CommandError(b"ERR Unrecognized XNACK option '%b'" % shown(argv[at]))
        at += 1
    return mode, list(argv[6 : 6 + many]), given, force
