"""The commands: one file a family, and one table of all of them."""
