"""One client of a proxy and its connection to the server."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from ...models.session import Session
from ..real.connection import encode
from ..real.errors import RealServerError
from ..real.frames import FrameScanner
from ..wire.faults import Fault
from ..wire.parser import RequestParser, TooMuch

READ_BYTES = 1 << 16
PUSH = ord(">")
NOT_ONE_ANSWER = frozenset({
    b"SUBSCRIBE", b"PSUBSCRIBE", b"SSUBSCRIBE", b"UNSUBSCRIBE", b"PUNSUBSCRIBE", b"SUNSUBSCRIBE", b"MONITOR", b"SYNC",
    b"PSYNC", b"REPLCONF",
})  # fmt: skip
"""Commands that have another number of answers than one: from then on a connection is passed on as it is."""


class Proxied:
    """Bytes of a client become commands, bytes of the server become answers.

    Raises ``ConnectionError`` from ``next_request`` and from the future of ``ask`` when either side has gone.
    """

    session: Session

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter,
        up_reader: asyncio.StreamReader, up_writer: asyncio.StreamWriter,
    ) -> None:  # fmt: skip
        self.fate: Fault | None = None
        self.observes = False
        self.is_done = False
        self.delay_ms = 0
        self._reader, self._writer = reader, writer
        self._up_reader, self._up_writer = up_reader, up_writer
        self._parser = RequestParser()
        self._answers = FrameScanner()
        self._requests: asyncio.Queue[list[bytes] | None] = asyncio.Queue()
        self._asked: asyncio.Future[bytes] | None = None
        self._is_tunnel = False

    async def carry(self) -> None:
        """Reads from both sides until one of them has gone."""
        sides = [asyncio.create_task(self._from_client()), asyncio.create_task(self._from_server())]
        try:
            await asyncio.wait(sides, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for side in sides:
                side.cancel()
            await asyncio.gather(*sides, return_exceptions=True)

    async def at_rest(self) -> None:
        """Waits, but not long, for the answer that is under way: what it tells belongs into the history."""
        if self._asked is not None and not self._asked.done():
            side = asyncio.create_task(self._from_server())
            await asyncio.wait({side}, timeout=0.05)
            side.cancel()
            await asyncio.gather(side, return_exceptions=True)
        await asyncio.sleep(0)

    async def next_request(self) -> list[bytes]:
        """The client's next command."""
        argv = await self._requests.get()
        if argv is None:
            raise ConnectionError
        return argv

    def ask(self, argv: Sequence[bytes]) -> asyncio.Future[bytes]:
        """Sends a command to the server; its answer comes as the bytes of one frame."""
        self._asked = asyncio.get_running_loop().create_future()
        self._up_writer.write(encode(argv))
        return self._asked

    def answer(self, frame: bytes) -> None:
        """Sends an answer to the client."""
        if not self.is_done:
            self._writer.write(frame)

    def opens_tunnel(self, argv: Sequence[bytes]) -> bool:
        """Whether bytes are passed on without a look from this command on; it is sent."""
        name = argv[0].upper()
        quiet = name == b"CLIENT" and len(argv) > 2 and argv[1].upper() == b"REPLY"
        if not self._is_tunnel and name not in NOT_ONE_ANSWER and not quiet:
            return False
        self._is_tunnel = True
        self._up_writer.write(encode(argv))
        return True

    def cut(self) -> None:
        """Ends both connections at once."""
        self.is_done = True
        for writer in (self._writer, self._up_writer):
            writer.transport.abort()
        if self._asked is not None and not self._asked.done():
            self._asked.set_exception(ConnectionError())
            self._asked.exception()  # nobody may be waiting for it
        self._requests.put_nowait(None)

    async def _from_client(self) -> None:
        try:
            while data := await self._reader.read(READ_BYTES):
                if self._is_tunnel:
                    self._up_writer.write(data)
                    await self._up_writer.drain()
                    continue
                self._parser.feed(data)
                while self._parser.requests:
                    self._requests.put_nowait(self._parser.requests.popleft())
                if self._parser.error is not None:
                    self.answer(b"-ERR Protocol error: " + self._parser.error + b"\r\n")
                    await self._writer.drain()
                    return
        except (ConnectionError, TooMuch):
            return

    async def _from_server(self) -> None:
        try:
            while data := await self._up_reader.read(READ_BYTES):
                if self._is_tunnel:
                    self._writer.write(data)
                    await self._writer.drain()
                    continue
                self._answers.feed(data)
                while (frame := self._answers.next()) is not None:
                    if frame[0] == PUSH or self._asked is None or self._asked.done():
                        self.answer(frame)
                    else:
                        self._asked.set_result(frame)
        except (ConnectionError, RealServerError):
            return
