"""How good decisions are: accuracy against near-optimal labels, and what they cost more."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch

from slicewright.learning.slicing.batches import device_mask
from slicewright.learning.slicing.metrics import choice_accuracy
from slicewright.learning.slicing.networks.bipartite import Bipartite
from slicewright.learning.slicing.networks.published import PublishedModel
from slicewright.learning.slicing.solved_scenarios import FIRST_TEST_SEED, Solved, draw, solve
from slicewright.models.slicing.decoding import decode_choices, decode_soft, repaired
from slicewright.models.slicing.decoding import most_probable as most_probable_of
from slicewright.models.slicing.features import choices, rows, scenario_inputs
from slicewright.network.scenario import Scenario
from slicewright.slicing.decisions import Decisions
from slicewright.slicing.plan import Plan
from slicewright.slicing.shares import optimal_shares

TEST_ROUNDS = 5000
"""Rounds of search for the best known cost of a test scenario."""

Decide = Callable[[Scenario], Decisions]


def test_set(count: int, *, family: str = "paper", rounds: int = TEST_ROUNDS) -> list[Solved]:
    """Solved scenarios that no model was trained on."""
    return solve(draw(family, count, first_seed=FIRST_TEST_SEED), rounds=rounds)


def score(decide: Decide, instances: Sequence[Solved]) -> dict[str, float]:
    """Accuracy, and the relative excess cost of decisions once repaired, in percent.

    ``repaired`` is the part of scenarios whose decisions were infeasible as they came.
    """
    predicted, true, gaps, broken = [], [], [], 0
    for instance in instances:
        scenario = instance.scenario
        raw = decide(scenario)
        predicted.append(choices(scenario, raw))
        true.append(choices(scenario, instance.decisions))
        broken += optimal_shares(scenario, raw) is None
        cost = Plan(scenario, *repaired(scenario, raw), method="score").cost_s
        gaps.append(100 * (cost / instance.cost_s - 1))
    figures = choice_accuracy(predicted, true)
    figures |= {"gap_mean_%": float(np.mean(gaps)), "gap_p95_%": float(np.quantile(gaps, 0.95))}
    return figures | {"repaired": broken / len(instances)}


@torch.no_grad()
def soft_decisions(model: Bipartite, scenario: Scenario) -> tuple[np.ndarray, np.ndarray]:
    """(I, A) and (I, N, J) probabilities by torch, as the exported model gives them."""
    seen = scenario_inputs(scenario)
    inputs = [torch.from_numpy(getattr(seen, name))[None] for name in seen.__dataclass_fields__]
    radio_p, group_p = model(*inputs, device_mask([scenario.n_devices]))[:2]
    return radio_p[0].numpy(), group_p[0].numpy()


def most_probable(model: Bipartite) -> Decide:
    """Decode every device by itself: the most probable access point and group if it offloads at all."""
    return lambda scenario: most_probable_of(scenario, *soft_decisions(model, scenario))


def decoded(model: Bipartite, count: int, *, seed: int = 0) -> Decide:
    """Decode in order of certainty, the best of ``count`` orders."""
    return lambda scenario: decode_soft(scenario, *soft_decisions(model, scenario), count=count, seed=seed)


def published_choices(model: PublishedModel) -> Decide:
    """The joint argmax of SP3 (44)."""

    @torch.no_grad()
    def decide(scenario: Scenario) -> Decisions:
        seen = rows(scenario)
        inputs = torch.from_numpy(seen.network)[None], torch.from_numpy(seen.slices)[None]
        return decode_choices(scenario, model(*inputs, device_mask([scenario.n_devices]))[0][0].numpy())

    return decide
