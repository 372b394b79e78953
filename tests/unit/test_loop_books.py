"""Which entry a handler works on, where all it was handed is a text."""

from __future__ import annotations

from redelivery.models.facts import Added, Delivered
from redelivery.sim.choices import Replayed
from redelivery.sim.loop.program import Program
from redelivery.sim.loop.world import LoopWorld

FIRST, SECOND = 1 << 64, 2 << 64


def holding(*entries: int) -> tuple[LoopWorld, Program]:
    world = LoopWorld(Replayed(()))
    program = world.start("worker", lambda: None)
    for entry in entries:
        world.note(None, [Added(b"s", 1, entry, (b"job", b"job-1"))])
        give(world, program, entry)
    return world, program


def give(world: LoopWorld, program: Program, entry: int) -> None:
    world.note(program, [Delivered(b"s", 1, b"g", 1, b"c", entry, 1, False, None)])


def test_of_two_equal_entries_the_one_that_nobody_has_worked_on_is_meant() -> None:
    world, program = holding(FIRST, SECOND)
    first, second = (b"s", b"g", b"1-0"), (b"s", b"g", b"2-0")
    assert world.books.entry_of(program, b"job-1") == first
    program.working.append(first)
    assert world.books.entry_of(program, b"job-1") == second
    program.working.append(second)
    assert world.books.entry_of(program, b"job-1") == second, "it has no other: it works on one twice"
    program.working.clear()
    program.done.add(first)
    assert world.books.entry_of(program, b"job-1") == second
    program.done.add(second)
    give(world, program, SECOND)
    assert world.books.entry_of(program, b"job-1") == second, "it was given it again"


def test_what_nobody_holds_is_found_all_the_same() -> None:
    world, program = holding()
    assert world.books.entry_of(program, b"job-1") == (b"", b"", b"job-1")
    world.note(None, [Added(b"s", 1, FIRST, (b"job", b"job-1"))])
    assert world.books.entry_of(program, b"job-1") == (b"s", b"", b"1-0")
    assert world.books.entry_of(program, b"1-0") == (b"s", b"", b"1-0")
