"""All three subproblems from one shared encoder, trained together: what the publication's abstract describes.

Its data flow (SP1, then SP2, then SP3) cannot be had at the same time, because an encoder that is shared sees no
answers of its own decoders. So this variant reads requests and network state alone.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

from slicewright.learning.slicing.networks.heads import (
    BandwidthHead,
    Choice,
    ChoiceHead,
    ShareHead,
    bandwidth_loss,
    choice_loss,
    share_loss,
)
from slicewright.learning.slicing.networks.published import Design, Encoder, Sizes


class JointAnswer(NamedTuple):
    """Answers to all three subproblems.

    Attributes:
        share: (B, 1 + I, N * E) log shares of SP1, slack first.
        bandwidth: (B, A, 1 + N) log shares of SP2, slack first.
        choice: logits of SP3.
    """

    share: Tensor
    bandwidth: Tensor
    choice: Choice


class JointModel(nn.Module):
    """One encoder (24-27), three decoders."""

    def __init__(self, features: int, sizes: Sizes, design: Design) -> None:
        super().__init__()
        self.sizes, self.design = sizes, design
        self.encoder = Encoder(features, design)
        shares = sizes.slices * (sizes.access_points + sizes.nodes)
        self.sp1 = ShareHead(design.width, shares, slack=design.slack)
        self.sp2 = BandwidthHead(design.width, sizes.access_points, sizes.slices, slack=design.slack)
        self.sp3 = ChoiceHead(design.width, *sizes)

    def standardise(self, rows: Tensor, mask: Tensor) -> None:
        """Take the statistics of training rows (B, I, F)."""
        self.encoder.standardise.fit(rows, mask)

    def forward(self, rows: Tensor, mask: Tensor) -> JointAnswer:
        """(B, I, F) to all answers."""
        z = self.encoder(rows, mask)
        return JointAnswer(self.sp1(z, mask), self.sp2(z, mask), self.sp3(z))


def packed_target(share: Tensor, bandwidth: Tensor, choice: Tensor) -> Tensor:
    """(N, I, E), (A, N) and (I,) labels of one scenario side by side in rows of devices, (I, N E + A N + 1)."""
    count = choice.shape[0]
    own = share.permute(1, 0, 2).reshape(count, -1)
    same = bandwidth.reshape(1, -1).expand(count, -1)
    return torch.cat([own, same, choice.unsqueeze(1).to(own.dtype)], dim=1)


def joint_loss(model: JointModel, rows: Tensor, mask: Tensor, target: Tensor) -> Tensor:
    """(36) + (41) + (51) of packed targets (B, I, N E + A N + 1)."""
    sizes, design = model.sizes, model.design
    answer = model(rows, mask)
    shares = answer.share.shape[-1]
    own, same, choice = target[..., :shares], target[:, 0, shares:-1], target[..., -1:]
    bandwidth = same.reshape(-1, sizes.access_points, sizes.slices)
    sp3 = choice_loss(
        answer.choice, choice.squeeze(-1).long(), mask, binary=design.binary, parts=design.parts
    )
    return share_loss(answer.share, own) + bandwidth_loss(answer.bandwidth, bandwidth) + sp3
