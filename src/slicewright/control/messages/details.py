"""What a slice manager needs besides its grant to ask a learned model: the requests as its slice sees them.

Details are no part of a grant: they bind nobody, are not in the journal, and only managers that share by a model are
sent them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from pydantic import TypeAdapter
from scipy import sparse

from slicewright.control.state.device import Device
from slicewright.control.state.network import Network, positions


@dataclass(frozen=True)
class Details:
    """Requests and network state as one slice sees them (model page 3.1); nothing of other slices.

    Attributes:
        slice: name. slices: how many there are.
        access_points: (A,) names. nodes: (J,) names.
        capacity_hz: (J,) cycle/s, F_j^n in this slice.
        devices: (I,) ids of all requests that a plan can serve.
        task_bits: (I,) bit. local_time_s: (I,) s. arrival_hz: (I,) 1/s. local_capacity_hz: (I,) cycle/s.
        cycles: (I,) cycle, L_in in this slice.
        rate_bps: (I, A) bit/s, 0 where out of reach.
    """

    slice: str
    slices: int
    access_points: tuple[str, ...]
    nodes: tuple[str, ...]
    capacity_hz: tuple[float, ...]
    devices: tuple[str, ...]
    task_bits: tuple[float, ...]
    local_time_s: tuple[float, ...]
    arrival_hz: tuple[float, ...]
    local_capacity_hz: tuple[float, ...]
    cycles: tuple[float, ...]
    rate_bps: tuple[tuple[float, ...], ...]

    def __post_init__(self) -> None:
        """Refuse columns of different lengths.

        Raises:
            ValueError: names the column.
        """
        for name in ("task_bits", "local_time_s", "arrival_hz", "local_capacity_hz", "cycles", "rate_bps"):
            if len(getattr(self, name)) != len(self.devices):
                raise ValueError(f"{name} has {len(getattr(self, name))} entries, not {len(self.devices)}")
        if len(self.capacity_hz) != len(self.nodes):
            raise ValueError(f"capacity_hz has {len(self.capacity_hz)} entries, not {len(self.nodes)}")
        if any(len(row) != len(self.access_points) for row in self.rate_bps):
            raise ValueError(f"a row of rate_bps has not {len(self.access_points)} entries")

    @cached_property
    def row(self) -> Mapping[str, int]:
        """Device to its index."""
        return positions(self.devices)

    @cached_property
    def access_point(self) -> Mapping[str, int]:
        """Access point to its index."""
        return positions(self.access_points)

    @cached_property
    def node(self) -> Mapping[str, int]:
        """Node to its index."""
        return positions(self.nodes)


DETAILS: TypeAdapter[Details] = TypeAdapter(Details)


def details_of(network: Network, devices: Sequence[Device], name: str) -> Details:
    """Details of one slice.

    Args:
        network: with the slice in it.
        devices: those that a plan can serve.
        name: of the slice.
    """
    n = network.slice_names.index(name)
    work, rates = network.arrays(devices) if devices else (np.zeros((0, n + 1)), np.zeros((0, 0)))
    dense = rates.toarray() if isinstance(rates, sparse.csr_array) else rates
    return Details(
        slice=name,
        slices=len(network.slice_names),
        access_points=network.access_points,
        nodes=network.nodes,
        capacity_hz=tuple(network.node_capacity_hz[:, n].tolist()),
        devices=tuple(d.id for d in devices),
        task_bits=tuple(d.task_bits for d in devices),
        local_time_s=tuple(d.local_time_s for d in devices),
        arrival_hz=tuple(d.arrival_rate_hz for d in devices),
        local_capacity_hz=tuple(d.local_capacity_hz for d in devices),
        cycles=tuple(work[:, n].tolist()),
        rate_bps=tuple(tuple(row) for row in dense.tolist()),
    )
