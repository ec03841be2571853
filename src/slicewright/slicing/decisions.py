"""Offloading decisions: for every device local, or an access point, a node and a slice (delta, model page 1.1)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from slicewright.errors import InvalidPlanError
from slicewright.files.fields import FieldReader
from slicewright.network.scenario import Scenario
from slicewright.types import BoolArray, IntArray

LOCAL = -1
_read = FieldReader(InvalidPlanError)


@dataclass(frozen=True, eq=False)
class Decisions:
    """One decision per device; -1 in all three arrays means local.

    Attributes:
        access_point: (I,) index or -1.
        node: (I,) index or -1.
        slice: (I,) index or -1.

    Raises:
        InvalidPlanError: lengths differ or an entry is not a whole number of at least -1.
    """

    access_point: IntArray
    node: IntArray
    slice: IntArray

    def __post_init__(self) -> None:
        length = np.shape(self.access_point)[0] if np.ndim(self.access_point) == 1 else None
        for name in ("access_point", "node", "slice"):
            array = _read.indices(np.asarray(getattr(self, name)) + 1, name, (length,), below=2**40) - 1
            array.flags.writeable = False
            object.__setattr__(self, name, array)

    @classmethod
    def trusted(cls, access_point: IntArray, node: IntArray, slice_: IntArray) -> Decisions:
        """Decisions from arrays that our own kernels made: checking them again would cost as much as a search."""
        made = object.__new__(cls)
        for name, array in (("access_point", access_point), ("node", node), ("slice", slice_)):
            array.flags.writeable = False
            object.__setattr__(made, name, array)
        return made

    @staticmethod
    def all_local(n_devices: int) -> Decisions:
        """Every device computes for itself."""
        local = np.full(n_devices, LOCAL)
        return Decisions(local, local, local)

    @property
    def n_devices(self) -> int:
        """I."""
        return int(self.node.size)

    @property
    def local(self) -> BoolArray:
        """(I,) True where every entry says local."""
        return np.asarray((self.access_point == LOCAL) & (self.node == LOCAL) & (self.slice == LOCAL))

    def valid(self, scenario: Scenario) -> BoolArray:
        """(I,) True where the entry is exactly one decision of Delta_i (13a): local, or a triple that exists.

        An access point out of reach does not exist for a device, nor does a node that is not on its list or has no
        capacity in the slice.
        """
        triple = (
            (self.access_point >= 0) & (self.access_point < scenario.n_access_points)
            & (self.node >= 0) & (self.node < scenario.n_nodes)
            & (self.slice >= 0) & (self.slice < scenario.n_slices)
        )  # fmt: skip
        where = np.flatnonzero(triple)
        usable = (scenario.rate_of(where, self.access_point[where]) > 0) & (
            scenario.node_capacity_hz[self.node[where], self.slice[where]] > 0
        )
        usable &= scenario.may_use(where, self.node[where])
        triple[where] = usable
        return triple | self.local

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Decisions) and all(
            np.array_equal(getattr(self, name), getattr(other, name))
            for name in ("access_point", "node", "slice")
        )
