"""Differential testing: the same commands to the model and to a real server, compared to the byte.

A run is a list of actions (`actions.py`). `recorder.py` plays it on the model and writes the script that a
server must follow; `bench.py` has a server follow it; `shrink.py` takes away what a difference does not need.
Where the actions come from: `worlds.py` says what a run is fond of, `source.py` who does what and when,
`command_lines.py` draws a command line from the model's own table of commands, `kinds.py` its arguments. Every
decision is one `choose` of a tape (`redelivery.sim.choices`), so that a run is reproduced by its seed.
"""
