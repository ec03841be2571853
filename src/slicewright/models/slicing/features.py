"""What networks see of a scenario, as plain numpy arrays (no torch: policies build them too).

Rows (17): devices; magnitudes enter as logarithms, because transmission times spread over five orders.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from slicewright.network.scenario import Scenario
from slicewright.slicing.decisions import LOCAL, Decisions
from slicewright.slicing.shares import Shares
from slicewright.types import FloatArray, IntArray

Float32Array = NDArray[np.float32]
OUT_OF_REACH_S = 1e9
"""T_ia written for an access point out of reach."""


def transmission_s(scenario: Scenario) -> FloatArray:
    """(I, A) s. T_ia = S_i / R_ia, 0 where out of reach."""
    rate = scenario.rate_bps if isinstance(scenario.rate_bps, np.ndarray) else scenario.rate_bps.toarray()
    bits = np.broadcast_to(scenario.task_bits[:, None], rate.shape)
    return np.divide(bits, rate, out=np.zeros(rate.shape), where=rate > 0)


class Rows(NamedTuple):
    """Rows of one scenario for the published models.

    Attributes:
        network: (I, F) features that the orchestrator sees: the device's own and the whole network's state.
        slices: (N, I, F') features that each slice manager sees: nothing of the other slices.
    """

    network: Float32Array
    slices: Float32Array


def row_widths(n_access_points: int, n_nodes: int, n_slices: int) -> tuple[int, int]:
    """(F, F') of :class:`Rows`."""
    return 5 + n_access_points + n_slices + n_nodes * n_slices, 6 + n_access_points + n_nodes


def rows(scenario: Scenario) -> Rows:
    """Requests and network state (17), not yet standardised (21).

    A row: log of S, L / F^l, alpha, F^l, I; log T to each access point; log L_in and log F_j^n, of all slices or
    of the manager's own. The number of devices is part of the network state, since a mean (25) cannot see it.
    """
    time = transmission_s(scenario)
    own = _own(
        scenario.task_bits, scenario.local_time_s, scenario.arrival_rate_hz, scenario.local_capacity_hz
    )
    radio = _log_time(time)
    work = np.log(scenario.slice_cycles)
    speed = _log_speed(scenario.node_capacity_hz)
    network = np.concatenate([own, radio, work, _for_all(speed.ravel(), scenario.n_devices)], axis=1)
    slices = [
        np.concatenate([own, radio, work[:, n : n + 1], _for_all(speed[:, n], scenario.n_devices)], axis=1)
        for n in range(scenario.n_slices)
    ]
    return Rows(network.astype(np.float32), np.stack(slices).astype(np.float32))


def manager_rows(
    *,
    task_bits: FloatArray,
    local_time_s: FloatArray,
    arrival_rate_hz: FloatArray,
    local_capacity_hz: FloatArray,
    transmission_s: FloatArray,
    cycles: FloatArray,
    capacity_hz: FloatArray,
) -> Float32Array:
    """(I, F') rows of one slice, from what its manager knows: one slice of :attr:`Rows.slices`.

    Args:
        task_bits, local_time_s, arrival_rate_hz, local_capacity_hz: (I,) bit, s, 1/s, cycle/s.
        transmission_s: (I, A) s, 0 where out of reach.
        cycles: (I,) cycle in this slice.
        capacity_hz: (J,) cycle/s of the nodes in this slice.
    """
    columns = [
        _own(task_bits, local_time_s, arrival_rate_hz, local_capacity_hz),
        _log_time(transmission_s),
        np.log(cycles)[:, None],
        _for_all(_log_speed(capacity_hz), cycles.size),
    ]
    return np.concatenate(columns, axis=1).astype(np.float32)


def _own(bits: FloatArray, local_s: FloatArray, arrival_hz: FloatArray, local_hz: FloatArray) -> FloatArray:
    """(I, 5) what a device knows of itself, and how many there are."""
    count = np.full(bits.size, float(bits.size))
    logs: FloatArray = np.log(np.stack([bits, local_s, arrival_hz, local_hz, count], axis=1))
    return logs


def _log_time(time: FloatArray) -> FloatArray:
    out: FloatArray = np.log(np.where(time > 0, time, OUT_OF_REACH_S))
    return out


def _log_speed(capacity_hz: FloatArray) -> FloatArray:
    out: FloatArray = np.log(np.maximum(capacity_hz, 1.0))
    return out


def _for_all(state: FloatArray, devices: int) -> FloatArray:
    """(I, k) the same network state (k,) in every device's row."""
    return np.broadcast_to(state, (devices, state.size))


class Targets(NamedTuple):
    """Labels of one scenario, all of one joint near-optimum delta* (model page 3.1).

    Attributes:
        share: (N, I, A + J) phi at delta*, 0 where unused (SP1).
        bandwidth: (A, N) omega at delta* (SP2).
        choice: (I,) class of delta*: 0 is local, else ``1 + (a * J + j) * N + n`` (SP3).
    """

    share: Float32Array
    bandwidth: Float32Array
    choice: IntArray


def targets(scenario: Scenario, decisions: Decisions, shares: Shares) -> Targets:
    """Decisions and shares as the published models' targets."""
    a, j, n = decisions.access_point, decisions.node, decisions.slice
    off = np.flatnonzero(~decisions.local)
    share = np.zeros(
        (scenario.n_slices, scenario.n_devices, scenario.n_access_points + scenario.n_nodes), np.float32
    )
    share[n[off], off, a[off]] = shares.radio[off]
    share[n[off], off, scenario.n_access_points + j[off]] = shares.compute[off]
    return Targets(share, shares.bandwidth.astype(np.float32), choices(scenario, decisions))


def choices(scenario: Scenario, decisions: Decisions) -> IntArray:
    """(I,) classes of decisions (see :class:`Targets`)."""
    joint = (decisions.access_point * scenario.n_nodes + decisions.node) * scenario.n_slices + decisions.slice
    return np.where(decisions.local, 0, 1 + joint)


def decisions_of(scenario: Scenario, choice: IntArray) -> Decisions:
    """Decisions of classes: the inverse of :func:`choices`."""
    local, joint = choice == 0, np.maximum(choice - 1, 0)
    pairs = scenario.n_nodes * scenario.n_slices
    places = joint // pairs, joint // scenario.n_slices % scenario.n_nodes, joint % scenario.n_slices
    return Decisions(*(np.where(local, LOCAL, place) for place in places))


def _as32(array: FloatArray) -> Float32Array:
    """Single precision; what is too large for it becomes infinite, without a word: nobody can serve such a device."""
    with np.errstate(over="ignore"):
        return np.ascontiguousarray(array, dtype=np.float32)


@dataclass(frozen=True, eq=False)
class ScenarioInputs:
    """A scenario as the size-free network reads it: dimensionless, in units of the mean local time.

    Attributes:
        radio: (I, A) T_ia, 0 where out of reach.
        work: (I, N) L_in over the mean speed of the nodes.
        capacity: (N, J) F_j^n over the mean speed, 0 where a node does not serve a slice.
        local: (I,) tau_i.
        arrival: (I,) alpha_i.
        shared: () 1 for queueing "node", 0 for "device".
    """

    radio: Float32Array
    work: Float32Array
    capacity: Float32Array
    local: Float32Array
    arrival: Float32Array
    shared: Float32Array


def scenario_inputs(scenario: Scenario) -> ScenarioInputs:
    """Scale a scenario so that only ratios of times remain: models then serve any units and task sizes."""
    unit = float(scenario.local_time_s.mean())
    capable = scenario.node_capacity_hz > 0
    speed = float(scenario.node_capacity_hz.mean(where=capable)) if capable.any() else 1.0
    return ScenarioInputs(
        radio=_as32(transmission_s(scenario) / unit),
        work=_as32(scenario.slice_cycles / (speed * unit)),
        capacity=_as32(scenario.node_capacity_hz.T / speed),
        local=_as32(scenario.local_time_s / unit),
        arrival=_as32(scenario.arrival_rate_hz * unit),
        shared=np.asarray(scenario.queueing == "node", dtype=np.float32),
    )
