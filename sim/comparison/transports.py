"""Four ways from a producer to a consumer, each as its users write it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from ..real.errors import RealServerError, ServerClosed
from .stores import Client

__all__ = ["TRANSPORTS", "Message", "Transport"]

KEY = b"redelivery:compare"


class Message(NamedTuple):
    """Something to handle, and what to acknowledge it by."""

    body: bytes
    token: bytes


class Transport(Protocol):
    """One of the ways. A *service* is an application that is to handle everything; its *workers* share the work."""

    name: str

    def prepare(self, client: Client, services: Sequence[bytes]) -> None:
        """Make what must be there before anything is sent."""

    def sending(self, body: bytes) -> tuple[bytes, ...]:
        """The command that sends."""

    def join(self, client: Client, service: bytes, worker: bytes) -> list[Message]:
        """A worker starts; gives what it had in hand when it stopped."""

    def receive(self, client: Client, service: bytes, worker: bytes) -> list[Message]:
        """What there is to handle now. Raises `ServerClosed` where the server has hung up."""

    def acknowledge(self, client: Client, service: bytes, worker: bytes, message: Message) -> None:
        """The message has been handled."""

    def again(self, client: Client) -> list[bytes]:
        """All that was sent, to somebody who comes when all of it has been handled."""


class Streams:
    """A stream, with a consumer group for each service."""

    name = "streams"

    def prepare(self, client: Client, services: Sequence[bytes]) -> None:
        for service in services:
            client.call(b"XGROUP", b"CREATE", KEY, service, b"0", b"MKSTREAM")

    def sending(self, body: bytes) -> tuple[bytes, ...]:
        return b"XADD", KEY, b"*", b"body", body

    def join(self, client: Client, service: bytes, worker: bytes) -> list[Message]:
        return self._read(client, service, worker, b"STREAMS", KEY, b"0")

    def receive(self, client: Client, service: bytes, worker: bytes) -> list[Message]:
        return self._read(client, service, worker, b"COUNT", b"1", b"STREAMS", KEY, b">")

    def acknowledge(self, client: Client, service: bytes, worker: bytes, message: Message) -> None:
        client.call(b"XACK", KEY, service, message.token)

    def again(self, client: Client) -> list[bytes]:
        return [message.body for message in _entries(client.call(b"XRANGE", KEY, b"-", b"+"))]

    def _read(self, client: Client, service: bytes, worker: bytes, *what: bytes) -> list[Message]:
        read = client.call(b"XREADGROUP", b"GROUP", service, worker, *what)
        return _entries(read[0][1]) if isinstance(read, list) else []


class PlainList:
    """A list from which workers pop."""

    name = "list, pop"

    def prepare(self, client: Client, services: Sequence[bytes]) -> None:
        pass

    def sending(self, body: bytes) -> tuple[bytes, ...]:
        return b"LPUSH", KEY, body

    def join(self, client: Client, service: bytes, worker: bytes) -> list[Message]:
        return []

    def receive(self, client: Client, service: bytes, worker: bytes) -> list[Message]:
        return _popped(client.call(b"RPOP", KEY))

    def acknowledge(self, client: Client, service: bytes, worker: bytes, message: Message) -> None:
        pass

    def again(self, client: Client) -> list[bytes]:
        return _texts(client.call(b"LRANGE", KEY, b"0", b"-1"))


class ReliableList(PlainList):
    """A list from which workers move what they handle to a list of their own, and remove it there."""

    name = "list, LMOVE"

    def __init__(self) -> None:
        self._move: tuple[bytes, ...] = (b"LMOVE",)
        self._ends: tuple[bytes, ...] = (b"RIGHT", b"LEFT")

    def prepare(self, client: Client, services: Sequence[bytes]) -> None:
        try:
            client.call(b"LMOVE", KEY, KEY, *self._ends)
        except RealServerError as error:
            if isinstance(error, ServerClosed):
                raise
            self._move, self._ends = (b"RPOPLPUSH",), ()  # what LMOVE was before 6.2

    def join(self, client: Client, service: bytes, worker: bytes) -> list[Message]:
        mine = _texts(client.call(b"LRANGE", _own(service, worker), b"0", b"-1"))
        return [Message(body, body) for body in reversed(mine)]

    def receive(self, client: Client, service: bytes, worker: bytes) -> list[Message]:
        return _popped(client.call(*self._move, KEY, _own(service, worker), *self._ends))

    def acknowledge(self, client: Client, service: bytes, worker: bytes, message: Message) -> None:
        client.call(b"LREM", _own(service, worker), b"1", message.token)


class PubSub:
    """A channel; who subscribes is sent all that is published from then on."""

    name = "Pub/Sub"

    def prepare(self, client: Client, services: Sequence[bytes]) -> None:
        pass

    def sending(self, body: bytes) -> tuple[bytes, ...]:
        return b"PUBLISH", KEY, body

    def join(self, client: Client, service: bytes, worker: bytes) -> list[Message]:
        client.call(b"SUBSCRIBE", KEY)
        return []

    def receive(self, client: Client, service: bytes, worker: bytes) -> list[Message]:
        pushed, stands = client.pushed()
        messages = [Message(body, b"") for body in map(_published, pushed) if body is not None]
        if not messages and not stands:
            raise ServerClosed("the server has hung up on its subscriber")
        return messages

    def acknowledge(self, client: Client, service: bytes, worker: bytes, message: Message) -> None:
        pass

    def again(self, client: Client) -> list[bytes]:
        client.call(b"SUBSCRIBE", KEY)
        return [body for body in map(_published, client.pushed()[0]) if body is not None]


TRANSPORTS: tuple[type[Transport], ...] = (Streams, PlainList, ReliableList, PubSub)


def _own(service: bytes, worker: bytes) -> bytes:
    return b"%b:%b:%b" % (KEY, service, worker)


def _entries(value: object) -> list[Message]:
    assert isinstance(value, list)
    return [Message(fields[1], entry_id) for entry_id, fields in value]


def _popped(value: object) -> list[Message]:
    return [Message(value, value)] if isinstance(value, bytes) else []


def _texts(value: object) -> list[bytes]:
    assert isinstance(value, list)
    return value


def _published(value: object) -> bytes | None:
    is_message = isinstance(value, list) and len(value) == 3 and value[0] == b"message"
    return value[2] if is_message and isinstance(value, list) and isinstance(value[2], bytes) else None
