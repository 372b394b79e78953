"""Drawing the server, the replicas that take its place, and requests and replies on their way."""

from __future__ import annotations

from itertools import groupby

from .paint_faults import draw_crash, draw_jump, draw_letter
from .paint_lanes import lane_middle
from .palette import INK, SOFT, TROUBLE
from .picture import Command, Loss, ServerLane, Sign
from .sheet import LANE_IN, LARGE, SERVER_IN, SMALL, Sheet, width_of
from .words import short

USUAL = ("XADD", "XREADGROUP", "XACK")
"""Commands that marks on the lanes and rows tell already; the server's lane names the others."""
WAYS_MAX = 48
"""The ways of more commands than this would hide the picture: then only those of the telling ones are drawn."""
IDLE_APART_IN = 0.012
ASIDE_IN = 0.018
"""How far a reply that takes no time is drawn beside its request."""


def server_middle(sheet: Sheet, number: int = 0) -> float:
    """The middle line of a server's lane."""
    return sheet.places.servers[number] + SERVER_IN / 2 + 0.04


def draw_servers(sheet: Sheet) -> None:
    """One lane for the server, one for each replica that took its place, and what went to and fro."""
    for number, server in enumerate(sheet.picture.servers):
        _draw_server(sheet, server, server_middle(sheet, number))
    _draw_marks(sheet)
    few = len(sheet.picture.commands) <= WAYS_MAX
    _draw_idle(sheet)
    for command in sheet.picture.commands:
        y = server_middle(sheet, command.server)
        colour = TROUBLE if command.failed else sheet.look(command.process).colour
        x = sheet.x(command.at_ms)
        sheet.line([(x, y - 0.06), (x, y + 0.06)], color=colour, width=1.5, z=3)
        if few or _told(command):
            _draw_way(sheet, command, y, colour)
    for loss in sheet.picture.losses:
        _draw_loss(sheet, loss)
    _draw_told(sheet)
    usual = [name for name in USUAL if any(command.text == name for command in sheet.picture.commands)]
    if usual:
        *first, last = usual
        names = f"{', '.join(first)} or {last}" if first else last
        sheet.explain(f"a command ({names} where it has no name)", lambda x, y: _sample_command(sheet, x, y))


def _draw_server(sheet: Sheet, server: ServerLane, y: float) -> None:
    begin = sheet.x(server.begin_ms) if server.begin_ms else sheet.left
    end = sheet.right if server.end_ms is None else sheet.x(server.end_ms)
    sheet.text(sheet.left - 0.26, y, server.name, size=LARGE, weight="bold", ha="right")
    if server.begin_ms:
        sheet.line([(sheet.left, y), (begin, y)], color=SOFT, width=0.8, dashes=(1, 3), z=1)
        sheet.explain("follows", lambda x, y: sheet.line([(x, y), (x + 0.28, y)], width=0.8, dashes=(1, 3)))
    sheet.line([(begin, y), (end, y)], color=SOFT, width=0.8, z=1)
    if server.end_ms is not None:
        draw_crash(sheet, end, y)


def _draw_marks(sheet: Sheet) -> None:
    """Jumps of the server's clock, restarts and failovers, and commands that nobody of this world sent."""
    falls = 0
    for mark in sheet.picture.server_marks:
        x = sheet.x(mark.at_ms)
        falls += mark.text.startswith("failover")
        y = server_middle(sheet, falls)
        if mark.sign is Sign.JUMPED:
            draw_jump(sheet, x, y, mark.text)
            continue
        gone = mark.text.startswith(("FLUSH", "DEL", "UNLINK", "EXPIRE"))
        draw_letter(sheet, x, y, "⚡" if mark.sign is Sign.DISCONNECTED else "∅" if gone else "⇄")
        sides = ((0.12, 0.14, "left"), (-0.12, 0.14, "right"), (0.12, -0.14, "left"), (-0.12, -0.14, "right"))
        sheet.label(mark.text, [(x + dx, y + dy, ha) for dx, dy, ha in sides], color=TROUBLE)


def _draw_idle(sheet: Sheet) -> None:
    """Commands that changed nothing, as short and faint strokes: many of them in a row are a story too."""
    last = (-1.0, "")
    for at_ms, process in sheet.picture.idle:
        x = sheet.x(at_ms)
        if process == last[1] and x - last[0] < IDLE_APART_IN:
            continue
        last = (x, process)
        number = max(n for n, server in enumerate(sheet.picture.servers) if server.begin_ms <= at_ms)
        y = server_middle(sheet, number)
        sheet.line([(x, y), (x, y + 0.06)], color=sheet.look(process).colour, width=0.7, z=1.2, alpha=0.6)
    if sheet.picture.idle:
        sheet.explain("a command that changed nothing", lambda x, y: _sample_idle(sheet, x, y))


def _sample_idle(sheet: Sheet, x: float, y: float) -> None:
    sheet.line([(x + 0.04, y), (x + 0.3, y)], width=0.8)
    for dx in (0.12, 0.22):
        sheet.line([(x + dx, y), (x + dx, y + 0.06)], width=0.7)


def _draw_told(sheet: Sheet) -> None:
    """The names of commands; those of one moment stand together."""
    told = [command for command in sheet.picture.commands if _told(command)]
    for (number, at_ms), group in groupby(told, key=lambda command: (command.server, command.at_ms)):
        commands = list(group)
        label = short(", ".join(dict.fromkeys(_told(command) for command in commands)), 44)
        ink = TROUBLE if any(command.failed for command in commands) else INK
        x, y, half = sheet.x(at_ms), server_middle(sheet, number), width_of(label, SMALL - 0.5) / 2
        at = min(max(x, sheet.left - 0.1 + half), sheet.right_edge - half - 0.05)
        sheet.label(label, [(at, y - 0.13, "center")], size=SMALL - 0.5, color=ink, weight="normal")


def _told(command: Command) -> str:
    return "" if command.text in USUAL and not command.failed else short(command.text, 30)


def _sample_command(sheet: Sheet, x: float, y: float) -> None:
    sheet.line([(x + 0.04, y), (x + 0.3, y)], width=0.8)
    sheet.line([(x + 0.17, y - 0.06), (x + 0.17, y + 0.06)], width=1.5)


def _draw_way(sheet: Sheet, command: Command, y: float, colour: str) -> None:
    """Request and reply, each on its way: down to the server, and up again."""
    if command.process not in sheet.places.lanes:
        return
    home, at = lane_middle(sheet, command.process), sheet.x(command.at_ms)
    if command.sent_ms is not None:
        begin = sheet.x(command.sent_ms)
        sheet.line([(begin, home), (at, y - 0.06)], color=colour, width=0.7, z=1.4, alpha=0.7)
        sheet.mark(at, y - 0.075, "v", color=colour, size=2.6, z=1.5, edge_width=0.3)
    if command.replied_ms is not None:
        late = command.replied_ms > command.at_ms
        end = sheet.x(command.replied_ms) + (0 if late else ASIDE_IN)
        start = at + (0 if late else ASIDE_IN)
        sheet.line([(start, y - 0.06), (end, home)], color=colour, width=0.7, z=1.4, alpha=0.7)
        sheet.mark(end, home + 0.12, "^", color=colour, size=2.6, z=1.5, edge_width=0.3)
    word = "a request on its way, and its reply"
    sheet.explain(word, lambda x, y: _sample_way(sheet, x, y))


def _sample_way(sheet: Sheet, x: float, y: float) -> None:
    for dx, marker, head in ((0.12, "v", 0.06), (0.2, "^", -0.06)):
        sheet.line([(x + dx, y - 0.08), (x + dx, y + 0.08)], width=0.7)
        sheet.mark(x + dx, y + head, marker, color=SOFT, size=2.6, edge_width=0.3)


def _draw_loss(sheet: Sheet, loss: Loss) -> None:
    """A request or a reply that never arrived: dashed, with a cross where it was lost."""
    if loss.process not in sheet.places.lanes:
        return
    number = max(n for n, server in enumerate(sheet.picture.servers) if server.begin_ms <= loss.at_ms)
    x, home, y = sheet.x(loss.at_ms), lane_middle(sheet, loss.process), server_middle(sheet, number)
    request = loss.what == "request"
    begin, cross = (home, max(home + 0.19, y - 0.2)) if request else (y, home + 0.19)
    x += 0 if request else ASIDE_IN
    sheet.line([(x, begin), (x, cross)], color=TROUBLE, width=1.3, dashes=(2, 1.5), z=5)
    sheet.mark(x, cross, "x", color=TROUBLE, size=6.5, z=6.6, edge_width=1.9)
    places = [(x + 0.09, cross, "left"), (x - 0.09, cross, "right"), (x + 0.09, home - LANE_IN / 2 + 0.04, "left")]
    sheet.label(f"{loss.what} lost", places, color=TROUBLE)
    sheet.explain("lost on its way", lambda x, y: _sample_loss(sheet, x, y))


def _sample_loss(sheet: Sheet, x: float, y: float) -> None:
    sheet.line([(x + 0.02, y), (x + 0.22, y)], color=TROUBLE, width=1.3, dashes=(2, 1.5))
    sheet.mark(x + 0.22, y, "x", color=TROUBLE, size=6, edge_width=1.8)
