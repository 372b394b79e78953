"""Libraries of functions on a served model and on real servers, to the byte."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import closing

import pytest
from redelivery.models.dialects import DIALECTS
from redelivery.sim.real.servers import ServerBinary
from redelivery.sim.real.spawn import SpawnedServer
from redelivery.sim.wire.in_thread import ServerThread

from .servers_at_hand import servers_named

HAVE = [server for server in servers_named() if DIALECTS[server.dialect].has((7, 0))]
"""The real servers that have libraries."""


@pytest.fixture(scope="module", params=HAVE, ids=lambda server: server.dialect)
def clients(request: pytest.FixtureRequest) -> Iterator[list[socket.socket]]:
    """A connection to the served model, and one to the real server of its dialect."""
    binary: ServerBinary = request.param
    with (
        ServerThread(binary.dialect) as served,
        SpawnedServer(binary, tcp=True) as real,
        closing(socket.create_connection(("127.0.0.1", served.port), timeout=5)) as model,
        closing(socket.create_connection(("127.0.0.1", real.address.port), timeout=5)) as server,
    ):
        yield [model, server]


def line(*words: str) -> bytes:
    return b"*%d\r\n" % len(words) + b"".join([b"$%d\r\n%b\r\n" % (len(w.encode()), w.encode()) for w in words])


def told(client: socket.socket, *commands: tuple[str, ...]) -> list[bytes]:
    """What a server answers to each command in turn, beginning with no library and no key."""
    said = []
    for words in (("FUNCTION", "FLUSH"), ("FLUSHALL",), *commands):
        client.sendall(line(*words) + line("ECHO", "that was all"))
        reply = b""
        while not reply.endswith(b"$12\r\nthat was all\r\n"):
            came = client.recv(1 << 16)
            assert came
            reply += came
        said.append(reply.removesuffix(b"$12\r\nthat was all\r\n"))
    return said[2:]


def load(code: str, *options: str, head: str = "#!lua name=lib\n") -> tuple[str, ...]:
    return ("FUNCTION", "LOAD", *options, head + code)


def made(body: str, more: str = "") -> str:
    """The text of a library whose function ``f`` does that."""
    return "redis.register_function{function_name='f', callback=function(keys, args) " + body + " end" + more + "}"


PLAIN = "redis.register_function('f', function(keys, args) return {keys[1], args[1], #keys, #args} end)"
F = ("FCALL", "f", "0")
F_OF_K = ("FCALL", "f", "1", "k")
SET_K = ("SET", "k", "v")
LIST = ("FUNCTION", "LIST")
STATS = ("FUNCTION", "STATS")

CASES: dict[str, list[tuple[str, ...]]] = {
    "call": [
        load(PLAIN), ("FCALL", "f", "1", "k", "a"), F, ("FCALL", "f", "2", "k"), ("FCALL", "f", "-1", "k"),
        ("FCALL", "f", "x", "k"), ("FCALL", "F", "0"), ("FCALL_RO", "f", "0"),
    ],
    "flags": [
        load(made("return redis.call('GET', keys[1])", ", flags={'no-writes'}")), F_OF_K,
        ("FCALL_RO", "f", "1", "k"), LIST, STATS,
    ],
    "write in ro": [
        load(made("return redis.call('SET', keys[1], 'v')", ", flags={'no-writes'}")), F_OF_K,
        ("FCALL_RO", "f", "1", "k"), ("EXISTS", "k"),
    ],
    "write pcall in ro": [load(made("return redis.pcall('SET', keys[1], 'v')", ", flags={'no-writes'}")), F_OF_K],
    "publish in ro": [load(made("return redis.pcall('PUBLISH', keys[1], 'v')", ", flags={'no-writes'}")), F_OF_K],
    "all flags": [
        load(made("return 1", ", flags={'allow-stale','no-cluster','ALLOW-OOM','no-writes','allow-cross-slot-keys'}")),
        LIST,
    ],
    "unknown flag": [load(made("return 1", ", flags={'what'}"))],
    "flag no text": [load(made("return 1", ", flags={{}}"))],
    "writes": [
        load(made("redis.call('XADD', keys[1], '1-1', 'a', args[1]) return redis.call('XRANGE', keys[1], '-', '+')")),
        ("FCALL", "f", "1", "s", "v"), ("XLEN", "s"),
    ],
    "status": [load(made("return redis.call('SET', keys[1], args[1])")), ("FCALL", "f", "1", "s", "v")],
    "error of command": [load(made("return redis.call('XLEN', keys[1])")), SET_K, F_OF_K],
    "error of command lines": [
        load("\n\n" + made("\n\nlocal x = redis.call('XLEN', keys[1])\nreturn x\n")), SET_K, F_OF_K,
    ],
    "error of lua": [load(made("return keys.x.y")), F_OF_K],
    "error raised": [load(made("error('boo')")), F],
    "error table raised": [load(made("error({err='MY boo'})")), F],
    "error reply": [load(made("return redis.error_reply('MY err')")), F],
    "error reply bare": [load(made("return redis.error_reply('err')")), F],
    "pcall": [load(made("return redis.pcall('XLEN', keys[1])")), SET_K, F_OF_K],
    "unknown command": [load(made("return redis.call('NOSUCH')")), F],
    "refused": [load(made("return redis.call('MULTI')")), F],
    "fcall inside": [load(made("return redis.call('FCALL', 'f', 0)")), F],
    "global set": [load(made("x = 1 return 2")), F],
    "global get": [load(made("return KEYS")), F],
    "global at load": [load("x = 1 " + PLAIN)],
    "get at load": [load("local y = x " + PLAIN)],
    "call at load": [load("redis.call('SET','k','v') " + PLAIN)],
    "version at load": [load("local v = redis.REDIS_VERSION_NUM " + PLAIN)],
    "error at load": [load("error('boo') " + PLAIN)],
    "syntax": [load("return return")],
    "nothing": [load("return 1")],
    "empty": [load("")],
    "no shebang": [load(PLAIN, head="")],
    "no newline": [load("", head="#!lua name=lib")],
    "no name": [load(PLAIN, head="#!lua\n")],
    "bad name": [load(PLAIN, head="#!lua name=a-b\n")],
    "empty name": [load(PLAIN, head="#!lua name=\n")],
    "two names": [load(PLAIN, head="#!lua name=a name=b\n")],
    "odd meta": [load(PLAIN, head="#!lua name=a what=b\n")],
    "quotes meta": [load(PLAIN, head='#!lua name="a\n')],
    "quoted meta": [load(PLAIN, head='#!lua "name=a"\n'), LIST],
    "engine": [load(PLAIN, head="#!js name=a\n")],
    "engine case": [load(PLAIN, head="#!LUA name=a\n"), LIST],
    "again": [
        load(PLAIN), load(PLAIN), load(PLAIN, "REPLACE"), load(PLAIN, "what"), load(PLAIN, "replace", "REPLACE"),
        ("FUNCTION", "LOAD", "REPLACE"),
    ],
    "name taken": [load(PLAIN), load(PLAIN, head="#!lua name=other\n"), ("FUNCTION", "LIST", "WITHCODE")],
    "replace fails": [load(PLAIN), load("return 1", "REPLACE"), F, load("return return", "REPLACE"), F],
    "twice": [load(PLAIN + "\n" + PLAIN)],
    "bad function name": [
        load("redis.register_function{function_name='a-b', callback=function(keys, args) return 1 end}"),
    ],
    "positional wrong": [load("redis.register_function()")],
    "positional one": [load("redis.register_function('f')")],
    "positional three": [load("redis.register_function('f', function() end, 1)")],
    "positional no text": [load("redis.register_function({}, function() end)")],
    "positional number": [load("redis.register_function(1, function() return 5 end)"), ("FCALL", "1", "0")],
    "positional no function": [load("redis.register_function('f', 'x')")],
    "named wrong": [load("redis.register_function{what=1}")],
    "named no name": [load("redis.register_function{callback=function() end}")],
    "named no callback": [load("redis.register_function{function_name='f'}")],
    "named callback": [load("redis.register_function{function_name='f', callback='x'}")],
    "named name": [load("redis.register_function{function_name={}, callback=function() end}")],
    "named key": [load("redis.register_function{'f'}")],
    "named flags": [load("redis.register_function{function_name='f', callback=function() end, flags='x'}")],
    "named description": [load("redis.register_function{function_name='f', callback=function() end, description={}}")],
    "description": [
        load("redis.register_function{function_name='f', callback=function() return 1 end, description='says'}"),
        LIST,
    ],
    "register in call": [load(made("redis.register_function('g', function() end)")), F],
    "list": [
        load(PLAIN), ("FUNCTION", "LIST", "LIBRARYNAME", "l*"), ("FUNCTION", "LIST", "LIBRARYNAME", "L*"),
        ("FUNCTION", "LIST", "LIBRARYNAME", "x"), ("FUNCTION", "LIST", "LIBRARYNAME"),
        ("FUNCTION", "LIST", "WITHCODE", "WITHCODE"), ("FUNCTION", "LIST", "WHAT"),
        ("FUNCTION", "LIST", "withcode", "libraryname", "lib"),
    ],
    "delete": [
        load(PLAIN), ("FUNCTION", "DELETE", "LIB"), ("FUNCTION", "DELETE", "lib"), ("FUNCTION", "DELETE", "lib"), F,
        STATS,
    ],
    "flush": [
        load(PLAIN), ("FUNCTION", "FLUSH", "ASYNC"), STATS, load(PLAIN), ("FUNCTION", "FLUSH", "SYNC", "x"),
        ("FUNCTION", "FLUSH"), LIST,
    ],
    "flushall keeps": [load(PLAIN), ("FLUSHALL",), LIST],
    "stats": [load(PLAIN), STATS],
    "locals": [load("local n = 0 " + made("n = n + 1 return n")), F, F],
    "numbers": [load(made("return {1, 3.7, false, true, {ok='fine'}, 'x', nil, 4}")), F],
    "nothing back": [load(made("")), F],
    "stats inside": [load(made("return redis.call('FUNCTION','STATS')")), F],
    "restore": [
        ("FUNCTION", "RESTORE", "x"), ("FUNCTION", "RESTORE", "x", "WHAT"),
        ("FUNCTION", "RESTORE", "x", "FLUSH", "x"),
    ],
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_a_library_is_taken_and_its_functions_run_as_on_the_server(case: str, clients: list[socket.socket]) -> None:
    model, real = (told(client, *CASES[case]) for client in clients)
    assert model == real


def test_in_resp3(clients: list[socket.socket]) -> None:
    commands = (load(made("return {1, 'x', false}", ", flags={'no-writes'}")), (*LIST, "WITHCODE"), STATS, F)
    for client in clients:
        client.sendall(line("HELLO", "3"))
        while not client.recv(1 << 16).endswith(b"\r\n*0\r\n"):
            pass
    model, real = (told(client, *commands) for client in clients)
    assert model == real
    assert b"~1\r\n+no-writes" in model[1]
