"""Coverage: what is counted as what, and that the declared rows can be met and can be missed."""

from __future__ import annotations

import pytest
from redelivery.models.dialects import DIALECTS
from redelivery.models.server import Config
from redelivery.sim.real.diff import coverage_rows
from redelivery.sim.real.diff.coverage import ANY, Coverage, Row, error_class, nested
from redelivery.sim.real.diff.coverage_rows import declared_rows, literal_words, required_rows, unmet_rows
from redelivery.sim.real.diff.recorder import Recorder
from redelivery.sim.real.diff.source import generate
from redelivery.sim.real.diff.story import actions_of


def met(story: str, dialect: str = "redis-8.6") -> Coverage:
    found = Coverage(DIALECTS[dialect], literal_words())
    recorder = Recorder(dialect, Config(), found)
    for action in actions_of(story.splitlines()):
        recorder.take(action)
    return found


START = """
a> XADD k 1-1 f v
a> XADD k 2-1 f v
a> XGROUP CREATE k g 0
a> XREADGROUP GROUP g a COUNT 1 STREAMS k >
"""


@pytest.mark.parametrize(
    ("line", "row"),
    [
        ("a> XADD k MAXLEN ~ 1 * f v", ("XADD", "~", "added")),
        ("a> XADD k 7-* f v", ("XADD", "MS-*", "added")),
        ("a> XADD k MAXLEN 1 * f v", ("XADD", "MAXLEN", "trimmed")),
        ("a> XADD k 1-1 f v", ("XADD", ANY, "error: ERR The ID specified in XADD is equal or smaller than the "
                                          "target stream top item")),
        ("a> XCLAIM k g b 0 1-1", ("XCLAIM", ANY, "claimed, of another")),
        ("a> XCLAIM k g a 0 1-1 JUSTID", ("XCLAIM", "JUSTID", "claimed, its own")),
        ("a> XCLAIM k g a 0 2-1 FORCE", ("XCLAIM", "FORCE", "claimed, forced")),
        ("a> XCLAIM k g a 99 1-1", ("XCLAIM", ANY, "a pending entry too young")),
        ("a> XCLAIM k g a 0 9-9", ("XCLAIM", ANY, "an entry not pending, gone")),
        ("a> XDEL k 1-1\na> XCLAIM k g a 0 1-1", ("XCLAIM", ANY, "forgotten")),
        ("a> XACK k g 1-1", ("XACK", ANY, "acked")),
        ("a> XGROUP destroy k g", ("XGROUP DESTROY", ANY, "group removed, with pending entries")),
        ("a> xgroup setid k g 0", ("XGROUP SETID", ANY, "cursor moved back by SETID")),
        ("b> XREADGROUP GROUP g b BLOCK 9 STREAMS k $", ("XREADGROUP", "BLOCK", "error: ERR The $ ID is meaningless in "
                                                        "the context of XREADGROUP")),
        ("b> XREAD BLOCK 9 STREAMS k $", ("XREAD", "BLOCK", "blocks")),
        ("b> XREAD BLOCK 9 STREAMS k $\n+10", ("XREAD", "BLOCK", "woken, times out")),
        ("b> XREAD BLOCK 9 STREAMS k $\na> XADD k * f v", ("XREAD", "$", "woken, served")),
        ("b> XREADGROUP GROUP g b STREAMS k >\nb> XREADGROUP GROUP g b BLOCK 0 STREAMS k >\na> XADD k * f v",
         ("XREADGROUP", "BLOCK", "woken, delivered")),
        ("b> XREADGROUP GROUP g b STREAMS k >\nb> XREADGROUP GROUP g b BLOCK 0 STREAMS k >\na> XGROUP DESTROY k g",
         ("XREADGROUP", ANY, "woken, error: NOGROUP No such key '…' or consumer group '…' in XREADGROUP with GROUP "
                             "option")),
        ("a> MULTI\na> XLEN k", ("XLEN", ANY, "QUEUED")),
        ("a> NOSUCH x", ("(no command)", ANY, "error: ERR unknown command '…',")),
        ("a> XGROUP NOSUCH", ("XGROUP", ANY, "error: ERR unknown subcommand '…'")),
        ("a> XLEN", ("XLEN", ANY, "error: ERR wrong number of arguments for '…' command")),
    ],
)  # fmt: skip
def test_a_row_is_met(line: str, row: Row) -> None:
    before, after = met(START), met(START + line)
    assert after.counts[row] == before.counts[row] + 1


def test_an_error_is_told_without_what_it_quotes() -> None:
    assert error_class(b"NOGROUP No such key 'a' or consumer group 'b'") == error_class(
        b"NOGROUP No such key '' or consumer group 'ccc'"
    )
    assert error_class(b"ERR syntax error") != error_class(b"ERR no such key")


def test_counts_are_nested_for_json() -> None:
    found = nested({("XADD", "any", "added"): 2, ("XADD", "*", "added"): 1})
    assert found == {"XADD": {"any": {"added": 2}, "*": {"added": 1}}}


@pytest.mark.parametrize("dialect", DIALECTS)
def test_rows_follow_from_the_table_and_from_the_behaviours_of_a_dialect(dialect: str) -> None:
    rows = required_rows(DIALECTS[dialect])
    assert ("XADD", "any", "answers") in rows
    assert ("XCLAIM", "FORCE", "answers") in rows
    assert (("XADD", "MS-*", "added") in rows) == DIALECTS[dialect].open_sequence
    assert (("XAUTOCLAIM", "any", "forgotten") in rows) == DIALECTS[dialect].claim_drops_deleted
    assert len(rows) > 300


def test_a_row_that_is_never_met_is_named() -> None:
    found = met(START)
    unmet = unmet_rows(DIALECTS["redis-8.6"], found.counts)
    assert ("XADD", "any", "added") not in unmet
    assert ("XTRIM", "any", "trimmed") in unmet


def test_most_rows_are_met_soon() -> None:
    found = Coverage(DIALECTS["redis-8.6"], literal_words())
    for seed in range(20):
        generate("redis-8.6", seed, 300, found)
    rows = required_rows(DIALECTS["redis-8.6"])
    assert len(unmet_rows(DIALECTS["redis-8.6"], found.counts)) < len(rows) / 3


@pytest.mark.parametrize("line", ["XADD | any", "XADD | any | added | no_such_field", "a | b | c | d | e"])
def test_a_line_that_declares_nothing_is_named(line: str) -> None:
    with pytest.raises(ValueError, match=r"a row has|no_such_field"):
        coverage_rows._declared(line)


def test_every_declared_row_can_hold_in_some_dialect() -> None:
    for declared in declared_rows():
        assert any(declared.holds_in(dialect) for dialect in DIALECTS.values()), declared
