"""A file that tells how far a search has come, so that one that was ended can go on.

One line of JSON, then the states, one after the other. The line says which format it is, what it belongs to (the
model, the alphabet, the dialect, the server, the depth), and a hash of the rest. It is written beside its place and
then put there, so there is always a whole one.
"""

from __future__ import annotations

import json
import os
import struct
from collections import Counter
from dataclasses import asdict
from hashlib import blake2b
from pathlib import Path
from typing import Any, TypeAlias

from ...errors import BadInput
from .differences import Difference
from .records import Record, Records

__all__ = ["FORMAT", "Belongs", "read", "source_of_the_model", "write"]

FORMAT = "redelivery-exhaustive/1"

HEAD = struct.Struct(">iHi16s")
"""Parent, letter, size of the dump (-1: none), digest."""

Belongs: TypeAlias = dict[str, str]
"""What a search is about: by these a checkpoint is told from one of another."""

MODELS = Path(__file__).resolve().parents[3] / "models"


def source_of_the_model() -> str:
    """A hash of the model's source: what was found out about another model says nothing of this one."""
    found = blake2b(digest_size=8)
    for path in sorted(MODELS.rglob("*.py")):
        found.update(path.relative_to(MODELS).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return found.hexdigest()


def write(path: Path, records: Records, belongs: Belongs) -> None:
    """Writes a checkpoint. Raises `BadInput`, one line, where it cannot be written."""
    payload = b"".join(map(_packed, records.states))
    head = {
        "format": FORMAT,
        "belongs": belongs,
        "states": len(records.states),
        "level_ends": records.level_ends,
        "expanded": records.expanded,
        "edges": records.edges,
        "differing": records.differing,
        "differences": [asdict(difference) for difference in records.differences],
        "counts": [[*key, times] for key, times in sorted(records.counts.items())],
        "hash": blake2b(payload, digest_size=16).hexdigest(),
    }
    beside = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        with beside.open("wb") as file:
            file.write(json.dumps(head).encode() + b"\n" + payload)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    except OSError as error:
        raise BadInput(f"cannot write the checkpoint {path}: {error.strerror}") from None
    finally:
        beside.unlink(missing_ok=True)


def read(path: Path, records: Records, belongs: Belongs) -> Records:
    """The records that a checkpoint holds; `records` are those of a search that begins.

    Raises `BadInput`, one line, where it is no checkpoint, a damaged one, or one of another search.
    """
    try:
        line, _, payload = path.read_bytes().partition(b"\n")
    except OSError as error:
        raise BadInput(f"cannot read the checkpoint {path}: {error.strerror}") from None
    head = _head(path, line)
    for name, ours in belongs.items():
        theirs = head["belongs"].get(name)
        if theirs != ours:
            raise BadInput(f"{path}: this checkpoint belongs to another {name} ({theirs}, not {ours}): start anew")
    try:
        if blake2b(payload, digest_size=16).hexdigest() != head["hash"]:
            raise ValueError
        states = _unpacked(payload, head["states"])
        return Records(
            records.letters, states, head["level_ends"], head["expanded"], head["edges"], head["differing"],
            [Difference(**{**each, "commands": tuple(each["commands"])}) for each in head["differences"]],
            Counter({(letter, tuple(outcomes)): times for letter, outcomes, times in head["counts"]}),
        )  # fmt: skip
    except (ValueError, KeyError, TypeError, struct.error):
        raise BadInput(f"{path}: this checkpoint is damaged: start anew") from None


def _head(path: Path, line: bytes) -> dict[str, Any]:
    try:
        head = json.loads(line)
    except ValueError:
        head = None
    if not isinstance(head, dict) or not isinstance(head.get("format"), str):
        raise BadInput(f"{path}: this is no checkpoint of an exhaustive search")
    if head["format"] != FORMAT:
        raise BadInput(f"{path}: this checkpoint has the format {head['format']}, not {FORMAT}: start anew")
    if not isinstance(head.get("belongs"), dict):
        raise BadInput(f"{path}: this checkpoint is damaged: start anew")
    return head


def _packed(state: Record) -> bytes:
    dump = state.dump
    if dump is None:
        return HEAD.pack(state.parent, state.letter, -1, state.digest)
    return HEAD.pack(state.parent, state.letter, len(dump), state.digest) + dump


def _unpacked(payload: bytes, count: int) -> list[Record]:
    states = []
    at = 0
    for _ in range(count):
        parent, letter, size, digest = HEAD.unpack_from(payload, at)
        at += HEAD.size
        states.append(Record(parent, letter, digest, None if size < 0 else payload[at : at + size]))
        at += max(size, 0)
    if at != len(payload):
        raise ValueError
    return states
