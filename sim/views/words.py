"""How times, entries and verdicts are put into words, in pictures and in the story alike."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

from ...models import facts as f
from ...models import ids
from ..events import ClockDrifts, Effect, Handled, Handling, ReplicaCut, Served, ServerDown, ServerLost
from ..history import History


def duration(ms: int) -> str:
    """A time in the unit that people would use, exact: ``950 ms``, ``5.06 s``, ``2 min 5 s``."""
    sign, ms = ("−" if ms < 0 else ""), abs(ms)
    if ms < 1000:
        return f"{sign}{ms} ms"
    if ms < 60_000:
        return f"{sign}{seconds(ms)} s"
    minutes, rest = divmod(ms, 60_000)
    hours, minutes = divmod(minutes, 60)
    parts = [(hours, f"{hours} h"), (minutes, f"{minutes} min"), (rest, f"{seconds(rest)} s")]
    return sign + " ".join(part for value, part in parts if value)


def jump(by_ms: int) -> str:
    """How far a clock was set: ``+5 s`` or ``−5 s``."""
    return duration(by_ms) if by_ms < 0 else f"+{duration(by_ms)}"


def fall(event: ServerLost) -> tuple[str, str]:
    """Who takes the server's place, and how: as the beginning and the end of a sentence."""
    lacks = f", and lacks the last {counted(event.lacking, 'unit')} of what it was told" if event.lacking else ""
    if event.cause == "failover":
        return "a replica", f"takes the server's place{lacks or ', and has everything'}"
    if event.lacking < 0:
        return "the server", "restarts empty"
    lacks = f", which lacks the last {counted(event.lacking, 'unit')}" if event.lacking else ""
    what = "last snapshot" if event.cause == "snapshot" else "append-only file"
    return "the server", f"restarts from its {what}{lacks}"


def lost(cause: str) -> str:
    """What became of an entry that went with the server; empty where something else is the cause."""
    if cause not in f.SERVER_LOST:
        return ""
    return "lost in the failover" if cause == "failover" else "lost in the restart"


def apart(event: ServerDown | ReplicaCut) -> tuple[str, str]:
    """Who cannot be reached, and for how long: as the beginning and the end of a sentence."""
    if isinstance(event, ServerDown):
        return "the server", f"accepts no connection for {duration(event.for_ms)}"
    return "the replica", f"is reached by nothing for {duration(event.for_ms)}"


def drift(event: ClockDrifts) -> str:
    """How wrong a clock runs."""
    how = "fast" if event.ms_a_second > 0 else "slow"
    return f"the clock of {event.host} runs {duration(abs(event.ms_a_second))} a second {how} from now on"


def seconds(ms: int) -> str:
    """Milliseconds as seconds, without zeros at the end."""
    return f"{ms / 1000:.3f}".rstrip("0").rstrip(".")


def roughly(ms: int) -> str:
    """A time in about two digits, for labels in which the exact one would be noise."""
    if ms < 1000:
        return duration(ms)
    return duration(round(ms, -2 if ms < 60_000 else -3))


def text(value: bytes) -> str:
    """Bytes as people read them, on one line: what cannot be printed is spelled out."""
    read = value.decode("utf-8", "backslashreplace")
    if read.isprintable():  # mostly
        return read
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in read)


def short(value: str, length: int) -> str:
    """At most ``length`` characters; what is cut off leaves an ellipsis."""
    return value if len(value) <= length else value[: length - 1] + "…"


def fields_of(fields: Sequence[bytes]) -> str:
    """The fields of an entry as ``name=value name=value``."""
    pairs = zip(fields[::2], fields[1::2], strict=False)
    return " ".join(f"{text(name)}={text(value)}" for name, value in pairs)


def listed(items: Iterable[str]) -> str:
    """``a``, ``a and b``, ``a, b and c``; many whole numbers in a row as ``3 to 9``."""
    names = list(items)
    if len(names) > 3 and all(name.isdecimal() for name in names):
        numbers = [int(name) for name in names]
        if numbers == list(range(numbers[0], numbers[0] + len(numbers))):
            return f"{names[0]} to {names[-1]}"
    if len(names) < 2:
        return "".join(names)
    return f"{', '.join(names[:-1])} and {names[-1]}"


def entries(numbers: Sequence[str]) -> str:
    """``entry 1`` or ``entries 1, 2 and 5``."""
    return f"{'entry' if len(numbers) == 1 else 'entries'} {listed(numbers)}"


def counted(n: int, noun: str, plural: str = "") -> str:
    """``1 entry``, ``2 entries``."""
    return f"{n:,} {noun if n == 1 else plural or noun + 's'}"


class Numbering:
    """Entries by their place in the order of birth: ``1`` says more to a reader than an ID of 15 digits.

    The entries of a second stream are ``B1``, ``B2``, those of a third ``C1``.
    """

    def __init__(self, history: History) -> None:
        self._numbers: dict[tuple[bytes, int, int], str] = {}
        self._newest: dict[tuple[bytes, int], str] = {}
        self._born: dict[bytes, int] = {}
        for event in history:
            if isinstance(event, Effect | Served):
                for fact in event.facts:
                    if isinstance(fact, f.Added | f.Delivered | f.Claimed):
                        self.of(fact.stream, fact.born, fact.id)
            elif isinstance(event, Handling | Handled):
                self.named(event.stream, event.entry)

    def of(self, stream: bytes, born: int, entry_id: int) -> str:
        """The number of an entry of one incarnation of a key."""
        key = (stream, born, entry_id)
        if key not in self._numbers:
            self._born[stream] = self._born.get(stream, 0) + 1
            letter = _letters(list(self._born).index(stream))
            self._numbers[key] = self._newest[stream, entry_id] = f"{letter}{self._born[stream]}"
        return self._numbers[key]

    def named(self, stream: bytes, entry: bytes) -> str:
        """The number of the newest entry with an ID that is given as text; the text where it is no ID."""
        entry_id = ids.parse(entry, 0, strict=True)
        if entry_id is None:
            return short(text(entry), 12)
        # An entry that nobody added in this history still needs a name: 0 is no incarnation of a key.
        return self._newest.get((stream, entry_id)) or self.of(stream, 0, entry_id)

    def briefly(self, sentence: str) -> str:
        """A sentence of a property with the numbers of entries in place of their IDs."""
        return re.sub(r"\b\d+-\d+\b", lambda found: self.stated(found[0].encode()) or found[0], sentence)

    def in_sentence(self, sentence: str) -> str:
        """A sentence of a property, which names entries by ID, with their numbers added."""
        return re.sub(r"entry (\d+-\d+)", self._with_number, sentence)

    def _with_number(self, found: re.Match[str]) -> str:
        number = self.stated(found[1].encode())
        return f"entry {number} [{found[1]}]" if number else found[0]

    def stated(self, entry: bytes) -> str:
        """The number of an entry whose stream is not said; empty where two streams have one, or none has."""
        entry_id = ids.parse(entry, 0, strict=True)
        found = {number for (_, known), number in self._newest.items() if known == entry_id}
        return found.pop() if len(found) == 1 else ""


def _letters(index: int) -> str:
    """Nothing for the first stream, then B to Z, then numbers."""
    if index < 26:
        return chr(ord("A") + index) if index else ""
    return f"{index + 1}."


SOURCES = {
    "serve": "What a served model saw", "proxy": "What a proxy saw", "monitor": "What MONITOR showed",
}  # fmt: skip
"""What histories without a scenario are called, by where they come from."""


def title(header: dict[str, Any]) -> str:
    """The scenario and its variant; else where the history comes from."""
    parts = [str(header[key]) for key in ("scenario", "variant") if header.get(key)]
    return ", ".join(parts) or SOURCES.get(str(header.get("source")), "A run without a name")


def subtitle(header: dict[str, Any]) -> str:
    """The dialect, the seed and the parameters."""
    parts = [str(header["dialect"])] if header.get("dialect") else []
    if header.get("seed") is not None:
        parts.append(f"seed {header['seed']}")
    params = header.get("params")
    if isinstance(params, dict):
        parts += [f"{key} {value}" for key, value in params.items()]
    return " · ".join(parts)


def summary(header: dict[str, Any]) -> str:
    """What the scenario is about, in its own words."""
    return str(header.get("summary") or "")


def replay(header: dict[str, Any]) -> str:
    """The command that runs this tape again, or nothing where the tape is unknown."""
    how = header.get("again") or "redelivery replay"
    return f"{how} {header['tape']}" if header.get("tape") else ""


def violations(header: dict[str, Any]) -> list[dict[str, Any]]:
    """The violations that the header names, each with at least a property."""
    found = header.get("violations")
    return [item for item in found if isinstance(item, dict)] if isinstance(found, list) else []


def broke(header: dict[str, Any]) -> str:
    """What broke first, in the words of its property."""
    told = [str(item.get("message") or "").strip() for item in violations(header)]
    if not told or not told[0]:
        return ""
    first = told[0]
    # A name at the beginning is spelled as it is.
    plain = first.partition(" ")[0] in ("entry", "entries", "the", "a", "an", "nobody", "no")
    return f"{first[0].upper() if plain else first[0]}{first[1:]}."


def badge(header: dict[str, Any]) -> str:
    """The verdict in two words."""
    verdict = str(header.get("verdict") or "")
    names = list(dict.fromkeys(str(item.get("property")) for item in violations(header)))
    if verdict == "violated" and names:
        return f"VIOLATED: {', '.join(names)}"
    return verdict.upper()


def verdict(header: dict[str, Any]) -> list[str]:
    """The verdict in sentences: what broke, when, and what happened."""
    given = str(header.get("verdict") or "")
    if not given:
        return ["No verdict was recorded with this history."]
    declared = str(header.get("declared") or "")
    agrees = declared.partition(" ")[0] == given
    expected = ", as declared" if agrees else f" (declared: {declared})" if declared else ""
    if given == "incomplete":
        unmet = header.get("unmet")
        names = ", ".join(map(str, unmet)) if isinstance(unmet, list) else ""
        reason = f"never met: {names}" if names else "a bound was hit before the end"
        return [f"Incomplete{expected}: {reason}. This is not a pass."]
    if given == "holds":
        return [f"Holds{expected}.{_held(header)}"]
    lines = [f"{given.capitalize()}{expected}."]
    for item in violations(header):
        when = f" at {duration(item['at_ms'])}" if isinstance(item.get("at_ms"), int) else ""
        step = f" (event {item['step']})" if item.get("step") is not None else ""
        message = str(item.get("message") or "").strip()
        lines.append(f"{item.get('property')} broke{when}{step}: {message}".rstrip(": "))
    return lines


def stops(events: int, end_ms: int) -> str:
    """That a history was cut off, and where: what it shows is no more than its beginning."""
    return f"This history stops at {duration(end_ms)}, after {counted(events, 'event')}: its run went on."


def _held(header: dict[str, Any]) -> str:
    properties = header.get("properties")
    if not isinstance(properties, dict):
        return ""
    held = [name for name, verdict in properties.items() if verdict == "holds"]
    met = [name for name, verdict in properties.items() if verdict == "met"]
    told = f" Nothing broke {', '.join(held)}." if held else ""
    return told + (f" It did happen: {', '.join(met)}." if met else "")
