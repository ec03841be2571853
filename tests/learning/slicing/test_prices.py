"""Prices that a network learns, and certificates that begin with them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

import slicewright as sw
from slicewright.errors import InvalidOptionError
from slicewright.learning.common.model_files import TrainedModel, write_model
from slicewright.learning.common.training import Schedule
from slicewright.learning.slicing.congestion import prepare
from slicewright.learning.slicing.networks.bipartite import Bipartite, BipartiteDesign
from slicewright.learning.slicing.onnx_graphs import bipartite_onnx
from slicewright.learning.slicing.size_free.dual_loss import DualLoss, collate_priced, dual_values
from slicewright.learning.slicing.size_free.price_training import priced_item, train_prices
from slicewright.learning.slicing.solved_scenarios import Solved, draw, solve
from slicewright.models.cards import BIPARTITE
from slicewright.models.session import FOLDER_VARIABLE, ModelUnavailableError
from slicewright.models.slicing.learned_prices import learned_prices
from slicewright.slicing.certificate import certify
from slicewright.slicing.dual_prices import DualPrices
from slicewright.slicing.exact.dual_function import DualFunction
from tests.learning.small_models import SMALL, random_bipartite


@pytest.fixture(scope="module")
def regimes() -> list[Solved]:
    return solve(draw("regimes", 24), rounds=50)


def test_prices_are_at_most_the_local_time(regimes: list[Solved]) -> None:
    batch = collate_priced([priced_item(x) for x in regimes[:6]])
    model, p = random_bipartite(), prepare(*batch.network.inputs)
    with torch.no_grad():
        radio, compute = model.prices(p, model.unroll(p))
    assert (radio >= 0).all()
    assert (compute >= 0).all()
    assert (radio + compute <= p.local * (1 + 1e-5)).all()
    assert ((radio + compute)[p.mask == 0] == 0).all()


def test_gradients_of_the_bound_are_the_slopes_of_the_dual_function(regimes: list[Solved]) -> None:
    item, scenario = priced_item(regimes[0]), regimes[0].scenario
    batch = collate_priced([item])
    radio, compute = ((part * batch.network.local).requires_grad_() for part in (0.2, 0.4))
    value = dual_values(radio, compute, batch.duals)
    (3.0 * value).sum().backward()
    unit = float(scenario.local_time_s.mean())
    there = DualPrices(*(unit * x.detach()[0].double().numpy() for x in (radio, compute)))
    point = DualFunction(scenario).at(there)
    assert float(value.detach()) == pytest.approx(point.value_s / unit, rel=1e-5)
    for given, slope in ((radio, point.radio_slope), (compute, point.compute_slope)):
        assert given.grad is not None
        np.testing.assert_allclose(given.grad[0].numpy(), 3.0 * slope, rtol=1e-6)


def test_training_raises_the_bound_and_leaves_decisions_alone(regimes: list[Solved]) -> None:
    torch.manual_seed(0)
    model = Bipartite(SMALL)
    items = [priced_item(x) for x in regimes]
    before = {k: v.clone() for k, v in model.state_dict().items()}
    with torch.no_grad():
        untrained = float(DualLoss()(model, collate_priced(items[:6])))
    train_prices(model, items[6:], items[:6], schedule=Schedule(epochs=4, batch_size=6, learning_rate=5e-3))
    with torch.no_grad():
        assert float(DualLoss()(model, collate_priced(items[:6]))) < untrained
    after = model.state_dict()
    assert all(torch.equal(before[k], after[k]) for k in before if not k.startswith("head."))
    assert all(weight.requires_grad for weight in model.parameters())


def test_a_network_without_prices_says_so(regimes: list[Solved]) -> None:
    model = Bipartite(BipartiteDesign(rounds=1, device_width=4, edge_width=4))
    p = prepare(*collate_priced([priced_item(regimes[0])]).network.inputs)
    with pytest.raises(InvalidOptionError, match="price_width"):
        model.prices(p, model.unroll(p))
    with pytest.raises(ModelUnavailableError, match="says nothing of prices"):
        learned_prices(regimes[0].scenario, model="deepsets-s")


def test_a_certificate_from_learned_prices_holds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = random_bipartite(1)
    toy = TrainedModel("priced", BIPARTITE, bipartite_onnx(model), model.settings(), {"devices": [1, 60]})
    write_model(toy, tmp_path)
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path))
    scenario = sw.preset("regime/compute", devices=25, seed=4)
    prices = learned_prices(scenario, model="priced")
    assert prices.compute_s.shape == (25,)
    assert (prices.radio_s + prices.compute_s <= scenario.local_time_s * (1 + 1e-5)).all()
    plan = sw.plan(scenario, rounds=300)
    found = certify(scenario, start=plan.decisions, prices=prices)
    assert 0.9 * plan.cost_s < found.bound_s <= plan.cost_s


def test_the_shipped_network_prices() -> None:
    scenario = sw.preset("regime/balanced", devices=50, seed=3_000_000)
    own, plan = DualFunction(scenario), sw.plan(scenario, rounds=100)
    learned, half = learned_prices(scenario), DualPrices(*(0.5 * scenario.local_time_s,) * 2)
    assert own.at(half).value_s < own.at(learned).value_s < 1.5 * plan.cost_s
