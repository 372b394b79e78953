"""Logs of real servers, read back into histories: what happened in production, told as a run is."""
