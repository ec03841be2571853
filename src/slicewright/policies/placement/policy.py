"""What a placement method is: a function that decides where tasks go within limits."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from slicewright.types import IntArray


@dataclass(frozen=True, eq=False)
class Answer:
    """What a method decides.

    Attributes:
        choice: (K,) index of an option of ``tasks.options``, or -1 for a rejected task;
            :func:`slicewright.placement.choice_of` makes it from nodes.
        lower_bound_bit_hops: proven lower bound of the objective, 0 if the method proves none.
        notes: what the method wants to say (a fallback it took, a model out of its range).
    """

    choice: IntArray
    lower_bound_bit_hops: float = 0.0
    notes: tuple[str, ...] = ()


PlacementMethod: TypeAlias = Callable[..., Answer]
"""``method(tasks, *, budget_s: float | None, seed: int, **options) -> Answer`` decides where tasks go.

``budget_s`` is the wall time to use in s, ``None`` means the method's own habit. Further keyword-only
parameters with defaults are options that callers of ``place`` may set.
"""
