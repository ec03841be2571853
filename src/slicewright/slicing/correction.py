"""A cheap correction of the formulas: plans that know of a device's own uplink queue.

Formula (2) has every task sent alone. Where tasks of a device follow each other, an uplink is a queue: at load rho a
task takes ``1 + rho (a + s) / (2 (1 - rho))`` transmission times, with a the dispersion of arrivals (1 for Poisson) and
s the squared variation of sizes (exact for Poisson arrivals, a limit of heavy traffic otherwise: Kingman 1961). A
device whose uplink is loaded is planned as if its tasks were larger by that factor, and the factor follows from the
plan: a few turns of both.

Two things that a plan cannot see make transmissions longer than it thinks, and queues longer still. Rates may be wrong,
or old: if the logarithm of the estimate over the truth is normal, the factor is a mean over it. And a slice's manager
may see only its own devices: those that it does not see take their part of every access point.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from scipy import sparse

from slicewright.errors import InvalidOptionError
from slicewright.network.scenario import Scenario
from slicewright.slicing.decisions import Decisions
from slicewright.slicing.plan import Plan
from slicewright.slicing.shares import Shares, optimal_shares
from slicewright.types import FloatArray

MOST_LOAD = 0.95
"""Uplinks loaded more than this count as loaded this much, and the more the further they are beyond it."""
_NORMAL_AT, _NORMAL_PART = np.polynomial.hermite_e.hermegauss(7)
_NORMAL_PART = _NORMAL_PART / _NORMAL_PART.sum()
"""Where a normal number is looked at for a mean over it, and the part of each."""
LEAST_KEPT = 0.05
"""Of what tells a device's access points apart, however wrong rates are."""
Search = Callable[[Scenario, Decisions | None], Decisions]


class Arriving(Protocol):
    """A process by which tasks arrive, as the simulator's are."""

    def dispersion(self, rate_hz: FloatArray) -> FloatArray:
        """(I,) variance over mean of the number of arrivals in a long time, at each device's mean rate."""
        ...


class Varying(Protocol):
    """What sizes are drawn from, as the simulator's are."""

    @property
    def squared_variation(self) -> float:
        """Variance over squared mean."""
        ...


@dataclass(frozen=True)
class Correction:
    """How far tasks are from arriving alone.

    Attributes:
        dispersion: (I,) variance over mean of the number of arrivals in a long time; 1 for Poisson.
        size_variation: squared variation of sizes.
        turns: of planning and correcting.
        rate_error: standard deviation of the logarithm of estimated over true rates; 0 trusts them.
        seen: part of the load of access points that the planner sees.

    Raises:
        InvalidOptionError: a number out of range.
    """

    dispersion: FloatArray
    size_variation: float = 0.0
    turns: int = 4
    rate_error: float = 0.0
    seen: float = 1.0

    def __post_init__(self) -> None:
        if self.turns < 1:
            raise InvalidOptionError("turns", "must be at least 1", value=self.turns)
        if not 0.0 <= self.rate_error < np.inf:
            raise InvalidOptionError("rate_error", "must be 0 or more", value=self.rate_error)
        if not 0.0 < self.seen <= 1.0:
            raise InvalidOptionError("seen", "must be above 0 and at most 1", value=self.seen)

    @classmethod
    def of(cls, scenario: Scenario, arrivals: Arriving, size: Varying, *, turns: int = 4) -> Correction:
        """What is known of the demand."""
        return cls(arrivals.dispersion(np.array(scenario.arrival_rate_hz)), size.squared_variation, turns)

    def of_devices(self, devices: np.ndarray) -> Correction:
        """For some of the devices."""
        return replace(self, dispersion=self.dispersion[devices])

    def factor(self, load: FloatArray) -> FloatArray:
        """(I,) how many transmission times a task takes, both time and load as the plan sees them."""
        if self.rate_error == 0.0 and self.seen == 1.0:
            return self._sojourn(load)
        longer = np.exp(self.rate_error * _NORMAL_AT) / self.seen
        return np.asarray(
            sum(w * k * self._sojourn(load * k) for w, k in zip(_NORMAL_PART, longer, strict=True))
        )

    def believing(self, problem: Scenario) -> tuple[Scenario, Correction]:
        """The problem with the rates to be expected where estimates are wrong, and the correction for what is left.

        Whoever chooses the best of several estimates chooses what is overestimated. The logarithms of a device's rates
        are drawn towards their mean, by the part of their variance that errors explain.
        """
        if self.rate_error == 0.0 or problem.links.rate_bps.size == 0:
            return problem, self
        start, logs = problem.links.start, np.log(problem.links.rate_bps)
        device = np.repeat(np.arange(problem.n_devices), np.diff(start))
        count = np.maximum(np.diff(start), 1)
        off = logs - (np.bincount(device, logs, problem.n_devices) / count)[device]
        spread = float((off**2).sum()) / max(logs.size - int((np.diff(start) > 0).sum()), 1)
        kept = max(LEAST_KEPT, 1.0 - self.rate_error**2 / spread) if spread > 0.0 else 1.0
        believed = np.exp(logs - (1.0 - kept) * off)
        entries = (believed, problem.links.access_point, start)
        shape = (problem.n_devices, problem.n_access_points)
        rates = sparse.csr_array(entries, shape=shape)
        left = replace(self, rate_error=self.rate_error * float(np.sqrt(kept)))
        return problem.with_(rate_bps=rates, radio=None), left

    def _sojourn(self, load: FloatArray) -> FloatArray:
        """(I,) transmission times on an uplink of a load."""
        capped = np.minimum(load, MOST_LOAD)
        queue = 0.5 * capped * (self.dispersion + self.size_variation) / (1.0 - capped)
        return np.asarray((1.0 + queue) * np.maximum(1.0, load / MOST_LOAD))


def corrected_cost_s(plan: Plan, correction: Correction) -> float:
    """System cost with uplink queues, s."""
    transmit = plan.times.transmit_s
    load = plan.scenario.arrival_rate_hz * transmit
    return float((transmit * correction.factor(load) + plan.times.execute_s).sum())


def corrected_plan(
    problem: Scenario, search: Search, correction: Correction, start: Decisions | None = None
) -> tuple[Plan, Scenario]:
    """The best plan by the corrected cost of a few turns of planning with larger tasks, and the problem with these.

    Args:
        problem: as it is; the plan keeps its rules 13a to 13g, which sizes do not enter.
        search: decisions for a problem, from decisions to begin with.
        correction: what makes queues.
        start: decisions to begin with.
    """
    factor = np.ones(problem.n_devices)
    best: tuple[Plan, Scenario] | None = None
    best_s = np.inf
    for _ in range(correction.turns):
        larger = problem.with_(task_bits=problem.task_bits * factor)
        decisions = search(larger, start)
        shares = optimal_shares(larger, decisions)
        if shares is None:
            break
        made = Plan(problem, decisions, shares, method="corrected")
        cost_s = corrected_cost_s(made, correction)
        if best is None or cost_s < best_s:
            best, best_s = (made, larger), cost_s
        load = problem.arrival_rate_hz * made.times.transmit_s
        # Who computes itself is asked again as if its uplink were lightly loaded; half way, so that turns settle.
        factor = np.sqrt(factor * correction.factor(load))
        start = decisions
    if best is None:
        nothing = Decisions.all_local(problem.n_devices)
        return Plan(problem, nothing, Shares.none(problem), method="corrected"), problem
    return best
