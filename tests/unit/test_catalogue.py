"""Finding scenarios: shipped ones by name, users' own by file or module, and everything that may be wrong."""

from __future__ import annotations

import dataclasses
import itertools
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from redelivery.sim import catalogue
from redelivery.sim.catalogue import find, shipped, shipped_names
from redelivery.sim.check.check import check
from redelivery.sim.errors import BadInput, RedeliveryError, ScenarioError
from redelivery.sim.events import Crashed, Effect, Handled, Started
from redelivery.sim.plan import Params
from redelivery.sim.run import Run, simulate
from redelivery.sim.scenario import Scenario
from redelivery.sim.tape import parse

SCENARIO = """
from redelivery.sim.plan import Plan, Process
from redelivery.sim.scenario import Scenario, Variant

async def add(redis, me):
    await redis.xadd("s", {"a": 1})

def made(name):
    plan = Plan([Process("p", add, turns=1)])
    return Scenario(name, "Something is added.", {"only": Variant("as it is", lambda params: plan)})
"""

CONSUMER = """
from redelivery import handle

async def consume(redis, me):
    for _, entries in await redis.xreadgroup("workers", me, {"orders": ">"}, count=1, block=500):
        for entry_id, fields in entries:
            await handle(entry_id, fields)
            await redis.xack("orders", "workers", entry_id)
"""

Write = Callable[[str], Path]
_numbers = itertools.count()


@pytest.fixture
def write(tmp_path: Path) -> Iterator[Write]:
    """Writes a file of the user's; no two are called the same, nor stay loaded."""
    before = set(sys.modules)

    def written(text: str) -> Path:
        path = tmp_path / f"mine_{next(_numbers)}.py"
        path.write_text(text)
        return path

    yield written
    for name in set(sys.modules) - before:
        if "mine_" in name:
            del sys.modules[name]


def refused(reference: object) -> str:
    with pytest.raises(BadInput) as raised:
        find(str(reference))
    assert len(str(raised.value).splitlines()) == 1
    return str(raised.value)


# ---- shipped ----


def test_the_shipped_scenarios_are_named_like_their_files() -> None:
    files = [path.stem for path in Path(catalogue.__file__).parents[1].joinpath("scenarios").glob("[!_]*.py")]
    assert shipped_names() == sorted(file.replace("_", "-") for file in files)
    assert len(shipped_names()) > 40
    assert [scenario.name for scenario in shipped()] == shipped_names()
    for name in shipped_names():
        assert find(name).name == name


def test_an_unknown_scenario_is_answered_with_the_nearest_name() -> None:
    assert refused("crash-befor-ack") == "unknown scenario 'crash-befor-ack'; did you mean 'crash-before-ack'?"
    assert refused("zzz") == f"unknown scenario 'zzz'; there is: {', '.join(shipped_names())}"
    assert refused("") == f"unknown scenario ''; there is: {', '.join(shipped_names())}"
    assert "did you mean 'crash-before-ack'" in refused("crash_before_ack")


# ---- a file ----


def test_the_only_scenario_of_a_file_is_found_without_its_name(write: Write) -> None:
    assert find(str(write(SCENARIO + "one = made('one')"))).name == "one"


def test_a_scenario_of_a_file_is_found_by_its_name_in_the_file(write: Write) -> None:
    path = write(SCENARIO + "first = made('one')\nsecond = made('two')")
    assert find(f"{path}:first").name == "one"
    assert find(f"{path}:second").name == "two"


def test_a_file_with_several_scenarios_has_to_be_told_which(write: Write) -> None:
    path = write(SCENARIO + "second = made('two')\nfirst = made('one')\n_hidden = made('three')")
    assert refused(path) == f"{path} holds several scenarios; name one: {path}:first, {path}:second"


def test_a_file_without_scenarios_names_the_consumers_that_it_has(write: Write) -> None:
    path = write(CONSUMER)
    assert refused(path) == f"{path} holds no scenario; name one: {path}:consume"
    empty = write("x = 1")
    assert refused(empty) == f"{empty} holds no scenario; name one"


def test_a_name_that_a_file_does_not_have_is_answered_with_the_nearest(write: Write) -> None:
    path = write(CONSUMER)
    assert refused(f"{path}:consum") == f"unknown name in {path} 'consum'; did you mean 'consume'?"
    assert refused(f"{path}:zzz") == f"unknown name in {path} 'zzz'; there is: consume"
    assert refused(f"{path}:handle_it").startswith(f"unknown name in {path} 'handle_it'")


def test_a_name_that_is_neither_scenario_nor_consumer_is_refused(write: Write) -> None:
    path = write("answer = 42\ndef consume(redis, me): ...")
    must = (
        "it must be a Scenario or an async function (redis, me); a program that blocks, or brings its own client, runs "
        "as it is with @redelivery.simulate or redelivery verify"
    )
    assert refused(f"{path}:answer") == f"{path}:answer is a int; {must}"
    assert refused(f"{path}:consume") == f"{path}:consume is a function; {must}"


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    assert refused(tmp_path / "gone.py") == f"there is no file {tmp_path / 'gone.py'}"
    assert refused(f"{tmp_path / 'gone.py'}:consume") == f"there is no file {tmp_path / 'gone.py'}"
    (tmp_path / "folder.py").mkdir()
    assert refused(tmp_path / "folder.py") == f"there is no file {tmp_path / 'folder.py'}"


def test_a_name_that_is_too_long_for_a_file_is_refused() -> None:
    assert refused("x" * 5000 + ".py") == f"there is no file {'x' * 5000}.py"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("x = 1\n\ndef f(:\n", ", line 3: SyntaxError: "),
        ("def f():\n    1 / 0\n\nf()\n", ", line 2: ZeroDivisionError: division by zero"),
        ("import json\n\n\njson.loads('nonsense')\n", ", line 4: JSONDecodeError: Expecting value"),
        ("import no_such_module_of_mine\n", ", line 1: ModuleNotFoundError: No module named 'no_such_module_of_mine'"),
        ("import sys\nsys.exit('I am a script')\n", ", line 2: SystemExit: I am a script"),
        ("raise SystemExit(0)\n", ", line 1: SystemExit: 0"),
    ],
)
def test_a_file_that_raises_is_refused_with_its_line(text: str, problem: str, write: Write) -> None:
    path = write(text)
    assert refused(path).startswith(f"{path}{problem}")


def test_a_file_that_is_not_python_text_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "mine_binary.py"
    path.write_bytes(b"x = '\xff'\n\0")
    assert refused(path).startswith(f"{path}")


def test_an_error_of_a_scenario_in_a_file_is_told_as_it_is(write: Write) -> None:
    path = write("from redelivery.sim.scenario import Scenario\none = Scenario('one', 'Nothing.', {})")
    with pytest.raises(ScenarioError, match=r"scenario 'one' has no variants"):
        find(str(path))
    path = write(SCENARIO + "import dataclasses\none = dataclasses.replace(made('one'), properties=['no-entry-los'])")
    with pytest.raises(RedeliveryError, match=r"unknown property 'no-entry-los'; did you mean 'no-entry-lost'"):
        find(str(path))


def test_a_file_may_keep_its_state_in_a_frozen_dataclass(write: Write) -> None:
    path = write(
        CONSUMER.replace("(redis, me)", "(redis, me, state=None)").replace(
            "async def",
            "import dataclasses\n@dataclasses.dataclass(frozen=True)\nclass State:\n    n: int = 0\n\nasync def",
        )
        + "    return State(state.n + 1 if state else 1)\n"
    )
    assert simulate(find(f"{path}:consume")).verdict in ("violated", "holds")


# ---- a module ----


def test_a_scenario_is_found_in_a_module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, write: Write) -> None:
    path = write(SCENARIO + "one = made('one')" + CONSUMER)
    monkeypatch.syspath_prepend(tmp_path)
    assert find(f"{path.stem}:one").name == "one"
    assert find(f"{path.stem}:consume").name == "consume"
    assert refused(f"{path.stem}:consum") == f"unknown name in {path.stem} 'consum'; did you mean 'consume'?"
    assert find("redelivery.scenarios.crash_before_ack:scenario") is find("crash-before-ack")


def test_a_module_that_is_not_there_or_cannot_be_imported_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, write: Write
) -> None:
    assert refused("no_such_module_of_mine:consume") == "there is no module 'no_such_module_of_mine'"
    assert refused("no_such_module_of_mine.deep:consume") == "there is no module 'no_such_module_of_mine'"
    path = write("1 / 0")
    monkeypatch.syspath_prepend(tmp_path)
    assert refused(f"{path.stem}:x") == f"module '{path.stem}' cannot be imported: ZeroDivisionError: division by zero"
    path = write("raise SystemExit(0)")
    assert refused(f"{path.stem}:x") == f"module '{path.stem}' cannot be imported: SystemExit: 0"
    assert refused(":x").startswith("module '' cannot be imported")
    assert refused("..up:x").startswith("module '..up' cannot be imported")


# ---- a consumer of the user's own ----


def ran(path: Path, seed: int = 0, **params: str) -> Run:
    return simulate(find(f"{path}:consume"), seed=seed, params=params, reference=f"{path}:consume")


def test_a_bare_consumer_runs_in_a_world_that_is_built_around_it(write: Write) -> None:
    run = ran(write(CONSUMER))
    assert (run.scenario.name, run.variant_name, run.verdict) == ("consume", "given", "violated")
    assert [violation.property for violation in run.violations] == ["no-orphan"]
    names = {event.process for event in run.history if isinstance(event, Started)}
    assert names == {"producer", "consumer-1", "consumer-2"}
    assert [event.why for event in run.history if isinstance(event, Crashed)] == ["fault"]


def claiming(acknowledges: str, handles: str) -> str:
    """A consumer that takes over what others left, and does one thing after the other to each entry."""
    return f"""
from redelivery import handle

async def consume(redis, me):
    _, mine, _ = await redis.xautoclaim("orders", "workers", me, min_idle_time=2000, count=1)
    new = [] if mine else await redis.xreadgroup("workers", me, {{"orders": ">"}}, count=1, block=2000)
    for _, entries in new or [("orders", mine)]:
        for entry_id, fields in entries:
            {acknowledges}
            {handles}
"""


def test_a_crash_in_the_middle_of_the_work_breaks_whoever_acknowledged_before(write: Write) -> None:
    steps = ('await redis.xack("orders", "workers", entry_id)', "await handle(entry_id, fields)")
    early, late = claiming(*steps), claiming(*reversed(steps))
    broken = check(find(f"{write(early)}:consume"), params={"entries": "1"})
    assert (broken.verdict, broken.property_name) == ("violated", "handled-at-least-once")
    proved = check(find(f"{write(late)}:consume"), params={"entries": "1"})
    assert (proved.verdict, proved.unmet) == ("holds", ())


def test_a_consumer_that_nobody_crashes_loses_nothing(write: Write) -> None:
    run = ran(write(CONSUMER), crashes="0")
    assert run.violations == []
    assert sum(isinstance(event, Handled) for event in run.history) == 4
    assert (run.verdict, run.unmet) == ("incomplete", ["crashed-at-work"]), "nothing was shown of crashes"


def test_the_world_around_a_consumer_takes_parameters(write: Write) -> None:
    path = write(CONSUMER.replace("workers", "team").replace("orders", "jobs"))
    run = ran(path, stream="jobs", group="team", entries="7", consumers="3", handle_ms="10")
    assert sum(isinstance(event, Handled) for event in run.history) >= 6
    assert {e.stream for e in run.history if isinstance(e, Handled)} == {b"jobs"}
    assert {e.process for e in run.history if isinstance(e, Started)} == {
        "producer", "consumer-1", "consumer-2", "consumer-3",
    }  # fmt: skip
    assert parse(str(run.tape)).params == {
        "stream": "jobs", "group": "team", "entries": "7", "consumers": "3", "handle_ms": "10",
    }  # fmt: skip
    again = simulate(find(run.tape.scenario), tape=parse(str(run.tape)))
    assert list(again.history.lines()) == list(run.history.lines())


def test_a_consumer_keeps_the_state_that_it_returns_from_the_default_of_its_argument(write: Write) -> None:
    run = ran(
        write(
            """
async def consume(redis, me, n=40):
    await redis.set(me, n)
    return n + 1
"""
        ),
        crashes="0",
        within_ms="5",
        entries="1",
        every_ms="1",
    )
    values = [
        event.commands[0][2]
        for event in run.history
        if isinstance(event, Effect) and event.commands[0][:2] == (b"SET", b"consumer-1")
    ]
    assert values[:3] == [b"40", b"41", b"42"]


def test_a_consumer_that_raises_in_the_middle_of_a_turn_is_a_crash_in_the_history(write: Write) -> None:
    path = write(
        CONSUMER.replace("await redis.xack", "raise ValueError('no\\nsuch order')\n            await redis.xack")
    )
    run = ran(path)
    crashes = [event for event in run.history if isinstance(event, Crashed)]
    assert ("raised", "ValueError: no") in {(event.why, event.message) for event in crashes}
    assert run.verdict == "violated"
    for crash in crashes:
        restarts = [
            e for e in run.history if isinstance(e, Started) and e.process == crash.process and e.incarnation > 1
        ]
        assert restarts, "it is started again"


def test_a_consumer_whose_first_line_raises_crashes_again_and_again(write: Write) -> None:
    run = ran(write("async def consume(redis, me):\n    raise KeyError(me)"), crashes="0", within_ms="3000")
    crashes = [event for event in run.history if isinstance(event, Crashed) and event.process == "consumer-1"]
    assert crashes[0].message == "KeyError: 'consumer-1'"
    assert crashes[1].message == "KeyError: 'consumer-1-2'"
    assert [e.at_ms for e in crashes[:3]] == [0, 1000, 2000]


def test_a_consumer_that_names_another_group_crashes_with_the_error_of_redis(write: Write) -> None:
    run = ran(write(CONSUMER.replace("workers", "nobody")))
    messages = {event.message for event in run.history if isinstance(event, Crashed)}
    assert any("NOGROUP" in message for message in messages)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("(redis)", "(redis, me): too many positional arguments"),
        ("()", "(redis, me): too many positional arguments"),
        ("(redis, me, state, more)", "(redis, me, state): missing a required argument: 'more'"),
        ("(redis, me, *, batch)", "(redis, me): missing a required"),
    ],
)
def test_a_consumer_that_cannot_be_called_is_refused(arguments: str, message: str, write: Write) -> None:
    path = write(f"async def consume{arguments}:\n    pass")
    assert refused(f"{path}:consume").startswith(f"the consumer 'consume' cannot be called with {message}")


def test_a_consumer_may_have_options_with_defaults(write: Write) -> None:
    for arguments in ("redis, me, *, batch=10", "redis, me, state=None, /, batch=10", "*everything, batch=10"):
        body = "redis, me, *_ = everything" if "everything" in arguments else "pass"
        path = write(f"async def consume({arguments}):\n    {body}\n    await redis.set(me, batch)")
        run = ran(path, crashes="0", entries="1", within_ms="100")
        assert not [event for event in run.history if isinstance(event, Crashed)]
        assert (b"SET", b"consumer-1", b"10") in {e.commands[0] for e in run.history if isinstance(e, Effect)}


@pytest.mark.parametrize(
    ("turn", "message"),
    [
        ("    import asyncio\n    asyncio.get_running_loop().call_at(1, print)", "use redelivery.sleep"),
        ("    import asyncio\n    while True:\n        await asyncio.sleep(0)", "made more than 10,000 requests"),
        ("    while True:\n        await redis.xlen('orders')", "sent more than 64 commands in one turn"),
    ],
)
def test_a_consumer_that_leaves_the_simulator_is_a_scenario_error(turn: str, message: str, write: Write) -> None:
    path = write(f"async def consume(redis, me):\n{turn}")
    with pytest.raises(RedeliveryError, match=message):
        ran(path)


def test_a_consumer_that_returns_what_cannot_be_kept_is_a_scenario_error(write: Write) -> None:
    path = write("async def consume(redis, me, state=None):\n    await redis.xlen('orders')\n    return [1]")
    with pytest.raises(ScenarioError, match=r"process 'consumer-\d': its turn returned a list; a state is"):
        ran(path)


# ---- parameters ----


def test_an_unknown_parameter_is_answered_with_the_nearest() -> None:
    with pytest.raises(BadInput) as raised:
        Params({"entries": 4, "handle_ms": 300}, {"entrys": "5"})
    assert str(raised.value) == "unknown parameter 'entrys'; did you mean 'entries'?"


def test_a_parameter_has_the_type_of_its_default() -> None:
    params = Params(
        {"n": 4, "share": 0.5, "name": "x", "on": True}, {"n": "-5", "share": "0.25", "name": "7", "on": "false"}
    )
    assert (params.n, params.share, params.name, params.on) == (-5, 0.25, "7", False)
    assert params.as_dict() == {"n": -5, "share": 0.25, "name": "7", "on": False}
    assert params.given == {"n": "-5", "share": "0.25", "name": "7", "on": "False"}
    again = Params({"n": 4, "share": 0.5, "name": "x", "on": True}, params.given)
    assert again.as_dict() == params.as_dict()


@pytest.mark.parametrize(
    ("default", "text", "message"),
    [
        (4, "many", "parameter 'n' takes a whole number, not 'many'"),
        (4, "", "parameter 'n' takes a whole number, not ''"),
        (4, "1.5", "parameter 'n' takes a whole number, not '1.5'"),
        (0.5, "half", "parameter 'n' takes a number, not 'half'"),
        (True, "5", "parameter 'n' takes true or false, not '5'"),
    ],
)
def test_a_parameter_of_another_type_is_refused(default: object, text: str, message: str) -> None:
    with pytest.raises(BadInput) as raised:
        Params({"n": default}, {"n": text})
    assert str(raised.value) == message


def test_a_scenario_that_asks_for_a_parameter_that_it_does_not_declare_says_so() -> None:
    scenario = find("crash-before-ack")
    poor: Scenario = dataclasses.replace(scenario, params={"entries": 4})
    with pytest.raises(RedeliveryError, match=r"the scenario declares no parameter 'handle_ms'"):
        simulate(poor, "broken")
