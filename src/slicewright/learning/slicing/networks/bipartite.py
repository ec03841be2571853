"""The size-free network: rounds of soft decisions, congestion, marginal costs, learned correction (model page 3.4).

Devices on one side, access points and (slice, node) groups on the other. No weight depends on the number of devices,
access points, nodes or slices, so one trained network serves every network. Each round prices all options exactly
under the current soft decisions (``congestion``), and small networks correct the softmax over them. What devices offer
for being served, from which bounds follow, comes of the last round (:mod:`price_head`).
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn

from slicewright.errors import InvalidOptionError
from slicewright.learning.slicing.batches import NetworkBatch
from slicewright.learning.slicing.congestion import (
    Marginals,
    PreparedBatch,
    expected_cost,
    marginals,
    prepare,
)
from slicewright.learning.slicing.networks.encoders import HIDDEN, masked_mean, perceptron
from slicewright.learning.slicing.networks.price_head import FAR, PriceHead, log_ratio

RADIO_FEATURES, GROUP_FEATURES, DEVICE_FEATURES = 6, 8, 9


@dataclass(frozen=True)
class BipartiteDesign:
    """Widths of the network.

    Attributes:
        rounds: unrolled, each with weights of its own.
        device_width: of the state that a device carries from round to round.
        edge_width: of the corrections.
        price_width: of the prices' head; 0 for a network that says nothing of prices.
    """

    rounds: int = 3
    device_width: int = 24
    edge_width: int = 16
    price_width: int = 0


class Soft(NamedTuple):
    """Soft decisions.

    Attributes:
        offload: (B, I) logit.
        radio: (B, I, A) logits.
        group: (B, I, N, J) logits.
    """

    offload: Tensor
    radio: Tensor
    group: Tensor

    def probabilities(self, p: PreparedBatch) -> tuple[Tensor, Tensor]:
        """(B, I, A) and (B, I, N, J), both summing to the probability of offloading; 0 where padded."""
        x = torch.sigmoid(self.offload) * p.mask
        group = torch.softmax(self.group.flatten(2), dim=-1).reshape(self.group.shape)
        return x.unsqueeze(-1) * torch.softmax(self.radio, dim=-1), x[..., None, None] * group


class Unrolled(NamedTuple):
    """What all rounds say.

    Attributes:
        rounds: soft decisions of each.
        radio_p: (B, I, A) probabilities that the next round would price.
        group_p: (B, I, N, J) likewise.
        state: (B, I, H) of the devices.
    """

    rounds: list[Soft]
    radio_p: Tensor
    group_p: Tensor
    state: Tensor


class EdgeScore(nn.Module):
    """Correction of one option of one device, from the option's features and the device's state."""

    def __init__(self, features: int, device_width: int, width: int) -> None:
        super().__init__()
        self.edge = nn.Linear(features, width)
        self.device = nn.Linear(device_width, width, bias=False)
        self.out = nn.Linear(width, 1)
        nn.init.zeros_(self.out.weight)
        nn.init.zeros_(self.out.bias)

    def forward(self, features: Tensor, state: Tensor) -> Tensor:
        """(B, I, K, F) and (B, I, H) to (B, I, K)."""
        hidden = torch.relu(self.edge(features) + self.device(state).unsqueeze(2))
        score: Tensor = self.out(hidden).squeeze(-1)
        return score


class Round(nn.Module):
    """One round: price every option, update each device's state, choose anew."""

    def __init__(self, design: BipartiteDesign) -> None:
        super().__init__()
        width = design.device_width
        self.update = perceptron(DEVICE_FEATURES + 2 * width + 4, width, width)
        self.radio = EdgeScore(RADIO_FEATURES, width, design.edge_width)
        self.group = EdgeScore(GROUP_FEATURES, width, design.edge_width)
        self.offload = nn.Linear(width, 1)
        self.sharpness = nn.Parameter(torch.tensor([1.0, 1.0, 1.0]))
        self.step = nn.Parameter(torch.tensor(0.5))

    def forward(
        self, p: PreparedBatch, radio_p: Tensor, group_p: Tensor, state: Tensor
    ) -> tuple[Soft, Tensor, Tensor, Tensor]:
        """Soft decisions (B, I, A), (B, I, N, J) and state (B, I, H) to logits and the next three."""
        m = marginals(p, radio_p, group_p)
        local = p.local
        radio = torch.where(p.reach > 0, m.radio, FAR * torch.ones_like(m.radio))
        group = torch.where(p.serves.expand_as(m.group) > 0, m.group, FAR * torch.ones_like(m.group))
        group = group.flatten(2)
        best_radio, best_group = radio.amin(dim=-1), group.amin(dim=-1)
        whole = best_radio + best_group
        to_local = (_relative(radio, local), _relative(group, local))
        behind = (_behind(radio, best_radio, local), _behind(group, best_group, local))
        radio_edge, radio_margin = self._radio_edges(p, m, radio_p, to_local[0], behind[0])
        group_edge = self._group_edges(p, m, group_p, to_local[1], behind[1])
        gain = (torch.log(local) - torch.log(whole + 1e-6)).clamp(-8, 8)
        own = torch.stack(
            [
                torch.log(local),
                gain,
                ((local - whole) / local).clamp(-4, 4),
                torch.log(best_radio / local + 1e-6).clamp(-8, 8),
                torch.log(best_group / local + 1e-6).clamp(-8, 8),
                radio_p.sum(dim=-1),
                radio_margin,
                torch.log(p.arrival + 1e-6),
                (radio_p * p.root).sum(dim=-1),
            ],
            dim=-1,
        )
        context = masked_mean(state, p.mask).unsqueeze(1).expand_as(state)
        scene = scene_of(p, m).unsqueeze(1).expand(-1, state.shape[1], -1)
        state = state + self.update(torch.cat([own, state, context, scene], dim=-1))
        sharp = torch.exp(self.sharpness)
        soft = Soft(
            offload=sharp[0] * gain + self.offload(state).squeeze(-1),
            radio=self.radio(radio_edge, state) - sharp[1] * to_local[0] + HIDDEN * (1 - p.reach),
            group=(
                self.group(group_edge, state)
                - sharp[2] * to_local[1]
                + HIDDEN * (1 - p.serves.expand_as(m.group).flatten(2))
            ).reshape(m.group.shape),
        )
        new_radio, new_group = soft.probabilities(p)
        step = torch.sigmoid(self.step)
        return soft, radio_p + step * (new_radio - radio_p), group_p + step * (new_group - group_p), state

    def _radio_edges(
        self, p: PreparedBatch, m: Marginals, radio_p: Tensor, relative: Tensor, behind: Tensor
    ) -> tuple[Tensor, Tensor]:
        """(B, I, A, F) features of access points, and (B, I) how far the second is behind the best."""
        crowd = torch.log1p(m.radio_sum**2).unsqueeze(1).expand_as(radio_p)
        solo = (torch.log(p.time) - torch.log(p.local).unsqueeze(-1)).clamp(-8, 8)
        edge = torch.stack([relative, behind, solo, radio_p, crowd, p.root.clamp(max=8)], dim=-1)
        return edge, (behind * p.reach).sum(dim=-1) / (p.reach.sum(dim=-1) + 1e-6)

    def _group_edges(
        self, p: PreparedBatch, m: Marginals, group_p: Tensor, relative: Tensor, behind: Tensor
    ) -> Tensor:
        """(B, I, N * J, F) features of groups."""
        load = p.load.flatten(2)
        solo = (torch.log(load + 1e-9) - torch.log(p.local).unsqueeze(-1)).clamp(-12, 8)
        return torch.stack(
            [
                relative,
                behind,
                solo,
                group_p.flatten(2),
                m.queue.clamp(max=4).flatten(1).unsqueeze(1).expand_as(relative),
                m.floor.clamp(max=4).flatten(1).unsqueeze(1).expand_as(relative),
                load.clamp(max=8),
                (p.arrival.unsqueeze(-1) * load).clamp(max=4),
            ],
            dim=-1,
        )


def scene_of(p: PreparedBatch, m: Marginals) -> Tensor:
    """(B, 4) how crowded the network is, in ratios that do not depend on its size."""
    devices = p.mask.sum(dim=1)
    near = (p.reach.amax(dim=1)).sum(dim=-1)
    groups = p.serves.sum(dim=(1, 2, 3))
    used = m.queue.clamp(max=4).sum(dim=(1, 2)) / (groups + 1e-6)
    crowd = torch.log1p(m.radio_sum**2).sum(dim=-1) / (near + 1e-6)
    return torch.stack(
        [torch.log1p(devices / (near + 1e-6)), torch.log1p(devices / (groups + 1e-6)), used, crowd],
        dim=-1,
    )


def _relative(cost: Tensor, local: Tensor) -> Tensor:
    """(B, I, K) logarithm of costs over the local time."""
    return log_ratio(cost, local.unsqueeze(-1))


def _behind(cost: Tensor, best: Tensor, local: Tensor) -> Tensor:
    """(B, I, K) how far an option is behind the best, in local times, on a logarithmic scale."""
    return torch.log1p((cost - best.unsqueeze(-1)) / local.unsqueeze(-1)).clamp(max=8)


class Bipartite(nn.Module):
    """All rounds. Permutation-equivariant over devices, access points, nodes and slices; padding changes nothing."""

    def __init__(self, design: BipartiteDesign) -> None:
        super().__init__()
        self.design = design
        self.rounds = nn.ModuleList([Round(design) for _ in range(design.rounds)])
        self.head = PriceHead(design.device_width, design.price_width) if design.price_width else None

    def settings(self) -> dict[str, object]:
        """What rebuilds the model before weights are loaded."""
        return {"design": asdict(self.design)}

    def unroll(self, p: PreparedBatch) -> Unrolled:
        """All rounds, from everybody local on."""
        radio_p, group_p = torch.zeros_like(p.root), torch.zeros_like(p.load)
        state = p.local.unsqueeze(-1).expand(-1, -1, self.design.device_width) * 0
        out = []
        for each in self.rounds:
            soft, radio_p, group_p, state = each(p, radio_p, group_p, state)
            out.append(soft)
        return Unrolled(out, radio_p, group_p, state)

    def prices(self, p: PreparedBatch, unrolled: Unrolled) -> tuple[Tensor, Tensor]:
        """(B, I) what devices offer access points, and nodes; together at most their local times.

        Raises:
            InvalidOptionError: the network was built without prices.
        """
        if self.head is None:
            raise InvalidOptionError(
                "price_width", "must not be 0", value=0, fix="build the network with prices"
            )
        m = marginals(p, unrolled.radio_p, unrolled.group_p)
        radio, compute = self.head(p, m, unrolled.radio_p.sum(dim=-1), unrolled.state, scene_of(p, m))
        return radio, compute

    def forward(self, *inputs: Tensor) -> tuple[Tensor, ...]:
        """A batch of networks (see ``NetworkBatch.inputs``) to (B, I, A) and (B, I, N, J) probabilities.

        Then, if the network has them, (B, I) prices of radio and of computing.
        """
        p = prepare(*inputs)
        unrolled = self.unroll(p)
        soft = unrolled.rounds[-1].probabilities(p)
        return soft if self.head is None else (*soft, *self.prices(p, unrolled))


@dataclass(frozen=True)
class BipartiteLoss:
    """Imitation of labels and expected cost, over all rounds with growing weight.

    Attributes:
        imitation: weight of the cross-entropies against the labels.
        cost: weight of the logarithm of expected cost over the label's cost: nearly the relative excess, but a few
            overloaded networks, where the first guesses cost a hundred times the optimum, do not drown the others.
    """

    imitation: float = 1.0
    cost: float = 0.0

    def __call__(self, model: Bipartite, batch: NetworkBatch) -> Tensor:
        """Mean over the batch."""
        p = prepare(*batch.inputs)
        rounds = model.unroll(p).rounds
        total = p.local.sum() * 0
        for k, soft in enumerate(rounds):
            weight = 2.0 ** (k + 1 - len(rounds))
            if self.imitation:
                total = total + weight * self.imitation * imitation_loss(soft, batch)
            if self.cost:
                excess = torch.log(expected_cost(p, *soft.probabilities(p)) / batch.cost)
                total = total + weight * self.cost * excess.mean()
        return total


def imitation_loss(soft: Soft, batch: NetworkBatch) -> Tensor:
    """Cross-entropies of offloading, access point and group against the label, mean over devices."""
    offloaded = (batch.access_point >= 0).to(soft.offload.dtype)
    flag = nn.functional.binary_cross_entropy_with_logits(soft.offload, offloaded, reduction="none")
    placed = offloaded * (
        _log_of(soft.radio, batch.access_point) + _log_of(soft.group.flatten(2), batch.group)
    )
    return ((flag - placed) * batch.mask).sum() / batch.mask.sum().clamp(min=1)


def _log_of(logits: Tensor, chosen: Tensor) -> Tensor:
    """(B, I) log-probability of the chosen class; of class 0 where none (-1) is."""
    index = chosen.clamp(min=0).unsqueeze(-1)
    return torch.log_softmax(logits, dim=-1).gather(-1, index).squeeze(-1)
