"""SIM.CLOCK, SIM.FAULT, SIM.HISTORY, SIM.CHECK, SIM.RESET: how a test holds the server in its hand."""

from __future__ import annotations

from ...models.commands.call import SYNTAX, Call, Command, CommandError, integer, need_integer, shown
from ...models.replies import OK, Reply
from ..errors import RedeliveryError
from .configuring import host_of

NO_VIRTUAL_CLOCK = b"ERR the clock is the machine's: start the server with --clock virtual"
NO_HISTORY = b"ERR nothing is written down: start the server with --clock virtual or --history FILE"


def _observes(call: Call) -> None:
    """Whoever sends SIM looks at the server from outside: time does not wait for it."""
    host_of(call).connections[call.session.id].observes = True


def clock(call: Call) -> Reply:
    """SIM.CLOCK GET | SET unix-ms | ADVANCE ms: what the clock shows then."""
    _observes(call)
    host, argv = host_of(call), call.argv
    word = shown(argv[1]).upper()
    if word == b"GET" and len(argv) == 2:
        return host.clock.now_ms()
    if word not in (b"SET", b"ADVANCE") or len(argv) != 3:
        raise CommandError(SYNTAX)
    if not host.clock.is_virtual:
        raise CommandError(NO_VIRTUAL_CLOCK)
    ms = need_integer(argv[2])
    if word == b"ADVANCE":
        if ms < 0:
            raise CommandError(b"ERR time does not run backwards; SIM.CLOCK SET sets the clock back")
        ms += host.clock.now_ms()
    if not 0 <= ms < 2**48:
        raise CommandError(b"ERR the time is out of range")
    host.afterwards(lambda: host.time.move_to(ms))
    return ms


def fault(call: Call) -> Reply:
    """SIM.FAULT words ... | CLEAR | LIST: what is to go wrong; see ``sim.wire.faults``."""
    _observes(call)
    host, words = host_of(call), [word.decode(errors="replace") for word in call.argv[1:]]
    if len(words) == 1 and words[0].upper() == "CLEAR":
        host.faults.clear()
        return OK
    if len(words) == 1 and words[0].upper() == "LIST":
        return tuple([fault.line().encode() for fault in host.faults.all])
    try:
        host.faults.read(words)
    except RedeliveryError as error:
        raise CommandError(b"ERR " + str(error).encode()) from None
    host.afterwards(lambda: host.faults.add(words))
    return OK


def history(call: Call) -> Reply:
    """SIM.HISTORY [from]: the lines of the history so far, the first being its header; or those from an event on."""
    _observes(call)
    recorder = host_of(call).recorder
    if recorder is None:
        raise CommandError(NO_HISTORY)
    start = 0
    if len(call.argv) == 2:
        number = integer(call.argv[1])
        if number is None or number < 0:
            raise CommandError(b"ERR the number of an event is not an integer or out of range")
        start = number + 1
    return tuple([line.encode() for line in list(recorder.history.lines())[start:]])


def check(call: Call) -> Reply:
    """SIM.CHECK [property ...]: each property that was looked at, with what broke it, or an empty text.

    The server's invariants are always looked at. Last, ``incomplete`` says what part of the history was not.
    """
    _observes(call)
    recorder = host_of(call).recorder
    if recorder is None:
        raise CommandError(NO_HISTORY)
    try:
        names, violations = recorder.check([name.decode(errors="replace") for name in call.argv[1:]])
    except RedeliveryError as error:
        raise CommandError(b"ERR " + " ".join(str(error).split()).encode()) from None
    broken = {v.property: f"at {v.at_ms} ms (event {v.step}): {v.message}" for v in violations}
    told = [(name.encode(), broken.get(name, "").encode()) for name in names]
    return (*told, (b"incomplete", recorder.unseen().encode()))


def reset(call: Call) -> Reply:
    """SIM.RESET [seed]: no keys, no faults, no history, the clock as at first; who is blocked is cut off.

    The seed (0) draws the chances of faults that have one.
    """
    _observes(call)
    host, seed = host_of(call), need_integer(call.argv[1]) if len(call.argv) > 1 else 0
    host.afterwards(lambda: host.begin_again(seed))
    return OK


SIM = frozenset({"admin", "no-multi"})
ROWS = (
    Command("SIM.CLOCK", -2, clock, SIM),
    Command("SIM.FAULT", -2, fault, SIM),
    Command("SIM.HISTORY", -1, history, SIM),
    Command("SIM.CHECK", -1, check, SIM),
    Command("SIM.RESET", -1, reset, SIM),
)
