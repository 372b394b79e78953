"""Stories of replay: each property, what breaks it, what nearly does, and its exceptions."""

from __future__ import annotations

from redelivery.sim.events import Ended

from .telling import Case, journal, projected

BREAKS = [
    Case("replay-equals-live", "a projection is built again and differs",
         [projected(50, 1, "live"), projected(80, 2, "live"), projected(30, 2, "late")],
         ("entry 2-0", "late has balance = 30", "live had 80")),
    Case("projections-agree", "two end differently",
         [projected(50, 1, "live"), projected(80, 2, "live"), projected(50, 1, "late"), Ended(5)],
         ("balance", "50", "late", "80", "live")),
    Case("never-overdrawn", "two spend what is there once",
         [journal(b"earned", 100, 1), journal(b"spent", 80, 2), journal(b"spent", 80, 3)], ("-60", "shop")),
]  # fmt: skip

NEARLY = [
    Case("replay-equals-live", "the same value at the same entry, another at another, and of another projection",
         [projected(50, 1, "live"), projected(50, 1, "late"), projected(80, 2, "late"),
          projected(7, 2, "late", name="orders")]),
    Case("projections-agree", "they differ on the way and agree at the end",
         [projected(50, 1, "live"), projected(10, 1, "late"), projected(80, 2, "live"), projected(80, 2, "late"),
          projected(7, 2, "late", name="orders"), Ended(5)]),
    Case("never-overdrawn", "the last point is spent, and other streams do not count",
         [journal(b"earned", 80, 1), journal(b"spent", 99, 2, stream=b"other"), journal(b"spent", 80, 3)]),
]  # fmt: skip

EXCEPTIONS: list[Case] = []
