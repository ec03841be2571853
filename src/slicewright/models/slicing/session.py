"""Exported models of problem one: what they are asked of a scenario, and how long that takes. No torch."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

import numpy as np

from slicewright.models.cards import BIPARTITE, Card
from slicewright.models.session import (
    FOLDER_VARIABLE,
    ModelUnavailableError,
    OpenModel,
    open_model,
    preferred_folder,
)
from slicewright.models.slicing import features
from slicewright.network.presets import preset
from slicewright.network.scenario import Scenario

__all__ = [
    "FOLDER_VARIABLE",
    "LoadedModel",
    "ModelUnavailableError",
    "cells",
    "concerns",
    "inputs",
    "load_model",
]

MOST_CELLS = 2_000_000
"""Cells of one inference (see :func:`cells`): beyond, it would take seconds and gigabytes."""


@dataclass(frozen=True, eq=False)
class LoadedModel(OpenModel):
    """A model of problem one, and its pace.

    Attributes:
        fixed_s, per_cell_s: s. Expected inference time: fixed plus per cell (see :func:`cells`).
    """

    fixed_s: float = 0.0
    per_cell_s: float = 0.0

    @property
    def prices(self) -> bool:
        """Whether it says what devices offer for being served (see ``learned_prices``)."""
        design = self.card.settings.get("design")
        return isinstance(design, Mapping) and bool(design.get("price_width"))

    def expected_s(self, scenario: Scenario) -> float:
        """About how long an inference will take, s."""
        return self.fixed_s + self.per_cell_s * cells(self.card, scenario)

    def run(self, scenario: Scenario) -> list[np.ndarray]:
        """Outputs for one scenario, without the batch axis.

        Raises:
            ModelUnavailableError: the network's size is not the model's, is too large, or onnxruntime fails.
        """
        return [answer[0] for answer in self.answers(inputs(self.card, scenario))]


def cells(card: Card, scenario: Scenario) -> int:
    """What inference time grows with: device-place pairs, or devices (squared with attention)."""
    count = scenario.n_devices
    if card.kind == BIPARTITE:
        return count * (scenario.n_access_points + scenario.n_nodes * scenario.n_slices)
    return count * count if card.settings["design"]["heads"] else count


def concerns(card: Card, scenario: Scenario) -> tuple[str, ...]:
    """Sentences on what the model has not seen in training."""
    have = {
        "devices": scenario.n_devices,
        "access_points": scenario.n_access_points,
        "nodes": scenario.n_nodes,
        "slices": scenario.n_slices,
    }
    return tuple(
        f"{card.name} was trained for {low} to {high} {name.replace('_', ' ')}, this scenario has {have[name]}"
        for name, (low, high) in card.trained_for.items()
        if name in have and not low <= have[name] <= high
    )


def inputs(card: Card, scenario: Scenario) -> dict[str, np.ndarray]:
    """What a model is asked, with a batch axis of 1.

    Raises:
        ModelUnavailableError: the scenario's network is not of the model's size, or too large.
    """
    if cells(card, scenario) > MOST_CELLS:
        raise ModelUnavailableError(
            f"{card.name} would need too much memory for {scenario.n_devices} devices"
        )
    mask = np.ones((1, scenario.n_devices), np.float32)
    if card.kind == BIPARTITE:
        seen = features.scenario_inputs(scenario)
        named = {name: getattr(seen, name)[None] for name in seen.__dataclass_fields__}
        return named | {"mask": mask}
    sizes = card.settings["sizes"]
    have = {"access_points": scenario.n_access_points, "nodes": scenario.n_nodes, "slices": scenario.n_slices}
    if have != sizes:
        made_for, here = (
            ", ".join(f"{v} {k.replace('_', ' ')}" for k, v in x.items()) for x in (sizes, have)
        )
        raise ModelUnavailableError(f"{card.name} is made for {made_for}; this scenario has {here}")
    rows = features.rows(scenario)
    return {"network": rows.network[None], "slices": rows.slices[None], "mask": mask}


_loading = threading.Lock()


def load_model(name: str) -> LoadedModel:
    """The model of that name, from ``$SLICEWRIGHT_MODELS`` or as shipped; loaded and timed once per process.

    Raises:
        ModelUnavailableError: the file, its card or onnxruntime is missing or damaged.
    """
    with _loading:
        return _load(name, preferred_folder())


@cache
def _load(name: str, preferred: str) -> LoadedModel:
    return _timed(open_model(name, preferred))


def _timed(opened: OpenModel) -> LoadedModel:
    """Fit ``fixed + per_cell * cells`` to a small and a medium inference."""
    model = LoadedModel(opened.card, opened.session)
    sizes = model.card.settings.get("sizes") or {"access_points": 3, "nodes": 9, "slices": 3}
    points = []
    for devices in (4, 64):
        scenario = preset(
            "paper-slicing",
            devices=devices,
            access_points=sizes["access_points"],
            coins=sizes["nodes"] - 1,
            slices=sizes["slices"],
        )
        times = []
        for _ in range(4):  # the first is slower: memory is allocated
            began = time.perf_counter()
            model.run(scenario)
            times.append(time.perf_counter() - began)
        points.append((cells(model.card, scenario), min(times)))
    (small, quick), (large, slow) = points
    per_cell = max(slow - quick, 0.0) / (large - small)
    return LoadedModel(model.card, model.session, max(quick - per_cell * small, 0.0), per_cell)
