"""The published classifiers: a graph convolutional network, the same network without a graph (MLP), and a variant
whose tasks keep what they know of themselves.

Needs torch. Dense matrices instead of edge lists, so that the exported graph has free sizes; tested equal to
torch_geometric's ``GCNConv``.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn


@dataclass(frozen=True)
class ClassifierDesign:
    """Widths of a classifier.

    Attributes:
        features: inputs per task, 27 in the publication.
        classes: options per task, 67 in the publication.
        width: of the embedding and of both layers (not published).
        graph: which tasks share an edge, see :func:`slicewright.models.placement.features.adjacency`.
        self_loops: whether a task is its own neighbour, as in Kipf and Welling (the publication's [29]).
        own_transform: whether every convolution adds a transform of the task's own features with weights of its own,
            as GraphSAGE (Hamilton et al. 2017) and GraphConv (Morris et al. 2019) do; the publication's does not.
    """

    features: int = 27
    classes: int = 67
    width: int = 64
    graph: str = "same-ingress"
    self_loops: bool = True
    own_transform: bool = False


class Classifier(nn.Module):
    """Embedding (11), two convolutions (12, 14), output layer (15); ReLU between them.

    A task with neighbours takes the weighted sum of theirs, D^-1/2 A D^-1/2 (13); an isolated one transforms its own
    embedding (14). With self-loops both are one formula. Where neighbours are all who share an ingress, and the task
    itself is among them, tasks of one ingress take the same sum and so get the same answer; a transform of their own
    features keeps them apart.
    """

    def __init__(self, design: ClassifierDesign) -> None:
        super().__init__()
        self.design = design
        self.register_buffer("mean", torch.zeros(design.features))
        self.register_buffer("deviation", torch.ones(design.features))
        self.embed = nn.Linear(design.features, design.width)
        self.first, self.second = (nn.Linear(design.width, design.width) for _ in range(2))
        self.answer = nn.Linear(design.width, design.classes)
        self.own = nn.ModuleList(
            nn.Linear(design.width, design.width, bias=False) for _ in range(2 * design.own_transform)
        )

    @property
    def layers(self) -> tuple[nn.Linear, nn.Linear]:
        """Both convolutions, in order."""
        return self.first, self.second

    def standardise(self, rows: Tensor) -> None:
        """Take mean and deviation from training rows (N, F); constant features are only shifted."""
        deviation, self.mean = torch.std_mean(rows, dim=0)
        self.deviation = torch.where(
            deviation > 1e-6 * self.mean.abs(), deviation, torch.ones_like(deviation)
        )

    def forward(self, rows: Tensor, adjacency: Tensor) -> Tensor:
        """(K, classes) logits from (K, F) rows and (K, K) adjacency."""
        return self.mixed(rows, mixing(adjacency, self_loops=self.design.self_loops))

    def mixed(self, rows: Tensor, mix: Tensor | None) -> Tensor:
        """Likewise with the matrix of :func:`mixing`, dense or sparse; without one every task is alone."""
        hidden = torch.relu(self.embed((rows - self.mean) / self.deviation))
        for number, layer in enumerate(self.layers):
            spread = layer.weight @ hidden.T
            mixed = spread.T if mix is None else mix @ spread.T
            if self.own:
                mixed = mixed + self.own[number](hidden)
            hidden = torch.relu(mixed + layer.bias)
        logits: Tensor = self.answer(hidden)
        return logits


class Alone(nn.Module):
    """A classifier as a function of the rows only: the multilayer perceptron."""

    def __init__(self, classifier: Classifier) -> None:
        super().__init__()
        self.classifier = classifier

    def forward(self, rows: Tensor) -> Tensor:
        """(K, classes) logits from (K, F) rows."""
        return self.classifier.mixed(rows, None)


def mixing(adjacency: Tensor, *, self_loops: bool) -> Tensor:
    """(K, K) D^-1/2 A D^-1/2 (13); the row of a task without neighbours is its own unit vector (14)."""
    identity = torch.eye(adjacency.shape[0], dtype=adjacency.dtype)
    joined = adjacency + identity if self_loops else adjacency
    degree = joined.sum(dim=1)
    alone = (degree == 0).to(adjacency.dtype)
    scale = torch.rsqrt(degree + alone)
    return scale[:, None] * joined * scale + alone[:, None] * identity
