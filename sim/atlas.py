"""The maps that the catalogue shows: where a scenario is safe as two of its parameters change.

`python -m redelivery.sim.atlas` draws them into `notebooks/`, in the current folder; it takes a minute. Each picture
carries the numbers that it was drawn from, in its description, and tests hold them against the checker.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from .catalogue import find

FOLDER = "notebooks"


@dataclass(frozen=True, slots=True)
class KeptMap:
    """A map as it is asked for, and what it says."""

    name: str
    """Of its picture, without ending."""
    title: str
    scenario: str
    variant: str
    x: str
    y: str
    params: dict[str, str]
    steps: int
    says: str

    @property
    def path(self) -> str:
        """Where its picture is, from the root."""
        return f"{FOLDER}/{self.name}.svg"

    @property
    def command(self) -> str:
        """What draws it."""
        given = "".join(f" --param {key}={value}" for key, value in self.params.items())
        return (
            f"redelivery map {self.scenario} --variant {self.variant} --x {self.x} --y {self.y}{given} "
            f"--steps {self.steps} -o {self.name}.svg"
        )


MAPS = (
    KeptMap(
        "map-handler", "A handler against min-idle", "slow-handler-claimed", "broken",
        "min_idle=1s..60s", "handler=1s..60s", {"entries": "1"}, 7,
        "The border is handler = min-idle, whatever the two are: an order is handled twice as soon as its handler "
        "takes longer than min-idle by as much as others need to look for it, here up to a second. No min-idle is safe "
        "by itself: it is safe against the longest handler.",
    ),
    KeptMap(
        "map-heartbeat", "A heartbeat against min-idle", "slow-handler-claimed", "repaired",
        "min_idle=1s..30s", "heartbeat=1s..30s", {"entries": "1", "handler_ms": "20000"}, 7,
        "A handler of 20 s that renews its claim. A heartbeat below min-idle is safe for any handler; one above it "
        "does not help at all, up to where min-idle is above the handler and no heartbeat is needed.",
    ),
    KeptMap(
        "map-prefetch", "Prefetch against min-idle", "prefetch-ages-in-buffer", "broken",
        "min_idle=500ms..8s", "prefetch=1..8", {"entries": "8"}, 8,
        "Each order takes 0.8 s, and the worker reads several at once. The idle clock starts at the read, the handler "
        "later: safe is not what is above the handler, but what is above prefetch × handler "
        "(dapr/components-contrib #4599).",
    ),
)  # fmt: skip


def draw(kept: KeptMap) -> bytes:
    """The picture of a map as the bytes of an SVG file; every point of it is checked anew."""
    from .check.mapping import parse_axis, survey
    from .views.map_picture import render

    scenario = find(kept.scenario)
    x, y = parse_axis(kept.x, "--x", scenario), parse_axis(kept.y, "--y", scenario)
    dialect = scenario.variant(kept.variant).dialect
    return render(survey(scenario, kept.variant, dialect, x, y, kept.params, kept.steps), "svg")


if __name__ == "__main__":
    for _kept in MAPS:
        Path(_kept.path).write_bytes(draw(_kept))
