"""Compiled: many copies of a network at once."""
