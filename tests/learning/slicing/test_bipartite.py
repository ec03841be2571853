from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

import slicewright as sw
from slicewright.learning.slicing.batches import NetworkBatch
from slicewright.learning.slicing.congestion import PreparedBatch, expected_cost, inverse, marginals, prepare
from slicewright.learning.slicing.networks.bipartite import Bipartite, BipartiteLoss
from slicewright.learning.slicing.scoring import soft_decisions
from slicewright.learning.slicing.size_free.network_items import collate_networks, network_item
from slicewright.learning.slicing.solved_scenarios import Solved, draw, solve, varied_scenario
from slicewright.models.slicing.decoding import decode_soft, repaired
from tests.learning.small_models import random_bipartite

Inputs = tuple[Tensor, ...]


def inputs(
    seed: int = 0, batch: int = 2, devices: int = 6, aps: int = 3, nodes: int = 4, slices: int = 2
) -> Inputs:
    made = torch.Generator().manual_seed(seed)
    draw = lambda *shape: torch.rand(*shape, generator=made) + 0.05
    radio, capacity = draw(batch, devices, aps), draw(batch, slices, nodes)
    radio[:, 0, 0] = 0
    capacity[:, 0, 1] = 0
    work = 0.1 * draw(batch, devices, slices)
    return (
        radio,
        work,
        capacity,
        draw(batch, devices),
        draw(batch, devices),
        torch.ones(batch),
        torch.ones(batch, devices),
    )


def at_labels(batch: NetworkBatch, p: PreparedBatch) -> tuple[Tensor, Tensor]:
    """Labels as soft decisions of zeros and ones."""
    off = (batch.access_point >= 0).float().unsqueeze(-1)
    radio = torch.zeros_like(p.root).scatter(-1, batch.access_point.clamp(min=0).unsqueeze(-1), off)
    flat = torch.zeros_like(p.load.flatten(2)).scatter(-1, batch.group.clamp(min=0).unsqueeze(-1), off)
    return radio, flat.reshape(p.load.shape)


@pytest.mark.parametrize("queueing", ["node", "device"])
def test_expected_cost_of_decisions_is_the_cost_of_the_plan(queueing: str) -> None:
    scenarios = [s.with_(queueing=queueing) for s in draw("paper", 12)]
    batch = collate_networks([network_item(x) for x in solve(scenarios, rounds=20)])
    p = prepare(*batch.inputs)
    torch.testing.assert_close(expected_cost(p, *at_labels(batch, p)), batch.cost, rtol=1e-5, atol=0)


def test_marginals_are_differences_of_cost(solved: list[Solved]) -> None:
    batch = collate_networks([network_item(solved[3])])
    p = prepare(*batch.inputs)
    radio_p, group_p = at_labels(batch, p)
    device = int(np.flatnonzero(~solved[3].decisions.local)[0])
    m = marginals(p, radio_p, group_p)
    radio_p[0, device], group_p[0, device] = 0, 0
    without = expected_cost(p, radio_p, group_p) - p.local[0, device]
    for a, n, j in [(0, 0, 0), (2, 1, 8), (1, 2, 4)]:
        radio, group = radio_p.clone(), group_p.clone()
        radio[0, device, a], group[0, device, n, j] = 1, 1
        grown = expected_cost(p, radio, group) - without
        torch.testing.assert_close(
            m.radio[0, device, a] + m.group[0, device, n, j], grown[0], rtol=2e-4, atol=1e-5
        )


def test_the_inverse_continues_as_its_tangent() -> None:
    free = torch.tensor([1.0, 0.05, 0.04999, 0.0, -1.0], requires_grad=True)
    value = inverse(free)
    value.sum().backward()
    torch.testing.assert_close(value[:2], torch.tensor([1.0, 20.0]))
    assert (value[1:].diff() > 0).all()
    torch.testing.assert_close(
        free.grad, torch.tensor([-1.0, -400.0, -400.0, -400.0, -400.0]), rtol=1e-3, atol=0
    )


def permuted(given: Inputs, device: Tensor, ap: Tensor, node: Tensor, slice_: Tensor) -> Inputs:
    radio, work, capacity, local, arrival, shared, mask = given
    return (
        radio[:, device][:, :, ap], work[:, device][:, :, slice_], capacity[:, slice_][:, :, node],
        local[:, device], arrival[:, device], shared, mask[:, device],
    )  # fmt: skip


@torch.no_grad()
def test_answers_follow_permutations_of_everything(bipartite: Bipartite) -> None:
    given = inputs()
    made = torch.Generator().manual_seed(5)
    d, a, j, n = (torch.randperm(k, generator=made) for k in (6, 3, 4, 2))
    for model in (bipartite, random_bipartite()):
        radio, group, *_ = model(*given)
        radio2, group2, *_ = model(*permuted(given, d, a, j, n))
        torch.testing.assert_close(radio2, radio[:, d][:, :, a], atol=1e-5, rtol=1e-4)
        torch.testing.assert_close(group2, group[:, d][:, :, n][:, :, :, j], atol=1e-5, rtol=1e-4)


@torch.no_grad()
def test_padding_of_every_axis_changes_nothing(bipartite: Bipartite) -> None:
    radio, work, capacity, local, arrival, shared, mask = inputs()
    pad = torch.nn.functional.pad
    bigger = (
        pad(radio, (0, 2, 0, 3)), pad(work, (0, 1, 0, 3), value=7.0), pad(capacity, (0, 2, 0, 1)),
        pad(local, (0, 3), value=9.0), pad(arrival, (0, 3), value=9.0), shared, pad(mask, (0, 3)),
    )  # fmt: skip
    for model in (bipartite, random_bipartite()):
        short, long = model(radio, work, capacity, local, arrival, shared, mask), model(*bigger)
        torch.testing.assert_close(long[0][:, :6, :3], short[0], atol=1e-5, rtol=1e-4)
        torch.testing.assert_close(long[1][:, :6, :2, :4], short[1], atol=1e-5, rtol=1e-4)
        assert (long[0][:, 6:] == 0).all()
        assert long[0][:, :, 3:].abs().max() < 1e-6
        assert long[1][:, :, 2:].abs().max() < 1e-6


@pytest.mark.parametrize("devices", [1, 500])
@torch.no_grad()
def test_options_that_do_not_exist_get_no_probability(bipartite: Bipartite, devices: int) -> None:
    given = inputs(devices=devices)
    for model in (bipartite, random_bipartite()):
        radio, group, *_ = model(*given)
        torch.testing.assert_close(radio.sum(-1), group.sum((-1, -2)), atol=1e-5, rtol=1e-4)
        assert (radio.sum(-1) <= 1 + 1e-6).all()
        assert radio[:, 0, 0].max() < 1e-6
        assert group[:, :, 0, 1].max() < 1e-6


@torch.no_grad()
def test_an_all_padding_row_gives_zeros(bipartite: Bipartite) -> None:
    *given, mask = inputs()
    for model in (bipartite, random_bipartite()):
        for answer in model(*given, mask * 0):
            assert (answer == 0).all()


@given(seed=st.integers(0, 100_000), weights=st.integers(0, 3))
@settings(max_examples=25, deadline=None)
def test_whatever_a_network_says_decodes_to_a_feasible_plan(seed: int, weights: int) -> None:
    scenario = varied_scenario(seed)
    soft = soft_decisions(random_bipartite(weights), scenario)
    decisions, shares = repaired(scenario, decode_soft(scenario, *soft, count=2, seed=seed))
    assert decisions.valid(scenario).all()
    assert sw.Plan(scenario, decisions, shares, method="test").violations.feasible


def test_more_decodings_are_never_worse(bipartite: Bipartite) -> None:
    scenario = sw.preset("paper-slicing", devices=40, seed=3)
    soft = soft_decisions(bipartite, scenario)
    costs = []
    for count in (1, 4, 16):
        decisions, shares = repaired(scenario, decode_soft(scenario, *soft, count=count))
        costs.append(sw.Plan(scenario, decisions, shares, method="test").cost_s)
    assert costs == sorted(costs, reverse=True)


def test_both_losses_can_be_descended(solved: list[Solved]) -> None:
    batch = collate_networks([network_item(x) for x in solved[:8]])
    for loss in (BipartiteLoss(imitation=1.0), BipartiteLoss(imitation=0.0, cost=1.0)):
        model = random_bipartite().train()
        step = torch.optim.Adam(model.parameters(), lr=1e-2)
        values = []
        for _ in range(12):
            step.zero_grad()
            value = loss(model, batch)
            value.backward()
            step.step()
            values.append(value.item())
        assert values[-1] < values[0]
