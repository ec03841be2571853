"""Set encoders: DeepSets (24-28) and its published ablation, the Set Transformer of Lee et al. (ICML 2019)."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn

EPSILON = 1e-6
"""Keeps the masked mean (25) defined for a set without devices."""
HIDDEN = -1e9
"""Logit of what must get no probability (31); finite, so that an all-padding row gives no NaN."""


def masked_mean(values: Tensor, mask: Tensor) -> Tensor:
    """(B, D) mean of (B, I, D) over real devices (25, 37); zero for an empty set."""
    weight = mask.unsqueeze(-1)
    return (values * weight).sum(dim=1) / (weight.sum(dim=1) + EPSILON)


class Standardise(nn.Module):
    """Standardisation with mean and deviation of the training rows (21); padded rows stay zero.

    The statistics are buffers, so they travel with the weights and into the exported file.
    """

    mean: Tensor
    deviation: Tensor

    def __init__(self, width: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(width))
        self.register_buffer("deviation", torch.ones(width))

    def fit(self, rows: Tensor, mask: Tensor) -> None:
        """Take the statistics of the real rows of (B, I, F); a constant feature is only centred."""
        real = rows[mask > 0].double()
        deviation = real.std(dim=0, unbiased=False)
        self.mean.copy_(real.mean(dim=0))
        self.deviation.copy_(torch.where(deviation > 1e-6, deviation, torch.ones_like(deviation)))

    def forward(self, rows: Tensor, mask: Tensor) -> Tensor:
        """(B, I, F) to (B, I, F)."""
        return (rows - self.mean) / self.deviation * mask.unsqueeze(-1)


def perceptron(*widths: int) -> nn.Sequential:
    """Linear layers with ReLU between and after."""
    layers: list[nn.Module] = []
    for before, after in pairwise(widths):
        layers += [nn.Linear(before, after), nn.ReLU()]
    return nn.Sequential(*layers)


class DeepSetsEncoder(nn.Module):
    """Row-wise embedding, masked mean, fusion: (24)-(27). Permutation-equivariant over devices (28)."""

    def __init__(self, features: int, width: int) -> None:
        super().__init__()
        self.phi = perceptron(features, width, width)
        self.rho = perceptron(2 * width, width, width)

    def forward(self, rows: Tensor, mask: Tensor) -> Tensor:
        """(B, I, F) standardised rows and (B, I) mask to (B, I, D)."""
        hidden = self.phi(rows)  # (24)
        context = masked_mean(hidden, mask).unsqueeze(1).expand_as(hidden)  # (25)
        out: Tensor = self.rho(torch.cat([hidden, context], dim=-1))  # (26)
        return out


class Attention(nn.Module):
    """Multi-head attention block MAB(X, X) of Lee et al., eq. (6, 7): every device attends to every real device."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.query, self.key, self.value = (nn.Linear(width, width) for _ in range(3))
        self.feed = nn.Linear(width, width)
        self.first, self.second = nn.LayerNorm(width), nn.LayerNorm(width)

    def _split(self, x: Tensor) -> Tensor:
        return x.reshape(x.shape[0], x.shape[1], self.heads, -1).transpose(1, 2)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """(B, I, D) to (B, I, D)."""
        query, key, value = self._split(self.query(x)), self._split(self.key(x)), self._split(self.value(x))
        score = query @ key.transpose(-1, -2) / query.shape[-1] ** 0.5
        weight = torch.softmax(score + HIDDEN * (1 - mask)[:, None, None, :], dim=-1)
        attended = (weight @ value).transpose(1, 2).reshape(x.shape)
        hidden = self.first(x + attended)
        out: Tensor = self.second(hidden + torch.relu(self.feed(hidden)))
        return out


class SetTransformerEncoder(nn.Module):
    """Two set attention blocks (SAB of Lee et al., eq. 8) after a row-wise embedding."""

    def __init__(self, features: int, width: int, heads: int) -> None:
        super().__init__()
        self.embed = perceptron(features, width)
        self.blocks = nn.ModuleList([Attention(width, heads) for _ in range(2)])

    def forward(self, rows: Tensor, mask: Tensor) -> Tensor:
        """(B, I, F) standardised rows and (B, I) mask to (B, I, D)."""
        hidden: Tensor = self.embed(rows)
        for block in self.blocks:
            hidden = block(hidden, mask)
        return hidden
