"""Why an entry is where it is: its causal chain, read from a history."""
