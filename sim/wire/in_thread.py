"""A server on sockets in a thread of this process: for tests of clients."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

from ...models.dialects import DEFAULT
from .clock import RealClock
from .server import SocketServer

T = TypeVar("T")


class ServerThread:
    """A context manager: the model listens on a free port as long as it is entered::

        with ServerThread("redis-7.0") as served:
            client = redis.Redis(port=served.port)

    ``clock``, ``autojump`` and ``record`` are those of ``SocketServer``; ``path`` is that of a Unix socket.
    """

    def __init__(
        self, dialect: str = DEFAULT, clock: RealClock | None = None, *, autojump: bool = False, record: bool = False,
        path: Path | None = None,
    ) -> None:  # fmt: skip
        self._options = dialect, clock, autojump, record
        self._path = path
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="redelivery-serve", daemon=True)
        self._failed: BaseException | None = None
        self._listens = threading.Event()
        self.server: SocketServer

    @property
    def port(self) -> int:
        """Where it listens on this machine."""
        return self.server.port

    def __enter__(self) -> ServerThread:
        self._thread.start()
        self._listens.wait()
        if self._failed is not None:
            raise self._failed
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._loop.call_soon_threadsafe(self.server.ended.set)
        self._thread.join()

    def ask(self, question: Callable[[SocketServer], T]) -> T:
        """What a function of the server says, called between two requests."""

        async def answer() -> T:
            return question(self.server)

        coroutine: Coroutine[Any, Any, T] = answer()
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_until_complete(self._serve())
        except BaseException as error:
            self._failed = error
        finally:
            self._loop.close()
            self._listens.set()

    async def _serve(self) -> None:
        dialect, clock, autojump, record = self._options
        self.server = SocketServer(dialect, clock, autojump=autojump, record=record)
        await self.server.listen("127.0.0.1", 0, self._path)
        self._listens.set()
        await self.server.ended.wait()
        await self.server.close()
