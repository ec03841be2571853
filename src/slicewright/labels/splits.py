"""Train, validation, test: a pure function of the seed, so that no two stores ever disagree."""

from __future__ import annotations

import numpy as np

from slicewright.types import FloatArray, IntArray

SPLITS = ("train", "validation", "test")
"""Parts of a store that a label may belong to."""
SHARES = (0.8, 0.1, 0.1)
UNSOLVED = "unsolved"
"""The split of instances without a plan, whatever their seed."""


def split_of(seed: int) -> str:
    """Split of an instance: 80 % train, 10 % validation, 10 % test, the same for every store and every machine."""
    return SPLITS[int(np.searchsorted(np.cumsum(SHARES)[:-1], _position(np.array([seed]))[0], side="right"))]


def _position(seeds: IntArray) -> FloatArray:
    """(k,) in [0, 1): the seeds scattered by the finaliser of splitmix64 (Steele, Lea, Flood 2014)."""
    z = seeds.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    position: FloatArray = ((z ^ (z >> np.uint64(31))) >> np.uint64(11)).astype(np.float64) / 2.0**53
    return position
