"""What Redis does: a pure, executable reference of Redis Streams.

Nothing here reads a clock, draws a random number, does I/O or imports from ``sim``. Time comes in as
``now_ms``; what a command made true comes out as facts.
"""
