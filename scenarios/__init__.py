"""The catalogue: one file a scenario, each with what breaks and what repairs it."""
