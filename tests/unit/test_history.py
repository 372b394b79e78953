"""The file of a history: what is written is read again, to the byte, and what is no history is refused by line."""

from __future__ import annotations

import json
import string
from pathlib import Path
from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from redelivery.models import facts, ids
from redelivery.models.replies import BLOCKED, NIL, NIL_ARRAY, Failure, Frames, Map, Push, Simple
from redelivery.sim import events
from redelivery.sim.catalogue import find, shipped
from redelivery.sim.errors import BadInput
from redelivery.sim.history import VERSION, History, fact_out, parse, read, reply_in, reply_out
from redelivery.sim.run import simulate

VARIANTS = [(scenario.name, variant) for scenario in shipped() for variant in scenario.variants]

BINARY = st.binary(max_size=8) | st.text(max_size=8).map(str.encode) | st.sampled_from(
    [b"\x85", "\x85".encode(), "\u2028x".encode(), b"\r\n", b"\0", b"\xff\xfe", b'{"hex":"00"}', b"5-1"]
)  # fmt: skip
TEXT = st.text(max_size=8) | st.sampled_from(["a\x85b", "\u2028", "\u2029", "\x1c", "a\nb"])
NUMBERS = st.integers(-(2**70), 2**70)
IDS = st.integers(ids.ID_MIN, ids.ID_MAX)

PLAIN = NUMBERS | BINARY | BINARY.map(Simple) | BINARY.map(Failure) | st.sampled_from([NIL, NIL_ARRAY, BLOCKED])
REPLIES = st.recursive(
    PLAIN,
    lambda inner: (
        st.lists(inner, max_size=3).map(tuple)
        | st.lists(inner, max_size=3).map(tuple).map(Push)
        | st.lists(inner, max_size=3).map(tuple).map(Frames)
        | st.builds(
            lambda pairs, paired: Map(tuple(pairs), paired=paired),
            st.lists(st.tuples(inner, inner), max_size=3),
            st.booleans(),
        )
    ),
    max_leaves=8,
)

BY_NAME = {"id": IDS, "cursor": IDS, "before": IDS, "last_id": IDS, "reply": REPLIES}
"""Fields of which the annotation does not say enough."""


def values(name: str, hint: Any) -> st.SearchStrategy[Any]:
    """Whatever may stand in a field of an event or a fact."""
    text = getattr(hint, "__forward_arg__", hint)
    if name in BY_NAME:
        return BY_NAME[name]
    if name in ("ids", "pending"):
        return st.lists(IDS, max_size=3).map(tuple)
    return {
        "int": NUMBERS,
        "int | None": NUMBERS | st.none(),
        "str": TEXT,
        "bool": st.booleans(),
        "bytes": BINARY,
        "bytes | None": BINARY | st.none(),
        "tuple[bytes, ...]": st.lists(BINARY, max_size=3).map(tuple),
        "tuple[int, ...]": st.lists(NUMBERS, max_size=3).map(tuple),
        "tuple[tuple[bytes, ...], ...]": st.lists(st.lists(BINARY, max_size=3).map(tuple), max_size=2).map(tuple),
        "tuple[Reply, ...]": st.lists(REPLIES, max_size=2).map(tuple),
        "tuple[Fact, ...]": st.lists(st.deferred(lambda: FACTS), max_size=2).map(tuple),
    }[text]


def any_of(kinds: Any) -> st.SearchStrategy[Any]:
    """An instance of any of these classes, with whatever may stand in its fields."""
    made = [
        st.builds(kind, **{name: values(name, hint) for name, hint in kind.__annotations__.items()})
        for kind in get_args(kinds)
    ]
    return st.one_of(made)


FACTS = any_of(facts.Fact)
EVENTS = any_of(events.Event)


@pytest.mark.parametrize(("name", "variant"), VARIANTS)
def test_the_history_of_every_scenario_is_read_as_it_was_written(name: str, variant: str, tmp_path: Path) -> None:
    history = simulate(find(name), variant).history
    first, second = tmp_path / "first.jsonl", tmp_path / "second.jsonl"
    history.write(first)
    back = read(first)
    assert back == history
    assert [type(event) for event in back] == [type(event) for event in history]
    back.write(second)
    assert second.read_bytes() == first.read_bytes()


@given(REPLIES)
def test_a_reply_comes_back_as_it_was(reply: Any) -> None:
    back = reply_in(json.loads(json.dumps(reply_out(reply))))
    assert back == reply
    assert repr(back) == repr(reply), "the two nils are told apart"


@given(st.lists(EVENTS, max_size=4))
@settings(max_examples=300)
def test_every_kind_of_event_and_fact_comes_back_from_the_lines(made: list[Any]) -> None:
    history = History({"scenario": "any", "tape": ""}, made)
    lines = list(history.lines())
    back = parse(lines, "made")
    assert back == history
    assert [repr(event) for event in back] == [repr(event) for event in made]
    assert list(back.lines()) == lines


@given(TEXT, BINARY)
@settings(max_examples=200)
def test_no_text_breaks_a_line_of_the_file(tmp_path_factory: pytest.TempPathFactory, text: str, value: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "line.jsonl"
    made = [events.Crashed(1, text, "raised", text), events.Handling(2, "p", value, value, b"1-1")]
    history = History({"summary": text}, made)  # type: ignore[arg-type]
    history.write(path)
    assert path.read_bytes().count(b"\n") == 3
    assert read(path) == history


def test_the_first_line_is_the_header_and_each_further_one_an_event() -> None:
    run = simulate(find("crash-before-ack"), "broken")
    first, *rest = [json.loads(line) for line in run.history.lines()]
    assert (first["redelivery"], first["version"]) == ("history", VERSION)
    assert {"scenario", "variant", "dialect", "tape", "verdict"} <= set(first)
    assert (first["scenario"], first["tape"], first["verdict"]) == ("crash-before-ack", str(run.tape), "violated")
    assert [line["n"] for line in rest] == list(range(len(run.history)))
    assert {line["kind"] for line in rest} <= {kind.__name__ for kind in get_args(events.Event)}


def test_what_people_read_in_the_file_is_readable() -> None:
    fact = facts.Acked(b"orders", 1, b"g\xff", ids.make(1700000000000, 3), b"a")
    assert fact_out(fact) == {
        "fact": "Acked", "stream": "orders", "born": 1, "group": {"hex": "67ff"}, "id": "1700000000000-3", "owner": "a",
    }  # fmt: skip


# ---- what is no history ----

HEADER = '{"redelivery":"history","version":1}'
CRASH = '{"n":0,"kind":"Crashed","at_ms":1,"process":"p","why":"fault","message":"crashed"}'
FACT = '{"n":0,"kind":"Served","at_ms":1,"process":"p","call":1,"session":1,"server_ms":1,"reply":0,"facts":[%s]}'
ACKED = '{"fact":"Acked","stream":"s","born":1,"group":"g","id":"1-1","owner":"a"}'


def test_the_lines_that_are_broken_below_are_sound() -> None:
    assert len(parse([HEADER, CRASH, FACT % ACKED], "made")) == 2


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "FILE is empty: a history starts with a header line"),
        ("tape\n", "FILE, line 1: not JSON"),
        ("\n" + HEADER, "FILE, line 1: not JSON"),
        ("[]\n", "FILE, line 1: not the header of a Redelivery history"),
        ('{"version":1}\n', "FILE, line 1: not the header of a Redelivery history"),
        (CRASH + "\n", "FILE, line 1: not the header of a Redelivery history"),
        ('{"redelivery":"history","version":2}\n', "FILE is a history of version 2; this Redelivery reads version 1"),
        ('{"redelivery":"history"}\n', "FILE is a history of version None; this Redelivery reads version 1"),
        *(
            ("\n".join((HEADER, CRASH, line, "")), "FILE, line 3: not JSON")
            for line in ("", '{"n":1', "nonsense", "\ufeff{}")
        ),
        *(
            ("\n".join((HEADER, CRASH, line, CRASH)), "FILE, line 3: not an event of a history")
            for line in (
                "{}", "[]", "5", "null", '"text"', HEADER,
                CRASH.replace("Crashed", "Eaten"),
                CRASH.replace('"Crashed"', "[]"),
                CRASH.replace('"why":"fault",', ""),
                CRASH.replace(':1,"process"', ':"1","process"'),
                CRASH.replace(':1,"process"', ':true,"process"'),
                CRASH.replace('"p"', "7"),
                CRASH.replace('"p"', "null"),
                FACT.replace('"reply":0', '"reply":{"smile":1}') % "",
                FACT.replace('"reply":0', '"reply":null') % "",
                FACT.replace('"reply":0', '"reply":1.5') % "",
                FACT.replace('"reply":0', '"reply":{"hex":"xy"}') % "",
                FACT.replace('"reply":0', '"reply":{"map":[[1]],"paired":false}') % "",
                FACT % "5",
                FACT % ACKED.replace("Acked", "Eaten"),
                FACT % ACKED.replace('"1-1"', '"1-x"'),
                FACT % ACKED.replace('"1-1"', "11"),
                FACT % ACKED.replace('"1-1"', "null"),
                FACT % ACKED.replace('"stream":"s"', '"stream":null'),
                FACT % ACKED.replace('"born":1', '"born":"1"'),
                FACT % ACKED.replace(',"owner":"a"', ""),
            )
        ),
    ],
)  # fmt: skip
def test_what_is_no_history_is_refused_with_its_file_and_line(text: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "bad.jsonl"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(BadInput) as raised:
        read(path)
    assert str(raised.value) == message.replace("FILE", str(path))


def test_a_file_that_is_not_text_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "bad.jsonl"
    path.write_bytes(b"\xff\xfe\0")
    with pytest.raises(BadInput, match=r"bad\.jsonl is not a history: it is not UTF-8 text"):
        read(path)


def test_a_file_that_cannot_be_read_is_refused_with_the_reason(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"cannot read the history .*gone\.jsonl: No such file or directory"):
        read(tmp_path / "gone.jsonl")
    with pytest.raises(BadInput, match=r"cannot read the history .*: Is a directory"):
        read(tmp_path)


def test_a_file_that_cannot_be_written_is_refused_with_the_reason(tmp_path: Path) -> None:
    history = History()
    with pytest.raises(BadInput, match=r"cannot write the history to .*no.h\.jsonl: No such file or directory"):
        history.write(tmp_path / "no" / "h.jsonl")
    with pytest.raises(BadInput, match=r"cannot write the history to .*: Is a directory"):
        history.write(tmp_path)


@given(st.lists(st.text(string.printable, max_size=40) | st.sampled_from([HEADER, CRASH, FACT % ACKED]), max_size=4))
def test_any_lines_are_a_history_or_bad_input(lines: list[str]) -> None:
    said = ""
    try:
        parse([HEADER, *lines], "made")
    except BadInput as error:
        said = str(error)
    assert said == "" or said.startswith("made, line ")


def test_a_line_that_is_nested_too_deeply_is_no_event() -> None:
    deep = FACT.replace('"reply":0', f'"reply":{"[" * 5000}{"]" * 5000}') % ""
    with pytest.raises(BadInput, match="made, line 2: not"):
        parse([HEADER, deep], "made")


def test_a_fork_of_a_history_goes_on_alone() -> None:
    history = History({"tape": "x"}, [events.Healed(1)])
    twin = history.fork()
    twin.events.append(events.Ended(2))
    twin.header["tape"] = "y"
    assert (len(history), history.header) == (1, {"tape": "x"})
