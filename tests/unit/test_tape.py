"""The tape as one line of text: nothing is lost on the way, and what is no tape is refused by name."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from redelivery.sim.catalogue import find
from redelivery.sim.errors import BadInput
from redelivery.sim.plan import Plan, Process
from redelivery.sim.requests import choose
from redelivery.sim.run import simulate
from redelivery.sim.scenario import Scenario, Variant
from redelivery.sim.tape import Tape, parse

NAMES = st.text(min_size=1) | st.sampled_from(["a:b", "x,y=z", "mine.py:consume", "50%", "%3A", "~/c d.py"])


@given(
    scenario=NAMES,
    variant=NAMES,
    dialect=NAMES,
    params=st.dictionaries(st.text(), st.text(), max_size=4),
    choices=st.lists(st.integers(0, 10**8) | st.just(0) | st.just(1), max_size=60),
)
def test_a_tape_comes_back_from_its_line_but_for_zeros_at_the_end(
    scenario: str, variant: str, dialect: str, params: dict[str, str], choices: list[int]
) -> None:
    line = str(Tape(scenario, variant, dialect, params, tuple(choices)))
    back = parse(line)
    assert (back.scenario, back.variant, back.dialect, back.params) == (scenario, variant, dialect, params)
    assert back.choices + (0,) * (len(choices) - len(back.choices)) == tuple(choices)
    assert not back.choices or back.choices[-1]
    assert str(back) == line
    assert Tape.parse(f"  {line}\n") == back


@given(scenario=st.text(), params=st.dictionaries(st.text(), st.text(), max_size=3))
def test_a_line_needs_no_quotes_in_a_shell(scenario: str, params: dict[str, str]) -> None:
    line = str(Tape(scenario, "v", "d", params, (1, 0, 0, 2)))
    assert re.fullmatch(r"[A-Za-z0-9:/._=,%~-]+", line)


def test_runs_of_choices_are_written_short_and_the_order_of_parameters_does_not_matter() -> None:
    line = str(Tape("s", "v", "redis-8.6", {"b": "2", "a": "1"}, (0, 0, 0, 1, 2, 2, 0, 0)))
    assert line == "redelivery-1:s:v:redis-8.6:a=1,b=2:3x0.1.2x2"
    assert str(Tape("s", "v", "redis-8.6", {"a": "1", "b": "2"}, (0, 0, 0, 1, 2, 2))) == line


def test_a_tape_without_choices_and_parameters_has_empty_parts() -> None:
    assert str(Tape("s", "v", "d")) == "redelivery-1:s:v:d::"
    assert parse("redelivery-1:s:v:d::") == Tape("s", "v", "d", {}, ())


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("", "the tape is empty"),
        (" \n ", "the tape is empty"),
        ("redelivery-2:s:v:d::", "the tape has format 'redelivery-2'; this Redelivery reads 'redelivery-1'"),
        ("redelivery-0:s", "the tape has format 'redelivery-0'; this Redelivery reads 'redelivery-1'"),
        ("crash-before-ack", "not a tape: it starts with 'crash-before-ack', a tape starts with 'redelivery-1:'"),
        ("x" * 500, f"not a tape: it starts with '{'x' * 20}', a tape starts with 'redelivery-1:'"),
        ("redelivery-1:s:v:d:", "the tape has 5 parts between colons, a tape has 6; was it cut?"),
        ("redelivery-1:s:v:d:::", "the tape has 7 parts between colons, a tape has 6; was it cut?"),
        ("redelivery-1:s:v:d:a:", "the tape's parameter 'a' is not of the form K=V"),
        ("redelivery-1:s:v:d:a=1,b:", "the tape's parameter 'b' is not of the form K=V"),
        *(
            (f"redelivery-1:s:v:d::1.{bad}", f"the tape's choices hold '{bad}', which is neither a number nor a run")
            for bad in ("a", "-1", "x5", "3x", "1x2x3", "+1", "1e3", "\u0663", "\u00b2")
        ),
        ("redelivery-1:s:v:d::10000001x0", "the tape holds more than 10,000,000 choices"),
        ("redelivery-1:s:v:d::10000000x0.1", "the tape holds more than 10,000,000 choices"),
        ("redelivery-1:s:v:d::" + "9" * 5000, "the tape's choices hold a number of 5000 digits"),
        ("redelivery-1:s:v:d::" + "9" * 5000 + "x1", "the tape's choices hold a number of 5000 digits"),
    ],
)
def test_what_is_no_tape_is_refused_with_the_reason(line: str, message: str) -> None:
    with pytest.raises(BadInput) as raised:
        parse(line)
    assert str(raised.value).startswith(message)
    assert len(str(raised.value).splitlines()) == 1


@given(st.text() | st.text("redlivy-1:=x0.,%", max_size=30).map(lambda text: "redelivery-1:s:v:d:" + text))
def test_any_text_is_a_tape_or_bad_input(text: str) -> None:
    try:
        said = str(parse(text))
    except BadInput as error:
        said = str(error)
    assert said


# ---- a tape and its run ----


async def decides(redis: Any, me: str) -> None:
    """Three answers, then two, then two more only after the last of the three."""
    first = await choose(3, "course")
    await choose(2, "side")
    if first == 2:
        await choose(2, "dessert")


MENU = Scenario(
    "menu", "Somebody decides.", {"only": Variant("as it is", lambda params: Plan([Process("p", decides, turns=1)]))}
)


def answers(*choices: int) -> tuple[int, ...]:
    return simulate(MENU, tape=Tape("menu", "only", "redis-8.6", {}, choices)).tape.choices


def test_a_tape_that_ends_early_goes_on_with_zeros() -> None:
    assert answers(2) == (2, 0, 0)
    assert answers() == (0, 0)
    assert answers(2, 1, 1) == (2, 1, 1)


def test_an_answer_that_is_too_large_names_the_decision() -> None:
    with pytest.raises(BadInput) as raised:
        answers(0, 2)
    message = "the tape does not fit this run: decision 2 (side) has 2 answers, the tape says 2"
    assert str(raised.value) == message


def test_choices_that_the_run_did_not_come_to_are_counted() -> None:
    with pytest.raises(BadInput) as raised:
        answers(1, 1, 0, 5)
    assert str(raised.value) == "the tape does not fit this run: the run is over and 2 choices are left"


def test_a_tape_brings_its_variant_dialect_and_parameters_with_it() -> None:
    first = simulate(
        find("crash-before-ack"), "broken", dialect="redis-6.2", seed=3, params={"entries": "2"}, reference="by-me"
    )
    assert str(first.tape).startswith("redelivery-1:by-me:broken:redis-6.2:entries=2:")
    again = simulate(find("crash-before-ack"), tape=parse(str(first.tape)))
    assert (again.variant_name, again.dialect, again.params) == (first.variant_name, first.dialect, first.params)
    assert again.seed is None
    assert str(again.tape) == str(first.tape)
    assert list(again.history.lines()) == list(first.history.lines())


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"variant": "repaired"}, "the tape says variant 'broken', and 'repaired' is asked for: leave variant out"),
        ({"dialect": "redis-8.6"}, "the tape says dialect 'redis-6.2', and 'redis-8.6' is asked for: leave"),
        ({"params": {"entries": "9"}}, "the tape says params {'entries': '2'}, and {'entries': '9'} is asked for"),
    ],
)
def test_what_contradicts_a_tape_is_refused(given: dict[str, Any], said: str) -> None:
    scenario = find("crash-before-ack")
    tape = Tape("crash-before-ack", "broken", "redis-6.2", {"entries": "2"})
    with pytest.raises(BadInput) as raised:
        simulate(scenario, tape=tape, **given)
    assert said in str(raised.value)
    assert "\n" not in str(raised.value)
    same = simulate(scenario, "broken", dialect="redis-6.2", params={"entries": "2", "handle_ms": "300"}, tape=tape)
    assert same.tape == simulate(scenario, tape=tape).tape


def test_parameters_at_their_defaults_are_not_on_the_tape() -> None:
    run = simulate(find("crash-before-ack"), params={"entries": "4", "handle_ms": "0300"})
    assert run.tape.params == {}
