"""What a run looks like, for people: the timeline, and the story in words."""
