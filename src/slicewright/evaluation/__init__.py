"""Comparisons, tables, figures and reports (floor 5)."""
