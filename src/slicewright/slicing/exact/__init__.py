"""Proven optima of problem one."""

from slicewright.slicing.exact.solve import ExactAnswer, solve_exact

__all__ = ["ExactAnswer", "solve_exact"]
