"""The pytest plugin: ``@redelivery.simulate`` on tests, the fixtures ``sim``, ``sim_redis`` and ``real_redis``.

Loaded by every pytest of an environment that has Redelivery, so it imports nothing until a test asks for it.
"""

from __future__ import annotations

import inspect
import shlex
import sys
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from .loop.testing import Sim

TESTING = f"{__package__}.loop.testing"
"""The module behind ``@redelivery.simulate``: where it is not loaded, no test of the session is simulated."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """The options of the plugin."""
    group = parser.getgroup("redelivery", "simulated tests (redelivery)")
    group.addoption(
        "--redelivery-seeds", type=int, metavar="N", help="How many seeds each simulated test tries, whatever it says."
    )
    group.addoption("--redelivery-tape", metavar="TAPE", help="Run one tape of a simulated test, twice.")


def pytest_configure(config: pytest.Config) -> None:
    """Checks the options, and makes the marker known."""
    config.addinivalue_line("markers", "redelivery: a test whose programs run in a simulated world, seed after seed")
    seeds = config.getoption("--redelivery-seeds")
    if seeds is not None and seeds < 1:
        raise pytest.UsageError(f"--redelivery-seeds {seeds} tries nothing: give at least 1")
    tape = config.getoption("--redelivery-tape")
    if tape is not None:
        from .errors import BadInput
        from .tape import Tape

        try:
            Tape.parse(tape)
        except BadInput as error:
            raise pytest.UsageError(f"--redelivery-tape: {error}") from None


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, Any, Any]:
    """Tells a simulated test how it is called, and where its pictures go."""
    __tracebackhide__ = True
    testing: Any = sys.modules.get(TESTING)
    if testing is None:
        return (yield)
    present, config = testing.PRESENT, item.config
    present.seeds = config.getoption("--redelivery-seeds")
    present.tape = config.getoption("--redelivery-tape")
    present.rerun = f"pytest {shlex.quote(item.nodeid)}"
    present.folder = _pictures(config)
    try:
        return (yield)
    finally:
        present.seeds = present.tape = present.folder = None
        present.rerun = ""


def _pictures(config: pytest.Config) -> Path:
    cache = getattr(config, "cache", None)
    if cache is not None:
        return Path(cache.mkdir("redelivery"))
    return Path(config.rootpath) / ".redelivery"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Puts the tape and the picture of a broken property into the report."""
    report = yield
    testing: Any = sys.modules.get(TESTING)
    error = call.excinfo.value if call.excinfo is not None else None
    if testing is not None and isinstance(error, testing.PropertyBroken):
        report.sections.append(("redelivery", str(error)))
        report.user_properties.append(("redelivery_tape", str(error.outcome.tape)))
        if error.picture is not None:
            report.user_properties.append(("redelivery_timeline", str(error.picture)))
    return report


@pytest.fixture
def sim(request: pytest.FixtureRequest) -> Sim:
    """A world to start processes in, and to run. Under ``@redelivery.simulate`` each seed has one of its own."""
    from .choices import Drawn
    from .loop.testing import Sim
    from .loop.world import LoopWorld

    return Sim(LoopWorld(Drawn(0)))


@pytest.fixture
def sim_redis(request: pytest.FixtureRequest) -> Iterator[Any]:
    """A client of a simulated server: in asynchronous tests redis.asyncio's, else redis-py's.

    Under ``@redelivery.simulate`` it is a client in the world. Else the server listens on a port, and its clock jumps
    to where something happens as soon as every client waits.
    """
    if request.node.get_closest_marker("redelivery") is not None:
        yield None  # each run makes its own
        return
    from .wire.clock import VirtualClock
    from .wire.in_thread import ServerThread

    with ServerThread(clock=VirtualClock(), autojump=True) as served:
        yield _client(request, "127.0.0.1", served.port)


@pytest.fixture
def real_redis(request: pytest.FixtureRequest) -> Iterator[Any]:
    """A client of a real server of the test's own, empty: in asynchronous tests redis.asyncio's, else redis-py's."""
    from .real.errors import RealServerError
    from .real.servers import embedded
    from .real.spawn import SpawnedServer

    try:
        server = SpawnedServer(embedded(), tcp=True)
    except RealServerError as error:
        pytest.fail(str(error), pytrace=False)
    try:
        yield _client(request, server.address.host or "127.0.0.1", server.address.port)
    finally:
        server.close()


def _client(request: pytest.FixtureRequest, host: str, port: int) -> Any:
    """One of the kind that the test can use; whoever opened connections is asked to close them."""
    import redis
    import redis.asyncio

    if inspect.iscoroutinefunction(request.function):
        return redis.asyncio.Redis(host=host, port=port)
    client = redis.Redis(host=host, port=port)
    request.addfinalizer(client.close)
    return client
