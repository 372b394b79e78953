"""A real server under its virtual clock, which runs are compared with, one after the other."""

from __future__ import annotations

from contextlib import suppress
from types import TracebackType

from ....models.dialect import Dialect
from ....models.server import Config
from ..connection import Connection, refuse_errors
from ..errors import RealServerError
from ..guard import closest_dialect
from ..replay import Difference, replay
from ..servers import ServerBinary
from ..spawn import SpawnedServer
from ..virtual_clock import START_MS, VirtualClock
from .pipelined import Pipelined
from .recorder import Recorder

__all__ = ["Bench", "configure"]

DIFFERENCES_MAX = 50


class Bench:
    """A server of our own, started here and ended by `close`; it is emptied before each run.

    With `tcp` it listens on a port of the loopback interface, so that others can be measured against it.
    """

    def __init__(self, binary: ServerBinary, *, tcp: bool = False) -> None:
        self.clock = VirtualClock()
        try:
            self.server = SpawnedServer(binary, clock=self.clock, enable_debug=True, tcp=tcp)
            self.control = self.server.connect()
        except BaseException:
            self.clock.close()
            raise
        self.binary = binary
        self.dialect = closest_dialect(self.server.dialect, binary.name)[0]
        self.pipelined = Pipelined(self.server, self.clock, self.control)

    def close(self) -> None:
        """Ends the server."""
        with suppress(RealServerError):  # it may have gone already
            self.pipelined.close()
        self.control.close()
        self.server.close()
        self.clock.close()

    def __enter__(self) -> Bench:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def differs(self, recorder: Recorder) -> bool:
        """Whether the server follows the model's script when it comes in batches, as fast as it can take it."""
        self.clock.set(START_MS)
        configure(self.control, recorder.server.config, recorder.server.dialect)
        return self.pipelined.first_difference(recorder.script) is not None

    def differences(self, recorder: Recorder, *, watchdog_s: float = 2.0) -> tuple[Difference, ...]:
        """Where the server does not follow the model's script, step by step in lockstep."""
        self.clock.set(START_MS)
        configure(self.control, recorder.server.config, recorder.server.dialect)
        return replay(
            recorder.script, self.server, differences_max=DIFFERENCES_MAX, watchdog_s=watchdog_s
        ).differences


def configure(control: Connection, config: Config, dialect: Dialect) -> None:
    """Gives a server the settings of the model."""
    settings = [
        (b"stream-node-max-bytes", config.stream_node_max_bytes),
        (b"stream-node-max-entries", config.stream_node_max_entries),
    ]
    if dialect.xinfo_idempotence:
        settings.append((b"stream-idmp-duration", config.stream_idmp_duration_s))
        settings.append((b"stream-idmp-maxsize", config.stream_idmp_maxsize))
    for name, value in settings:
        refuse_errors(control.address, control.call(b"CONFIG", b"SET", name, b"%d" % value))
    # A key whose time is over stays until a command looks at it: the server's own cycle would find it some time.
    refuse_errors(control.address, control.call(b"DEBUG", b"SET-ACTIVE-EXPIRE", b"0"))
