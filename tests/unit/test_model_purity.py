"""The model is a function of its arguments: no clock, no chance, no world, no order of hashing."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest
import redelivery

MODELS = Path(redelivery.__file__).resolve().parent / "models"

HARMLESS = {"__future__", "bisect", "collections", "dataclasses", "fractions", "functools", "itertools", "typing"}
"""What the model takes from Python's library: nothing that knows a clock, chance, a file or a socket."""

STORY = """
import hashlib
from redelivery.models.replies import encode
from redelivery.models.server import Server
from redelivery.models.snapshot import snapshot

out = []
for dialect in ("redis-6.2", "redis-7.0", "redis-8.6"):
    server = Server(dialect)
    session, reader = server.open(3), server.open()
    for at in range(60):
        for line in (
            f"XGROUP CREATE k{at % 3} g{at % 7} 0 MKSTREAM", f"XADD k{at % 3} * name{at % 5} {at}",
            f"XREADGROUP GROUP g{at % 7} c{at % 11} COUNT 2 STREAMS k{at % 3} >", f"XINFO GROUPS k{at % 3}",
            f"XAUTOCLAIM k{at % 3} g{at % 7} d{at % 5} 0 0 COUNT 3", "XPENDING k0 g0",
            f"XINFO STREAM k{at % 3} FULL",
        ):
            reply, facts = server.execute(session, line.encode().split(), 10**12 + at)
            out.append((encode(reply, 3), facts))
    for at in range(20):
        for line in (
            f"RPUSH l{at % 5} a{at} b", f"WATCH l{at % 7} k{at % 3}", f"SUBSCRIBE c{at % 5}", f"PSUBSCRIBE c{at % 3}*",
            f"PUBLISH c{at % 9} x", f"COPY k{at % 3} m{at % 4} DB {at % 3} REPLACE", "PUBSUB CHANNELS",
            f"LPOP l{at % 3}", f"SWAPDB 0 {at % 3}", f"PEXPIRE m{at % 4} 5",
        ):
            reply, facts = server.execute(session, line.encode().split(), 10**12 + at)
            out.append((encode(reply, 3), facts, [encode(s.reply, 3) for s in server.take_served()]))
    out.append(encode(server.execute(session, [b"UNSUBSCRIBE"], 10**12)[0], 3))
    server.execute(reader, b"XREAD BLOCK 0 STREAMS k0 k1 k2 $ $ $".split(), 10**12)
    out.append(server.execute(session, b"FLUSHALL".split(), 10**12)[1])
    out.append(snapshot(server))
print(hashlib.sha256(repr(out).encode()).hexdigest())
"""


def imports(path: Path) -> list[tuple[int, str]]:
    """What a file imports, with how far up it reaches (0: absolutely)."""
    found = []
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found += [(0, alias.name) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            found.append((node.level, node.module or ""))
    return found


@pytest.mark.parametrize("path", sorted(MODELS.rglob("*.py")), ids=lambda path: path.relative_to(MODELS).as_posix())
def test_a_model_imports_models_and_what_is_harmless(path: Path) -> None:
    depth = len(path.relative_to(MODELS).parts)
    for level, module in imports(path):
        assert level <= depth, f"reaches out of models/: {module}"
        assert level or module.partition(".")[0] in HARMLESS, module


def test_no_reply_fact_or_state_depends_on_the_hash_seed() -> None:
    said = {
        subprocess.run(
            [sys.executable, "-c", STORY],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("0", "1", "2")
    }
    assert len(said) == 1
