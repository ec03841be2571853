"""Measured queues against the model's formulas and against theory: cases, one table, one figure."""

from slicewright.simulation.validation.figure import draw_validation
from slicewright.simulation.validation.measuring import CASES, LOADS, Case, Row, validate

__all__ = ["CASES", "LOADS", "Case", "Row", "draw_validation", "validate"]
