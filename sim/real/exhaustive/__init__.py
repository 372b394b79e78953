"""Exhaustive differential testing: every command from every reachable state, on the model and on a real server.

A state is one stream key and the time on the server's clock. `alphabet.py` says which commands there are, and
which of them lead on; `states.py` what a state is and how the model takes a command in it; `batches.py` what a
server is sent to take them too, and what it must answer to the byte; `probing.py` sends it and isolates what differs;
`search.py` goes breadth first from the empty server, so that what it reports is as short as can be; `workers.py`
does so in several processes; `checkpoint.py` keeps how far it got. The one door is `explore`.
"""

from __future__ import annotations
