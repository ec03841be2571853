"""Exported models of problem two: what they are asked of a placement problem. No torch."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

import numpy as np

from slicewright.models.cards import Card
from slicewright.models.placement.features import adjacency, task_rows
from slicewright.models.placement.model_kinds import GRAPH, QUEUE, ROWS, TREE
from slicewright.models.placement.queue_inputs import queue_inputs
from slicewright.models.session import ModelUnavailableError, OpenModel, open_model, preferred_folder
from slicewright.placement.problem.tasks import Tasks
from slicewright.types import FloatArray

LARGEST_INPUT = 20_000_000
"""Tasks times options, or tasks squared, beyond which an inference would ask for gigabytes."""
SMALLEST_P = 1e-6
"""A class that a tree never saw is not impossible."""


@dataclass(frozen=True, eq=False)
class PlacementModel(OpenModel):
    """A model of problem two."""

    def scores(self, tasks: Tasks) -> FloatArray:
        """(K, O) log-probability of every option of every task.

        Raises:
            ModelUnavailableError: the network's size is not the model's, is too large, or onnxruntime fails.
        """
        (answer,) = self.answers(self.feed(tasks))
        if self.card.kind == QUEUE:
            return np.asarray(answer[0], dtype=np.float64)
        if self.card.kind == TREE:
            answer = np.log(np.maximum(answer, SMALLEST_P))
        return _with_device(np.asarray(answer, dtype=np.float64), tasks)

    def feed(self, tasks: Tasks) -> Mapping[str, np.ndarray]:
        """The inputs of the model's file, by name.

        Raises:
            ModelUnavailableError: the network's size is not the model's, or is too large.
        """
        kind, count = self.card.kind, tasks.n_tasks
        if count * max(tasks.options.count, count if kind == GRAPH else 1) > LARGEST_INPUT:
            raise ModelUnavailableError(f"{self.card.name} would need too much memory for {count} tasks")
        if kind == QUEUE:
            return _queue_feed(tasks)
        rows = task_rows(tasks).astype(np.float32)
        made_for, here = self.card.settings, {"features": rows.shape[1], "classes": tasks.options.in_network}
        for name, have in here.items():
            if made_for[name] != have:
                raise ModelUnavailableError(
                    f"{self.card.name} is made for {made_for[name]} {name} per task; this problem has {have}"
                )
        if kind == GRAPH:
            return {"rows": rows, "adjacency": adjacency(tasks, made_for["graph"]).astype(np.float32)}
        return {"rows": rows}


def _with_device(scores: FloatArray, tasks: Tasks) -> FloatArray:
    """(K, O) scores of a classifier of the network's options, with the device behind them if there is one.

    It never saw one. A task goes there if that is in time and costs no more than the likeliest way through the network.
    """
    options = tasks.options
    if options.device < 0:
        return scores
    everyone = np.arange(tasks.n_tasks)
    in_time = options.limit[:, options.device, 0] >= tasks.arrival_rate_hz
    wanted = options.cost[:, options.device] <= options.cost[everyone, scores.argmax(axis=1)]
    best, worst = scores.max(axis=1) + 1.0, scores.min(axis=1) - 1.0
    return np.column_stack([scores, np.where(in_time & wanted, best, worst)])


def _queue_feed(tasks: Tasks) -> Mapping[str, np.ndarray]:
    seen = queue_inputs(tasks)
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
    unseen = {
        "times for sending": tasks.options.sent_s.any(),
        "execution on the device": tasks.options.device >= 0,
    }
    remarks += [f"{card.name} never saw {what} in training" for what, there in unseen.items() if there]
    return tuple(remarks)


_loading = threading.Lock()


def load_placement_model(name: str) -> PlacementModel:
    """The model of that name, from ``$SLICEWRIGHT_MODELS`` or as shipped; loaded once per process.

    Raises:
        ModelUnavailableError: the file, its card or onnxruntime is missing or damaged, or it places no tasks.
    """
    with _loading:
        return _load(name, preferred_folder())


@cache
def _load(name: str, preferred: str) -> PlacementModel:
    opened = open_model(name, preferred, shipped_in="placement")
    if opened.card.kind not in (GRAPH, ROWS, TREE, QUEUE):
        raise ModelUnavailableError(f"model {name!r} is of kind {opened.card.kind!r}, which places no tasks")
    return PlacementModel(opened.card, opened.session)
