"""Devices that move, and the links that follow (one pass over the devices each)."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from slicewright.compiled import inlined, kernel
from slicewright.simulation._kernels.random_streams import uniform

WAYPOINT, GAUSS_MARKOV, MANHATTAN = range(3)
# Columns of the state of a moving device: m and m/s; of Manhattan the target is the next crossing.
X, Y, SPEED, HEADING, TARGET_X, TARGET_Y, WAIT, COLUMNS = range(8)


class Walk(NamedTuple):
    """A mobility model and its numbers."""

    kind: int
    low: Any  # (2,) m, corner of the area
    high: Any  # (2,) m
    slow: float  # m/s
    fast: float  # m/s
    pause: float  # s, longest rest at a way point
    memory: float  # of Gauss-Markov: how much of speed and heading is left after a second
    block: float  # m, of Manhattan: distance of the streets
    turning: float  # of Manhattan: probability of leaving the street at a crossing


@inlined
def _normal(random, i):
    angle = 2.0 * math.pi * uniform(random, i, 0)
    return math.sqrt(-2.0 * math.log(uniform(random, i, 0))) * math.cos(angle)


@inlined
def _between(random, i, low, high):
    return low + (high - low) * uniform(random, i, 0)


@inlined
def _towards_target(state, i, dx, dy, distance, left):
    """Go on to the target; returns the seconds that are left there, negative if the device does not get so far."""
    reach = state[i, SPEED] * left
    if reach < distance:
        state[i, X] += dx * (reach / distance)
        state[i, Y] += dy * (reach / distance)
        return -1.0
    state[i, X], state[i, Y] = state[i, TARGET_X], state[i, TARGET_Y]
    return max(0.0, left - distance / state[i, SPEED])


@inlined
def _to_way_points(walk, state, random, i, left):
    """Straight to a random point at a random speed, a rest there, and on (Johnson and Maltz 1996)."""
    while left > 0.0:
        if state[i, WAIT] > 0.0:
            rest = min(left, state[i, WAIT])
            state[i, WAIT] -= rest
            left -= rest
            continue
        dx, dy = state[i, TARGET_X] - state[i, X], state[i, TARGET_Y] - state[i, Y]
        left = _towards_target(state, i, dx, dy, math.sqrt(dx * dx + dy * dy), left)
        if left < 0.0:
            return
        state[i, TARGET_X] = _between(random, i, walk.low[0], walk.high[0])
        state[i, TARGET_Y] = _between(random, i, walk.low[1], walk.high[1])
        state[i, SPEED] = _between(random, i, walk.slow, walk.fast)
        state[i, WAIT] = _between(random, i, 0.0, walk.pause)


@inlined
def _with_memory(walk, state, random, i, seconds):
    """Speed and heading remember what they were (Liang and Haas 1999); the border reflects."""
    memory = walk.memory**seconds
    fresh = math.sqrt(1.0 - memory * memory)
    mean, spread = 0.5 * (walk.slow + walk.fast), 0.25 * (walk.fast - walk.slow)
    speed = memory * state[i, SPEED] + (1.0 - memory) * mean + fresh * spread * _normal(random, i)
    state[i, SPEED] = min(max(speed, 0.0), walk.fast)
    state[i, HEADING] += fresh * 0.5 * math.pi * _normal(random, i)
    dx, dy = math.cos(state[i, HEADING]), math.sin(state[i, HEADING])
    for k in range(2):
        at = state[i, X + k] + (dy if k else dx) * state[i, SPEED] * seconds
        if at < walk.low[k] or at > walk.high[k]:
            at = 2.0 * (walk.low[k] if at < walk.low[k] else walk.high[k]) - at
            at = min(max(at, walk.low[k]), walk.high[k])
            state[i, HEADING] = -state[i, HEADING] if k else math.pi - state[i, HEADING]
        state[i, X + k] = at


@inlined
def _along_streets(walk, state, random, i, left):
    """Straight on, left or right at the crossings of a grid of streets (3GPP TR 30.03); back only at dead ends."""
    while left > 0.0:
        dx, dy = state[i, TARGET_X] - state[i, X], state[i, TARGET_Y] - state[i, Y]
        left = _towards_target(state, i, dx, dy, abs(dx) + abs(dy), left)
        if left < 0.0:
            return
        state[i, SPEED] = _between(random, i, walk.slow, walk.fast)
        heading = np.int64(state[i, HEADING])
        u = uniform(random, i, 0)
        turn = 0 if u > walk.turning else (1 if u > 0.5 * walk.turning else 3)
        for attempt in range(4):
            tried = (heading + turn + (0, 1, 3, 2)[attempt]) % 4
            x = state[i, X] + (walk.block if tried == 0 else (-walk.block if tried == 2 else 0.0))
            y = state[i, Y] + (walk.block if tried == 1 else (-walk.block if tried == 3 else 0.0))
            slack = 1e-6 * walk.block
            if (
                walk.low[0] - slack <= x <= walk.high[0] + slack
                and walk.low[1] - slack <= y <= walk.high[1] + slack
            ):
                state[i, TARGET_X], state[i, TARGET_Y], state[i, HEADING] = x, y, tried
                break


@kernel
def move(walk, state, random, seconds):
    """Every device moves for some seconds."""
    for i in range(state.shape[0]):
        if walk.kind == WAYPOINT:
            _to_way_points(walk, state, random, i, seconds)
        elif walk.kind == GAUSS_MARKOV:
            _with_memory(walk, state, random, i, seconds)
        else:
            _along_streets(walk, state, random, i, seconds)


class Surroundings(NamedTuple):
    """What rates follow from."""

    access_point: Any  # (A, 2) m
    bandwidth: Any  # (A,) Hz
    noise: Any  # (A,) W
    power: Any  # (I,) W
    near: Any  # (cells, K) access points nearest to a cell's centre
    columns: int  # cells in a row
    low: Any  # (2,) m, corner of the cells
    cell: float  # m
    exponent: float
    least: float  # m, nearer counts as that
    reach: float  # m
    shadow: Any  # (A, rows, columns) dB on a grid over the same area, or (0, 0, 0)
    shadow_cell: float  # m
    fading: bool  # Rayleigh: the received power of every link is exponential, afresh in every step


@inlined
def _shadow_db(around, a, x, y):
    """dB at a point, between the four points of the grid around it."""
    rows, columns = around.shadow.shape[1], around.shadow.shape[2]
    u = min(max((x - around.low[0]) / around.shadow_cell, 0.0), columns - 1.001)
    v = min(max((y - around.low[1]) / around.shadow_cell, 0.0), rows - 1.001)
    c, r = np.int64(u), np.int64(v)
    u, v = u - c, v - r
    grid = around.shadow
    above = grid[a, r, c] * (1.0 - u) + grid[a, r, c + 1] * u
    below = grid[a, r + 1, c] * (1.0 - u) + grid[a, r + 1, c + 1] * u
    return above * (1.0 - v) + below * v


@kernel
def measure(around, state, random, access_point, snr, rate):
    """Signal-to-noise ratio (before fading) and rate (with it) of every device on its candidates; 0 out of reach.

    Args:
        around, state, random: see there; columns X and Y of the state are read.
        access_point, snr, rate: (I, K), written.
    """
    rows = around.near.shape[0] // around.columns
    for i in range(state.shape[0]):
        x, y = state[i, X], state[i, Y]
        column = min(max(np.int64((x - around.low[0]) / around.cell), 0), around.columns - 1)
        row = min(max(np.int64((y - around.low[1]) / around.cell), 0), rows - 1)
        for k in range(around.near.shape[1]):
            a = around.near[row * around.columns + column, k]
            dx, dy = x - around.access_point[a, 0], y - around.access_point[a, 1]
            squared = max(dx * dx + dy * dy, around.least * around.least)
            fourth = around.exponent == 4.0  # without a power, which costs more than all the rest
            gain = 1.0 / (squared * squared) if fourth else squared ** (-0.5 * around.exponent)
            if around.shadow.shape[0]:
                gain *= 10.0 ** (0.1 * _shadow_db(around, a, x, y))
            if squared > around.reach * around.reach:
                gain = 0.0
            ratio = around.power[i] * gain / around.noise[a]
            access_point[i, k], snr[i, k] = a, ratio
            if around.fading:
                ratio *= -math.log(uniform(random, i, 1))
            rate[i, k] = around.bandwidth[a] * math.log2(1.0 + ratio)
