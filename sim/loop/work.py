"""Work on an entry, inside a program: it takes time, leaves facts, and is where a program may crash."""

from __future__ import annotations

import asyncio

from .. import events
from ..errors import HandlerFailed
from .on_stage import STAGE, current
from .program import Program


async def work(text: bytes | str, ms: int = 0, *, fails: bool = False) -> None:
    """Works on the entry that holds ``text`` (or whose ID it is), ``ms`` long, in the program that asks.

    ``HandlerFailed`` where a fault strikes the work, or it ``fails`` every time. Outside a simulation it sleeps.
    """
    program = current()
    if program is None:
        await asyncio.sleep(ms / 1000)
        return
    world = program.world
    about = world.books.entry_of(program, text.encode() if isinstance(text, str) else text)
    await _act(program)
    _tell(program, events.Handling(world.now_ms, program.name, *about))
    program.working.append(about)
    try:
        await asyncio.sleep(ms / 1000)
        late_ms, struck = world.strikes.on_work(program, about)
        fails = fails or struck
        if late_ms:
            await asyncio.sleep(late_ms / 1000)
    except asyncio.CancelledError:
        _tell(program, events.HandleFailed(world.now_ms, program.name, *about))
        raise
    finally:
        if about in program.working:
            program.working.remove(about)
    await _act(program)
    if fails:
        _tell(program, events.HandleFailed(world.now_ms, program.name, *about))
        raise HandlerFailed(f"entry {about[2].decode(errors='backslashreplace')} could not be handled")
    program.done.add(about)
    _tell(program, events.Handled(world.now_ms, program.name, *about))


def work_now(text: bytes | str, ms: int = 0, *, fails: bool = False) -> None:
    """The same for programs that block. Outside a simulation it does nothing."""
    if STAGE.fiber is not None and current() is not None:
        STAGE.fiber.run(work(text, ms, fails=fails))


async def _act(program: Program) -> None:
    """A moment that others see: the program may be struck here, and then nothing follows."""
    program.world.acted = True
    program.world.strikes.on_act(program)
    if program.doomed or program.paused_until_us is not None:
        await asyncio.sleep(0)


def _tell(program: Program, event: events.Event) -> None:
    if program.is_alive:
        program.world.record_late(program, event)
