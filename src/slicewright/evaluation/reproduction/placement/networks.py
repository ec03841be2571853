"""Placement networks by name: which graph, which convolution, and how each is trained."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TYPE_CHECKING

from slicewright.models.placement.features import ALONE, EXECUTOR, INGRESS, SHARED, SPARSE

if TYPE_CHECKING:
    from slicewright.evaluation.reproduction.engine.scale import Scale
    from slicewright.learning.placement.cross_validation import Trainer
    from slicewright.learning.placement.networks.classifier import ClassifierDesign
    from slicewright.learning.placement.solved_runs import Run
    from slicewright.learning.placement.training import ClassifierSchedule, QueueSchedule

LARGEST_BATCH, BATCHES_AT_LEAST = 16, 8
IMITATED, DESCENDED = 0.1, 0.05
"""Epochs of the queue network's two stages, as parts of the classifiers'."""
LOOPS, BARE, OWN = "self-loops", "no self-loops", "own transform"


@dataclass(frozen=True)
class GraphNetwork:
    """A classifier with a graph.

    Attributes:
        graph: which tasks share an edge.
        convolution: ``self-loops`` as in Kipf and Welling, ``no self-loops``, or ``own transform``: no self-loops, and
            weights of their own for a task's own features.
    """

    graph: str
    convolution: str = LOOPS

    @property
    def leaks(self) -> bool:
        """Whether the graph is made from the answers."""
        return self.graph in (EXECUTOR, SHARED)


GRAPH_NETWORKS: Mapping[str, GraphNetwork] = MappingProxyType(
    {
        "gnn": GraphNetwork(INGRESS),
        "gnn-bare": GraphNetwork(INGRESS, BARE),
        "gnn-own": GraphNetwork(INGRESS, OWN),
        "gnn-nearest": GraphNetwork(SPARSE),
        "gnn-nearest-own": GraphNetwork(SPARSE, OWN),
        "executor": GraphNetwork(EXECUTOR),
        "executor-bare": GraphNetwork(EXECUTOR, BARE),
        "executor-own": GraphNetwork(EXECUTOR, OWN),
        "shared": GraphNetwork(SHARED),
        "shared-bare": GraphNetwork(SHARED, BARE),
        "shared-own": GraphNetwork(SHARED, OWN),
    }
)
"""The first is the publication's, read so that its graph is known when a decision is due."""
GRAPH_NAMES: Mapping[str, str] = MappingProxyType(
    {
        INGRESS: "same ingress",
        SPARSE: "same ingress, nearest deadlines",
        EXECUTOR: "same placement (leaks)",
        SHARED: "shared node (leaks)",
    }
)
LABELS: Mapping[str, str] = MappingProxyType(
    {
        "gnn": "GNN as published",
        "gnn-own": "GNN, own transform",
        "mlp": "MLP",
        "dt": "DT",
        "queue": "ours (queue network)",
        "mec-only": "MEC only",
        "auto": "ours (search)",
    }
)
"""Of every method that a figure shows."""
STYLES: Mapping[str, str] = MappingProxyType({name: name for name in LABELS})


def label_of(name: str) -> str:
    """How tables call a network."""
    if name in GRAPH_NETWORKS and name != "gnn":
        network = GRAPH_NETWORKS[name]
        return f"GNN, {GRAPH_NAMES[network.graph]}, {network.convolution}"
    return LABELS[name]


def design_of(name: str, run: Run) -> ClassifierDesign:
    """The classifier of that name for the sizes of a run: ``mlp`` or one of ``GRAPH_NETWORKS``. Needs torch."""
    from slicewright.learning.placement.recipes import published_sizes

    sizes = published_sizes(run)
    if name == "mlp":
        return replace(sizes, graph=ALONE)
    network = GRAPH_NETWORKS[name]
    return replace(
        sizes,
        graph=network.graph,
        self_loops=network.convolution == LOOPS,
        own_transform=network.convolution == OWN,
    )


def schedule_of(scale: Scale, seed: int) -> ClassifierSchedule:
    """Of the classifiers."""
    from slicewright.learning.placement.training import ClassifierSchedule

    batch = min(LARGEST_BATCH, 1 + scale.placement_runs // BATCHES_AT_LEAST)
    return ClassifierSchedule(epochs=scale.placement_epochs, batch_size=batch, seed=seed)


def queue_schedule_of(scale: Scale, seed: int) -> QueueSchedule:
    """Of the queue network: as many passes as take about as long as a classifier's."""
    from slicewright.learning.placement.training import QueueSchedule

    passes = (max(1, round(part * scale.placement_epochs)) for part in (IMITATED, DESCENDED))
    return QueueSchedule(imitate=next(passes), descend=next(passes), seed=seed)


def trainer(name: str, run: Run, scale: Scale, seed: int) -> Trainer:
    """Trains the network of that name on runs of one size."""
    from slicewright.learning.placement.cross_validation import (
        classifier_trainer,
        queue_trainer,
        tree_trainer,
    )
    from slicewright.learning.placement.networks.queue import QueueDesign

    if name == "dt":
        return tree_trainer(run.tasks.options.count, seed=seed)
    if name == "queue":
        return queue_trainer(QueueDesign(), queue_schedule_of(scale, seed))
    return classifier_trainer(design_of(name, run), schedule_of(scale, seed))
