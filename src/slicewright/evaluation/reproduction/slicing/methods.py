"""The methods of the slicing figures, each from scenarios to plans."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from types import MappingProxyType

import numpy as np

from slicewright.errors import SolverError
from slicewright.evaluation.reproduction.engine.workshop import Workshop
from slicewright.evaluation.reproduction.slicing.models import (
    Overrides,
    published_model,
    serving,
    size_free_model,
)
from slicewright.evaluation.reproduction.slicing.nested_scenarios import nested_scenario
from slicewright.evaluation.reproduction.slicing.readings import Reading, read
from slicewright.models.slicing.session import load_model
from slicewright.network.presets import preset
from slicewright.network.scenario import Scenario
from slicewright.policies.slicing import plan
from slicewright.slicing.exact.solve import solve_exact
from slicewright.slicing.exact.tree import load_kernels
from slicewright.slicing.plan import Plan
from slicewright.slicing.shares import optimal_shares

FIRST_SEED = 2_000_000
"""Scenarios of the figures: seeds that nothing was trained on."""
EXACT_BUDGET_S = 0.5
"""s per scenario: proves nearly all; what is not proven is the best known, and counted."""
OUR_ROUNDS = 50
BASELINE_RUNS = 4
LABELS: Mapping[str, str] = MappingProxyType(
    {
        "os": "OS (proven optimum)",
        "deepsets-s": "DeepSets-S (argmax)",
        "own": "DeepSets-S (own shares)",
        "erap": "ERAP",
        "prap": "PRAP",
        "ours": "ours (auto)",
        "bipartite": "ours (bipartite, argmax)",
        "best-response": "best response, one run",
    }
)


def scenarios(shop: Workshop, devices: int, overrides: Overrides, count: int | None = None) -> list[Scenario]:
    """Test scenarios: the same seeds at every point."""
    seeds = range(FIRST_SEED, FIRST_SEED + (shop.scale.runs if count is None else count))
    return [nested_scenario(devices, seed, overrides) for seed in seeds]


def optima(shop: Workshop, devices: int, overrides: Overrides) -> tuple[Plan, ...]:
    """The proven optima of :func:`scenarios`, found once for all figures that show them."""
    return _optima(shop.scale.runs, shop.jobs, devices, tuple(sorted(overrides.items())))


@cache
def _optima(
    runs: int, jobs: int, devices: int, overrides: tuple[tuple[str, object], ...]
) -> tuple[Plan, ...]:
    seeds = range(FIRST_SEED, FIRST_SEED + runs)
    with ThreadPoolExecutor(max_workers=jobs) as pool:
        return tuple(
            pool.map(lambda seed: proven_optimum(nested_scenario(devices, seed, dict(overrides))), seeds)
        )


def classical_plans(shop: Workshop, method: str, problems: Sequence[Scenario]) -> list[Plan]:
    """Plans of a method that needs no training: ``erap``, ``prap``, ``ours`` or ``best-response``."""
    return shop.each(_CLASSICAL[method], problems)


def model_plans(
    shop: Workshop,
    problems: Sequence[Scenario],
    reading: Reading,
    *,
    overrides: Overrides | None = None,
    seed: int | None = None,
) -> list[Plan]:
    """Plans of a trained model, read one way.

    Args:
        shop: scale and folders.
        problems: to plan for.
        reading: of its answers.
        overrides: of the setting that DeepSets-S is trained for; without them the size-free network answers.
        seed: of the training of DeepSets-S.
    """
    if overrides is None:
        name, folder = "bipartite", size_free_model(shop)[0]
    else:
        name, folder = "deepsets-s", published_model(shop, overrides, seed)
    with serving(folder):
        model = load_model(name)
    return shop.each(lambda scenario: read(model, scenario, reading), problems)


@cache
def _compile_exact() -> None:
    """Before anything is given a budget: on a new machine the first call compiles, and larger ones some more."""
    load_kernels()
    solve_exact(preset("paper-slicing", devices=3))


def proven_optimum(scenario: Scenario) -> Plan:
    """The optimum by column generation (1e-4), or what it knows when its budget ends; carries its proven bound."""
    _compile_exact()
    answer = solve_exact(scenario, budget_s=EXACT_BUDGET_S)
    shares = optimal_shares(scenario, answer.decisions)
    if shares is None:
        raise SolverError("the exact method returned decisions that no shares make feasible")
    return Plan(
        scenario,
        answer.decisions,
        shares,
        method="exact",
        runtime_s=answer.runtime_s,
        proven_bound_s=answer.bound_s,
    )


def proven(answer: Plan) -> bool:
    """Whether a plan's own bound proves it to 1e-4."""
    return answer.proven_bound_s is not None and answer.cost_s <= answer.proven_bound_s * (1 + 1.01e-4)


def mec_share(answers: Sequence[Plan]) -> list[float]:
    """Part of the offloaded tasks that go to a MEC server, per plan; nan where nobody offloads."""
    shares = []
    for answer in answers:
        node = answer.decisions.node[~answer.decisions.local]
        mec = np.array([kind == "mec" for kind in answer.scenario.node_kinds])
        shares.append(float(mec[node].mean()) if node.size else float("nan"))
    return shares


_CLASSICAL: Mapping[str, Callable[[Scenario], Plan]] = MappingProxyType(
    {
        "erap": lambda scenario: plan(scenario, method="erap", rounds=BASELINE_RUNS),
        "prap": lambda scenario: plan(scenario, method="prap", rounds=BASELINE_RUNS),
        "ours": lambda scenario: plan(scenario, method="auto", rounds=OUR_ROUNDS),
        "best-response": lambda scenario: plan(scenario, method="best-response", rounds=1),
    }
)
