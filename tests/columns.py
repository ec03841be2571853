"""Columns of numbers as pages read them."""

from __future__ import annotations

import base64
from typing import Any

import numpy as np


def column_of(column: Any) -> np.ndarray:
    """The numbers of a column that :func:`slicewright.drawing.web.column` made."""
    return np.frombuffer(base64.b64decode(column["data"]), dtype=f"<{column['type']}")
