"""What random comparisons found once: each story is played on every server at hand, and must not differ again."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator

import pytest
from redelivery.sim.real.diff.bench import Bench
from redelivery.sim.real.diff.recorder import record
from redelivery.sim.real.diff.story import actions_of, config_of
from redelivery.sim.real.servers import ServerBinary

from .servers_at_hand import servers_named

pytestmark = pytest.mark.skipif(
    sys.platform != "linux" or os.uname().machine != "x86_64", reason="the virtual clock is for Linux x86-64"
)

STORIES = {
    "the number of a database is cut to an int (6.0)": """
        a> SELECT -9223372036854775808
        a> SET k v
        a> SELECT 4294967297
        a> GET k
        a> SELECT 4294967295
    """,
    "SWAPDB brings a key whose time is over to who watches none": """
        B> SELECT 1
        c> WATCH s
        B> RPUSH s b
        B> PEXPIRE s 100
        +200
        c> SWAPDB 1 0
        c> MULTI
        c> EXEC
    """,
    "SWAPDB brings a key whose time is over for another one": """
        B> SELECT 1
        B> SET s v
        B> PEXPIRE s 100
        c> SET s w
        c> PEXPIRE s 100
        +200
        c> WATCH s
        c> SWAPDB 1 0
        c> MULTI
        c> EXEC
    """,
    "SWAPDB takes away a key whose time is over": """
        c> SET s w
        c> PEXPIRE s 100
        +200
        c> WATCH s
        c> SWAPDB 1 0
        c> MULTI
        c> EXEC
    """,
    "XAUTOCLAIM looks at its key before its arguments": """
        a> XADD k 2-0 f v
        a> PEXPIREAT k 1700000574800
        +574903
        a> XAUTOCLAIM k g c x x
        a> DBSIZE
    """,
    "SWAPDB brings a list whose time is over to who waits for one (up to 7.0)": """
        D> SELECT 1
        D> BLPOP m l 0
        a> RPUSH l a c 1
        a> EXPIREAT l 1700002132
        +2231184
        c> SWAPDB 0 1
    """,
    "a reader that claims looks again and leaves a trace, though it is not answered": """
        c> XADD k * f v
        c> XGROUP CREATE k g 0
        c> XREADGROUP GROUP g a STREAMS k >
        c> XREADGROUP BLOCK 0 GROUP g a STREAMS k >
        D> XREADGROUP CLAIM 1000 GROUP g a BLOCK 1 STREAMS k >
        +4
        +5001
        +2
        ?
    """,
    "COPY orders pending entries by their times anew": """
        a> XADD k 1-1 f v
        a> XADD k 1-2 f v
        a> XGROUP CREATE k g 0
        a> XREADGROUP GROUP g a STREAMS k >
        a> XREADGROUP GROUP g a COUNT 1 STREAMS k 0
        a> COPY k l
        +1000
        a> XREADGROUP GROUP g a CLAIM 1 STREAMS k l > >
    """,
}


@pytest.fixture(scope="module", params=servers_named(), ids=lambda binary: f"{binary.line}-{binary.version}")
def bench(request: pytest.FixtureRequest) -> Iterator[Bench]:
    assert isinstance(request.param, ServerBinary)
    with Bench(request.param) as found:
        yield found


@pytest.mark.parametrize("story", STORIES)
def test_it_does_not_differ_again(bench: Bench, story: str) -> None:
    lines = STORIES[story].splitlines()
    recorder = record(bench.dialect, config_of(lines), actions_of(lines))
    assert bench.differences(recorder) == ()
    assert not bench.differs(recorder)
