"""The published models: one encoder, three subproblems, chained (model page 3.1; DeepSets-S eq. 17-51)."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn

from slicewright.errors import UnknownNameError
from slicewright.learning.slicing.networks.encoders import DeepSetsEncoder, SetTransformerEncoder, Standardise
from slicewright.learning.slicing.networks.heads import BandwidthHead, Choice, ChoiceHead, ShareHead
from slicewright.models.slicing.features import row_widths


@dataclass(frozen=True)
class Design:
    """What distinguishes the published models.

    Attributes:
        heads: of attention; 0 is DeepSets.
        slack: whether SP1 and SP2 have a learned slack score.
        width: H = D, hidden width.
        normalise: whether labels of unused resources are shared equally, so that without slack all sums are 1.
        per_slice: whether every slice manager trains a model of its own for SP1.
        log_sum: whether SP2 adds exponentials over devices instead of scoring their mean (37).
        binary, parts: lambda_bin and lambda_fac of (51).
    """

    heads: int = 0
    slack: bool = True
    width: int = 64
    normalise: bool = False
    per_slice: bool = False
    log_sum: bool = False
    binary: float = 1.0
    parts: float = 1.0


DESIGNS: dict[str, Design] = {
    "deepsets-s": Design(),
    "deepsets": Design(slack=False),
    "set-transformer-2": Design(heads=2, slack=False),
    "set-transformer-4": Design(heads=4, slack=False),
}


def published_design(name: str) -> Design:
    """A published design by name.

    Raises:
        UnknownNameError: there is none of that name.
    """
    if name not in DESIGNS:
        raise UnknownNameError("model", name, DESIGNS)
    return DESIGNS[name]


class Sizes(NamedTuple):
    """Network size that a published model is made for: its output widths."""

    access_points: int
    nodes: int
    slices: int


class Encoder(nn.Module):
    """Standardisation (21) and the design's set encoder."""

    def __init__(self, features: int, design: Design) -> None:
        super().__init__()
        self.standardise = Standardise(features)
        self.encode: nn.Module = (
            SetTransformerEncoder(features, design.width, design.heads)
            if design.heads
            else DeepSetsEncoder(features, design.width)
        )

    def forward(self, rows: Tensor, mask: Tensor) -> Tensor:
        """(B, I, F) raw rows to (B, I, D)."""
        out: Tensor = self.encode(self.standardise(rows, mask), mask)
        return out


class ShareModel(nn.Module):
    """SP1, run by each slice's manager on its own slice's rows of ``features`` columns.

    Slices of the published setting are exchangeable, so the managers' models share their weights; what a manager
    sees and answers is its own slice alone.
    """

    def __init__(self, features: int, sizes: Sizes, design: Design) -> None:
        super().__init__()
        self.encoder = Encoder(features, design)
        self.head = ShareHead(design.width, sizes.access_points + sizes.nodes, slack=design.slack)

    def standardise(self, slices: Tensor, mask: Tensor) -> None:
        """Take the statistics of training rows (B, N, I, F'); slices count as scenarios."""
        self.encoder.standardise.fit(*_by_slice(slices, mask))

    def forward(self, slices: Tensor, mask: Tensor) -> Tensor:
        """(B, N, I, F') to log shares (B, N, 1 + I, E)."""
        batch, n_slices = slices.shape[:2]
        flat, each = _by_slice(slices, mask)
        log_share: Tensor = self.head(self.encoder(flat, each), each)
        return log_share.reshape(batch, n_slices, 1 + mask.shape[1], -1)  # not unflatten: tracing would fix I


def _by_slice(slices: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
    """(B, N, I, F') rows and (B, I) mask with slices as scenarios: (B N, I, F') and (B N, I)."""
    return slices.flatten(0, 1), mask.unsqueeze(1).expand(-1, slices.shape[1], -1).flatten(0, 1)


class ManagersModel(nn.Module):
    """SP1 with one model per slice manager, which share nothing: the distributed reading of the publication."""

    def __init__(self, features: int, sizes: Sizes, design: Design) -> None:
        super().__init__()
        self.managers = nn.ModuleList([ShareModel(features, sizes, design) for _ in range(sizes.slices)])

    def _each(self) -> list[ShareModel]:
        return [manager for manager in self.managers if isinstance(manager, ShareModel)]

    def standardise(self, slices: Tensor, mask: Tensor) -> None:
        """Every manager takes the statistics of its own slice's rows."""
        for n, manager in enumerate(self._each()):
            manager.standardise(slices[:, n : n + 1], mask)

    def forward(self, slices: Tensor, mask: Tensor) -> Tensor:
        """(B, N, I, F') to log shares (B, N, 1 + I, E)."""
        answers = [manager(slices[:, n : n + 1], mask) for n, manager in enumerate(self.managers)]
        return torch.cat(answers, dim=1)


def share_model(features: int, sizes: Sizes, design: Design) -> ShareModel | ManagersModel:
    """SP1 of a design."""
    return (ManagersModel if design.per_slice else ShareModel)(features, sizes, design)


class BandwidthModel(nn.Module):
    """SP2, run by the orchestrator on rows that carry SP1's answers."""

    def __init__(self, features: int, sizes: Sizes, design: Design) -> None:
        super().__init__()
        self.encoder = Encoder(features, design)
        self.head = BandwidthHead(
            design.width, sizes.access_points, sizes.slices, slack=design.slack, log_sum=design.log_sum
        )

    def standardise(self, rows: Tensor, mask: Tensor) -> None:
        """Take the statistics of training rows (B, I, F)."""
        self.encoder.standardise.fit(rows, mask)

    def forward(self, rows: Tensor, mask: Tensor) -> Tensor:
        """(B, I, F + SP1) to log shares (B, A, 1 + N)."""
        out: Tensor = self.head(self.encoder(rows, mask), mask)
        return out


class ChoiceModel(nn.Module):
    """SP3, run by the orchestrator on rows that carry the answers of SP1 and SP2."""

    def __init__(self, features: int, sizes: Sizes, design: Design) -> None:
        super().__init__()
        self.encoder = Encoder(features, design)
        self.head = ChoiceHead(design.width, *sizes)

    def standardise(self, rows: Tensor, mask: Tensor) -> None:
        """Take the statistics of training rows (B, I, F)."""
        self.encoder.standardise.fit(rows, mask)

    def forward(self, rows: Tensor, mask: Tensor) -> Choice:
        """(B, I, F + SP1 + SP2) to logits."""
        out: Choice = self.head(self.encoder(rows, mask))
        return out


def with_shares(rows: Tensor, share: Tensor) -> Tensor:
    """(B, I, F) rows joined by what SP1 says, (B, N, I, E)."""
    return torch.cat([rows, share.permute(0, 2, 1, 3).flatten(2)], dim=-1)


def with_bandwidth(rows: Tensor, bandwidth: Tensor) -> Tensor:
    """Rows joined by what SP2 says, (B, A, N), the same for every device."""
    return torch.cat([rows, bandwidth.flatten(1).unsqueeze(1).expand(-1, rows.shape[1], -1)], dim=-1)


class PublishedModel(nn.Module):
    """SP1, SP2 and SP3 in one graph: what is exported and served."""

    def __init__(self, sizes: Sizes, design: Design) -> None:
        super().__init__()
        self.sizes, self.design = sizes, design
        orchestrator, manager = row_widths(*sizes)
        shares = sizes.slices * (sizes.access_points + sizes.nodes)
        self.sp1 = share_model(manager, sizes, design)
        self.sp2 = BandwidthModel(orchestrator + shares, sizes, design)
        self.sp3 = ChoiceModel(orchestrator + shares + sizes.access_points * sizes.slices, sizes, design)

    def settings(self) -> dict[str, object]:
        """What rebuilds the model before weights are loaded."""
        return {"sizes": self.sizes._asdict(), "design": asdict(self.design)}

    def forward(self, network: Tensor, slices: Tensor, mask: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Rows of the orchestrator and the managers to all three answers.

        Returns:
            (B, I, 1 + A J N) probabilities of decisions; (B, I) probability of offloading; (B, N, I, E) shares of
            SP1; (B, A, N) shares of SP2.
        """
        share = self.sp1(slices, mask)[:, :, 1:].exp()
        rows = with_shares(network, share)
        bandwidth = self.sp2(rows, mask)[..., 1:].exp()
        choice = self.sp3(with_bandwidth(rows, bandwidth), mask)
        return torch.softmax(choice.joint, dim=-1), torch.sigmoid(choice.offload), share, bandwidth
