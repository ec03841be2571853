"""Kinds of placement models, as their cards name them. No torch."""

from __future__ import annotations

GRAPH, ROWS, TREE, QUEUE = "placement-graph", "placement-rows", "placement-tree", "placement-queue"
"""Inputs: rows and adjacency; rows; rows, with probabilities as output; everything of ``QueueInputs``."""
SHIPPED = {
    "gnn": "graph convolutional network as published, same-ingress graph",
    "mlp": "multilayer perceptron as published",
    "decision-tree": "decision tree as published",
    "queue-network": "size-free network that prices queues, serves any network",
}
"""Names of the shipped models and what they are."""
