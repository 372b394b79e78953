"""Clients in other languages, on the served model and on a real server: the same story, line by line."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from redelivery.sim.client_policies import PRESETS, RESET
from redelivery.sim.real.servers import ServerBinary
from redelivery.sim.real.spawn import SpawnedServer
from redelivery.sim.wire.in_thread import ServerThread

from ..differential.proxied_servers import proxy_to
from ..differential.test_wire_redis_py import chosen
from .programs import PROGRAMS, NotFetched, Program

TOLD_IN_S = 120
STORY = (Path(__file__).parent / "story.txt").read_text().splitlines()

Build = Callable[[Program], Sequence[str]]


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Build:
    """Builds a program once; where its library cannot be had, the test is skipped."""
    folder = tmp_path_factory.mktemp("clients")
    commands: dict[str, Sequence[str] | NotFetched] = {}

    def build(program: Program) -> Sequence[str]:
        if program.missing:
            pytest.skip(f"{program.name} needs {', '.join(program.missing)}, which is not on this machine")
        if program.name not in commands:
            try:
                commands[program.name] = program.build(folder)
            except NotFetched as error:
                commands[program.name] = error
        command = commands[program.name]
        if isinstance(command, NotFetched):
            pytest.skip(f"{program.name} cannot be had here: {command}")
        return command

    return build


def told(command: Sequence[str], port: int, protocol: int) -> list[str]:
    with proxy_to(port) as proxy:
        done = subprocess.run(
            [*command, str(proxy.port), str(protocol)], capture_output=True, text=True, timeout=TOLD_IN_S, check=False
        )
        assert done.returncode == 0, done.stderr[-2000:]
    assert proxy.report["differences"] == []
    assert proxy.report["violations"] == []
    assert [fault.split()[-1] for fault in proxy.report["faults"]] == ["1", "1"], "each reply was lost once"
    return done.stdout.splitlines()


@pytest.mark.parametrize(
    ("binary", "protocol"), [*zip(chosen(), (2, 3), strict=False)],
    ids=lambda value: getattr(value, "dialect", f"resp{value}"),
)  # fmt: skip
@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.name)
def test_a_client_tells_the_same_of_the_model_and_of_a_server(
    program: Program, binary: ServerBinary, protocol: int, built: Build
) -> None:
    command = built(program)
    with SpawnedServer(binary, enable_debug=True, tcp=True) as real:
        of_server = told(command, real.address.port, protocol)
    with ServerThread(binary.dialect) as served:
        of_model = told(command, served.port, protocol)
    assert of_model == of_server
    *story, acked, added = of_model
    assert story == STORY
    policy = PRESETS[program.policy] if program.policy else None
    sent_again = policy is not None and policy.retries != 0 and RESET in policy.retry_on
    assert acked == f"XACK, its reply lost: {'0' if sent_again else 'error'}"
    assert added == f"XADD, its reply lost: {2 if sent_again else 1}"
