"""The model checker: every interleaving and every fault of a small world, and what comes of it."""
