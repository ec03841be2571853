"""Ask a method what to do with a situation, or keep what the last plan had: pure, so that a replay finds the same."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace

from slicewright.control.decision.free_problem import (
    FreeProblem,
    Proposal,
    free_problem,
    leave_room_for_pins,
    proposal_of,
)
from slicewright.control.decision.settlement import Settlement, settle, settle_unjudged
from slicewright.control.state.grants import Place
from slicewright.control.state.situation import Situation
from slicewright.policies.slicing import plan as plan_with
from slicewright.slicing.decisions import Decisions
from slicewright.slicing.plan import Plan
from slicewright.slicing.published.baselines import drop_until_feasible
from slicewright.slicing.search import iterated_search
from slicewright.slicing.shares import Shares, least_cost_s, optimal_shares

LAST_GOOD = "last-good"
_ROUNDING = 1e-6
"""Costs of the same decisions never differ by this part, however the shares were worked out."""


def decide(
    situation: Situation,
    method: str,
    *,
    rounds: int,
    seed: int,
    epoch: int = 0,
    previous: Mapping[str, Place] | None = None,
    keep_ratio: float = 0.0,
) -> Settlement | None:
    """Ask one method; None if the judge rejects its answer.

    Args:
        situation: what is to be decided.
        method: a name of the policy registry.
        rounds: of search; no clock is consulted, so the answer depends on the arguments alone.
        seed: of the method.
        epoch: written into the grants.
        previous: places of the last decision.
        keep_ratio: moving devices interrupts them, so the last plan, improved only device by device, is kept
            where it costs at most this much more than the method's answer. 0 keeps nothing.

    Raises:
        UnknownNameError: no such method.
    """
    problem = free_problem(situation)
    proposal, answer = _asked(situation, problem, method, rounds=rounds, seed=seed)
    if problem is None or answer is None or not previous or keep_ratio <= 0:
        return settle(situation, proposal, method, epoch=epoch)
    kept = replace(_improved(situation, problem, previous), notes=proposal.notes)
    steady = settle(situation, kept, method, epoch=epoch)
    if steady is not None and _surely_cheaper(situation, steady, answer, keep_ratio):
        return steady
    settlement = settle(situation, proposal, method, epoch=epoch)
    if settlement is None or settlement.plan is None or steady is None or steady.plan is None:
        return settlement
    return settlement if steady.plan.cost_s > settlement.plan.cost_s * (1 + keep_ratio) else steady


def _surely_cheaper(situation: Situation, steady: Settlement, answer: Plan, keep_ratio: float) -> bool:
    """Whether the last plan will do even if the method's decisions get the best shares there are.

    Settling them is then spared: it could not make them cheaper, but for rounding.
    """
    if situation.pins or steady.plan is None or not answer.violations.feasible:
        return False
    least_s = least_cost_s(answer.scenario, answer.decisions)
    return math.isfinite(least_s) and steady.plan.cost_s <= least_s * (1 + keep_ratio) * (1 - _ROUNDING)


def _improved(situation: Situation, problem: FreeProblem, previous: Mapping[str, Place]) -> Proposal:
    """The last places after each device has had the chance to do better, newcomers included."""
    decisions, shares = iterated_search(problem.scenario, start=_still_valid(problem, previous), rounds=0)
    return _with_room(situation, problem, decisions, shares)


def _still_valid(problem: FreeProblem, previous: Mapping[str, Place]) -> Decisions:
    places = [previous.get(device) for device in problem.devices]
    decisions = problem.decisions(places)
    valid = decisions.valid(problem.scenario)
    if valid.all():
        return decisions
    return problem.decisions([place if ok else None for place, ok in zip(places, valid, strict=True)])


def _with_room(situation: Situation, problem: FreeProblem, decisions: Decisions, shares: Shares) -> Proposal:
    if situation.pins:
        decisions = leave_room_for_pins(situation, problem, decisions)
        shares = optimal_shares(problem.scenario, decisions) or shares
    return proposal_of(situation, problem, decisions, shares)


def decide_last_good(situation: Situation, previous: Mapping[str, Place], *, epoch: int = 0) -> Settlement:
    """The places of the last plan as far as they still exist and fit; everybody else local. Always answers."""
    problem = free_problem(situation)
    if problem is not None:
        decisions, shares = drop_until_feasible(problem.scenario, _still_valid(problem, previous))
        settlement = settle(
            situation, proposal_of(situation, problem, decisions, shares), LAST_GOOD, epoch=epoch
        )
        if settlement is not None:
            return settlement
    return settle_unjudged(situation, Proposal({}, {}), LAST_GOOD, epoch=epoch)


def propose(situation: Situation, method: str, *, rounds: int, seed: int) -> Proposal:
    """Places and inter-slice shares by a method of the registry, for everything that no pin holds."""
    return _asked(situation, free_problem(situation), method, rounds=rounds, seed=seed)[0]


def _asked(
    situation: Situation, problem: FreeProblem | None, method: str, *, rounds: int, seed: int
) -> tuple[Proposal, Plan | None]:
    """The proposal, and the method's own plan; None when there was nothing to ask about."""
    if problem is None:
        return Proposal({}, {}), None
    answer = plan_with(problem.scenario, method=method, rounds=rounds, seed=seed)
    proposal = _with_room(situation, problem, answer.decisions, answer.shares)
    return replace(proposal, notes=answer.notes), answer
