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
    "XAUTOCLAIM looks at its key before its arguments": """
        a> XADD k 2-0 f v
        a> PEXPIREAT k 1700000574800
        +574903
        a> XAUTOCLAIM k g c x x
        a> DBSIZE
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
