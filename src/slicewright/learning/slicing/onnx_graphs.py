"""Models as ONNX graphs with free axes: which inputs and outputs each kind has."""

from __future__ import annotations

import torch

from slicewright.learning.common.onnx_export import Axes, to_onnx
from slicewright.learning.slicing.networks.bipartite import Bipartite
from slicewright.learning.slicing.networks.published import PublishedModel
from slicewright.models.slicing.features import row_widths


def published_onnx(model: PublishedModel) -> bytes:
    """A published model with a free number of devices; network size is fixed by its weights."""
    orchestrator, manager = row_widths(*model.sizes)
    slices = model.sizes.slices
    example = (torch.randn(2, 5, orchestrator), torch.randn(2, slices, 5, manager), torch.ones(2, 5))
    axes = {
        "network": ("batch", "devices", None),
        "slices": ("batch", None, "devices", None),
        "mask": ("batch", "devices"),
    }
    answers = {
        "decision": ("batch", "devices", None),
        "offload": ("batch", "devices"),
        "share": ("batch", None, "devices", None),
        "bandwidth": ("batch", None, None),
    }
    return to_onnx(model, example, axes, answers)


def bipartite_onnx(model: Bipartite) -> bytes:
    """The size-free network with every axis free."""
    devices, access_points, nodes, slices = 7, 4, 5, 3
    example = (
        torch.rand(2, devices, access_points) + 0.1,
        torch.rand(2, devices, slices) + 0.1,
        torch.rand(2, slices, nodes) + 0.1,
        torch.rand(2, devices) + 0.1,
        torch.rand(2, devices) + 0.1,
        torch.ones(2),
        torch.ones(2, devices),
    )
    axes = {
        "radio": ("batch", "devices", "access_points"),
        "work": ("batch", "devices", "slices"),
        "capacity": ("batch", "slices", "nodes"),
        "local": ("batch", "devices"),
        "arrival": ("batch", "devices"),
        "shared": ("batch",),
        "mask": ("batch", "devices"),
    }
    answers: dict[str, Axes] = {
        "radio_p": ("batch", "devices", "access_points"),
        "group_p": ("batch", "devices", "slices", "nodes"),
    }
    if model.head is not None:
        answers |= {"radio_price": ("batch", "devices"), "compute_price": ("batch", "devices")}
    return to_onnx(model, example, axes, answers)
