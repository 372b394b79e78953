"""FUNCTION, FCALL and FCALL_RO: libraries of functions in Lua, from 7.0 on.

Sources: functionLoadCommand, functionListCommand, functionStatsCommand, fcallCommandGeneric.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, cast

from ...models.commands.call import Call, Command, CommandError, integer, shown
from ...models.glob import matches
from ...models.replies import NIL, OK, Map, Members, Reply, Simple
from .libraries import Function, Libraries

if TYPE_CHECKING:
    from .model import ServedModel

NOT_RESTORED: Final = b"ERR dumps of libraries are not supported by this server; FUNCTION LOAD takes their texts"
NO_DUMP: Final = b"ERR DUMP payload version or checksum are wrong"
DUMP_BYTES_MIN: Final = 10
"""No payload is shorter: a version and a checksum end it."""

HELP = (
    b"FUNCTION <subcommand> [<arg> [value] [opt] ...]. Subcommands are:",
    b"LOAD [REPLACE] <FUNCTION CODE>",
    b"DELETE <LIBRARY NAME>",
    b"FLUSH [ASYNC|SYNC]",
    b"HELP",
    b"KILL",
    b"LIST [LIBRARYNAME PATTERN] [WITHCODE]",
    b"STATS",
)


def load(call: Call) -> Reply:
    """FUNCTION LOAD [REPLACE] text"""
    argv, replaces = call.argv, False
    for word in argv[2:-1]:
        if shown(word).upper() != b"REPLACE":
            raise CommandError(b"ERR Unknown option given: " + shown(word))
        replaces = True
    return _libraries(call).load(argv[-1], replaces=replaces)


def list_(call: Call) -> Reply:
    """FUNCTION LIST [LIBRARYNAME pattern] [WITHCODE]"""
    argv, at, with_code = call.argv, 2, False
    pattern: bytes | None = None
    while at < len(argv):
        word = shown(argv[at]).upper()
        if word == b"WITHCODE" and not with_code:
            with_code = True
        elif word == b"LIBRARYNAME" and pattern is None:
            at += 1
            if at == len(argv):
                raise CommandError(b"ERR library name argument was not given")
            pattern = argv[at]
        else:
            raise CommandError(b"ERR Unknown argument " + shown(argv[at]))
        at += 1
    told: list[Reply] = []
    for library in _libraries(call).libraries.values():
        if pattern is None or matches(pattern.lower(), library.name.lower()):
            functions = tuple([_told(function) for function in library.functions.values()])
            pairs = ((b"library_name", library.name), (b"engine", library.engine), (b"functions", functions))
            told.append(Map((*pairs, (b"library_code", library.code)) if with_code else pairs))
    return tuple(told)


def _told(function: Function) -> Reply:
    flags = Members(tuple([Simple(flag) for flag in function.flags]))
    description = NIL if function.description is None else function.description
    return Map(((b"name", function.name), (b"description", description), (b"flags", flags)))


def flush(call: Call) -> Reply:
    """FUNCTION FLUSH [ASYNC|SYNC]"""
    if len(call.argv) > 3:
        raise CommandError(_usage(b"FLUSH"))
    if len(call.argv) == 3 and shown(call.argv[2]).upper() not in (b"ASYNC", b"SYNC"):
        raise CommandError(b"ERR FUNCTION FLUSH only supports SYNC|ASYNC option")
    _libraries(call).libraries.clear()
    return OK


def delete(call: Call) -> Reply:
    """FUNCTION DELETE library"""
    if _libraries(call).libraries.pop(call.argv[2], None) is None:
        raise CommandError(b"ERR Library not found")
    return OK


def stats(call: Call) -> Reply:
    """FUNCTION STATS"""
    libraries = _libraries(call).libraries.values()
    functions = sum(len(library.functions) for library in libraries)
    counts = Map(((b"libraries_count", len(libraries)), (b"functions_count", functions)))
    return Map(((b"running_script", NIL), (b"engines", Map(((b"LUA", counts),)))))


def kill(call: Call) -> Reply:
    """FUNCTION KILL"""
    raise CommandError(b"NOTBUSY No scripts in execution right now.")


def restore(call: Call) -> Reply:
    """FUNCTION RESTORE payload [FLUSH|APPEND|REPLACE]: refused by name."""
    argv = call.argv
    if len(argv) > 4:
        raise CommandError(_usage(b"RESTORE"))
    if len(argv) == 4 and shown(argv[3]).upper() not in (b"FLUSH", b"APPEND", b"REPLACE"):
        raise CommandError(
            b"ERR Wrong restore policy given, value should be either FLUSH, APPEND or REPLACE."
        )
    raise CommandError(NO_DUMP if len(argv[2]) < DUMP_BYTES_MIN else NOT_RESTORED)


def help_text(call: Call) -> Reply:
    """FUNCTION HELP"""
    return HELP


def call_function(call: Call) -> Reply:
    """FCALL name numkeys key ... argument ..., and FCALL_RO, which changes nothing."""
    argv, libraries = call.argv, _libraries(call)
    function = libraries.find(argv[1])
    if function is None:
        raise CommandError(b"ERR Function not found")
    count = integer(argv[2])
    if count is None:
        raise CommandError(b"ERR Bad number of keys provided")
    if count > len(argv) - 3:
        raise CommandError(b"ERR Number of keys can't be greater than number of args")
    if count < 0:
        raise CommandError(b"ERR Number of keys can't be negative")
    reads = call.command.name == "FCALL_RO"
    if reads and b"no-writes" not in function.flags:
        raise CommandError(b"ERR Can not execute a script with write flag using *_ro command.")
    return libraries.call(call, function, list(argv[3 : 3 + count]), list(argv[3 + count :]), reads=reads)


def _usage(word: bytes) -> bytes:
    return b"ERR unknown subcommand or wrong number of arguments for '%b'. Try FUNCTION HELP." % word


def _libraries(call: Call) -> Libraries:
    return cast("ServedModel", call.server).libraries


BESIDE = frozenset({"beside"})
SUBCOMMANDS = (
    Command("LIST", -2, list_, BESIDE),
    Command("FLUSH", -2, flush, BESIDE),
    Command("DELETE", 3, delete, BESIDE),
    Command("STATS", 2, stats, BESIDE),
    Command("KILL", 2, kill, BESIDE),
    Command("LOAD", -3, load, BESIDE),
    Command("RESTORE", -3, restore, BESIDE),
    Command("HELP", 2, help_text, BESIDE),
)
ROWS = (
    Command("FUNCTION", -2, list_, BESIDE, since=(7, 0), subcommands=SUBCOMMANDS),
    Command("FCALL", -3, call_function, BESIDE, (-2, -2, 1), since=(7, 0)),
    Command("FCALL_RO", -3, call_function, BESIDE, (-2, -2, 1), since=(7, 0)),
)
