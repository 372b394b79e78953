"""FUNCTION and FCALL of a server that holds no library: clients and test suites ask, flush and go on."""

from __future__ import annotations

from ...models.commands.call import Call, Command, CommandError, shown
from ...models.replies import NIL, OK, Map, Reply

NO_LIBRARIES = b"ERR libraries of functions are not supported by this server; EVAL runs scripts"
HELP = (
    b"FUNCTION <subcommand> [<arg> [value] [opt] ...]. Subcommands are:",
    b"DELETE <LIBRARY NAME>",
    b"FLUSH [ASYNC|SYNC]",
    b"HELP",
    b"KILL",
    b"LIST [WITHCODE]",
    b"STATS",
)


def list_(call: Call) -> Reply:
    """FUNCTION LIST: there is none."""
    return ()


def flush(call: Call) -> Reply:
    """FUNCTION FLUSH [ASYNC|SYNC]"""
    if len(call.argv) > 3 or (len(call.argv) == 3 and shown(call.argv[2]).upper() not in (b"ASYNC", b"SYNC")):
        raise CommandError(b"ERR FUNCTION FLUSH only supports SYNC|ASYNC option")
    return OK


def delete(call: Call) -> Reply:
    """FUNCTION DELETE library"""
    raise CommandError(b"ERR Library not found")


def stats(call: Call) -> Reply:
    """FUNCTION STATS"""
    counts = Map(((b"libraries_count", 0), (b"functions_count", 0)))
    return Map(((b"running_script", NIL), (b"engines", Map(((b"LUA", counts),)))))


def kill(call: Call) -> Reply:
    """FUNCTION KILL"""
    raise CommandError(b"NOTBUSY No scripts in execution right now.")


def load(call: Call) -> Reply:
    """FUNCTION LOAD and RESTORE: refused by name."""
    raise CommandError(NO_LIBRARIES)


def help_text(call: Call) -> Reply:
    """FUNCTION HELP"""
    return HELP


def call_function(call: Call) -> Reply:
    """FCALL name numkeys key ... argument ...: no function has that name, whatever follows it."""
    raise CommandError(b"ERR Function not found")


BESIDE = frozenset({"beside"})
SUBCOMMANDS = (
    Command("LIST", -2, list_, BESIDE),
    Command("FLUSH", -2, flush, BESIDE),
    Command("DELETE", 3, delete, BESIDE),
    Command("STATS", 2, stats, BESIDE),
    Command("KILL", 2, kill, BESIDE),
    Command("LOAD", -3, load, BESIDE),
    Command("RESTORE", -3, load, BESIDE),
    Command("HELP", 2, help_text, BESIDE),
)
ROWS = (
    Command("FUNCTION", -2, list_, BESIDE, since=(7, 0), subcommands=SUBCOMMANDS),
    Command("FCALL", -3, call_function, BESIDE, (-2, -2, 1), since=(7, 0)),
    Command("FCALL_RO", -3, call_function, BESIDE, (-2, -2, 1), since=(7, 0)),
)
