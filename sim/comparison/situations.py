"""The situations that each way is put through, and what is measured in them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from ..real.errors import ServerClosed
from .stores import Client, Store
from .transports import Message, Transport

__all__ = ["SITUATIONS", "Measured", "Situation", "measure"]

ENTRIES = 10
"""How many are sent in each situation."""

DIES_AT = 4
"""The entry that the worker has in hand when it dies."""

MISSED = 3
"""How many are sent while it is away."""


@dataclass(frozen=True, slots=True)
class Measured:
    """What came of it.

    `sent` counts each entry once, `delivered` each time that a worker had one in hand. Every service is to
    handle every entry: `lost` are those that were never handled, `duplicated` those handled again, in all
    services. `shares` says how many entries each worker was given. `again` is what a late reader was given.
    """

    sent: int
    delivered: int
    lost: int
    duplicated: int
    shares: tuple[int, ...]
    again: int | None = None


@dataclass(slots=True)
class Run:
    """One way in one situation, in the making."""

    store: Store
    transport: Transport
    services: tuple[bytes, ...]
    sent: list[bytes] = field(default_factory=list)
    workers: list[Worker] = field(default_factory=list)
    producer: Client = field(init=False)

    def __post_init__(self) -> None:
        self.producer = self.store.connect()
        self.transport.prepare(self.producer, self.services)

    def send(self, count: int) -> None:
        """Send so many more."""
        for _ in range(count):
            self.sent.append(b"entry %d" % (len(self.sent) + 1))
            self.producer.call(*self.transport.sending(self.sent[-1]))

    def burst(self, count: int) -> None:
        """Send so many more in a transaction, in all a quarter more than what the server keeps for a subscriber."""
        self.producer.call(b"MULTI")
        for _ in range(count):
            self.sent.append(b"entry %d " % (len(self.sent) + 1) + bytes(5 * self.store.buffer_bytes // (4 * count)))
            self.producer.call(*self.transport.sending(self.sent[-1]))
        self.producer.call(b"EXEC")

    def worker(self, name: bytes, service: bytes = b"service") -> Worker:
        """Another worker, which starts."""
        self.workers.append(Worker(self, service, name))
        self.workers[-1].start()
        return self.workers[-1]

    def by_turns(self) -> Measured:
        """Let the workers take an entry each, in turn, until there is nothing more to do."""
        busy = True
        while busy:
            busy = sum(worker.work() for worker in self.workers) > 0
        return self.measured()

    def late_reader(self) -> int:
        """What somebody who comes now is given of all that was sent."""
        client = self.store.connect()
        found = self.transport.again(client)
        client.close()
        return len(set(found) & set(self.sent))

    def measured(self, again: int | None = None) -> Measured:
        """What came of it, when all is over."""
        lost = duplicated = 0
        for service in self.services:
            handled: Counter[bytes] = Counter()
            for worker in self.workers:
                if worker.service == service:
                    handled.update(worker.handled)
            lost += sum(body not in handled for body in self.sent)
            duplicated += handled.total() - len(handled)
        shares = tuple(worker.delivered for worker in self.workers)
        return Measured(len(self.sent), sum(shares), lost, duplicated, shares, again)

    def close(self) -> None:
        """Hang up everywhere."""
        self.producer.close()
        for worker in self.workers:
            worker.stop()


class Worker:
    """A consumer: takes an entry, handles it, acknowledges it."""

    def __init__(self, run: Run, service: bytes, name: bytes) -> None:
        self._run, self.service, self._name = run, service, name
        self._client: Client | None = None
        self._inbox: list[Message] = []
        self.delivered = 0
        self.handled: list[bytes] = []

    def start(self) -> None:
        """Connect, and take up what was in hand."""
        self._client = self._run.store.connect()
        self._inbox = self._run.transport.join(self._client, self.service, self._name)

    def stop(self) -> None:
        """Stop or die: what only this process knew is gone."""
        if self._client is not None:
            self._client.close()
            self._client = None
        self._inbox = []

    def take(self) -> Message | None:
        """The next entry, in hand."""
        assert self._client is not None, "a worker that has stopped takes nothing"
        if not self._inbox:
            try:
                self._inbox = self._run.transport.receive(self._client, self.service, self._name)
            except ServerClosed:
                self.stop()
                self.start()
                return None
        if not self._inbox:
            return None
        self.delivered += 1
        return self._inbox.pop(0)

    def handle(self, message: Message) -> None:
        """Do the work."""
        self.handled.append(message.body)

    def work(self) -> bool:
        """Take an entry, handle and acknowledge it; says whether there was one."""
        message = self.take()
        if message is None:
            return False
        self.handle(message)
        assert self._client is not None
        self._run.transport.acknowledge(self._client, self.service, self._name, message)
        return True

    def drain(self) -> None:
        """Work until there is nothing more to do."""
        while self.work():
            pass


def _steady(run: Run) -> Measured:
    worker = run.worker(b"a")
    for _ in range(ENTRIES):
        run.send(1)
        worker.work()
    worker.drain()
    return run.measured()


def _crash(run: Run, *, handled: bool) -> Measured:
    worker = run.worker(b"a")
    for _ in range(DIES_AT - 1):
        run.send(1)
        worker.work()
    run.send(1)
    message = worker.take()
    if message is not None and handled:
        worker.handle(message)
    worker.stop()
    run.send(MISSED)
    worker.start()
    run.send(ENTRIES - DIES_AT - MISSED)
    worker.drain()
    return run.measured()


def _crash_before(run: Run) -> Measured:
    return _crash(run, handled=False)


def _crash_after(run: Run) -> Measured:
    return _crash(run, handled=True)


def _absent(run: Run) -> Measured:
    run.send(ENTRIES)
    run.worker(b"a").drain()
    return run.measured()


def _slow(run: Run) -> Measured:
    worker = run.worker(b"a")
    run.burst(ENTRIES)
    worker.drain()
    return run.measured()


def _two_workers(run: Run) -> Measured:
    run.worker(b"a")
    run.worker(b"b")
    run.send(ENTRIES)
    return run.by_turns()


def _two_services(run: Run) -> Measured:
    for service in run.services:
        run.worker(b"a", service)
    run.send(ENTRIES)
    return run.by_turns()


def _late(run: Run) -> Measured:
    worker = run.worker(b"a")
    run.send(ENTRIES)
    worker.drain()
    return run.measured(again=run.late_reader())


@dataclass(frozen=True, slots=True)
class Situation:
    """A name, what happens in it, and the program that makes it happen."""

    name: str
    summary: str
    program: Callable[[Run], Measured]
    services: tuple[bytes, ...] = (b"service",)


SITUATIONS: tuple[Situation, ...] = (
    Situation("steady", "a worker keeps up", _steady),
    Situation("crash before handling", "a worker dies with an entry in hand, and comes back", _crash_before),
    Situation("crash after handling", "a worker dies before it can acknowledge what it has handled", _crash_after),
    Situation("absent", "all is sent before the worker comes", _absent),
    Situation("slow", "a burst is more than the server keeps for a reader that does not read", _slow),
    Situation("two workers", "two workers of one service share the work", _two_workers),
    Situation("two services", "each of two services is to handle everything", _two_services, (b"one", b"two")),
    Situation("late reader", "somebody else wants what has been handled already", _late),
)


def measure(store: Store, transport: Transport, situation: Situation) -> Measured:
    """Put one way through one situation, on an empty server."""
    store.empty()
    run = Run(store, transport, situation.services)
    try:
        return situation.program(run)
    finally:
        run.close()
