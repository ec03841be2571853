"""From a scenario to a plan: the main job, one call."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from slicewright.compile_beside import compiled_beside
from slicewright.compiled import announce_compilation
from slicewright.errors import InvalidOptionError
from slicewright.network.presets import preset
from slicewright.network.scenario import Scenario
from slicewright.network.scenario_file import load_scenario
from slicewright.policies.slicing.policy import Limit, Policy
from slicewright.policies.slicing.registry import policy
from slicewright.slicing.certificate import FEW_DEVICES, load_kernels, load_relaxation_kernels
from slicewright.slicing.plan import Plan
from slicewright.slicing.shares import Shares, optimal_shares

SHORTEST_BUDGET_S = 0.005
BUDGET_PER_DEVICE_S = 1e-4


def default_budget_s(scenario: Scenario) -> float:
    """5 ms up to 50 devices, then in proportion: enough for a mean gap of a few hundredths of a percent."""
    return max(SHORTEST_BUDGET_S, BUDGET_PER_DEVICE_S * scenario.n_devices)


def plan(
    scenario: Scenario | str | Path | Mapping[str, object],
    *,
    method: str = "auto",
    budget_s: float | None = None,
    rounds: int | None = None,
    seed: int = 0,
) -> Plan:
    """Decide for every device where its task runs and what share of radio and compute it gets.

    The plan's cost, constraint residuals and proven bound are attributes; the bound is computed when first read.

    Args:
        scenario: a scenario, or what :func:`slicewright.load_scenario` reads.
        method: a name from :func:`slicewright.policies`.
        budget_s: s of wall time for the decision; if neither this nor ``rounds`` is given, the method's own default
            (60 s for ``solver``) or :func:`default_budget_s`.
        rounds: rounds of search instead of a budget: the answer then repeats bit for bit.
        seed: of the method's random choices.

    Raises:
        UnknownNameError: no such method.
        InvalidScenarioError: what is wrong with the scenario, and where.
        InvalidOptionError: a budget or a number of rounds is negative.
    """
    problem = scenario if isinstance(scenario, Scenario) else load_scenario(scenario)
    chosen = policy(method)
    _warm_up(chosen, few=problem.n_devices <= FEW_DEVICES)
    if isinstance(seed, bool) or not 0 <= seed < 2**64:
        raise InvalidOptionError("seed", "must be a whole number of at least 0", value=seed)
    if budget_s is None and rounds is None:
        budget_s = getattr(chosen, "default_budget_s", None) or default_budget_s(problem)
    limit = Limit(budget_s, rounds)
    if prepare := getattr(chosen, "prepare", None):
        prepare(problem, limit=limit)
    began = time.perf_counter()
    answer = chosen.decide(problem, limit=limit, seed=seed)
    shares = answer.shares
    if shares is None:
        shares = optimal_shares(problem, answer.decisions)
    if shares is None:  # none make the method's decisions feasible
        shares = Shares.none(problem)
    return Plan(
        problem,
        answer.decisions,
        shares,
        method=method,
        runtime_s=time.perf_counter() - began,
        proven_bound_s=answer.proven_bound_s,
        notes=answer.notes,
        prices=answer.prices,
    )


def plan_many(
    scenarios: Iterable[Scenario],
    *,
    method: str = "auto",
    budget_s: float | None = None,
    rounds: int | None = None,
    seed: int = 0,
    jobs: int | None = None,
    certify: bool = False,
) -> list[Plan]:
    """Plan many scenarios in parallel threads (the kernels release the interpreter lock), in the given order.

    Args:
        scenarios: the problems.
        method, budget_s, rounds, seed: as in :func:`plan`, the same for each.
        jobs: threads; one per processor by default.
        certify: compute the bounds in the threads too, rather than when first read.
    """

    def one(scenario: Scenario) -> Plan:
        made = plan(scenario, method=method, budget_s=budget_s, rounds=rounds, seed=seed)
        if certify:
            _ = made.lower_bound_s
        return made

    with ThreadPoolExecutor(max_workers=jobs or os.cpu_count() or 1) as pool:
        return list(pool.map(one, scenarios))


_BESIDE = {
    "exact": "import slicewright as sw; sw.plan(sw.preset('paper-slicing', devices=2), rounds=1).lower_bound_s",
}
_BESIDE_FEW = """
from slicewright.slicing.certificate import load_kernels
load_kernels()
"""
_BESIDE_OTHERS = """
from slicewright.slicing.certificate import load_relaxation_kernels
load_relaxation_kernels()
"""
"""What a second process compiles on a machine's first run: what the method does not run, or runs last."""
_warm: dict[str, Policy] = {}
_warming = threading.Lock()


def _warm_up(chosen: Policy, *, few: bool) -> None:
    """Load (on a new machine: compile) what a policy and a certificate run, so that no user's budget pays for it.

    On a machine's first run only the certificate of ``few`` devices is compiled whole: that of more often ends with
    its relaxation, and compiles the rest where it does not.
    """
    if _warm.get(chosen.name) is chosen:
        return
    with _warming:
        if _warm.get(chosen.name) is not chosen:
            first = announce_compilation("slicing")
            program = _BESIDE.get(chosen.name, _BESIDE_FEW if few else _BESIDE_OTHERS)
            with compiled_beside(program, wanted=first):
                chosen.decide(_tiny_scenario(), limit=Limit(rounds=1), seed=0)
            if first and not few:
                load_relaxation_kernels()
            else:
                load_kernels()
            _warm[chosen.name] = chosen


def _tiny_scenario() -> Scenario:
    return preset("paper-slicing", devices=2)
