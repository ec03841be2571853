"""Padded, masked batches of solved scenarios as torch tensors (18-20)."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from slicewright.models.slicing.features import Network


class NetworkBatch(NamedTuple):
    """Scenarios of any network sizes for the size-free network; padding is what is out of reach or has no capacity.

    Attributes:
        radio, work, capacity, local, arrival, shared: as in ``models.slicing.features.Network``, with a leading
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


def pad_to(array: np.ndarray, shape: Sequence[int], fill: float = 0.0) -> np.ndarray:
    """A copy grown to a shape by appending ``fill`` (18)."""
    out = np.full(tuple(shape), fill, dtype=array.dtype)
    out[tuple(slice(0, n) for n in array.shape)] = array
    return out


def stack_padded(arrays: Sequence[np.ndarray], fill: float = 0.0) -> Tensor:
    """Stack arrays of one rank, each axis padded to the longest."""
    shape = np.max([a.shape for a in arrays], axis=0)
    return torch.from_numpy(np.stack([pad_to(a, shape, fill) for a in arrays]))


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


def network_batch(networks: Sequence[Network], labels: Sequence[NetworkLabel]) -> NetworkBatch:
    """Pad and stack networks of any sizes; groups are renumbered for the padded number of nodes."""
    stacked = {f.name: stack_padded([getattr(n, f.name) for n in networks]) for f in fields(Network)}
    n_nodes = stacked["capacity"].shape[2]
    group = [np.where(x.node < 0, -1, x.slice * n_nodes + x.node) for x in labels]
    return NetworkBatch(
        **stacked,
        mask=device_mask([n.local.size for n in networks]),
        access_point=stack_padded([x.access_point for x in labels], -1),
        group=stack_padded(group, -1),
        cost=torch.tensor([x.cost for x in labels], dtype=torch.float32),
    )


def similar_batches(keys: Sequence[float], batch_size: int, *, seed: int) -> Iterator[list[int]]:
    """Random batches of instances with similar keys, so that little is padded; every index once.

    Args:
        keys: logarithms of sizes; what differs by less than about 0.4 may share a batch.
        batch_size: the last batch of the sorted instances may be smaller.
        seed: of the batches and their order.
    """
    rng = np.random.default_rng(seed)
    noisy = np.asarray(keys) + rng.uniform(-0.2, 0.2, len(keys))
    order = np.argsort(noisy, kind="stable")
    chunks = [order[k : k + batch_size].tolist() for k in range(0, len(order), batch_size)]
    rng.shuffle(chunks)
    yield from chunks


def network_key(network: Network) -> float:
    """Key of a network for :func:`similar_batches`: networks of other shapes never share a batch, but at the seams."""
    shape = 10 * network.capacity.shape[0] + network.capacity.shape[1] // 5
    return float(math.log(network.local.size) + 10.0 * shape)
