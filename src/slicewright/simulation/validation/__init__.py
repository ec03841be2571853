"""Measured queues against the model's formulas, theory and a test bed: cases, one table, one figure."""

from slicewright.simulation.validation.figure import draw_validation
from slicewright.simulation.validation.measuring import CASES, LOADS, Case, Row, validate
from slicewright.simulation.validation.prediction import MeasuredTasks, Prediction, predict

__all__ = [
    "CASES",
    "LOADS",
    "Case",
    "MeasuredTasks",
    "Prediction",
    "Row",
    "draw_validation",
    "predict",
    "validate",
]
