"""Planning anew while the network runs: when, by which method, at what price for a device that moves."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from slicewright.errors import InvalidOptionError
from slicewright.network.scenario import Scenario
from slicewright.policies.slicing import plan as plan_anew
from slicewright.simulation.incremental import Incremental
from slicewright.slicing.certificate import lower_bound
from slicewright.slicing.correction import Correction, corrected_plan
from slicewright.slicing.decisions import Decisions
from slicewright.slicing.judge import evaluate
from slicewright.slicing.plan import Plan
from slicewright.slicing.search import iterated_search
from slicewright.slicing.shares import Shares, optimal_shares, proportional_shares
from slicewright.types import BoolArray, IntArray

When = Literal["epoch", "event"]
WARM, INCREMENTAL = "warm", "incremental"
MOST_TRIED = 64
"""Moves that are taken back one by one at most; beyond that, those that gain least are asked first."""


@dataclass(frozen=True)
class Replanning:
    """When and how to plan anew.

    Attributes:
        method: a name from :func:`slicewright.policies`, with the shares that it gives; ``warm`` searches on from the
            running plan, which is what ``auto`` would do from nothing; ``incremental`` keeps a live plan with its
            prices, and lets one device after the other look at its options (see ``incremental``): no search, and a
            bound that costs next to nothing.
        every_s: s between two plans; with ``when="event"`` the least time between two.
        when: ``epoch``: every ``every_s``; ``event``: at the first tick with a handover, a join or a leave since.
        budget_s: s for a decision; None asks for ``rounds``.
        rounds: of search instead of a budget: runs then repeat bit for bit.
        price_s: s of system cost that moving a device must save at least.
        certify: work out the bound of every instant, and with it the certified regret; ``incremental`` has one anyway,
            from the prices it carries along, and then the better of both.
        correct: plan with the uplinks' own queues in mind (see ``correction``); of method ``warm`` only.

    Raises:
        InvalidOptionError: a number out of range.
    """

    method: str = "warm"
    every_s: float = 10.0
    when: When = "epoch"
    budget_s: float | None = None
    rounds: int | None = 200
    price_s: float = 0.0
    certify: bool = False
    correct: bool = False

    def __post_init__(self) -> None:
        if not 0.0 < self.every_s < np.inf:
            raise InvalidOptionError("every_s", "must be a positive number of seconds", value=self.every_s)
        if not 0.0 <= self.price_s < np.inf:
            raise InvalidOptionError("price_s", "must be 0 s or more", value=self.price_s)
        if self.when not in ("epoch", "event"):
            raise InvalidOptionError("when", "must be epoch or event", value=self.when)
        if self.correct and self.method != WARM:
            raise InvalidOptionError("correct", "is for the method warm", value=self.method)


@dataclass(frozen=True)
class Step:
    """What one replanning did.

    Attributes:
        now_s: s.
        devices: that were there.
        kept_s: s, system cost had the running plan been kept, shares at their best; infinite where it breaks rules.
        cost_s: s, system cost of the new plan.
        bound_s: s, no plan of this instant is cheaper; not a number unless asked for or carried along.
        moved: devices that changed access point, node or slice.
        missed: devices whose execution time the running plan, as it was, let exceed the local time (13b).
        decision_s: s of wall time.
    """

    now_s: float
    devices: int
    kept_s: float
    cost_s: float
    bound_s: float
    moved: int
    missed: int
    decision_s: float

    @property
    def regret(self) -> float:
        """Certified: cost over the bound of that instant, minus 1."""
        return self.cost_s / self.bound_s - 1.0


class Replanner:
    """Plans when it is due, and remembers when that was."""

    def __init__(self, replanning: Replanning, correction: Correction, scenario: Scenario) -> None:
        """Nothing planned yet; correction and scenario are of all devices of the network."""
        self.replanning, self._correction = replanning, correction
        self._incremental = Incremental(scenario) if replanning.method == INCREMENTAL else None
        self._last_s, self._count, self._waiting = 0.0, 0, False

    def due(self, now_s: float, eventful: bool) -> bool:
        """Whether to plan at this tick."""
        self._waiting = self._waiting or eventful or self.replanning.when == "epoch"
        return self._waiting and now_s - self._last_s >= self.replanning.every_s * (1.0 - 1e-9)

    def replan(
        self, problem: Scenario, devices: IntArray, running: Decisions, shares: Shares, now_s: float
    ) -> tuple[Plan, Step]:
        """Plan anew, and keep what is not worth moving.

        Args:
            problem: of this instant.
            devices: (k,) indices of its devices in the network.
            running, shares: the plan in force.
            now_s: s.
        """
        options = self.replanning
        began = time.perf_counter()
        start = running if running.valid(problem).all() else None
        planned = problem
        own: Shares | None = None
        if options.correct:
            correction = self._correction.of_devices(devices)
            made, planned = corrected_plan(problem, self._search, correction, start)
            decisions = made.decisions
        elif self._incremental is not None:
            decisions = self._incremental.follow(problem, devices, running, price_s=options.price_s)
        else:
            decisions, own = self._decide(problem, start)
        if start is not None and options.price_s > 0.0 and self._incremental is None:
            decisions, own = _worth_moving(planned, start, decisions, options.price_s), None
        given = own or optimal_shares(planned, decisions) or proportional_shares(problem, decisions)
        made = Plan(problem, decisions, given, method=options.method)
        decision_s = time.perf_counter() - began
        self._last_s, self._count, self._waiting = now_s, self._count + 1, False
        return made, self._step(made, start, running, shares, now_s, decision_s)

    def _decide(self, problem: Scenario, start: Decisions | None) -> tuple[Decisions, Shares | None]:
        """Decisions, and the shares of a method by name: they may be part of what it is (equal ones of ``erap``)."""
        options = self.replanning
        if options.method == WARM:
            found, _ = iterated_search(
                problem, start=start, budget_s=options.budget_s, rounds=options.rounds, seed=self._count
            )
            return found, None
        made = plan_anew(
            problem,
            method=options.method,
            budget_s=options.budget_s,
            rounds=None if options.budget_s is not None else options.rounds,
            seed=self._count,
        )
        return made.decisions, made.shares

    def _search(self, problem: Scenario, start: Decisions | None) -> Decisions:
        """A turn of corrected planning: all turns together have the budget of one plan."""
        options, turns = self.replanning, self._correction.turns
        budget_s = None if options.budget_s is None else options.budget_s / turns
        rounds = None if options.rounds is None else max(1, options.rounds // turns)
        return iterated_search(problem, start=start, budget_s=budget_s, rounds=rounds, seed=self._count)[0]

    def _step(
        self,
        made: Plan,
        start: Decisions | None,
        running: Decisions,
        shares: Shares,
        now_s: float,
        decision_s: float,
    ) -> Step:
        problem = made.scenario
        times, _ = evaluate(problem, running, shares)
        kept_s = np.inf if start is None else _cost_s(problem, start)
        bound_s = np.nan if self._incremental is None else self._incremental.bound_s
        if self.replanning.certify:
            bound_s = float(np.fmax(bound_s, lower_bound(problem, start=made.decisions)))
        return Step(
            now_s=now_s,
            devices=problem.n_devices,
            kept_s=kept_s,
            cost_s=made.cost_s,
            bound_s=bound_s,
            moved=int(moves(running, made.decisions).sum()),
            missed=int((times.execute_s > problem.local_time_s * (1.0 + 1e-9)).sum()),
            decision_s=decision_s,
        )

    def state(self) -> dict[str, np.ndarray]:
        """What :meth:`restore` needs."""
        own = {"replanner": np.array([self._last_s, self._count, self._waiting], dtype=np.float64)}
        return own if self._incremental is None else own | self._incremental.state()

    def restore(self, state: Mapping[str, np.ndarray]) -> None:
        """Go on from a saved state."""
        last, count, waiting = state["replanner"]
        self._last_s, self._count, self._waiting = float(last), int(count), bool(waiting)
        if self._incremental is not None:
            self._incremental.restore(state)


def moves(before: Decisions, after: Decisions) -> BoolArray:
    """(I,) whose access point, node or slice changed."""
    return np.asarray(
        (before.access_point != after.access_point)
        | (before.node != after.node)
        | (before.slice != after.slice)
    )


def _cost_s(problem: Scenario, decisions: Decisions) -> float:
    """s. Under the best shares; infinite where none keep 13b and 13c."""
    shares = optimal_shares(problem, decisions)
    return np.inf if shares is None else Plan(problem, decisions, shares).cost_s


def _worth_moving(problem: Scenario, before: Decisions, after: Decisions, price_s: float) -> Decisions:
    """Take back, one by one, moves that save less than the price; nothing moves if all together do not pay.

    Each device goes back if cost plus price for every moved device is then lower, until a round changes nothing.
    """
    current = [np.array(after.access_point), np.array(after.node), np.array(after.slice)]
    old = (before.access_point, before.node, before.slice)
    cost = _cost_s(problem, after)
    for _ in range(3):
        changed = False
        for i in np.flatnonzero(moves(before, _of(current)))[:MOST_TRIED].tolist():
            kept = [int(column[i]) for column in current]
            for column, original in zip(current, old, strict=True):
                column[i] = original[i]
            back = _cost_s(problem, _of(current))
            if back - price_s < cost:
                cost, changed = back, True
            else:
                for column, value in zip(current, kept, strict=True):
                    column[i] = value
        if not changed:
            break
    result = _of(current)
    moved = int(moves(before, result).sum())
    return before if _cost_s(problem, before) <= cost + price_s * moved else result


def _of(columns: list[np.ndarray]) -> Decisions:
    return Decisions.trusted(*(column.copy() for column in columns))
