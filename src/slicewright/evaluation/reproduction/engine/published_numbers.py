"""Numbers that the publications print, as data (model page 1.7 and 2)."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

SHARE_COLUMNS = ("mae_%", "acc@0.5", "acc@1", "acc@2", "r2")
SP1: Mapping[str, tuple[float, ...]] = MappingProxyType(
    {
        "deepsets-s": (0.3924, 0.7676, 0.9526, 0.9912, 0.9057),
        "deepsets": (0.3920, 0.7674, 0.9521, 0.9904, 0.9057),
        "set-transformer-2": (0.3922, 0.7671, 0.9522, 0.9904, 0.9055),
        "set-transformer-4": (0.3918, 0.7675, 0.9523, 0.9905, 0.9059),
    }
)
"""Slicing, Table III, SP1 rows, in the order of ``SHARE_COLUMNS``."""
SP2: Mapping[str, tuple[float, ...]] = MappingProxyType(
    {
        "deepsets-s": (0.3480, 0.8185, 0.9567, 0.9908, 0.9668),
        "deepsets": (0.3480, 0.8183, 0.9564, 0.9905, 0.9668),
        "set-transformer-2": (0.3475, 0.8180, 0.9566, 0.9905, 0.9673),
        "set-transformer-4": (0.3474, 0.8183, 0.9566, 0.9908, 0.9674),
    }
)
"""Slicing, Table III, SP2 rows."""
SP3: Mapping[str, tuple[float, float]] = MappingProxyType(
    {
        "deepsets-s": (0.7486, 0.8824),
        "deepsets": (0.7227, 0.8802),
        "set-transformer-2": (0.7454, 0.8581),
        "set-transformer-4": (0.7492, 0.8733),
    }
)
"""Slicing, Table IV: accuracy over all decisions, and of local against offload."""
TIME_SAVED = 0.861
LARGEST_DEVIATION, MEAN_DEVIATION_30_50 = 0.061, 0.038
"""Slicing, text to Figures 5, 7 and 8."""

PROTOCOL: Mapping[str, Mapping[str, float]] = MappingProxyType(
    {
        "slicing": MappingProxyType({"labels": 5000, "folds": 10, "runs": 300}),
        "placement": MappingProxyType({"folds": 10, "epochs": 200}),
    }
)
"""What each publication says of its own protocol; everything else it leaves open."""

PLACEMENT_COLUMNS = ("accuracy", "precision", "recall", "f1")
PLACEMENT: Mapping[str, tuple[float, ...]] = MappingProxyType(
    {
        "gnn": (0.9244, 0.9207, 0.9244, 0.9196),
        "mlp": (0.7625, 0.7122, 0.7625, 0.7249),
        "dt": (0.7016, 0.7297, 0.7016, 0.6731),
    }
)
"""Placement, Table III; the last three columns are called macro averages there."""
SOLVER_SLOWER = 100.0
SHARE_TO_MEC = 0.20
"""Placement, text to Figures 4 and 6."""

NAMES: Mapping[str, str] = MappingProxyType(
    {
        "deepsets-s": "DeepSets-S",
        "deepsets": "DeepSets (no slack)",
        "set-transformer-2": "SetTransformer, 2 heads",
        "set-transformer-4": "SetTransformer, 4 heads",
        "gnn": "GNN",
        "mlp": "MLP",
        "dt": "DT",
    }
)
"""How the publications call their models."""
