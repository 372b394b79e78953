"""From a history to a picture: which rows and lanes are shown, on what scale, and what is left out."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from itertools import pairwise

from ..history import History
from . import words
from .alike import collapsed
from .axis import Axis, axis, typical
from .ordinal import in_steps, timeless
from .picture import Block, Claim, Command, Lane, Line, Mark, Picture, Row, Sign, State
from .reading import Reading, read
from .thinning import telling, thin

ROWS_MAX = 14
ROWS_MIN, BESIDE = 8, 4
"""Where not all rows fit: how many there are at least, and how many uneventful ones give the setting."""
EVENTFUL = 10
LANES_MAX = 8
IDLE_TOP = 1.6
"""The scale of a saw-tooth ends at this many min-idles."""


def layout(history: History, rows_max: int = ROWS_MAX, lanes_max: int = LANES_MAX) -> Picture:
    """The picture of a history; of more than ``rows_max`` rows it shows those that tell the most."""
    if not timeless(history):
        return choose(read(history), rows_max, lanes_max)
    picture = choose(read(in_steps(history)), rows_max, lanes_max)
    blocks = tuple(replace(block, min_idle_ms=(), idle_top_ms=0) for block in picture.blocks)
    verdict = tuple(read(history).numbering.in_sentence(line) for line in words.verdict(history.header))
    said = "the time axis: no time passes in this run, so the steps are counted"
    return replace(
        picture, axis=replace(picture.axis, counts_steps=True), blocks=blocks, verdict=verdict,
        left_out=(said, *picture.left_out),
    )  # fmt: skip


def choose(reading: Reading, rows_max: int = ROWS_MAX, lanes_max: int = LANES_MAX) -> Picture:
    """What of a reading has room in one picture, and the scale for it."""
    header, end_ms = reading.header, reading.end_ms
    blocks = _blocks(reading, rows_max)
    shown = {name for block in blocks for row in block.rows for name in row.names}
    claims = tuple(claim for claim in reading.claims if shown.intersection(claim.entries))
    all_lanes = list(reading.lanes)
    if any(block.left_out for block in blocks):
        all_lanes = [_without_additions(lane, shown) for lane in all_lanes]
    some_lanes = _choose_lanes(all_lanes, claims, shown, lanes_max)
    names = {lane.name for lane in some_lanes}
    commands = tuple(command for command in reading.commands if command.process in names)
    scale = _axis(blocks, some_lanes, claims, reading.lines, commands, end_ms)
    some_lanes, commands, thinned = thin(scale, some_lanes, commands, shown)
    return Picture(
        title=words.title(header),
        summary=words.summary(header),
        subtitle=words.subtitle(header),
        badge=words.badge(header),
        broke=reading.numbering.briefly(words.broke(header)),
        bad=header.get("verdict") not in ("holds", None),
        axis=scale,
        lanes=some_lanes,
        takers=reading.takers,
        commands=commands,
        idle=tuple(item for item in reading.idle if item[1] in names),
        losses=tuple(loss for loss in reading.losses if loss.process in names),
        servers=reading.servers,
        server_marks=reading.server_marks,
        scans=telling(scale, blocks, reading.scans),
        claims=tuple(c for c in claims if c.process_before in names and c.process_after in names),
        blocks=blocks,
        lines=reading.lines,
        verdict=_verdict(reading),
        replay=words.replay(header),
        left_out=_left_out(reading, blocks, len(all_lanes) - len(some_lanes), thinned, shown),
    )


def _verdict(reading: Reading) -> tuple[str, ...]:
    """The verdict in sentences; a history that was cut is drawn up to where it goes, and says so."""
    cut = [words.stops(reading.events, reading.end_ms)] if reading.events and not reading.whole else []
    return (*map(reading.numbering.in_sentence, words.verdict(reading.header)), *cut)


def _blocks(reading: Reading, rows_max: int) -> tuple[Block, ...]:
    whole = [replace(block, rows=collapsed(block.rows)) for block in _merged(list(reading.blocks))]
    chosen = _telling(whole, rows_max)
    return tuple(
        _selected(block, [n for n in range(len(block.rows)) if (i, n) in chosen]) for i, block in enumerate(whole)
    )


def _telling(blocks: list[Block], rows_max: int) -> set[tuple[int, int]]:
    """(block, row) of what is shown: everything if it fits, else the eventful rows and a few beside them."""
    places = [(i, n) for i, block in enumerate(blocks) for n in range(len(block.rows))]
    if len(places) <= rows_max:
        return set(places)
    interest = {(i, n): blocks[i].rows[n].interest for i, n in places}
    eventful = [place for place in places if interest[place] >= EVENTFUL]

    def rank(place: tuple[int, int]) -> tuple[int, int, tuple[int, int]]:
        near = min((abs(place[1] - n) for i, n in eventful if i == place[0]), default=place[1])
        return (-interest[place] if interest[place] >= EVENTFUL else 0, near, place)

    return set(sorted(places, key=rank)[: min(rows_max, max(len(eventful) + BESIDE, ROWS_MIN))])


def _merged(blocks: list[Block]) -> list[Block]:
    """Groups of a stream in which every entry fared the same become one block."""
    out: list[Block] = []
    for block in blocks:
        last = out[-1] if out else None
        if last is not None and last.stream == block.stream and last.groups and block.groups:
            pairs = list(zip(last.rows, block.rows, strict=False))
            if len(last.rows) == len(block.rows) and all(_alike(a, b) for a, b in pairs):
                rows = tuple(replace(a, by=", ".join(filter(None, (a.by, b.by)))) for a, b in pairs)
                out[-1] = replace(last, groups=last.groups + block.groups, rows=rows)
                continue
        out.append(block)
    return out


def _alike(one: Row, other: Row) -> bool:
    """Whether nothing but the owner's name tells them apart, and the owners had it for no time at all."""
    owned = any(segment.owner for row in (one, other) for segment in row.segments)
    return not owned and (one.entry, one.segments, one.marks) == (other.entry, other.segments, other.marks)


def _selected(block: Block, places: list[int]) -> Block:
    """The block with some of its rows, the scale for those, and a word on the others."""
    rows = [block.rows[n] for n in places]
    rest = [row for n, row in enumerate(block.rows) if n not in set(places)]
    top = max((row.idle_max_ms for row in rows), default=0)
    if block.min_idle_ms:
        longest = max(block.min_idle_ms)
        top = max(min(top, round(longest * IDLE_TOP)), round(longest * 1.15))
    return replace(block, rows=tuple(rows), idle_top_ms=top, left_out=_outcomes(rest))


def _outcomes(rows: list[Row]) -> str:
    """What became of rows that are not shown: the most frequent first."""
    if not rows:
        return ""
    counts = Counter(row.outcome for row in rows for _ in row.names).most_common()
    told = ", ".join(f"{n:,} {outcome}" if len(counts) > 1 else outcome for outcome, n in counts)
    return f"{words.counted(sum(len(row.names) for row in rows), 'more entry', 'more entries')}: {told}"


def _without_additions(lane: Lane, shown: set[str]) -> Lane:
    """The lane without the marks of entries that have no row."""
    marks = [mark for mark in lane.marks if mark.sign is not Sign.ADDED or shown.intersection(_added(mark))]
    return replace(lane, marks=tuple(marks))


def _added(mark: Mark) -> list[str]:
    return mark.text.removeprefix("+").split(", ")


def _choose_lanes(lanes: list[Lane], claims: tuple[Claim, ...], shown: set[str], lanes_max: int) -> tuple[Lane, ...]:
    if len(lanes) <= lanes_max:
        return tuple(lanes)
    claimers = {name for claim in claims for name in (claim.process_before, claim.process_after)}

    def interest(lane: Lane) -> int:
        crashed = any(mark.sign is Sign.CRASHED for mark in lane.marks)
        worked = any(work.entry in shown for work in lane.works)
        added = any(mark.sign is Sign.ADDED and shown.intersection(_added(mark)) for mark in lane.marks)
        return 8 * crashed + 4 * (lane.name in claimers) + 2 * worked + added

    ranked = sorted(range(len(lanes)), key=lambda index: (-interest(lanes[index]), index))
    return tuple(lanes[index] for index in sorted(ranked[:lanes_max]))


def _axis(
    blocks: tuple[Block, ...], lanes: tuple[Lane, ...], claims: tuple[Claim, ...],
    lines: tuple[Line, ...], commands: tuple[Command, ...], end_ms: int,
) -> Axis:  # fmt: skip
    rows = [row for block in blocks for row in block.rows]
    whole = not any(block.left_out for block in blocks)
    moments = {0, end_ms, *(line.at_ms for line in lines), *(claim.at_ms for claim in claims)}
    for row in rows:
        moments.update(mark.at_ms for mark in row.marks)
        moments.update(segment.begin_ms for segment in row.segments)
    shown = {name for row in rows for name in row.names}
    works = [work for lane in lanes for work in lane.works if whole or work.entry in shown]
    for work in works:
        moments.update((work.begin_ms, work.end_ms))
    for lane in lanes:
        moments.update(mark.at_ms for mark in lane.marks if mark.sign is not Sign.ADDED or whole)
    if whole:
        moments.update(command.at_ms for command in commands)
    gaps = [b - a for a, b in pairwise(sorted(moments))]
    unit = typical([work.end_ms - work.begin_ms for work in works] or gaps)
    return axis((at_ms for at_ms in moments if 0 <= at_ms <= end_ms), unit)


def _left_out(
    reading: Reading, blocks: tuple[Block, ...], lanes: int, thinned: int, shown: set[str]
) -> tuple[str, ...]:
    if not reading.events:
        return ("anything: this history has no events",)
    out: list[str] = []
    drawn = sum(len(row.names) * max(len(block.groups), 1) for block in blocks for row in block.rows)
    rest = reading.entries - drawn
    if rest:
        out.append(f"{words.counted(rest, 'entry', 'entries')} of {reading.entries:,}, the uneventful ones")
    if lanes:
        out.append(words.counted(lanes, "process", "processes"))
    hidden = sum(1 for claim in reading.claims if not shown.intersection(claim.entries))
    if hidden:
        out.append(f"{words.counted(hidden, 'claim')} of entries that are not shown")
    if thinned:
        out.append(f"{words.counted(thinned, 'handler or command', 'handlers and commands')} too close to others")
    if reading.quiet:
        out.append(words.counted(reading.quiet, "command") + " that changed nothing, such as reads that found nothing")
    return tuple(out)


def without_saw_tooth(row: Row, block: Block) -> bool:
    """Whether the idle clock of a row is too short to be worth a strip of its own."""
    if not row.idle or not block.idle_top_ms:
        return True
    long = bool(block.min_idle_ms) and row.idle_max_ms * 4 >= block.idle_top_ms
    claimed = any(mark.sign in (Sign.CLAIMED, Sign.RENEWED, Sign.REREAD) for mark in row.marks)
    stuck = any(segment.state in (State.ORPHANED, State.DANGLING) for segment in row.segments)
    return not (claimed or stuck or long)
