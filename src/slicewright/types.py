"""Array types used in signatures. Shapes and units are in the docstrings."""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

FloatArray: TypeAlias = NDArray[np.float64]
IntArray: TypeAlias = NDArray[np.int64]
BoolArray: TypeAlias = NDArray[np.bool_]
Queueing: TypeAlias = Literal["node", "device"]
Document: TypeAlias = dict[str, Any]
"""A parsed YAML or JSON mapping."""
