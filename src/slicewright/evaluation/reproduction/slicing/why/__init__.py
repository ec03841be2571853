"""Slicing: why the published figures are what they are, by experiment."""
