"""A difference, made small and told: as redis-cli commands with both answers, and as a test to paste."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from ....models.server import Config
from ..lockstep import Difference
from ..script import Reply, Send, show_command
from ..values import parse, show
from .actions import Action
from .recorder import record
from .shrink import Judge, shrink, smallest
from .story import story_of

__all__ = ["Finding", "failure", "find"]

ANSWER_SHOWN = 600


@dataclass(frozen=True, slots=True)
class Finding:
    """What differs, in the fewest lines: `seed` draws the run that it was found in.

    `command` is the one that is answered differently, `model` and `server` are the answers, `transcript` is
    the whole story with its answers, and `test` a function to paste into a test file.
    """

    seed: int
    command: str
    model: str
    server: str
    where: str
    story: str
    transcript: tuple[str, ...]
    test: str


def find(bench: Judge, config: Config, actions: Sequence[Action], seed: int, server: str) -> Finding:
    """Make a run that differs small, and tell what is left of it; `server` is what the user calls the server."""
    if not bench.differences(record(bench.dialect, config, actions)):
        # It needs the pipeline: a command of the batch, or the moment in the server's event loop.
        story = story_of(actions, config)
        only = "the model's answers come step by step, and not when the commands come in a pipeline"
        return Finding(seed, "(in a pipeline)", "the same every time", only, "", story, (only,), "")
    small = shrink(bench, config, actions)
    recorder = record(bench.dialect, config, small)
    first, *_ = bench.differences(recorder)
    transcript = []
    for index, step in enumerate(recorder.script[: first.index + 1]):
        if isinstance(step, Send | Reply):
            transcript += _told(index, step, first)
    if first.index >= len(recorder.script):
        transcript.append(f"then: {first.command}, model {first.model}, server {first.server}")
    story = story_of(small, config)
    test = _test(bench.dialect, server, story)
    return Finding(seed, first.command, first.model, first.server, first.where, story, tuple(transcript), test)


def failure(dialect: str, config: Config, actions: Sequence[Action], seed: int, server: str) -> Finding:
    """Make small what the model fails at, an exception where an answer should be."""

    def fails(some: Sequence[Action]) -> str:
        try:
            record(dialect, config, some)
        except Exception as error:
            return f"{type(error).__name__}: {error}".removesuffix(": ")
        return ""

    small = smallest(actions, lambda some: bool(fails(some)))
    story = story_of(small, config)
    how = f"fails: {fails(small)}"
    said = "(not asked)"
    transcript = (*story.splitlines(), f"  model   {how}", f"  server  {said}")
    return Finding(seed, story.splitlines()[-1], how, said, "", story, transcript, _test(dialect, server, story))


def _told(index: int, step: Send | Reply, first: Difference) -> list[str]:
    said = f"redis-cli> {show_command(step.argv)}" if isinstance(step, Send) else "(a blocked client is answered)"
    if index == first.index:
        return [said, f"  model   {first.model[:ANSWER_SHOWN]}", f"  server  {first.server[:ANSWER_SHOWN]}"]
    answer = "(blocks)" if step.reply is None else show(parse(step.reply))
    return [said, f"  {answer[:ANSWER_SHOWN]}"]


def _test(dialect: str, server: str, story: str) -> str:
    name = re.sub(r"\W", "_", dialect)
    lines = "\n".join(f"        {line}" for line in story.splitlines())
    return (
        "from redelivery.sim.real.diff.agreement import differences\n\n\n"
        f"def test_the_model_agrees_with_{name}() -> None:\n"
        f'    story = r"""\n{lines}\n    """\n'
        f"    assert differences(story, server={server!r}) == []\n"
    )
