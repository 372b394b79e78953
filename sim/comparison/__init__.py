"""Streams, lists and Pub/Sub through the same failures, and what was measured."""
