"""Random numbers by device: each draws from streams of its own, so the order of devices makes no difference."""

from __future__ import annotations

import math

import numpy as np

from slicewright.compiled import inlined
from slicewright.simulation._kernels.state import EXPONENTIAL, FIXED, LOGNORMAL


@inlined
def uniform(random, i, stream):
    """A number in (0, 1] from a device's stream: one step of splitmix64."""
    random[i, stream] += np.uint64(0x9E3779B97F4A7C15)
    z = random[i, stream]
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    z = z ^ (z >> np.uint64(31))
    return (np.float64(z >> np.uint64(11)) + 1.0) * (1.0 / 9007199254740992.0)


@inlined
def draw(random, i, stream, kind, spread, samples):
    """A size or an amount of work, mean 1."""
    if kind == FIXED:
        return 1.0
    u = uniform(random, i, stream)
    if kind == EXPONENTIAL:
        return -math.log(u)
    if kind == LOGNORMAL:
        angle = 2.0 * math.pi * uniform(random, i, stream)
        return math.exp(spread * math.sqrt(-2.0 * math.log(u)) * math.cos(angle) - 0.5 * spread * spread)
    return samples[np.int64((1.0 - u) * samples.size)]
