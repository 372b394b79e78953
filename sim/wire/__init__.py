"""The model as a Redis server: RESP on sockets, and what holds of connections rather than of keys."""
