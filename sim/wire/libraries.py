"""Libraries of functions: what FUNCTION LOAD makes of a text, and what FCALL runs.

The functions of all libraries share one Lua, apart from that of scripts. While a library is loaded it sees what it
needs to register functions, and nothing else of the server; a function sees the server, and cannot register.
Sources: functionsCreateWithLibraryCtx, functionExtractLibMetaData, luaEngineCreate, luaRegisterFunctionReadArgs.
"""

from __future__ import annotations

import re
from typing import Any, Final, NamedTuple

from ...models.commands.call import Call, CommandError
from ...models.dialect import Dialect
from ...models.replies import Reply
from .parser import split
from .scripting import COMMON, LATER, STEPS_MAX, Scripts, text_of

FLAGS: Final = (b"no-writes", b"allow-oom", b"allow-stale", b"no-cluster", b"allow-cross-slot-keys")
"""In the order in which FUNCTION LIST tells them."""

NAMES: Final = (
    b"Library names can only contain letters, numbers, or underscores(_) and must be at least one character long"
)
LETTERS: Final = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_"

PRELUDE: Final = COMMON + b"""
local made, is_loading, plain_type = nil, false, type
local function fail(text) plain_error({err = 'ERR ' .. text}, 0) end
local function text_of(value) if plain_type(value) == 'string' or plain_type(value) == 'number' then
  return tostring(value) end end
local function flags_of(flags)
  local found, at = {}, 1
  while flags[at] ~= nil do
    local word = text_of(flags[at])
    word = word and word:lower()
    if not word or not known_flags[word] then fail('unknown flag given') end
    found[at], at = word, at + 1
  end
  return found
end
local function named(wanted)
  local name, description, callback, flags
  if plain_type(wanted) ~= 'table' then
    fail('calling redis.register_function with a single argument is only applicable to Lua table '
         .. '(representing named arguments).')
  end
  for key, value in pairs(wanted) do
    local word = plain_type(key) == 'string' and key:lower() or text_of(key)
    if not word then fail('named argument key given to redis.register_function is not a string') end
    if word == 'function_name' then
      name = text_of(value) or fail('function_name argument given to redis.register_function must be a string')
    elseif word == 'description' then
      description = text_of(value) or fail('description argument given to redis.register_function must be a string')
    elseif word == 'callback' then
      if plain_type(value) ~= 'function' then
        fail('callback argument given to redis.register_function must be a function')
      end
      callback = value
    elseif word == 'flags' then
      if plain_type(value) ~= 'table' then
        fail('flags argument to redis.register_function must be a table representing function flags')
      end
      flags = flags_of(value)
    else
      fail('unknown argument given to redis.register_function')
    end
  end
  if not name then fail('redis.register_function must get a function name argument') end
  if not callback then fail('redis.register_function must get a callback argument') end
  return name, callback, description, flags
end
local function positional(name, callback)
  name = text_of(name) or fail('first argument to redis.register_function must be a string')
  if plain_type(callback) ~= 'function' then
    fail('second argument to redis.register_function must be a function')
  end
  return name, callback
end
local function register(...)
  local count, name, callback, description, flags = select('#', ...)
  if count < 1 or count > 2 then fail('wrong number of arguments to redis.register_function') end
  if count == 1 then name, callback, description, flags = named(...) else name, callback = positional(...) end
  if not name:find('^[%w_]+$') then fail(bad_name) end
  if made[name] then fail(twice) end
  made[name] = {callback, description or false, flags or {}}
end
local function guarded(find) return setmetatable({}, guard(find)) end
local plain_reply = redis.error_reply
redis.error_reply = function(text)
  return plain_reply(plain_type(text) == 'string' and not text:find(' ') and 'ERR ' .. text or text)
end
local api = {
  register_function = register, log = redis.log, REDIS_VERSION = said_version, REDIS_VERSION_NUM = said_number,
  LOG_DEBUG = 0, LOG_VERBOSE = 1, LOG_NOTICE = 2, LOG_WARNING = 3,
}
local loading = guarded(function(name) return api[name] end)
local seen = {redis = loading, server = loading}
local environment = guarded(function(name) return (is_loading and seen or all)[name] end)
return function(text, keys, arguments, limit)
  sethook(function() plain_error('the script does not end') end, '', limit)
  is_loading, made = not keys, {}
  local went, got = pcall(keys and text or setfenv(text, environment), keys, arguments)
  is_loading = false
  if not went then
    plain_error(plain_type(got) == 'table' and '\1' .. tostring(got.err) or got, 0)
  end
  return keys and got or not keys and made or nil
end
"""


class Function(NamedTuple):
    """One function of a library."""

    name: bytes
    run: Any
    description: bytes | None
    flags: tuple[bytes, ...]
    line: int
    """Where its text begins: said of errors of which Lua does not tell more."""


class Library(NamedTuple):
    """What a text has registered."""

    name: bytes
    engine: bytes
    code: bytes
    functions: dict[bytes, Function]


class Libraries(Scripts):
    """The libraries of a server; gone when the server is."""

    source = b"user_function"

    def __init__(self, dialect: Dialect) -> None:
        super().__init__()
        self.libraries: dict[bytes, Library] = {}
        valkey = dialect.has(LATER, (8, 1))
        major, minor = (7, 2) if dialect.valkey else dialect.release[:2]
        words = {
            b"known_flags": b"({%b})" % b", ".join([b"['%b'] = true" % flag for flag in FLAGS]),
            b"bad_name": b"'%b'" % (b"\1ERR " + NAMES.replace(b"Library", b"Function") if valkey else NAMES),
            b"twice": b"'%bFunction already exists in the library'" % (b"\1ERR " if valkey else b""),
            b"said_version": b"'%d.%d.0'" % (major, minor),
            b"said_number": b"%d" % (major << 16 | minor << 8),
            **({b"redis.register_function": b"server.register_function"} if dialect.valkey else {}),
        }
        self.prelude = PRELUDE
        for word, meant in words.items():
            self.prelude = self.prelude.replace(word, meant)

    def find(self, name: bytes) -> Function | None:
        """The function of a name, in capitals or not; names are unique among all libraries."""
        for library in self.libraries.values():
            for known, function in library.functions.items():
                if known.lower() == name.lower():
                    return function
        return None

    def load(self, text: bytes, *, replaces: bool) -> bytes:
        """Takes a library on; its name. It takes the place of an older one only where it is sound."""
        engine, name, code = _head(text)
        if not name or name.strip(LETTERS):
            raise CommandError(b"ERR " + NAMES)
        if engine.lower() != b"lua":
            raise CommandError(b"ERR Engine '%b' not found" % engine)
        if name in self.libraries and not replaces:
            raise CommandError(b"ERR Library '%b' already exists" % name)
        functions = self._registered(code)
        if not functions:
            raise CommandError(b"ERR No functions registered")
        old = self.libraries.pop(name, None)
        for function in functions:
            if self.find(function) is not None:
                if old is not None:
                    self.libraries[name] = old
                raise CommandError(b"ERR Function %b already exists" % function)
        self.libraries[name] = Library(name, b"LUA", text, functions)
        return name

    def call(self, call: Call, function: Function, keys: list[bytes], arguments: list[bytes], *, reads: bool) -> Reply:
        """Runs a function; with ``reads`` it may change nothing."""
        self._reads_only = reads or b"no-writes" in function.flags
        self._line = function.line
        try:
            name = b"" if call.dialect.has(LATER, (9, 1)) else function.name
            return self.start(call, function.run, name, keys, arguments)
        finally:
            self._reads_only = False

    def _registered(self, code: bytes) -> dict[bytes, Function]:
        lua = self._runtime()
        try:
            chunk = lua.compile(code)
        except Exception as error:
            why = text_of(error).replace(b'[string "<python>"]', self.source)
            raise CommandError(b"ERR Error compiling function: " + why) from None
        try:
            made = self._start(chunk, None, None, STEPS_MAX)
        except Exception as error:
            why = self._reason(error)[0]
            told = why.removeprefix(b"ERR \1") if b"\1" in why else b"ERR Error registering functions: " + why
            raise CommandError(told) from None
        found: dict[bytes, Function] = {}
        for name in sorted(made):
            run, description, flags = made[name][1], made[name][2], tuple(made[name][3].values())
            line = int(self._getinfo(run, b"S")[b"linedefined"])
            found[name] = Function(name, run, description or None, tuple(f for f in FLAGS if f in flags), line)
        return found

    def _reason(self, error: Exception) -> tuple[bytes, int]:
        why = text_of(error).partition(b"\n")[0].replace(b'[string "<python>"]', self.source)
        if why.startswith(b"\1"):
            return why[1:], self._line
        line = re.match(rb"user_function:(\d+): ", why)
        return b"ERR " + why, int(line[1]) if line else self._line


def _head(text: bytes) -> tuple[bytes, bytes, bytes]:
    """The engine, the name and the code of a library's text."""
    if not text.startswith(b"#!"):
        raise CommandError(b"ERR Missing library metadata")
    first, line_end, rest = text.partition(b"\n")
    words = split(first) if line_end else None
    if not words:
        raise CommandError(b"ERR Invalid library metadata")
    name: bytes | None = None
    for word in words[1:]:
        if word[:5].lower() != b"name=":
            raise CommandError(b"ERR Invalid metadata value given: " + word)
        if name is not None:
            raise CommandError(b"ERR Invalid metadata value, name argument was given multiple times")
        name = word[5:]
    if name is None:
        raise CommandError(b"ERR Library name was not given")
    return words[0][2:], name, line_end + rest
