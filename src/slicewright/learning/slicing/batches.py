"""Padded, masked batches of solved scenarios as torch tensors (18-20)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from slicewright.learning.common.batching import stack_padded
from slicewright.models.slicing.features import ScenarioInputs


class NetworkBatch(NamedTuple):
    """Scenarios of any network sizes for the size-free network; padding is what is out of reach or has no capacity.

    Attributes:
        radio, work, capacity, local, arrival, shared: as in ``models.slicing.features.ScenarioInputs``, with a leading
            batch axis.
        mask: (B, I) 1 for a device.
        access_point: (B, I) label, -1 if local or padded.
        group: (B, I) label ``slice * J + node`` in the padded J, -1 if local or padded.
        cost: (B,) cost of the label, in units of the mean local time.
    """

    radio: Tensor
    work: Tensor
    capacity: Tensor
    local: Tensor
    arrival: Tensor
    shared: Tensor
    mask: Tensor
    access_point: Tensor
    group: Tensor
    cost: Tensor

    @property
    def inputs(self) -> tuple[Tensor, ...]:
        """What the network's forward takes."""
        return self.radio, self.work, self.capacity, self.local, self.arrival, self.shared, self.mask


def device_mask(counts: Sequence[int]) -> Tensor:
    """(B, I) m of (20)."""
    return (torch.arange(max(counts))[None] < torch.tensor(list(counts))[:, None]).float()


@dataclass(frozen=True, eq=False)
class NetworkLabel:
    """Label of one scenario for the size-free network: (I,) access points and nodes and slices, -1 local; its cost."""

    access_point: np.ndarray
    node: np.ndarray
    slice: np.ndarray
    cost: float


def network_batch(networks: Sequence[ScenarioInputs], labels: Sequence[NetworkLabel]) -> NetworkBatch:
    """Pad and stack networks of any sizes; groups are renumbered for the padded number of nodes."""
    stacked = {f.name: stack_padded([getattr(n, f.name) for n in networks]) for f in fields(ScenarioInputs)}
    n_nodes = stacked["capacity"].shape[2]
    group = [np.where(x.node < 0, -1, x.slice * n_nodes + x.node) for x in labels]
    return NetworkBatch(
        **stacked,
        mask=device_mask([n.local.size for n in networks]),
        access_point=stack_padded([x.access_point for x in labels], -1),
        group=stack_padded(group, -1),
        cost=torch.tensor([x.cost for x in labels], dtype=torch.float32),
    )


def network_key(network: ScenarioInputs) -> float:
    """Key of a network for ``similar_batches``: networks of other shapes never share a batch, but at the seams."""
    shape = 10 * network.capacity.shape[0] + network.capacity.shape[1] // 5
    return float(math.log(network.local.size) + 10.0 * shape)
