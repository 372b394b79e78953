"""Unmodified asyncio programs in one world: an event loop in virtual time, a network, a served model, faults."""
