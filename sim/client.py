"""The client that a simulated process gets: redis-py's own asyncio client over one awaitable.

Everything above ``execute_command`` is redis-py's: the command methods, the encoder, the reply
callbacks, the exception classes. Only the socket is replaced: a command is handed to the world.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any, cast

import redis
import redis.asyncio
from redis._parsers.base import BaseParser
from redis.client import EMPTY_RESPONSE, NEVER_DECODE

from ..models.replies import Double, Failure, Frames, Map, Members, Nil, Push, Reply, Simple
from .requests import Broken, Command, put

RESP = 3 if int(redis.__version__.split(".")[0]) >= 8 else 2
"""The protocol that a default ``redis.asyncio.Redis()`` of this redis-py speaks."""


class SimRedis(redis.asyncio.Redis):
    """A default ``redis.asyncio.Redis()`` whose commands go to the simulated world."""

    async def execute_command(self, *args: Any, **options: Any) -> Any:
        """Puts one command to the world and returns what redis-py makes of the reply."""
        replies = await put(tuple.__new__(Command, ((pack(self, args),),)))  # as in kernel
        if type(replies) is Broken:
            raise _ERRORS[replies.error]()
        return self._response(str(args[0]), replies[0], options)

    def _response(self, name: str, reply: Reply, options: dict[str, Any]) -> Any:
        value = to_python(reply)
        if isinstance(value, redis.ResponseError):
            if EMPTY_RESPONSE in options:
                return options[EMPTY_RESPONSE]
            raise value
        if options:
            for internal in (NEVER_DECODE, EMPTY_RESPONSE, "keys"):
                options.pop(internal, None)
        callbacks: Any = self.response_callbacks  # a dict that finds a name in any case; its keys are in capitals
        callback = dict.get(callbacks, name) if name.isupper() else callbacks.get(name)
        return value if callback is None else callback(value, **options)

    def pipeline(self, transaction: bool = True, shard_hint: str | None = None) -> SimPipeline:
        """A pipeline: with ``transaction`` one MULTI/EXEC that nothing comes between."""
        return SimPipeline(self.connection_pool, self.response_callbacks, transaction, shard_hint)

    def pubsub(self, **kwargs: Any) -> SimPubSub:
        """redis-py's own, which the world refuses as soon as it subscribes."""
        return SimPubSub(self.connection_pool, **kwargs)

    def __del__(self, *_: Any) -> None:
        """Nothing to close: no connection was ever made."""


class SimPubSub(redis.asyncio.client.PubSub):
    """Asks the world to subscribe, which refuses it: no process listens to a connection of its own.

    The refusal comes from the world and not from here, so that no ``except`` of a program can hide it.
    """

    async def execute_command(self, *args: Any) -> Any:
        """Puts SUBSCRIBE and its like to the world."""
        return await ask(Command((pack(self, args),)))


class SimPipeline(redis.asyncio.client.Pipeline):
    """redis-py's pipeline; ``execute`` hands its commands to the world."""

    async def execute(self, raise_on_error: bool = True) -> list[Any]:
        """Runs what was queued and returns the replies in order."""
        stack, self.command_stack = self.command_stack, []
        if not stack:
            return []
        commands = tuple(pack(self, args) for args, _ in stack)
        if self.is_transaction:
            asked = await ask(Command(((b"MULTI",), *commands, (b"EXEC",))))
            results = asked[-1]
            if isinstance(results, Failure):
                raise cast(Exception, to_python(results))
            assert isinstance(results, tuple)
            replies = results
        else:
            replies = tuple([(await ask(Command((command,))))[0] for command in commands])
        values: list[Any] = []
        for (args, options), reply in zip(stack, replies, strict=True):
            value = to_python(reply)
            if isinstance(value, redis.ResponseError):
                if raise_on_error:
                    raise value
            elif args[0] in self.response_callbacks:
                value = self.response_callbacks[args[0]](value, **options)
            values.append(value)
        return values

    async def immediate_execute_command(self, *args: Any, **options: Any) -> Any:
        """What redis-py would send at once, before the others, on a connection that it keeps: WATCH is refused."""
        return await ask(Command((pack(self, args),)))

    def __del__(self, *_: Any) -> None:
        """Nothing to reset: no connection was ever taken."""


async def ask(command: Command) -> Any:
    """The replies to commands; redis-py's own errors where they do not come."""
    answer = await put(command)
    if type(answer) is Broken:
        raise _ERRORS[answer.error]()
    return answer


_ERRORS: dict[str, Callable[[], Exception]] = {
    "timeout": lambda: redis.TimeoutError("Timeout reading from redis"),
    "reset": lambda: redis.ConnectionError("Connection closed by server."),
    "refused": lambda: redis.ConnectionError("Error connecting to redis. Connection refused."),
    "connect": lambda: redis.TimeoutError("Timeout connecting to server"),
    "exhausted": lambda: redis.exceptions.MaxConnectionsError("Too many connections"),
}


def pack(client: Any, args: tuple[Any, ...]) -> tuple[bytes, ...]:
    """The command line as bytes, encoded by redis-py; ``"XINFO STREAM"`` is two words."""
    return _words(args[0]) + tuple([
        argument if type(argument) is bytes
        else argument.encode() if type(argument) is str
        else b"%d" % argument if type(argument) is int
        else bytes(client.get_encoder().encode(argument))
        for argument in args[1:]
    ])  # fmt: skip


@lru_cache(maxsize=1000)
def _words(name: str | bytes) -> tuple[bytes, ...]:
    return tuple(name.encode().split() if isinstance(name, str) else bytes(name).split())


def _flat(items: tuple[Reply, ...]) -> tuple[Reply, ...]:
    """Members with their scores, which come as pairs in RESP3 and one after the other in RESP2."""
    first = items[0] if items else None
    if type(first) is not tuple or len(first) != 2 or type(first[1]) is not Double:
        return items
    return tuple([part for pair in items for part in cast("tuple[Reply, ...]", pair)])


def to_python(reply: Reply) -> Any:
    """A reply as redis-py's parser would hand it to the callbacks; an error as an exception object."""
    kind = type(reply)
    if kind is bytes or kind is int:
        return reply
    if kind is tuple:
        if RESP == 2:
            reply = _flat(cast("tuple[Reply, ...]", reply))
        return [item if type(item) is bytes else to_python(item) for item in cast("tuple[Reply, ...]", reply)]
    if isinstance(reply, (bytes, int)):
        return reply
    if isinstance(reply, tuple):
        return [to_python(item) for item in reply]
    if isinstance(reply, Simple):
        return reply.text
    if isinstance(reply, Nil):
        return None
    if isinstance(reply, Map):
        pairs = [(to_python(key), to_python(value)) for key, value in reply.pairs]
        if RESP == 3:
            return dict(pairs)
        if reply.paired:
            return [list(pair) for pair in pairs]
        return [item for pair in pairs for item in pair]
    if isinstance(reply, Double):
        return float(reply.text) if RESP == 3 else reply.text
    if isinstance(reply, Push | Members):  # redis-py's parsers make a list of a set, too
        return [to_python(item) for item in reply.items]
    if isinstance(reply, Frames):
        return [to_python(frame) for frame in reply.frames]
    assert isinstance(reply, Failure)
    parse_error: Callable[[str], Exception] = BaseParser.parse_error
    return parse_error(reply.text.decode(errors="replace"))
