"""Networks that are small enough to be made, and trained, in a moment."""

from __future__ import annotations

import torch

from slicewright.learning.slicing.networks.bipartite import Bipartite, BipartiteDesign
from slicewright.learning.slicing.networks.published import DESIGNS, PublishedModel, Sizes

SIZES = Sizes(3, 9, 3)
SMALL = BipartiteDesign(rounds=2, device_width=8, edge_width=4, price_width=8)


def random_published(name: str, seed: int = 0) -> PublishedModel:
    torch.manual_seed(seed)
    return PublishedModel(SIZES, DESIGNS[name]).eval()


def random_bipartite(seed: int = 0) -> Bipartite:
    torch.manual_seed(seed)
    model = Bipartite(SMALL).eval()
    with torch.no_grad():
        for weight in model.parameters():
            weight.add_(0.3 * torch.randn_like(weight))
    return model
