"""Slicing at the size of a city: search, bound and changes on lists of candidates."""
