"""Scenarios and tasks in; plans, placements and how they fare over time out."""
