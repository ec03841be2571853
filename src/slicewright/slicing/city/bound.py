"""The certificate of a city: a lower bound on lists of candidates, anytime, from any prices, on several threads."""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np

from slicewright.judging import ROUNDING
from slicewright.slicing.city._kernels.bound import (
    ROUNDED,
    SHARPNESS,
    Multipliers,
    first_multipliers,
    gains_of_nodes,
    no_moments,
    payments,
    settle_nodes,
    step_compute,
    step_radio,
)
from slicewright.slicing.city._kernels.prices import marginal_prices
from slicewright.slicing.city._kernels.problem import Problem, State, listing
from slicewright.slicing.city.parts import Parts, cut
from slicewright.types import FloatArray

LEAST_PRICE = 1e-6
"""Prices change by factors, so none begins at 0: at least this part of what it is a price of."""
ROUNDS = 200
FIRST_STEP, LAST_STEP = 0.1, 0.002
"""Relative change of a price in one round."""
SETTLING_PART = 0.5
"""Of a budget of time, at most, that nodes' own multipliers take before prices move."""
FOREVER = 2**62
WHOLE_EVERY = 10
"""Rounds from one valid value to the next; those between leave out what was far from mattering."""


@dataclass(frozen=True, eq=False)
class CityPrices:
    """What proves a bound; valid for ever, so a warm start whatever has changed since.

    Attributes:
        radio: (A,) sqrt(s), congestion of access points.
        compute: (I,) s, what each device would pay for compute.
    """

    radio: FloatArray
    compute: FloatArray


@dataclass(frozen=True, eq=False)
class CityProof:
    """A bound with the prices that prove it.

    Attributes:
        bound_s: s, no feasible plan is cheaper.
        prices: that it was found at.
        multipliers: the same with those of the nodes.
        rounds: how many were taken.
    """

    bound_s: float
    prices: CityPrices
    multipliers: Multipliers
    rounds: int


def prove(
    problem: Problem,
    state: State,
    *,
    prices: CityPrices | None = None,
    rounds: int = ROUNDS,
    budget_s: float | None = None,
    threads: int | None = None,
) -> CityProof:
    """A lower bound on the cost of every feasible plan, s (proof in ``_kernels/bound.py``).

    Args:
        problem: the city.
        state: a plan, whose congestion tells where to look; the bound is valid whatever is given.
        prices: to begin with, by default the plan's marginal congestion.
        rounds: at most so many after the first that settle the nodes' own multipliers.
        budget_s: begin no round after this time, s; one valid value is worked out however short it is.
        threads: by default one for each processor. The bound does not depend on it.
    """
    clock = _Clock(budget_s)
    if prices is None:
        prices = CityPrices(*marginal_prices(problem, state, LEAST_PRICE))
    with Parts(threads) as parts:
        climb = Climb(problem, state, prices, parts)
        climb.settle(state, deadline_ns=clock.at(SETTLING_PART))
        climb.begin_anew()
        for done in range(1, rounds + 1):
            part = max(done / rounds, clock.part)
            last = part >= 1.0
            climb.round(
                whole=last or done % WHOLE_EVERY == 0, step=_step(FIRST_STEP, LAST_STEP, min(part, 1.0))
            )
            if last:
                break
    found = climb.best_numbers
    bound = max(climb.best, 0.0) * (1.0 - ROUNDING)
    return CityProof(bound, CityPrices(found.radio, found.compute), found, climb.done)


class _Clock:
    """What part of a budget of time is spent; 0 for ever without one."""

    def __init__(self, budget_s: float | None) -> None:
        self._began, self._budget_s = time.perf_counter(), budget_s

    @property
    def part(self) -> float:
        """0 to 1, and more when it is late."""
        if self._budget_s is None:
            return 0.0
        return (time.perf_counter() - self._began) / max(self._budget_s, 1e-9)

    def at(self, part: float) -> int:
        """The moment when that part of the budget is spent, ns; never without one."""
        if self._budget_s is None:
            return FOREVER
        return int(1e9 * (self._began + part * min(self._budget_s, 1e9)))


def _copy(numbers: Multipliers) -> Multipliers:
    return numbers._replace(
        compute=numbers.compute.copy(),
        radio=numbers.radio.copy(),
        interval=numbers.interval.copy(),
        edges=numbers.edges.copy(),
    )


def _step(first: float, last: float, part: float) -> float:
    return float(first * (last / first) ** part)


class Climb:
    """The numbers of a bound on their way up.

    Attributes:
        best: s, the highest valid value so far.
        best_numbers: where it was found.
        elsewhere: (I,) how much nodes that are not among these want each device.
        done: rounds since the steps began.
    """

    def __init__(self, problem: Problem, state: State, prices: CityPrices, parts: Parts) -> None:
        n_nodes, n_devices = problem.capacity.shape[0], problem.local_time.size
        self.problem, self.parts = problem, parts
        self.first, self.rows = listing(problem.node_start, problem.node_end, problem.node, n_nodes)
        compute = np.maximum(prices.compute, LEAST_PRICE * problem.local_time)
        self.numbers = first_multipliers(problem, state, self.first, self.rows, prices.radio.copy(), compute)
        self.near = np.ones(self.rows.size, dtype=np.bool_)
        self.near_first, self.near_rows = self.first, self.rows
        self.active = np.ones(self.numbers.interval.shape[:2], dtype=np.bool_)
        self.taken, self.elsewhere = np.zeros(n_devices), np.zeros(n_devices)
        self.pulled = np.zeros((parts.count, n_devices))
        self.spread = np.zeros((parts.count, problem.n_access_points))
        self.node_cuts, self.device_cuts = (
            cut(np.diff(self.first), parts.count),
            cut(problem.link_end - problem.link_start, parts.count),
        )
        self.sharpness = SHARPNESS * n_nodes / max(float(problem.local_time.sum()), 1e-300)
        self.best, self.best_numbers = -np.inf, _copy(self.numbers)
        self.begin_anew()

    def begin_anew(self) -> None:
        """Forget the steps taken, not where they led."""
        self.moments, self.done = no_moments(self.numbers), 0

    def step_at(self, part: float) -> float:
        """Relative change of a price in a round, when this part of the rounds is done."""
        return _step(FIRST_STEP, LAST_STEP, part)

    def settle(self, state: State, *, deadline_ns: int = FOREVER) -> None:
        """Choose intervals and multipliers of every node at the present prices, until the deadline."""
        self.parts.each(self._settle, self.node_cuts, state, deadline_ns)

    def _settle(self, part: int, begin: int, end: int, state: State, deadline_ns: int) -> None:
        settle_nodes(self.problem, self.numbers, state, self.first, self.rows, begin, end, deadline_ns)

    def round(self, *, whole: bool, step: float, hold: bool = False) -> None:
        """The value at the present numbers, then a step; with ``hold`` prices stay as they are."""
        self.done += 1
        before = _copy(self.numbers) if whole else None
        self.pulled[:], self.spread[:] = 0.0, 0.0
        gains = np.sum(self.parts.each(self._gains, self.node_cuts, whole, step), axis=0)
        paid = sum(self.parts.each(self._payments, self.device_cuts))
        radio = step_radio(
            self.numbers, self.moments, self.spread.sum(axis=0), 0.0 if hold else step, self.done
        )
        if not hold:
            pulled = self.pulled.sum(axis=0) + self.elsewhere
            self.parts.each(self._step_compute, self.device_cuts, pulled, step)
        terms = self.taken.size + self.active.size + self.spread.shape[1]
        gain, size = float(gains[0]), float(gains[1])
        value = float(paid - gain - radio - ROUNDED * terms * (paid + size + radio))
        if before is not None:
            self._leave_out_far()
            if value > self.best:
                self.best, self.best_numbers = value, before

    def _leave_out_far(self) -> None:
        """Lists of the devices that were near paying, for the rounds until the next whole one."""
        counted = np.zeros(self.near.size + 1, dtype=np.int64)
        np.cumsum(self.near, out=counted[1:])
        self.near_first, self.near_rows = counted[self.first], self.rows[self.near]

    def _gains(self, part: int, begin: int, end: int, whole: bool, step: float) -> tuple[float, float]:
        first, rows = (self.first, self.rows) if whole else (self.near_first, self.near_rows)
        gained: tuple[float, float] = gains_of_nodes(
            self.problem, self.numbers, self.moments, self.active, first, rows, self.near, begin, end, whole,
            self.sharpness, step, self.done, self.pulled[part],
        )  # fmt: skip
        return gained

    def _payments(self, part: int, begin: int, end: int) -> float:
        return float(payments(self.problem, self.numbers, begin, end, self.taken, self.spread[part]))

    def _step_compute(self, part: int, begin: int, end: int, pulled: FloatArray, step: float) -> None:
        step_compute(self.numbers, self.moments, begin, end, self.taken, pulled, step, self.done)
