"""Prices learned from the bound that they prove, without labels: the dual function is the loss.

Any prices make a valid bound, so that a network can only make it tighter or looser, never wrong. The dual function is
concave and gives its slopes with its value, so that a network is trained on what counts; solvers' prices are no good
labels, since many are equally good and a mean of them is not.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, cast

import torch
from torch import Tensor

from slicewright.learning.slicing.batches import NetworkBatch, NetworkLabel, network_batch
from slicewright.learning.slicing.congestion import prepare
from slicewright.learning.slicing.networks.bipartite import Bipartite
from slicewright.models.slicing.features import ScenarioInputs
from slicewright.slicing.dual_prices import DualPrices
from slicewright.slicing.exact.dual_function import DualFunction

STEEPNESS = 10.0
"""Gaps enter as log(1 + 10 gap): from 10 % on, halving a gap counts nearly the same, however large it is."""
LEAST_GAP = -0.05
"""What local search misses can make a gap negative; below this it counts no further."""


class PricedItem(NamedTuple):
    """A solved scenario as prices are learned on it."""

    inputs: ScenarioInputs
    label: NetworkLabel
    dual: DualFunction


class PricedBatch(NamedTuple):
    """A batch, with the dual function of each scenario."""

    network: NetworkBatch
    duals: tuple[DualFunction, ...]


def collate_priced(items: Sequence[PricedItem]) -> PricedBatch:
    """Pad and stack."""
    network = network_batch([x.inputs for x in items], [x.label for x in items])
    return PricedBatch(network, tuple(x.dual for x in items))


class _DualValues(torch.autograd.Function):
    """(B,) values of dual functions at (B, I) prices, all in units of the scenarios' mean local times."""

    @staticmethod
    def forward(ctx: Any, radio: Tensor, compute: Tensor, duals: tuple[DualFunction, ...]) -> Tensor:
        values = torch.zeros(len(duals))
        slopes = torch.zeros(2, *radio.shape)
        offers = torch.stack([radio, compute]).detach().cpu().double().numpy()
        for k, dual in enumerate(duals):
            count, unit = dual.scenario.n_devices, float(dual.scenario.local_time_s.mean())
            point = dual.at(DualPrices(*(unit * offers[:, k, :count])))
            values[k] = point.value_s / unit
            slopes[0, k, :count] = torch.from_numpy(point.radio_slope)
            slopes[1, k, :count] = torch.from_numpy(point.compute_slope)
        ctx.save_for_backward(slopes.to(radio))
        return values.to(radio)

    @staticmethod
    def backward(ctx: Any, rising: Tensor) -> tuple[Tensor, Tensor, None]:
        (slopes,) = ctx.saved_tensors
        return rising[:, None] * slopes[0], rising[:, None] * slopes[1], None


def dual_values(radio: Tensor, compute: Tensor, duals: tuple[DualFunction, ...]) -> Tensor:
    """(B,) values of dual functions at prices, differentiable in them.

    Args:
        radio, compute: (B, I) in units of each scenario's mean local time, together at most a device's local time.
        duals: of the scenarios.
    """
    made = _DualValues.apply(radio, compute, duals)  # type: ignore[no-untyped-call]  # torch says nothing of it
    return cast(Tensor, made)


class DualLoss:
    """What prices leave open below the labels' costs, on a logarithmic scale, mean over the batch."""

    def __call__(self, model: Bipartite, batch: PricedBatch) -> Tensor:
        """Trains nothing but the prices' head: decisions stay what they were."""
        p = prepare(*batch.network.inputs)
        with torch.no_grad():
            unrolled = model.unroll(p)
        radio, compute = model.prices(p, unrolled)
        gap = 1.0 - dual_values(radio, compute, batch.duals) / batch.network.cost
        return torch.log1p(STEEPNESS * gap.clamp(min=LEAST_GAP)).mean()
