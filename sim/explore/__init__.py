"""The explorer: a page on a live world, whose address is the tape."""
