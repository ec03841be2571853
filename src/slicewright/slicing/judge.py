"""What a plan costs and which constraints it breaks: the one judge of every plan, whoever made it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from slicewright.errors import InvalidPlanError
from slicewright.judging import BrokenRules, Excess
from slicewright.network.scenario import Scenario
from slicewright.slicing.decisions import Decisions
from slicewright.slicing.shares import Shares
from slicewright.types import BoolArray, FloatArray, IntArray

RULES = ("13a", "13b", "13c", "13d", "13e", "13f", "13g")
"""The constraints of slicing, by the numbers of their equations (model page 1.2)."""
MEANING: Mapping[str, str] = {
    "13a": "each device has exactly one decision, and it exists",
    "13b": "execution on a node takes no longer than on the device",
    "13c": "every queue is stable",
    "13d": "slice shares of an access point sum to at most 1",
    "13e": "device shares of a resource within a slice sum to at most 1",
    "13f": "slice shares are not negative",
    "13g": "device shares are not negative",
}
"""What each rule says, in a few words."""
UNIT: Mapping[str, str] = {
    "13a": "devices",
    "13b": "s",
    "13c": "1/s",
    "13d": "",
    "13e": "",
    "13f": "",
    "13g": "",
}
TOLERANCE = 1e-7
"""A residual up to this, in the rule's own unit, counts as rounding: plan files carry 15 digits, but shares near a pole
magnify them. Tighter than placement's: shares come from closed forms, solvers' are not taken as they are.
"""


@dataclass(frozen=True, eq=False)
class Times:
    """Completion times of a plan.

    Attributes:
        transmit_s: (I,) s, 0 if local; infinite without a share.
        execute_s: (I,) s, on the node or on the device; infinite if the queue is unstable.
    """

    transmit_s: FloatArray
    execute_s: FloatArray

    @property
    def completion_s(self) -> FloatArray:
        """(I,) s."""
        return self.transmit_s + self.execute_s


class Violations(BrokenRules):
    """Residuals of 13a to 13g, each in its own unit: 13a counts devices, 13b is in s, 13c in 1/s."""

    meaning = MEANING
    units = UNIT
    tolerance = TOLERANCE


def evaluate(scenario: Scenario, decisions: Decisions, shares: Shares) -> tuple[Times, Violations]:
    """Times and constraint residuals of any plan (model page 1.2).

    Args:
        scenario: the problem.
        decisions: one per device; entries that break 13a are reported and cost infinity.
        shares: of bandwidth (A, N), radio (I,) and compute (I,).

    Raises:
        InvalidPlanError: an array has the wrong shape for the scenario.
    """
    times, valid, off, surplus = _timed(scenario, decisions, shares)
    a, j, n = decisions.access_point[off], decisions.node[off], decisions.slice[off]
    execute = times.execute_s
    unstable = np.where(surplus > 0, 0.0, np.maximum(-surplus, np.nextafter(TOLERANCE, 1)))
    radio, compute = np.zeros(shares.bandwidth.shape), np.zeros((scenario.n_nodes, scenario.n_slices))
    np.add.at(radio, (a, n), shares.radio[off])
    np.add.at(compute, (j, n), shares.compute[off])
    offloader = lambda k: f"device {off[k]}"
    return times, Violations.found(
        (
            Excess("13a", np.array([(~valid).sum()], dtype=float), lambda _: f"device {np.argmin(valid)}"),
            Excess("13b", execute[off] - scenario.local_time_s[off], offloader),
            Excess("13c", unstable, offloader),
            Excess("13d", shares.bandwidth.sum(axis=1) - 1, "access point {}".format),
            Excess("13e", radio - 1, "access point {}, slice {}".format),
            Excess("13e", compute - 1, "node {}, slice {}".format),
            Excess("13f", -shares.bandwidth, "access point {}, slice {}".format),
            Excess("13g", -shares.radio, "radio share of device {}".format),
            Excess("13g", -shares.compute, "compute share of device {}".format),
        )
    )


def times_of(scenario: Scenario, decisions: Decisions, shares: Shares) -> Times:
    """The times alone, for those who know already what a plan keeps; arguments and errors as of :func:`evaluate`."""
    return _timed(scenario, decisions, shares).times


class _Timed(NamedTuple):
    """Times, (I,) whether a decision exists, (k,) who is offloaded, and (k,) 1/s what their service has to spare."""

    times: Times
    valid: BoolArray
    off: IntArray
    surplus: FloatArray


def _timed(scenario: Scenario, decisions: Decisions, shares: Shares) -> _Timed:
    _check_shapes(scenario, decisions, shares)
    valid = decisions.valid(scenario)
    off = np.flatnonzero(valid & ~decisions.local)
    a, j, n = decisions.access_point[off], decisions.node[off], decisions.slice[off]
    transmit, execute = np.zeros(scenario.n_devices), scenario.local_time_s.copy()
    execute[~valid] = transmit[~valid] = np.inf
    granted = shares.bandwidth[a, n] * shares.radio[off] * scenario.rate_of(off, a)
    transmit[off] = _ratio(scenario.task_bits[off], granted)
    service = shares.compute[off] * scenario.node_capacity_hz[j, n] / scenario.slice_cycles[off, n]
    surplus = service - _queue(scenario, off, j)
    execute[off] = _ratio(np.ones(off.size), surplus)
    return _Timed(Times(transmit, execute), valid, off, surplus)


def _queue(scenario: Scenario, off: IntArray, node: IntArray) -> FloatArray:
    """(k,) 1/s. What each offloaded device's service rate must exceed."""
    rate = scenario.arrival_rate_hz[off]
    if scenario.queueing == "device":
        return rate
    arrivals = np.zeros(scenario.n_nodes)
    np.add.at(arrivals, node, rate)
    return arrivals[node]


def _ratio(numerator: FloatArray, denominator: FloatArray) -> FloatArray:
    """Quotient, infinite where the denominator is not positive."""
    quotient = np.full(numerator.shape, np.inf)
    np.divide(numerator, denominator, out=quotient, where=denominator > 0)
    return quotient


def _check_shapes(scenario: Scenario, decisions: Decisions, shares: Shares) -> None:
    devices = (scenario.n_devices,)
    for name, have, want in (
        ("decisions", decisions.node.shape, devices),
        ("radio_share", shares.radio.shape, devices),
        ("compute_share", shares.compute.shape, devices),
        ("bandwidth_share", shares.bandwidth.shape, (scenario.n_access_points, scenario.n_slices)),
    ):
        if have != want:
            raise InvalidPlanError(name, f"must have shape {want} for this scenario, not {have}")
    for name, array in (
        ("radio_share", shares.radio),
        ("compute_share", shares.compute),
        ("bandwidth_share", shares.bandwidth),
    ):
        if not np.isfinite(array).all():
            at = tuple(int(i) for i in np.argwhere(~np.isfinite(array))[0])
            raise InvalidPlanError(name, "must be a finite number", index=at, value=float(array[at]))
