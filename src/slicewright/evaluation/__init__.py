"""Comparisons, tables, figures and reports."""
