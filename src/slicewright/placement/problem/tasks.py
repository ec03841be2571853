"""The problem value of placement: divisible tasks with deadlines on one network (model page 2)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Literal, TypeAlias

import numpy as np

from slicewright.errors import InvalidTasksError
from slicewright.files.fields import FieldReader
from slicewright.placement.problem.options import Options, list_options
from slicewright.placement.problem.topology import Topology
from slicewright.types import FloatArray, IntArray

Split: TypeAlias = Literal["proportional", "equal", "none"]
SPLITS: tuple[Split, ...] = ("proportional", "equal", "none")
OPTIONAL = ("uplink_bps", "device_capacity_hz", "device_cost_bit_hops")
"""Fields that say something of each task's device, and need not be given."""
REJECTION_FACTOR = 10.0
"""A rejected task counts as if its bits went ten times the longest way (model page 2)."""

_read = FieldReader(InvalidTasksError)


@dataclass(frozen=True, eq=False)
class Tasks:
    """One placement problem. Immutable: arrays are read-only; use :meth:`with_` for a changed copy.

    Attributes:
        topology: nodes, access points and distances.
        access_point: (K,) ingress a_k of every task.
        size_bits: (K,) bit, S_k.
        cycles: (K,) cycle, w_k.
        deadline_s: (K,) s, D_k.
        arrival_rate_hz: (K,) 1/s, lambda_k.
        split: how a partial offload divides the work of a pair of COINs: ``proportional`` to their speeds,
            ``equal`` halves, or ``none``: one COIN takes it all.
        origin: where the tasks came from (preset and seed).
        uplink_bps: (K,) bit/s from each task's device to its access point; by default sending takes no time.
        device_capacity_hz: (K,) cycle/s of each task's own device, 0 where it executes nothing; by default none does.
        device_cost_bit_hops: (K,) bit hops that executing on the device counts in cost and objective (its battery,
            in the currency of the network); by default nothing.

    Raises:
        InvalidTasksError: a shape, sign or number breaks its rule.
    """

    topology: Topology
    access_point: IntArray
    size_bits: FloatArray
    cycles: FloatArray
    deadline_s: FloatArray
    arrival_rate_hz: FloatArray
    split: Split = "proportional"
    origin: Mapping[str, object] = field(default_factory=dict)
    uplink_bps: FloatArray | None = None
    device_capacity_hz: FloatArray | None = None
    device_cost_bit_hops: FloatArray | None = None

    def __post_init__(self) -> None:
        per_task = ("tasks",)
        size = _read.numbers(self.size_bits, "tasks.size_bits", (None,), positive=True, axes=per_task)
        if size.size == 0:
            raise InvalidTasksError("tasks", "there must be at least one task")
        ingress = _read.indices(
            self.access_point, "tasks.access_point", size.shape, below=self.topology.n_access_points
        )
        checked: dict[str, FloatArray | IntArray] = {"size_bits": size, "access_point": ingress}
        for name in ("cycles", "deadline_s", "arrival_rate_hz"):
            checked[name] = _read.numbers(
                getattr(self, name), f"tasks.{name}", size.shape, positive=True, axes=per_task
            )
        for name in OPTIONAL:
            given = getattr(self, name)
            if given is not None:
                checked[name] = _read.numbers(
                    given, f"tasks.{name}", size.shape, positive=name == "uplink_bps", axes=per_task
                )
        if self.device_cost_bit_hops is not None and self.device_capacity_hz is None:
            raise InvalidTasksError("tasks.device_cost_bit_hops", "needs tasks.device_capacity_hz beside it")
        for name, array in checked.items():
            array.setflags(write=False)
            object.__setattr__(self, name, array)
        object.__setattr__(self, "split", _read.choice(self.split, "split", SPLITS))
        coins, mecs = self.topology.coins.size, self.topology.mecs.size
        if mecs == 0 and (coins == 0 or (coins == 1 and self.split != "none")):
            raise InvalidTasksError(
                "nodes",
                "there must be a MEC server, or enough COINs for one partial offload",
                value=coins + mecs,
            )

    @property
    def n_tasks(self) -> int:
        """K."""
        return int(self.size_bits.size)

    @cached_property
    def options(self) -> Options:
        """Every way to place every task, with its cost and its limits on the queues."""
        return list_options(
            self.topology,
            access_point=self.access_point,
            size_bits=self.size_bits,
            cycles=self.cycles,
            deadline_s=self.deadline_s,
            split=self.split,
            uplink_s=self.uplink_s,
            device_capacity_hz=self.device_capacity_hz,
            device_cost=self.device_cost_bit_hops,
        )

    @property
    def uplink_s(self) -> FloatArray:
        """(K,) s that a task takes from its device to its access point."""
        return np.zeros(self.n_tasks) if self.uplink_bps is None else self.size_bits / self.uplink_bps

    @cached_property
    def rejection_cost(self) -> FloatArray:
        """(K,) bit hops. What a rejected task adds to the objective; above the cost of any placement."""
        return REJECTION_FACTOR * self.topology.longest * self.size_bits

    def with_(self, **changes: Any) -> Tasks:
        """A copy with some fields replaced, checked like any other problem."""
        return replace(self, **changes)

    def take(self, chosen: IntArray) -> Tasks:
        """The problem of some of the tasks, in the given order."""
        names = ("access_point", "size_bits", "cycles", "deadline_s", "arrival_rate_hz", *OPTIONAL)
        given = [name for name in names if getattr(self, name) is not None]
        return replace(self, **{name: getattr(self, name)[np.asarray(chosen)] for name in given})

    def __repr__(self) -> str:
        t = self.topology
        return (
            f"Tasks({self.n_tasks} tasks, {t.n_access_points} access points, {t.coins.size} COINs, "
            f"{t.mecs.size} MEC, split={self.split!r})"
        )
