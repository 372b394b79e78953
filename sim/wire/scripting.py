"""EVAL, EVALSHA and SCRIPT: scripts in Lua 5.1, run by the library lupa where it is installed.

A script runs as one command, at one moment of the server's clock, and what it changes is told command by command.
Sources: evalGenericCommand, luaRedisGenericCommand, luaReplyToRedisReply.
"""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha1
from typing import TYPE_CHECKING, Any, Final, cast

from ...models.commands.call import Call, Command, CommandError, need_integer, shown
from ...models.commands.groups import subcommand_error
from ...models.replies import NIL, OK, Double, Failure, Frames, Map, Members, Nil, Push, Reply, Simple

if TYPE_CHECKING:
    from .model import ServedModel

NO_LIBRARY: Final = b"ERR scripts need the library lupa: pip install 'redelivery[lua]'"
NO_SCRIPT: Final = b"NOSCRIPT No matching script. Please use EVAL."
LATER: Final = (1000, 0)
"""No release of Redis."""

STEPS_MAX: Final = 50_000_000
"""After so many instructions a script is taken to be one that never ends."""

REFUSED: Final = frozenset({
    "MULTI", "EXEC", "DISCARD", "WATCH", "UNWATCH", "SUBSCRIBE", "PSUBSCRIBE", "UNSUBSCRIBE", "PUNSUBSCRIBE", "EVAL",
    "EVALSHA", "SCRIPT", "FUNCTION", "FCALL", "FCALL_RO", "CLIENT", "HELLO", "AUTH", "QUIT", "RESET", "MONITOR",
    "DEBUG", "SHUTDOWN", "CONFIG",
})  # fmt: skip
"""What no script may run."""

COMMON: Final = b"""
local ask, digest, getinfo, sethook = ...
redis = {
  call = function(...) local reply = ask(true, getinfo(2, 'l').currentline, ...); return reply end,
  pcall = function(...) local reply = ask(false, getinfo(2, 'l').currentline, ...); return reply end,
  error_reply = function(text) return {err = text} end,
  status_reply = function(text) return {ok = text} end,
  sha1hex = function(text) return digest(text) end,
  log = function() end, replicate_commands = function() return true end, set_repl = function() end,
  setresp = function() end, breakpoint = function() return false end,
  LOG_DEBUG = 0, LOG_VERBOSE = 1, LOG_NOTICE = 2, LOG_WARNING = 3,
  REPL_NONE = 0, REPL_AOF = 1, REPL_SLAVE = 2, REPL_REPLICA = 2, REPL_ALL = 3,
}
server = redis
for _, name in ipairs({'os', 'io', 'debug', 'python', 'package', 'require', 'module', 'dofile', 'loadfile', 'print',
                       'newproxy', 'collectgarbage', 'gcinfo'}) do _G[name] = nil end
local all, plain_error = _G, error
local function guard(find)
  return {
    __index = function(_, name)
      local found = find(name)
      if found == nil then
        plain_error("Script attempted to access nonexistent global variable '" .. tostring(name) .. "'", 2)
      end
      return found
    end,
    __newindex = function() plain_error('Attempt to modify a readonly table', 2) end,
  }
end
"""
"""What scripts and functions have in common."""

PRELUDE: Final = COMMON + b"""
local reads = guard(function(name) return all[name] end)
return function(script, keys, arguments, limit)
  sethook(function() error('the script does not end') end, '', limit)
  return setfenv(script, setmetatable({KEYS = keys, ARGV = arguments}, reads))()
end
"""


class _Aborted(Exception):
    """A command of a script failed, and with it the script."""

    def __init__(self, reply: Failure, line: int) -> None:
        super().__init__(reply.text)
        self.reply = reply
        self.line = line


class Scripts:
    """The scripts that a server knows, and what runs them; gone when the server is."""

    prelude = PRELUDE
    source = b"user_script"
    """What a text is called where an error says where it was."""

    def __init__(self) -> None:
        self.texts: dict[bytes, bytes] = {}
        """The scripts by the SHA1 of their text."""
        self._compiled: dict[bytes, Callable[[], Any]] = {}
        self._lua: Any = None
        self._call: Call | None = None
        self._reads_only = False
        self._line = 1

    def add(self, text: bytes) -> bytes:
        """Takes a script on, if it is one; its SHA1."""
        digest = sha1(text).hexdigest().encode()
        if digest not in self._compiled:
            lua = self._runtime()
            try:
                self._compiled[digest] = lua.compile(text)
            except Exception as error:
                why = text_of(error).replace(b'[string "<python>"]', b"user_script")
                raise CommandError(b"ERR Error compiling script (new function): " + why) from None
        self.texts[digest] = text
        return digest

    def run(self, call: Call, digest: bytes, keys: list[bytes], arguments: list[bytes]) -> Reply:
        """Runs a script that is known."""
        return self.start(call, self._compiled[digest], digest, keys, arguments)

    def start(self, call: Call, script: Any, name: bytes, keys: list[bytes], arguments: list[bytes]) -> Reply:
        """Runs what was compiled, and gives its reply; ``name`` is what errors call it."""
        lua, session = self._runtime(), call.session
        resp, session.resp = session.resp, 2
        self._call = call
        try:
            return self._as_reply(self._start(script, lua.table_from(keys), lua.table_from(arguments), STEPS_MAX))
        except _Aborted as aborted:
            return Failure(self._told(call, name, aborted.reply.text, aborted.line))
        except Exception as error:
            why, line = self._reason(error)
            if call.dialect.new_error_texts:
                return Failure(self._told(call, name, why, line))
            return Failure(b"ERR Error running script (call to f_%b): @user_script:1: %b" % (name, why[4:]))
        finally:
            self._call = None
            session.resp = resp

    def _reason(self, error: Exception) -> tuple[bytes, int]:
        """What an error of Lua says, and the line that it was met in, as far as that is told."""
        why = text_of(error).partition(b"\n")[0].replace(b'[string "<python>"]', self.source)
        return b"ERR " + why, 1

    def _runtime(self) -> Any:
        if self._lua is None:
            try:
                from lupa.lua51 import LuaRuntime
            except ImportError:
                raise CommandError(NO_LIBRARY) from None
            lua = LuaRuntime(encoding=None, register_eval=False, register_builtins=False)
            debug = lua.globals()[b"debug"]
            digest = lambda text: sha1(text).hexdigest().encode()  # noqa: E731
            self._start = lua.compile(self.prelude)(self._ask, digest, debug[b"getinfo"], debug[b"sethook"])
            self._getinfo = debug[b"getinfo"]
            self._lua = lua
        return self._lua

    def _ask(self, raises: bool, line: int, *words: Any) -> Any:
        """redis.call and redis.pcall: runs a command, and gives its reply as Lua has it."""
        call = self._call
        assert call is not None
        if line < 1:  # Lua does not tell where a call stands whose value is given back at once
            line = self._line
        valkey, line_said = call.dialect.valkey, b"" if call.dialect.new_error_texts else b"@user_script: %d: " % line
        if any(not isinstance(word, bytes | int | float) or isinstance(word, bool) for word in words):
            form = b"ERR Command" if valkey else b"ERR Lua redis lib command"
            reply: Reply = Failure(form + b" arguments must be strings or integers")
        else:
            reply = self._executed(call, [_word(word, call.dialect.shortest_scores) for word in words], line_said)
        if isinstance(reply, Failure) and raises:
            raise _Aborted(reply, line)
        return self._as_lua(reply)

    def _executed(self, call: Call, argv: list[bytes], said: bytes) -> Reply:
        server, dialect = cast("ServedModel", call.server), call.dialect
        kind = b"" if dialect.valkey else b"Redis "
        if not argv:
            lib = b"" if dialect.valkey else b"redis lib " if dialect.new_error_texts else b"redis.call() "
            return Failure(b"ERR Please specify at least one argument for this %bcall" % lib)
        command = server.commands.get(argv[0].upper())
        if command is None:
            return Failure(b"ERR Unknown %bcommand called from script" % kind)
        if command.name in REFUSED:
            whose = b"Valkey" if dialect.has(LATER, (9, 1)) else b"Redis"
            plural = b"" if dialect.new_error_texts else b"s"
            return Failure(b"ERR %bThis %b command is not allowed from script%b" % (said, whose, plural))
        if command.subcommands:
            word = argv[1].upper() if len(argv) > 1 else b""
            command = next((row for row in command.subcommands if row.name.encode() == word), None)
            if command is None:
                return Failure(b"ERR Unknown %bcommand called from script" % kind)
        if not command.argc_min <= len(argv) <= command.argc_max:
            return Failure(b"ERR Wrong number of args calling %bcommand from script" % kind)
        if self._reads_only and ("write" in command.flags or command.name == "PUBLISH"):
            return Failure(b"ERR Write commands are not allowed from read-only scripts.")
        blocks = command.name in ("XREAD", "XREADGROUP") and b"BLOCK" in [word.upper() for word in argv]
        if blocks and not call.dialect.scripts_read_without_block:
            return Failure(b"ERR %b command is not allowed with BLOCK option from scripts" % argv[0])
        return server.run(call.session, argv, call.now_ms, call.facts, may_block=False)

    def _told(self, call: Call, name: bytes, text: bytes, line: int) -> bytes:
        if call.dialect.new_error_texts:
            return b"%b script: %bon @%b:%d." % (text, name and name + b", ", self.source, line)
        return b"ERR Error running script (call to f_%b): @user_script:%d: %b" % (name, line, text)

    def _as_lua(self, reply: Reply) -> Any:
        """A reply of RESP2 as a value of Lua."""
        lua = self._lua
        if isinstance(reply, Simple):
            return lua.table_from({b"ok": reply.text})
        if isinstance(reply, Failure):
            return lua.table_from({b"err": reply.text})
        if isinstance(reply, Nil):
            return False
        if isinstance(reply, Double):
            return reply.text
        if isinstance(reply, Map):
            parts = reply.pairs if reply.paired else [part for pair in reply.pairs for part in pair]
            return lua.table_from([self._as_lua(part) for part in parts])
        if isinstance(reply, Members | Push):
            return lua.table_from([self._as_lua(item) for item in reply.items])
        if isinstance(reply, Frames):
            return lua.table_from([self._as_lua(item) for item in reply.frames])
        if isinstance(reply, tuple):
            return lua.table_from([self._as_lua(item) for item in reply])
        return reply

    def _as_reply(self, value: Any) -> Reply:
        """A value of Lua as a reply: numbers lose what is behind the point, a table ends at its first hole."""
        if value is None or value is False:
            return NIL
        if value is True:
            return 1
        if isinstance(value, int | float):
            return int(value)
        if isinstance(value, bytes):
            return value
        for name, kind in ((b"err", Failure), (b"ok", Simple)):
            text = value[name]
            if isinstance(text, bytes):
                return kind(text.replace(b"\r", b" ").replace(b"\n", b" "))
        found: list[Reply] = []
        while (item := value[len(found) + 1]) is not None:
            found.append(self._as_reply(item))
        return tuple(found)


def _word(word: bytes | int | float, shortest: bool) -> bytes:
    """A number as an argument of a command: since 7.2 in as few digits as tell it, as scores are."""
    if isinstance(word, bytes):
        return word
    number = float(word)
    if not shortest:
        return f"{number:.17g}".encode()
    return b"%d" % int(number) if number.is_integer() and abs(number) <= 1 << 62 else repr(number).encode()


def text_of(error: Exception) -> bytes:
    """What an error of Lua says."""
    argument = error.args[0] if error.args else ""
    return argument if isinstance(argument, bytes) else str(argument).encode()


def _scripts(call: Call) -> Scripts:
    return cast("ServedModel", call.server).scripts


def evaluate(call: Call) -> Reply:
    """EVAL script numkeys key ... argument ..., EVALSHA sha1 numkeys ..."""
    argv, scripts = call.argv, _scripts(call)
    count = need_integer(argv[2])
    if count > len(argv) - 3:
        raise CommandError(b"ERR Number of keys can't be greater than number of args")
    if count < 0:
        raise CommandError(b"ERR Number of keys can't be negative")
    if call.command.name == "EVAL":
        digest = scripts.add(argv[1])
    else:
        digest = argv[1].lower()
        if digest not in scripts.texts:
            raise CommandError(NO_SCRIPT)
    return scripts.run(call, digest, list(argv[3 : 3 + count]), list(argv[3 + count :]))


def script(call: Call) -> Reply:
    """SCRIPT LOAD text | EXISTS sha1 ... | FLUSH [ASYNC|SYNC] | KILL"""
    argv, scripts = call.argv, _scripts(call)
    word, argc = shown(argv[1]).upper(), len(argv)
    if word == b"LOAD" and argc == 3:
        return scripts.add(argv[2])
    if word == b"EXISTS" and argc >= 3:
        return tuple([int(digest.lower() in scripts.texts) for digest in argv[2:]])
    if word == b"FLUSH" and argc <= 3:
        scripts.texts.clear()
        return OK
    if word == b"KILL" and argc == 2:
        raise CommandError(b"NOTBUSY No scripts in execution right now.")
    raise subcommand_error(call)


BESIDE = frozenset({"beside"})
ROWS = (
    Command("EVAL", -3, evaluate, BESIDE, (-2, -2, 1)),
    Command("EVALSHA", -3, evaluate, BESIDE, (-2, -2, 1)),
    Command("SCRIPT", -2, script, BESIDE),
)
