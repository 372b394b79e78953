"""The report: the state that it shows is the server's, its bytes are stable, and nothing in it runs that should not."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Sequence
from importlib import resources
from pathlib import Path
from typing import Any, get_args

import pytest
from redelivery import find, simulate
from redelivery.models.facts import Fact
from redelivery.models.ids import ID_MAX, show
from redelivery.models.lists import List
from redelivery.models.replies import Reply
from redelivery.models.server import Server
from redelivery.models.stream import Stream
from redelivery.sim.catalogue import shipped
from redelivery.sim.choices import Drawn
from redelivery.sim.events import Effect, Event, Served
from redelivery.sim.history import History
from redelivery.sim.real.diff.actions import Inspect
from redelivery.sim.real.diff.recorder import Recorder
from redelivery.sim.real.diff.source import generate
from redelivery.sim.run import build, weights
from redelivery.sim.views import words
from redelivery.sim.views.report.page import embedded, render
from redelivery.sim.views.report.recording import record
from redelivery.sim.views.report.rows import ENTRY, GROUP, LIST, PENDING, STREAM
from redelivery.sim.views.report.streams import FIELDS_LENGTH

VARIANTS = [(scenario.name, variant) for scenario in shipped() for variant in scenario.variants]
PAGE = resources.files("redelivery.sim.views.report") / "page"
LOOKED_AT_EVERY = 40


def recorded(history: History) -> dict[str, Any]:
    recording: dict[str, Any] = json.loads(json.dumps(record(history)))
    return recording


def state_of(recording: dict[str, Any], events: int) -> list[tuple[Any, ...]]:
    """The rows that are there after so many events, put together from what each event changed."""
    cells: dict[int, list[object] | None] = {}
    for ops in recording["ops"][:events]:
        cells |= dict(zip(ops[::2], ops[1::2], strict=True))
    return sorted((row, *recording["rows"][row], now) for row, now in cells.items() if now is not None)


def held_by(server: Server) -> list[tuple[Any, ...]]:
    """What the server holds, in the same words: (kind, what it belongs to, name or ID, cells)."""
    found: list[tuple[Any, ...]] = []
    for key, value in [item for database in server.databases.values() for item in database.keys.items()]:
        name = words.text(key)
        if isinstance(value, List):
            found.append((LIST, "", name, len(value.items)))
        if not isinstance(value, Stream):
            continue
        live = value.ascending(0, ID_MAX) if value.length else []
        found.append((STREAM, "", name, value.length))
        for entry_id, fields in live:
            found.append((ENTRY, name, show(entry_id).decode(), words.short(words.fields_of(fields), FIELDS_LENGTH)))
        for group in value.groups.values():
            label, left = words.text(group.name), sum(entry_id > group.cursor for entry_id, _ in live)
            found.append((GROUP, name, label, (show(group.cursor).decode(), left, len(group.pel))))
            for entry_id, nack in group.pel.items():
                owner = None if nack.consumer is None else words.text(nack.consumer)
                gone = "" if value.get(entry_id) is not None else "gone"
                cells = (owner, nack.delivered_ms, nack.count, gone)
                found.append((PENDING, label, show(entry_id).decode(), cells))
    return sorted(found, key=repr)


def shown_by(recording: dict[str, Any], events: int) -> list[tuple[Any, ...]]:
    rows = recording["rows"]
    found: list[tuple[Any, ...]] = []
    for row, kind, parent, label, entry_id, fields, cells in state_of(recording, events):
        of = rows[parent][2] if parent >= 0 else ""
        if kind in (STREAM, LIST):
            found.append((kind, of, label, cells[0]))
        elif kind == ENTRY:
            found.append((kind, of, entry_id, fields))
        elif kind == GROUP:
            found.append((kind, of, label, (cells[0], cells[1], cells[3])))
        elif kind == PENDING:
            found.append((kind, of, entry_id, tuple(cells)))
        assert row < len(rows)
    return sorted(found, key=repr)


@pytest.mark.parametrize(("name", "variant"), VARIANTS)
def test_the_state_that_is_shown_is_the_servers(name: str, variant: str) -> None:
    scenario = find(name)
    world, _ = build(scenario, variant, scenario.variant(variant).dialect, {})
    assert world.history is not None
    choices, looks = Drawn(0), [(len(world.history), held_by(world.server))]
    while (steps := world.enabled()) and len(world.history) < 2000:
        world.take(steps[choices.choose(len(steps), "next step", weights(steps)) if len(steps) > 1 else 0], choices)
        if len(world.history) >= looks[-1][0] + LOOKED_AT_EVERY:
            looks.append((len(world.history), held_by(world.server)))
    looks.append((len(world.history), held_by(world.server)))
    recording = recorded(world.history)
    for events, held in looks:
        assert shown_by(recording, events) == held, events


class Heard:
    """Writes down what the commands of a run made true."""

    def __init__(self) -> None:
        self.history = History()
        self._now_ms = 0

    def before(self, server: Server, session: int, argv: Sequence[bytes], now_ms: int) -> None:
        self._now_ms = now_ms

    def after(self, argv: Sequence[bytes], reply: Reply, facts: Sequence[Fact]) -> None:
        call, now_ms = len(self.history), self._now_ms
        self.history.events.append(Effect(0, "a", call, 1, 0, now_ms, (tuple(argv),), (reply,), tuple(facts)))

    def served(self, argv: Sequence[bytes], reply: Reply, facts: Sequence[Fact]) -> None:
        self.history.events.append(Served(0, "b", len(self.history), 2, self._now_ms, reply, tuple(facts)))


@pytest.mark.parametrize("dialect", ["redis-6.2", "redis-8.6", "valkey-9.1"])
@pytest.mark.parametrize("seed", range(4))
def test_whatever_commands_do_is_shown(dialect: str, seed: int) -> None:
    run, heard = generate(dialect, seed, 600), Heard()
    recorder = Recorder(dialect, run.world.config, heard)
    looks = []
    for number, action in enumerate(run.actions):
        if isinstance(action, Inspect):
            continue  # it may find that a key's time is over, and nobody is told
        recorder.take(action)
        if number % 60 == 0:
            looks.append((len(heard.history), held_by(recorder.server)))
    recording = recorded(heard.history)
    assert sum(len(held) for _, held in looks) > 20
    for events, held in looks:
        assert shown_by(recording, events) == held, events


def test_a_history_gives_the_same_bytes_every_time(tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl"
    run = simulate(find("crash-before-ack"), "broken")
    run.history.write(path)
    made = set()
    for seed in ("1", "2"):
        target = tmp_path / f"{seed}.html"
        command = [sys.executable, "-m", "redelivery", "timeline", str(path), "-o", str(target)]
        subprocess.run(command, check=True, capture_output=True, env={"PYTHONHASHSEED": seed, "HOME": str(tmp_path)})
        made.add(target.read_bytes())
    assert made == {render(run.history)}


def test_columns_have_an_item_for_each_event_and_the_story_names_events() -> None:
    run = simulate(find("reply-lost-claim"), "broken")
    recording = recorded(run.history)
    for column in ("at", "who", "kind", "call", "text", "about", "ops"):
        assert len(recording[column]) == len(run.history), column
    steps = [step for step, _ in recording["story"]]
    assert steps == sorted(steps)
    assert max(steps) < len(run.history)
    lost = [n for n, kind in enumerate(recording["kind"]) if recording["kinds"][kind] == "lost-reply"]
    assert lost
    assert all("is lost" in recording["text"][n] for n in lost)


def test_every_kind_of_event_has_words_of_its_own() -> None:
    """With made-up fields: what matters is that none falls through to the words of another."""
    made_up = {"int": 3, "str": "reset", "bytes": b"1-1", "bool": True, "int | None": 3}
    events = []
    for kind in get_args(Event):
        hints = {name: getattr(hint, "__forward_arg__", hint) for name, hint in kind.__annotations__.items()}
        values = {name: made_up.get(hint, ()) for name, hint in hints.items()}
        for name, value in (("cut", "both"), ("reply", 1), ("commands", ((b"PING",),)), ("cause", "restart")):
            values |= {name: value} if name in values else {}
        events.append(kind(**values))
    recording = recorded(History({}, events))
    assert len(set(recording["text"])) == len(events)
    assert all(recording["text"])


def test_what_breaks_when_the_run_is_over_breaks_at_its_last_event() -> None:
    run = simulate(find("crash-before-ack"), "broken")
    assert run.violations[0].step == len(run.history)
    recording = recorded(run.history)
    assert recording["violations"][0]["step"] == len(run.history) - 1


@pytest.mark.parametrize("keep", [slice(0, 0), slice(0, 30), slice(25, None), slice(40, 41)])
def test_a_part_of_a_history_is_shown_and_says_that_it_is_one(keep: slice) -> None:
    whole = simulate(find("trim-unacked-maxlen"), "broken").history
    part = History(whole.header, whole.events[keep])
    recording = recorded(part)
    assert len(recording["at"]) == len(part)
    assert bool(recording["notes"]) is (keep.stop is not None)
    assert all(item["step"] is None or item["step"] < max(len(part), 1) for item in recording["violations"])
    assert render(part)


def test_markup_in_a_history_stays_text() -> None:
    nasty = "</script><!--<script>\u2028"
    text = render(History({"scenario": nasty, "summary": nasty, "verdict": "\ud800"}, [])).decode()
    assert nasty not in text
    assert text.count("</script>") == 2
    data = re.search(r'<script type="application/json" id="recording">(.*?)</script>', text, re.DOTALL)
    assert data is not None
    assert json.loads(data[1])["summary"] == nasty
    assert "<" not in embedded(nasty)


def test_it_may_load_nothing_and_run_only_its_own_script() -> None:
    text = render(simulate(find("crash-before-ack"), "broken").history).decode()
    policy = re.search(r'Content-Security-Policy" content="([^"]+)"', text)
    assert policy is not None
    assert "default-src 'none'" in policy[1]
    assert "unsafe" not in policy[1]
    assert not re.search(r"""(src|href)=|url\(|@import|https?://(?!www\.w3\.org/2000/svg)""", text)


def channel(value: int) -> float:
    part = value / 255
    return part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4


def luminance(colour: str) -> float:
    red, green, blue = (channel(int(colour[i : i + 2], 16)) for i in (1, 3, 5))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def test_text_can_be_read_on_light_and_on_dark_paper() -> None:
    style = (PAGE / "style.css").read_text()
    light, dark = [dict(re.findall(r"--([\w-]+): (#\w{6})", part)) for part in style.split("prefers-color-scheme", 1)]
    assert light.keys() == dark.keys()
    for theme in (light, dark):
        for name, colour in theme.items():
            if name in ("ink", "soft", "accent", "good", "bad") or re.fullmatch(r"p\d", name):
                assert contrast(colour, theme["paper"]) >= 4.5, name
                assert contrast(colour, theme["panel"]) >= 4.5, name
        assert contrast(theme["mark"], theme["mark-ink"]) >= 4.5


def test_every_part_is_small() -> None:
    for part in PAGE.iterdir():
        assert len(part.read_text().splitlines()) < 400, part.name


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ([], "is empty"),
        (['{"redelivery":"history","version":1}', '{"n":0,"ki', "{}"], "line 2: not JSON"),
        (['{"redelivery":"history","version":7}'], "version 7"),
        (['{"other":1}'], "line 1: not the header"),
    ],
)
def test_what_is_no_history_is_refused_in_one_line(lines: list[str], said: str, tmp_path: Path) -> None:
    path = tmp_path / "bad.jsonl"
    path.write_text("\n".join(lines))
    for target, what in ((tmp_path / "out.html", said), (tmp_path / "none" / "out.html", "No such file or directory")):
        command = [sys.executable, "-m", "redelivery", "timeline", str(path), "-o", str(target)]
        ran = subprocess.run(command, capture_output=True, text=True, check=False)
        assert ran.returncode == 2
        assert what in ran.stderr
        assert ran.stderr.count("\n") == 1
        assert not target.exists()
