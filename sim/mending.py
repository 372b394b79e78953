"""Links at fault for a while: cut, slow, half open, refused; and what becomes of what is under way meanwhile."""

from __future__ import annotations

from collections.abc import Callable

from . import events
from .faults import OfLink
from .kernel import Scheduled
from .link import NOT_BARRED, Linked
from .link_faults import CONNECTIONS, REPLIES, REQUESTS, SLOWLY, HalfOpen, SlowLink, kinds_of
from .process import Running
from .steps import Arrive, Deliver, Happening, Mend


class Mending(Linked):
    """A stage whose links may be at fault for a while, and are mended."""

    __slots__ = ()

    def may_bar(self, what: OfLink, running: Running) -> bool:
        """Whether a fault may strike the link of a process: not while such a one has."""
        if isinstance(what, HalfOpen):
            return bool(running.unanswered)
        kinds = (SLOWLY,) if isinstance(what, SlowLink) else kinds_of(what.cut)
        return not any(kind in running.barred for kind in kinds)

    def strike_link(self, what: OfLink, index: int) -> None:
        """Something is the matter with the link of a process from now on."""
        if isinstance(what, HalfOpen):
            self._half_open(index)
        elif isinstance(what, SlowLink):
            self.record(events.LinkSlowed(self.now_ms, self.processes[index].plan.name, what.by_ms, what.for_ms))
            self.bar(index, SLOWLY, self.now_ms + what.for_ms, what.by_ms)
            self._hold_up(index, lambda item: item.at_ms + what.by_ms, {Arrive})
        else:
            self.cut(index, what.cut, what.for_ms)

    def bar(self, index: int, kind: str, until_ms: int, by_ms: int = 0) -> None:
        """Until then something is the matter with the link of a process."""
        running = self.processes[index]
        if running.barred.get(kind, NOT_BARRED)[0] >= until_ms:
            return
        earlier = {
            item.serial
            for item in self.kernel.pending()
            if isinstance(item.event, Mend) and item.event.process == index and item.event.what == kind
        }
        self.kernel.drop(earlier)
        running.barred[kind] = (until_ms, by_ms)
        self.kernel.schedule(until_ms, Mend(index, running.incarnation, kind, by_ms))

    def _mend(self, running: Running, event: Mend) -> None:
        """It is over."""
        del running.barred[event.what]
        if event.what != CONNECTIONS and not running.barred:
            self.record(events.Mended(self.now_ms, running.plan.name))

    def cut(self, index: int, cut: str, for_ms: int) -> None:
        """Nothing gets through between a process and the server, or in one direction: it does when that is over."""
        running = self.processes[index]
        until_ms = self.now_ms + for_ms
        self.record(events.Partitioned(self.now_ms, running.plan.name, cut, for_ms))
        for kind in kinds_of(cut):
            self.bar(index, kind, until_ms)
        held: set[type] = {Arrive} if cut == REQUESTS else {Deliver} if cut == REPLIES else {Arrive, Deliver}
        self._hold_up(index, lambda item: max(item.at_ms, until_ms), held)

    def _hold_up(self, index: int, until: Callable[[Scheduled[Happening]], int], held: set[type]) -> None:
        """What is about to arrive does so later."""
        running = self.processes[index]
        for item in self.kernel.pending():
            event = item.event
            if event.process != index or type(event) not in held or until(item) == item.at_ms:
                continue
            self.kernel.drop({item.serial})
            self.kernel.schedule(until(item), event)
            if isinstance(event, Arrive) and event.sent_ms == item.at_ms:  # it leaves its process now
                self.record(events.Sent(event.sent_ms, running.plan.name, event.call, event.commands))
                self._arm(index, event.path, event.sent_ms, event.commands)

    def _half_open(self, index: int) -> None:
        """The connections of a process are gone, and it goes on waiting for what they would have brought."""
        running = self.processes[index]
        name = running.plan.name
        self.record(events.HalfOpened(self.now_ms, name))
        for session in running.sessions:
            self._close(name, session)
        running.sessions = []
        for path, (call, session) in sorted(running.unanswered.items()):
            for item in self.kernel.pending():
                event = item.event
                if event.process != index or not isinstance(event, Arrive | Deliver) or event.call != call:
                    continue
                self.kernel.drop({item.serial})
                if isinstance(event, Arrive):
                    self.record(events.Sent(event.sent_ms, name, call, event.commands))
                    self._arm(index, path, event.sent_ms, event.commands)
                self.record(events.Lost(self.now_ms, name, call, "request" if isinstance(event, Arrive) else "reply"))
            self.waiting.pop(session, None)
            running.fates.pop(path, None)
            self._close(name, session)
