"""What batches of both problems share: padding, and which instances go together."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from torch import Tensor


def pad_to(array: np.ndarray, shape: Sequence[int], fill: float = 0.0) -> np.ndarray:
    """A copy grown to a shape by appending ``fill`` (18)."""
    out = np.full(tuple(shape), fill, dtype=array.dtype)
    out[tuple(slice(0, n) for n in array.shape)] = array
    return out


def stack_padded(arrays: Sequence[np.ndarray], fill: float = 0.0) -> Tensor:
    """Stack arrays of one rank, each axis padded to the longest."""
    shape = np.max([a.shape for a in arrays], axis=0)
    return torch.from_numpy(np.stack([pad_to(a, shape, fill) for a in arrays]))


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
