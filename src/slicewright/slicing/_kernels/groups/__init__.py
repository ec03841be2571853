"""Moves of whole groups where each device has a queue of its own: exact answers to small problems, in microseconds."""
