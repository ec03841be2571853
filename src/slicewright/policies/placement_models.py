"""Exported placement models found, checked and run by onnxruntime, without torch."""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np

from slicewright.learning.cards import Card, InvalidModelError, model_bytes, read_card
from slicewright.learning.placement.features import adjacency, task_rows
from slicewright.learning.placement.kinds import GRAPH, QUEUE, ROWS, TREE
from slicewright.learning.placement.network_inputs import network_inputs
from slicewright.placement.tasks import Tasks
from slicewright.policies.learned_models import FOLDER_VARIABLE, ModelUnavailableError, _runtime_errors
from slicewright.types import FloatArray

LARGEST_INPUT = 20_000_000
"""Tasks times options, or tasks squared, beyond which an inference would ask for gigabytes."""
SMALLEST_P = 1e-6
"""A class that a tree never saw is not impossible."""


@dataclass(frozen=True, eq=False)
class PlacementModel:
    """A model ready to run: its card and a session of onnxruntime with one thread."""

    card: Card
    session: Any

    def scores(self, tasks: Tasks) -> FloatArray:
        """(K, O) log-probability of every option of every task.

        Raises:
            ModelUnavailableError: the network's size is not the model's, is too large, or onnxruntime fails.
        """
        try:
            (answer,) = self.session.run(None, self._feed(tasks))
        except _runtime_errors() as error:
            raise ModelUnavailableError(f"{self.card.name} failed in onnxruntime: {error}") from error
        if not np.isfinite(answer).all():
            raise ModelUnavailableError(f"{self.card.name} answered with numbers that are not finite")
        if self.card.kind == TREE:
            return np.asarray(np.log(np.maximum(answer, SMALLEST_P)), dtype=np.float64)
        return np.asarray(answer[0] if self.card.kind == QUEUE else answer, dtype=np.float64)

    def _feed(self, tasks: Tasks) -> Mapping[str, np.ndarray]:
        kind, count = self.card.kind, tasks.n_tasks
        if count * max(tasks.options.count, count if kind == GRAPH else 1) > LARGEST_INPUT:
            raise ModelUnavailableError(f"{self.card.name} would need too much memory for {count} tasks")
        if kind == QUEUE:
            return _queue_feed(tasks)
        rows = task_rows(tasks).astype(np.float32)
        made_for, here = self.card.settings, {"features": rows.shape[1], "classes": tasks.options.count}
        for name, have in here.items():
            if made_for[name] != have:
                rule = (
                    f"{self.card.name} is made for {made_for[name]} {name} per task; this problem has {have}"
                )
                raise ModelUnavailableError(rule)
        if kind == GRAPH:
            return {"rows": rows, "adjacency": adjacency(tasks, made_for["graph"]).astype(np.float32)}
        return {"rows": rows}


def _queue_feed(tasks: Tasks) -> Mapping[str, np.ndarray]:
    seen = network_inputs(tasks)
    batched = {name: getattr(seen, name)[None] for name in ("cost", "limit", "pair", "task", "node")}
    mask = np.ones((1, tasks.n_tasks), np.float32)
    return {**batched, "first": seen.first, "second": seen.second, "mask": mask}


def concerns(card: Card, tasks: Tasks) -> tuple[str, ...]:
    """Sentences on what the model has not seen in training."""
    have = {"tasks": tasks.n_tasks, "coins": tasks.topology.coins.size, "mecs": tasks.topology.mecs.size}
    remarks = [
        f"{card.name} was trained for {low} to {high} {name}, this problem has {have[name]}"
        for name, (low, high) in card.trained_for.items()
        if not low <= have[name] <= high
    ]
    if tasks.split != "proportional":
        remarks.append(
            f"{card.name} was trained for proportional splitting, this problem has {tasks.split!r}"
        )
    return tuple(remarks)


_loading = threading.Lock()


def load_placement_model(name: str) -> PlacementModel:
    """The model of that name, from ``$SLICEWRIGHT_MODELS`` or as shipped; loaded once per process.

    Raises:
        ModelUnavailableError: the file, its card or onnxruntime is missing or damaged.
    """
    with _loading:
        return _load(name, os.environ.get(FOLDER_VARIABLE, ""))


@cache
def _load(name: str, preferred: str) -> PlacementModel:
    folders = [Path(preferred)] if preferred else []
    with resources.as_file(resources.files("slicewright") / "models" / "placement") as shipped:
        for folder in [*folders, shipped]:
            if (folder / f"{name}.json").exists():
                return _open(folder, name)
    raise ModelUnavailableError(f"there is no model {name!r} in {', '.join(map(str, [*folders, shipped]))}")


def _open(folder: Path, name: str) -> PlacementModel:
    try:
        import onnxruntime
    except ImportError as error:
        raise ModelUnavailableError(f"onnxruntime cannot be imported: {error}") from error
    try:
        card = read_card(folder / f"{name}.json")
        if card.kind not in (GRAPH, ROWS, TREE, QUEUE):
            raise ModelUnavailableError(f"model {name!r} is of kind {card.kind!r}, which places no tasks")
        data = model_bytes(card, folder)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 3
        session = onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
    except (OSError, InvalidModelError) as error:
        raise ModelUnavailableError(f"model {name!r} cannot be loaded: {error}") from error
    except _runtime_errors() as error:
        raise ModelUnavailableError(f"model {name!r} cannot be loaded: {error}") from error
    return PlacementModel(card, session)
