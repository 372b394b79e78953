"""When and where things happen, and what may go wrong: the world around the model."""
