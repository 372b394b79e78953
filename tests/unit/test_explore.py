"""The explorer: its positions are those of a run, what it foretells comes true, and it answers nobody else."""

from __future__ import annotations

import http.client
import json
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from random import Random
from threading import Thread
from typing import Any

import pytest
from redelivery import find, simulate
from redelivery.sim.check.schedules import Start
from redelivery.sim.check.trace import follow
from redelivery.sim.errors import BadInput
from redelivery.sim.explore.explorer import Explorer
from redelivery.sim.explore.foresight import Foresight
from redelivery.sim.explore.pages import Pages
from redelivery.sim.explore.position import NEXT_STEP, Position, Positions

SMALL = {"entries": "2"}
PLAYED = [
    ("crash-before-ack", "broken"), ("reply-lost-claim", "broken"), ("slow-handler-claimed", "repaired"),
    ("failover-loses-ack", "broken"), ("clock-back-xadd", "broken"), ("group-world", "broken"),
]  # fmt: skip


def start(name: str, variant: str, **params: str) -> Start:
    return Start(find(name), variant, params=params)


@pytest.mark.parametrize(("name", "variant"), PLAYED)
def test_a_position_is_where_the_tapes_run_is(name: str, variant: str) -> None:
    run = simulate(find(name), variant, seed=1)
    there = Positions(start(name, variant)).at(run.tape.choices)
    assert there.over
    assert there.world.history is not None
    assert list(there.world.history) == list(run.history)
    assert there.answers == run.tape.choices


@pytest.mark.parametrize(("name", "variant"), PLAYED)
def test_who_goes_step_by_step_comes_where_who_jumps_comes(name: str, variant: str) -> None:
    chance, near = Random(5), Positions(start(name, variant))
    answers: tuple[int, ...] = ()
    for _ in range(60):
        position = near.at(answers)
        if position.over:
            break
        answers = (*position.answers, chance.randrange(len(position.options)))
    for count in {len(answers) // 3, len(answers) - 1, len(answers)}:
        one, other = near.at(answers[:count]), Positions(start(name, variant)).at(answers[:count])
        assert told(one) == told(other)


def told(position: Position) -> tuple[object, ...]:
    history = position.world.history
    assert history is not None
    texts = [option.text for option in position.options]
    return (position.label, position.within, texts, position.edges, list(history))


def test_what_is_open_within_a_step_is_a_decision_of_its_own() -> None:
    positions = Positions(start("failover-loses-ack", "broken"))
    chance, seen = Random(2), set()
    for _ in range(40):
        answers: tuple[int, ...] = ()
        while not (position := positions.at(answers)).over:
            if position.label != NEXT_STEP:
                assert position.within
                assert all(option.text.startswith(f"{position.label}: ") for option in position.options)
            seen.add(position.label)
            answers = (*position.answers, chance.randrange(len(position.options)))
    assert seen == {NEXT_STEP, "units that arrived after all"}


@pytest.mark.parametrize(
    ("name", "variant"),
    [("crash-before-ack", "broken"), ("reply-lost-ack", "broken"), ("clock-back-xadd", "broken")],
)
def test_the_nearest_violation_is_as_near_as_foretold(name: str, variant: str) -> None:
    world = start(name, variant)
    foresight, positions = Foresight(world), Positions(world)
    answers: tuple[int, ...] = ()
    foretold: int | None = None
    position = positions.at(())
    while not position.over and not position.world.watch.violations:  # type: ignore[union-attr]
        state = foresight.walk(position.edges)[-1]
        prospects = [foresight.prospect(state, option.edge) for option in position.options]
        steps, best = min((each.soonest, place) for place, each in enumerate(prospects) if each.soonest is not None)
        if foretold is None:
            foretold = len(position.edges) + steps
        answers = (*position.answers, best)
        position = positions.at(answers)
    assert position.world.watch is not None
    assert position.world.watch.violations
    assert steps_to_a_violation(world, position) == foretold


def steps_to_a_violation(world: Start, position: Position) -> int:
    """After how many of its steps something is broken; all of them, where that is so at the end."""
    for count in range(len(position.edges)):
        again = world.world()
        follow(again, position.edges[:count])
        assert again.watch is not None
        if again.watch.violations:
            return count
    return len(position.edges)


def test_what_is_doomed_breaks_and_what_is_safe_does_not_whatever_one_does() -> None:
    world = start("crash-before-ack", "broken", **SMALL)
    foresight, positions, chance = Foresight(world), Positions(world), Random(7)
    met = {"doomed": 0, "safe": 0}
    for _ in range(60):
        answers: tuple[int, ...] = ()
        doomed = safe = False
        while not (position := positions.at(answers)).over:
            state = foresight.walk(position.edges)[-1]
            choice = chance.randrange(len(position.options))
            prospect = foresight.prospect(state, position.options[choice].edge)
            assert not (doomed and not prospect.doomed and not prospect.breaks), "doom does not pass"
            doomed, safe = doomed or prospect.doomed, safe or prospect.soonest is None
            answers = (*position.answers, choice)
        assert position.world.watch is not None
        broken = bool(position.world.watch.violations)
        assert broken or not doomed
        assert not (safe and broken)
        met["doomed"] += doomed
        met["safe"] += safe
    assert met["doomed"] > 5


def test_where_nothing_can_break_every_step_says_so() -> None:
    explorer = Explorer(start("crash-before-ack", "repaired", **SMALL))
    explorer.look_ahead().join()
    value = explorer.look()
    assert value["known"]["states"] > 50
    assert {option["known"]["soonest"] for option in value["options"]} == {None}
    assert not any(option["known"]["doomed"] for option in value["options"])
    assert value["recording"]["badge"] == "SO FAR NOTHING IS BROKEN"
    again = explorer.look(value["tape"], 1)
    explorer.look(value["tape"], 0)
    assert again["known"]["visited"] > value["known"]["visited"]
    assert explorer.look("", 0)["options"][0]["known"]["seen"], "it was just there"


def test_its_line_is_a_test_that_fails_until_it_is_mended() -> None:
    import redelivery

    explorer = Explorer(start("crash-before-ack", "broken"))
    tape = simulate(find("crash-before-ack"), "broken").tape
    value = explorer.look(str(tape))
    value = explorer.look(str(tape), len(value["answers"]) + 200)
    assert value["over"]
    with pytest.raises(AssertionError, match="no-orphan is violated"):
        eval(value["test"], {"redelivery": redelivery})


@pytest.mark.parametrize(
    ("tape", "count", "said"),
    [
        ("nonsense", None, "not a tape"),
        ("redelivery-1:crash-before-ack:repaired:redis-8.6::1", None, "of another world"),
        ("redelivery-1:crash-before-ack:broken:redis-8.6::99", None, "has 3 answers, the tape says 99"),
        ("", 10**6, "1000000 decisions"),
    ],
)
def test_a_tape_that_does_not_fit_is_refused_in_one_line(tape: str, count: int | None, said: str) -> None:
    with pytest.raises(BadInput, match=said) as refused:
        Explorer(start("crash-before-ack", "broken")).look(tape, count)
    assert "\n" not in str(refused.value)


# ---- over HTTP ----


@contextmanager
def served() -> Iterator[int]:
    pages = Pages(Explorer(start("crash-before-ack", "broken", **SMALL)), 0)
    thread = Thread(target=pages.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield pages.port
    finally:
        pages.shutdown()
        pages.server_close()
        thread.join()


def ask(port: int, path: str, method: str = "GET", **headers: str) -> tuple[int, str]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    try:
        connection.request(method, path, headers={name.replace("_", "-"): value for name, value in headers.items()})
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()


def test_it_answers_pages_of_this_machine_alone() -> None:
    with served() as port:
        assert ask(port, "/")[0] == 200
        assert ask(port, "/look", Host=f"localhost:{port}", Sec_Fetch_Site="same-origin")[0] == 200
        for headers in ({"Host": "example.org"}, {"Host": f"example.org:{port}"}, {"Host": "127.0.0.1:1"}, {"Host": ""},
                        {"Sec_Fetch_Site": "cross-site"}, {"Sec_Fetch_Site": "same-site"}):  # fmt: skip
            for path in ("/", "/look"):
                assert ask(port, path, **headers) == (403, '{"error": "this page is for this machine alone"}')


def test_what_it_cannot_answer_it_says_in_one_line() -> None:
    with served() as port:
        for path, status, said in (
            ("/nowhere", 404, "there is no /nowhere"),
            ("/look?tape=rubbish", 400, "not a tape"),
            ("/look?at=-1", 400, "not a whole number"),
            ("/look?at=²", 400, "not a whole number"),
        ):
            got, text = ask(port, path.replace("²", "%C2%B2"))
            assert got == status
            assert said in json.loads(text)["error"]
        assert ask(port, "/", "POST")[0] == 501


@contextmanager
def command(*arguments: str) -> Iterator[subprocess.Popen[str]]:
    line = [sys.executable, "-m", "redelivery", "explore", *arguments]
    with subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as running:
        try:
            yield running
        finally:
            running.kill()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_command_says_where_it_listens_and_ends_when_it_is_asked_to(number: signal.Signals) -> None:
    with command("crash-before-ack", "--variant", "broken") as running:
        assert running.stdout is not None
        word, port = running.stdout.readline().split()
        assert word == "ready"
        assert ask(int(port), "/look")[0] == 200
        with command("crash-before-ack", "--port", port) as other:
            out, err = other.communicate(timeout=30)
            assert (out, err.count("\n"), other.returncode) == ("", 1, 2)
            assert f"cannot listen on --port {port}" in err
        running.send_signal(number)
        out, err = running.communicate(timeout=20)
        assert running.returncode == 0
        assert "Traceback" not in err


def test_json_tells_the_address_and_a_tape_is_where_it_begins() -> None:
    tape = "redelivery-1:crash-before-ack:broken:redis-8.6:entries=2:1.0.1"
    with command("crash-before-ack", "--tape", tape, "--json") as running:
        assert running.stdout is not None
        text = ""
        while not text.endswith("}\n"):
            text += running.stdout.readline()
        value: dict[str, Any] = json.loads(text)
        assert value["url"] == f"http://127.0.0.1:{value['port']}/#tape={tape}"
        with socket.create_connection(("127.0.0.1", value["port"]), timeout=5):
            status, _ = ask(value["port"], "/")  # a connection that says nothing keeps nobody waiting
            assert status == 200


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["crash-before-akc"], "crash-before-akc"),
        (["crash-before-ack", "--variant", "borken"], "borken"),
        (["crash-before-ack", "--tape", "redelivery-2:x"], "format"),
        (["crash-before-ack", "--tape", "redelivery-1:lag-lies:broken:redis-8.6::"], "another world"),
        (["crash-before-ack", "--param", "entries=many"], "whole number"),
    ],
)
def test_bad_input_is_refused_in_one_line(arguments: list[str], said: str) -> None:
    with command(*arguments) as running:
        out, err = running.communicate(timeout=30)
        assert (out, running.returncode) == ("", 2)
        assert err.count("\n") == 1
        assert said in err
