"""Real servers out of Debian's packages, for a user without root: found, fetched, verified, unpacked."""
