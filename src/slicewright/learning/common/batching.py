"""What batches of both problems share: padding, which instances go together, and in which order.

An order is a function of the epoch alone, so that a resumed training goes on with the orders of an uninterrupted one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import TypeVar

import numpy as np
import torch
from torch import Tensor

Item = TypeVar("Item")
Drawn = TypeVar("Drawn")
Batches = Callable[[int], Sequence[Sequence[int]]]
"""The batches of an epoch, each as indices of its items; as many in every epoch."""
Order = Callable[[Sequence[Item], int, int], Batches]
"""From items, the size of a batch and a seed to the batches of every epoch."""


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


def similar_sizes(key: Callable[[Item], float]) -> Order[Item]:
    """Batches of items with similar keys, see :func:`similar_batches`: the same in every epoch.

    So the shipped networks of problem one were trained; other batches every epoch are another recipe.
    """

    def order(items: Sequence[Item], batch_size: int, seed: int) -> Batches:
        batches = list(similar_batches([key(x) for x in items], batch_size, seed=seed * 1_000_003))
        return lambda epoch: batches

    return order


def shuffled(items: Sequence[Item], batch_size: int, seed: int) -> Batches:
    """Every item once per epoch, in the orders that one generator of this seed gives one after the other."""

    def orders() -> Iterator[Tensor]:
        generator = torch.Generator().manual_seed(seed)
        while True:
            yield torch.randperm(len(items), generator=generator)

    return lambda epoch: [part.tolist() for part in torch.split(replayed(orders, epoch), batch_size)]


def replayed(draws: Callable[[], Iterator[Drawn]], position: int) -> Drawn:
    """What an endless stream of random draws gives at a position, drawn again from its start."""
    return next(islice(draws(), position, None))
