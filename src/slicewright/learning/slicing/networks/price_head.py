"""Prices from the size-free network: what a device offers access points and nodes, for bounds (model page 3.4).

A device's cheapest marginal costs are nearly its prices. The head corrects their sum, as a part of the local time,
which nobody pays more than, and how it is divided between radio and computing.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from slicewright.learning.slicing.congestion import Marginals, PreparedBatch
from slicewright.learning.slicing.networks.encoders import perceptron

OWN_FEATURES, SCENE_FEATURES = 10, 4
FAR = 1e6
"""Cost written for an option that a device does not have."""


class PriceHead(nn.Module):
    """Two prices a device from its state, what its options cost at the margin, and how crowded the network is."""

    def __init__(self, device_width: int, width: int) -> None:
        super().__init__()
        self.hidden = perceptron(device_width + OWN_FEATURES + SCENE_FEATURES, width, width)
        self.out = nn.Linear(width, 2)
        nn.init.zeros_(self.out.weight)
        nn.init.zeros_(self.out.bias)

    def forward(
        self, p: PreparedBatch, m: Marginals, offload: Tensor, state: Tensor, scene: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Marginals, (B, I) probabilities of offloading, (B, I, H) states, (B, 4) scene to (B, I) prices twice."""
        radio, group = _cheapest(m.radio, p.reach), _cheapest(m.group.flatten(2), _served(p))
        radio_alone, group_alone = _cheapest(p.time, p.reach), _cheapest(p.load.flatten(2), _served(p))
        whole = log_ratio(radio + group, p.local)
        own = torch.stack(
            [
                log_ratio(radio, p.local),
                log_ratio(group, p.local),
                whole,
                log_ratio(radio_alone, p.local),
                log_ratio(group_alone, p.local),
                log_ratio(_mean(m.group.flatten(2), _served(p)), p.local),
                offload,
                torch.log(p.local),
                torch.log(p.arrival + 1e-6),
                torch.log(group_alone * p.arrival + 1e-6).clamp(-12, 8),
            ],
            dim=-1,
        )
        around = scene.unsqueeze(1).expand(-1, own.shape[1], -1)
        correction = self.out(self.hidden(torch.cat([state, own, around], dim=-1)))
        together = p.local * torch.sigmoid(whole + correction[..., 0]) * p.mask
        part = torch.sigmoid(torch.log(radio + 1e-9) - torch.log(group + 1e-9) + correction[..., 1])
        return together * part, together * (1 - part)


def _served(p: PreparedBatch) -> Tensor:
    """(B, I, N * J) 1 where a node serves a slice."""
    return p.serves.expand_as(p.load).flatten(2)


def _cheapest(cost: Tensor, exists: Tensor) -> Tensor:
    """(B, I) of (B, I, K)."""
    return torch.where(exists > 0, cost, FAR * torch.ones_like(cost)).amin(dim=-1)


def _mean(cost: Tensor, exists: Tensor) -> Tensor:
    """(B, I) of (B, I, K)."""
    return (cost * exists).sum(dim=-1) / (exists.sum(dim=-1) + 1e-6)


def log_ratio(cost: Tensor, local: Tensor) -> Tensor:
    """Logarithm of costs over the local time."""
    return torch.log(cost / local + 1e-6).clamp(-8, 8)
