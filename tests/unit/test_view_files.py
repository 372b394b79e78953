"""Timelines as files: endings, stable bytes, what is imported when, and that nothing is cut off."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from redelivery.sim import events as e
from redelivery.sim.errors import BadInput
from redelivery.sim.history import History
from redelivery.sim.views.timeline import draw, figure, svg

DRAW = """
import sys
from pathlib import Path
from redelivery.sim.history import read
from redelivery.sim.views.timeline import draw
draw(read(Path(sys.argv[1])), Path(sys.argv[2]))
"""

LIGHT = """
import sys
import redelivery.sim.views, redelivery.sim.views.timeline, redelivery.sim.views.layout, redelivery.sim.views.story
print([name for name in sys.modules if name.split(".")[0] in ("matplotlib", "numpy")])
"""


def small() -> History:
    """A process that crashes over an entry and comes back under another name."""
    events: list[e.Event] = [
        e.Started(0, "worker-a", "worker-a", "host-1", 1),
        e.Handling(100, "worker-a", b"orders", b"workers", b"1700000000000-0"),
        e.Crashed(200, "worker-a", "fault", "crashed"),
        e.Started(1200, "worker-a", "worker-a-2", "host-1", 2),
        e.Healed(2000),
        e.Ended(60_000),
    ]
    header = {
        "scenario": "crash", "variant": "broken", "verdict": "violated", "tape": "redelivery-1:crash:broken:::0",
        "violations": [{"property": "no-orphan", "step": 5, "at_ms": 60_000, "message": "it waits"}],
    }  # fmt: skip
    return History(header, events)


@pytest.mark.parametrize(
    ("ending", "magic"), [(".png", b"\x89PNG"), (".svg", b"<?xml"), (".pdf", b"%PDF"), (".txt", b"crash")]
)
def test_the_ending_decides_the_form(tmp_path: Path, ending: str, magic: bytes) -> None:
    target = tmp_path / f"run{ending}"
    draw(small(), target)
    assert target.read_bytes().startswith(magic)


def test_an_ending_is_read_whatever_its_case(tmp_path: Path) -> None:
    draw(small(), tmp_path / "RUN.SVG")
    assert (tmp_path / "RUN.SVG").read_bytes().startswith(b"<?xml")


@pytest.mark.parametrize("name", ["run.gif", "run", ".svg.bak"])
def test_an_unknown_ending_is_refused_with_the_ones_there_are(tmp_path: Path, name: str) -> None:
    with pytest.raises(BadInput, match=r"\.svg, \.png, \.pdf, \.txt"):
        draw(small(), tmp_path / name)
    assert list(tmp_path.iterdir()) == []


def test_a_place_that_cannot_be_written_to_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"cannot write the timeline to .*missing"):
        draw(small(), tmp_path / "missing" / "run.svg")


@pytest.mark.parametrize("ending", [".svg", ".pdf", ".png"])
def test_the_same_history_gives_the_same_bytes_in_every_process(tmp_path: Path, ending: str) -> None:
    history = tmp_path / "run.jsonl"
    small().write(history)
    drawn = []
    for seed in ("0", "4711"):
        target = tmp_path / f"{seed}{ending}"
        # Another hash seed, and a user whose matplotlib is set up differently.
        (tmp_path / "matplotlibrc").write_text("font.size: 20\nsavefig.dpi: 40\n" if seed == "0" else "")
        environment = {"PYTHONHASHSEED": seed, "PYTHONPATH": ":".join(sys.path), "MATPLOTLIBRC": str(tmp_path)}
        command = [sys.executable, "-c", DRAW, str(history), str(target)]
        subprocess.run(command, check=True, env=environment, cwd=tmp_path)
        drawn.append(target.read_bytes())
    assert drawn[0] == drawn[1]


def test_a_picture_holds_no_date_and_no_version() -> None:
    text = svg(small())
    assert "dc:date" not in text
    assert "Matplotlib" not in text


def test_drawing_libraries_load_only_when_something_is_drawn() -> None:
    environment = {"PYTHONPATH": ":".join(sys.path)}
    command = [sys.executable, "-c", LIGHT]
    done = subprocess.run(command, check=True, capture_output=True, text=True, env=environment)
    assert done.stdout.strip() == "[]"


def test_drawing_leaves_the_users_settings_alone() -> None:
    from matplotlib import rcParams

    rcParams["font.size"] = 17
    try:
        svg(small())
        assert rcParams["font.size"] == 17
    finally:
        rcParams["font.size"] = 10


def test_nothing_is_drawn_outside_the_paper() -> None:
    page = figure(small())
    page.canvas.draw()
    width, height = page.bbox.width, page.bbox.height
    for text in page.axes[0].texts:
        box = text.get_window_extent()
        assert box.x0 >= 0, text.get_text()
        assert box.x1 <= width, text.get_text()
        assert 0 <= box.y0 <= box.y1 <= height, text.get_text()


def test_every_symbol_that_is_drawn_is_in_the_legend_and_no_other() -> None:
    words = [text.get_text() for text in figure(small()).axes[0].texts]
    assert {"handling entry 1", "not running", "starts again", "time cut short"} <= set(words)
    assert "claimed, with its delivery count" not in words


def test_the_verdict_and_the_replay_command_are_on_the_picture() -> None:
    words = [text.get_text() for text in figure(small()).axes[0].texts]
    assert "no-orphan broke at 1 min (event 5): it waits" in words
    assert "redelivery replay redelivery-1:crash:broken:::0" in words


def test_a_tape_that_is_too_long_for_the_picture_is_not_cut_silently() -> None:
    history = small()
    history.header["tape"] = "redelivery-1:crash:broken:::" + "1.2." * 500
    words = " ".join(text.get_text() for text in figure(history).axes[0].texts)
    assert "the tape has 2,046 characters: see the history's header" in words


@pytest.mark.parametrize("header", [{}, {"scenario": "$\\frac{1}{2}$_", "verdict": "holds"}, {"scenario": "順序"}])
def test_an_empty_history_and_odd_names_are_drawn_too(header: dict[str, str]) -> None:
    page = figure(History(dict(header), []))
    assert "this history has no events" in " ".join(text.get_text() for text in page.axes[0].texts)
    svg(History(dict(header), []))
