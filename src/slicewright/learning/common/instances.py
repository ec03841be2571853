"""Sets of solved instances: how they are split, and which sizes they cover."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from slicewright.errors import InvalidOptionError
from slicewright.types import IntArray


def folds(count: int, parts: int, *, seed: int = 0) -> list[IntArray]:
    """Random disjoint folds of ``range(count)``, as even as possible, each in ascending order.

    Raises:
        InvalidOptionError: fewer than two parts, or more parts than instances.
    """
    if not 2 <= parts <= count:
        raise InvalidOptionError("folds", f"must be from 2 to the number of instances, {count}", value=parts)
    return [np.sort(part) for part in np.array_split(np.random.default_rng(seed).permutation(count), parts)]


def ranges(counts: Mapping[str, Sequence[int]]) -> dict[str, list[int]]:
    """Smallest and largest of every count, by its name, as a card says what a model was trained for."""
    return {name: [int(min(values)), int(max(values))] for name, values in counts.items()}
