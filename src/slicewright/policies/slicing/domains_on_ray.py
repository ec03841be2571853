"""Domains of a city as tasks on a Ray cluster; those of a node that is lost are done again on the others."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Any, Self

import numpy as np

from slicewright.errors import MissingExtraError
from slicewright.ray_cluster import join

RETRIES = 5
"""Of a task whose worker or node is lost."""
MOST_KEPT = 1_024
"""Arguments that stay in the cluster's store for later tasks."""


class RayRunner:
    """Calls functions on a Ray cluster; slicewright must be installed on every node of it.

    Args:
        address: of the cluster; by default what the environment says, else a local one for this run.

    Raises:
        MissingExtraError: ray is not installed.
    """

    def __init__(self, *, address: str | None = None) -> None:
        try:
            import ray
        except ImportError:
            raise MissingExtraError("domains on a cluster", "ray") from None
        self._ray: Any = ray
        self._address, self._mine = address, False
        self._kept: dict[int, tuple[Any, Any]] = {}

    def __enter__(self) -> Self:
        self._mine = join(self._ray, self._address)
        self._call = self._ray.remote(num_cpus=1, max_retries=RETRIES)(call_writable)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._kept.clear()
        if self._mine:
            self._ray.shutdown()

    def run(self, work: Callable[..., Any], arguments: Sequence[tuple[Any, ...]]) -> list[Any]:
        """``work(*each)`` for each of the arguments, in order; the first of each is sent once for all calls."""
        tasks = [self._call.remote(work, self._stored(first), *rest) for first, *rest in arguments]
        return [writable(result) for result in self._ray.get(tasks)]

    def _stored(self, value: Any) -> Any:
        if id(value) not in self._kept:
            if len(self._kept) >= MOST_KEPT:
                self._kept.clear()
            self._kept[id(value)] = (
                value,
                self._ray.put(value),
            )  # the value too, or its id might be another's
        return self._kept[id(value)][1]


def call_writable(work: Callable[..., Any], *arguments: Any) -> Any:
    """``work(*arguments)`` with arrays that may be written: those of Ray's store may not, and kernels ask for it."""
    return work(*map(writable, arguments))


def writable(value: Any) -> Any:
    """The same with arrays of its own, in tuples and dataclasses too."""
    if isinstance(value, np.ndarray):
        return value if value.flags.writeable else value.copy()
    if isinstance(value, tuple):
        parts = [writable(part) for part in value]
        return type(value)(*parts) if hasattr(value, "_fields") else tuple(parts)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = {field.name: writable(getattr(value, field.name)) for field in dataclasses.fields(value)}
        return dataclasses.replace(value, **fields)
    return value
