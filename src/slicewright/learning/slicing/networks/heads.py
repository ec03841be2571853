"""Decoders of the three subproblems and their losses: SP1 (29-36), SP2 (37-41), SP3 (42-51)."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from slicewright.learning.slicing.networks.encoders import HIDDEN, masked_mean


class ShareHead(nn.Module):
    """SP1: what share of each resource of one slice every device gets.

    Per resource e a linear score of each device (29, 30), padding hidden (31), softmax over devices and slack
    (32, 33). Shares of a resource sum to at most 1 by construction: 13e (34, Lemma 1).
    """

    def __init__(self, width: int, resources: int, *, slack: bool) -> None:
        super().__init__()
        self.score = nn.Linear(width, resources)
        self.slack = nn.Parameter(torch.zeros(resources)) if slack else None

    def forward(self, z: Tensor, mask: Tensor) -> Tensor:
        """(B, I, D) to log shares (B, 1 + I, E), slack first; without slack its row is hidden."""
        hide = HIDDEN * (1 - mask).unsqueeze(-1)
        scores = self.score(z) + hide  # (30, 31)
        first = scores[:, :1] * 0 + (HIDDEN if self.slack is None else self.slack)
        return torch.log_softmax(torch.cat([first, scores], dim=1), dim=1)  # (32)


def share_loss(log_share: Tensor, target: Tensor) -> Tensor:
    """(36): soft-label cross-entropy over devices and slack, mean over sets and resources.

    Without a learned slack, the slack's target carries no weight: the ablation cannot express an unused resource,
    unless :func:`normalised` labels give it something to say.

    Args:
        log_share: (B, 1 + I, E).
        target: (B, I, E) shares, 0 where unused or padded.
    """
    unused = (1 - target.sum(dim=1, keepdim=True)).clamp(min=0)  # (35)
    seen = torch.where(log_share > HIDDEN / 2, log_share, torch.zeros_like(log_share))
    return -(torch.cat([unused, target], dim=1) * seen).sum(dim=1).mean()


def normalised(target: Tensor, mask: Tensor) -> Tensor:
    """Labels (B, I, E) that sum to 1 on every resource: one that nobody uses is shared equally among real devices."""
    empty = (target.sum(dim=1, keepdim=True) <= 0).to(target.dtype)
    equal = mask / mask.sum(dim=1, keepdim=True).clamp(min=1)
    return target + empty * equal.unsqueeze(-1)


class BandwidthHead(nn.Module):
    """SP2: how every access point is shared between slices, from one embedding of the whole set (37).

    Linear scores per access point and slice, and a slack per access point (38), softmax (39): sums stay at or
    below 1, which is 13d (40, Lemma 2).

    With ``log_sum`` the scores are taken of every device and added as exponentials. The shares of (15) are sums of
    sqrt(T) over sums, so a softmax of such scores can be exact; scores of a mean (37) must learn the logarithm.
    """

    def __init__(
        self, width: int, access_points: int, slices: int, *, slack: bool, log_sum: bool = False
    ) -> None:
        super().__init__()
        self.access_points, self.log_sum = access_points, log_sum
        self.score = nn.Linear(width, access_points * slices)
        self.slack = nn.Parameter(torch.zeros(access_points)) if slack else None

    def forward(self, z: Tensor, mask: Tensor) -> Tensor:
        """(B, I, D) to log shares (B, A, 1 + N), slack first."""
        if self.log_sum:
            scores = torch.logsumexp(self.score(z) + HIDDEN * (1 - mask).unsqueeze(-1), dim=1)
        else:
            scores = self.score(masked_mean(z, mask))
        scores = scores.reshape(z.shape[0], self.access_points, -1)
        first = scores[..., :1] * 0 + (HIDDEN if self.slack is None else self.slack.unsqueeze(-1))
        return torch.log_softmax(torch.cat([first, scores], dim=-1), dim=-1)


def bandwidth_loss(log_share: Tensor, target: Tensor) -> Tensor:
    """(41): cross-entropy over slices and slack, mean over sets and access points. (B, A, 1 + N), (B, A, N)."""
    unused = (1 - target.sum(dim=-1, keepdim=True)).clamp(min=0)
    seen = torch.where(log_share > HIDDEN / 2, log_share, torch.zeros_like(log_share))
    return -(torch.cat([unused, target], dim=-1) * seen).sum(dim=-1).mean()


class Choice(NamedTuple):
    """Logits of SP3.

    Attributes:
        joint: (B, I, 1 + A J N), class 0 is local (42).
        offload: (B, I) of the binary head (45).
        slice, access_point, node: (B, I, N), (B, I, A), (B, I, J) (46).
    """

    joint: Tensor
    offload: Tensor
    slice: Tensor
    access_point: Tensor
    node: Tensor


def factored_classes(choice: Choice) -> Tensor:
    """(B, I) classes by the rule (47): local below 1/2, else the best slice, access point and node by themselves."""
    slices, nodes = choice.slice.shape[-1], choice.node.shape[-1]
    n, a, j = (x.argmax(-1) for x in (choice.slice, choice.access_point, choice.node))
    return torch.where(choice.offload < 0, torch.zeros_like(n), 1 + (a * nodes + j) * slices + n)


class ChoiceHead(nn.Module):
    """SP3: one joint softmax over all decisions of a device (42-44), with the auxiliary heads (45, 46).

    An argmax names exactly one decision per device: 13a (Lemma 3).
    """

    def __init__(self, width: int, access_points: int, nodes: int, slices: int) -> None:
        super().__init__()
        self.sizes = (slices, access_points, nodes)
        self.joint = nn.Linear(width, 1 + access_points * nodes * slices)
        self.offload = nn.Linear(width, 1)
        self.parts = nn.ModuleList([nn.Linear(width, size) for size in self.sizes])

    def forward(self, z: Tensor) -> Choice:
        """(B, I, D) to logits."""
        return Choice(self.joint(z), self.offload(z).squeeze(-1), *(part(z) for part in self.parts))


def _cross_entropies(logits: Tensor, label: Tensor) -> Tensor:
    """(B, I) from logits (B, I, K) and classes (B, I)."""
    return functional.cross_entropy(logits.transpose(1, 2), label, reduction="none")


def choice_loss(
    choice: Choice, target: Tensor, mask: Tensor, *, binary: float = 1.0, parts: float = 1.0
) -> Tensor:
    """(51) = (48) + lambda_bin (49) + lambda_fac (50), mean over devices.

    Args:
        choice: logits.
        target: (B, I) classes.
        mask: (B, I).
        binary, parts: lambda_bin and lambda_fac.
    """
    slices, nodes = choice.slice.shape[-1], choice.node.shape[-1]
    offloaded = (target > 0).float() * mask
    place = (target - 1).clamp(min=0)
    label = (place % slices, torch.div(place, slices * nodes, rounding_mode="floor"), place // slices % nodes)
    devices = mask.sum().clamp(min=1)
    joint = (_cross_entropies(choice.joint, target) * mask).sum()  # (48)
    flag = (
        functional.binary_cross_entropy_with_logits(choice.offload, (target > 0).float(), reduction="none")
        * mask
    ).sum()  # (49)
    named = (choice.slice, choice.access_point, choice.node)
    separate = sum(
        ((_cross_entropies(x, y) * offloaded).sum() for x, y in zip(named, label, strict=True)), joint * 0
    )  # (50)
    return (joint + binary * flag + parts * separate) / devices
