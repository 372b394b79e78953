"""One breadth-first search by several processes: each owns the states of some servers, and looks at those alone."""
