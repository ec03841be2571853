"""Building the rows of a programme in blocks of like rows."""

from __future__ import annotations

import math

import numpy as np
from scipy.sparse import coo_array, csr_array

from slicewright.types import FloatArray, IntArray

Terms = tuple[IntArray, IntArray, FloatArray | float]
"""Rows (numbered from 0 within the block), columns and coefficients of terms; a number stands for all."""


class Rows:
    """Rows of a sparse matrix in the making."""

    def __init__(self) -> None:
        self._terms: list[tuple[IntArray, IntArray, FloatArray]] = []
        self._lower: list[FloatArray] = []
        self._upper: list[FloatArray] = []
        self._count = 0

    def add(self, count: int, *terms: Terms, lower: float = -math.inf, upper: float = math.inf) -> None:
        """Add a block of rows that share their sides.

        Args:
            count: rows in the block.
            *terms: what is summed in them.
            lower, upper: sides of every row of the block.
        """
        for row, column, value in terms:
            self._terms.append((row + self._count, column, np.broadcast_to(np.float64(value), row.shape)))
        self._lower.append(np.full(count, lower))
        self._upper.append(np.full(count, upper))
        self._count += count

    def finish(self, width: int) -> tuple[csr_array, FloatArray, FloatArray]:
        """The matrix (m, width), and the lower and upper sides (m,)."""
        row, column, value = (np.concatenate(part) for part in zip(*self._terms, strict=True))
        matrix = coo_array((value, (row, column)), shape=(self._count, width)).tocsr()
        return matrix, np.concatenate(self._lower), np.concatenate(self._upper)
