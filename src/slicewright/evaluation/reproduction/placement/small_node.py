"""Placement: what each model takes on a small node. Size of its file, memory, and latency on one core."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from slicewright.errors import SlicewrightError
from slicewright.evaluation.reproduction.engine.item import Item, Verdict
from slicewright.evaluation.reproduction.engine.measured import Measured, protocol, table
from slicewright.evaluation.reproduction.engine.timing import least_seconds
from slicewright.evaluation.reproduction.engine.workshop import InvalidMeasurementError, Workshop
from slicewright.evaluation.reproduction.placement import small_node_process
from slicewright.evaluation.reproduction.placement.labels import proven_labels
from slicewright.evaluation.reproduction.placement.models import (
    LEARNED,
    figure_tasks,
    model_cards,
    served_models,
)
from slicewright.evaluation.reproduction.placement.networks import LABELS
from slicewright.files.documents import read_document

MEMORY_MB = 256
"""Limit of the memory that the process may allocate, in units of 2**20 bytes."""
FEW, MANY = 10, 120
ANSWERS = 50
TIMEOUT_S = 300.0


class SmallNodeError(SlicewrightError):
    """The process of a small node did not answer."""


def _measure(shop: Workshop) -> Measured:
    models = {name: each[0] for name, each in served_models(shop).items()}
    files = {name: each[0].with_suffix(".onnx") for name, each in model_cards(shop).items()}
    bare = answer_alone(None, [])
    facts: dict[str, Measured] = {}
    for name in LEARNED:
        shop.report(f"{name} on a small node")
        problems = [figure_tasks(shop, count)[0] for count in (FEW, MANY)]
        model = models[name]
        found = answer_alone(files[name], [model.feed(tasks) for tasks in problems])
        facts[name] = {
            "file_kb": files[name].stat().st_size / 1024,
            "parameters": model.card.parameters,
            "memory_mb": found["peak_mb"] - bare["peak_mb"],
            "inference_ms": [1e3 * s for s in found["seconds"]],
            "decision_ms": [1e3 * least_seconds(model.scores, tasks) for tasks in problems],
        }
    rows: list[list[str | float | None]] = [
        [
            LABELS[name], f["file_kb"], f"{f['parameters']:,}", f["memory_mb"], *f["inference_ms"], *f["decision_ms"],
        ]
        for name, f in facts.items()
    ]  # fmt: skip
    columns = [
        "model", "file in KiB", "parameters", "memory in MiB", f"inference of {FEW} tasks in ms", f"of {MANY} tasks",
        f"with features, {FEW} tasks in ms", f"{MANY} tasks",
    ]  # fmt: skip
    notes = [
        f"Each model alone in a process with numpy and onnxruntime, on one core and one thread, whose "
        f"allocated memory is "
        f"limited to {MEMORY_MB} MiB; inference is the median of {ANSWERS} answers in processor time. "
        f"Memory is the most "
        f"that the process held, {FEW} and {MANY} tasks together, above the {bare['peak_mb']:.0f} MiB of "
        f"the same process "
        "without a model. With features: in this process, the least of several, without repair.",
        "A tree's parameters are its nodes.",
    ]
    return {
        "table": table(columns, rows), "facts": {"models": facts, "bare_mb": bare["peak_mb"]}, "notes": notes,
        "protocol": protocol(answers=ANSWERS, seeds=1) | {"labels proven": proven_labels(shop)},
    }  # fmt: skip


def answer_alone(model: Path | None, feeds: Sequence[Mapping[str, np.ndarray]]) -> Measured:
    """What a process of its own says of a model file and some inputs.

    Raises:
        SmallNodeError: it failed, or took too long; within so little memory, too.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for number, feed in enumerate(feeds):
            np.savez(folder / f"{number}.npz", allow_pickle=False, **feed)
        command = [
            sys.executable, "-I", str(Path(small_node_process.__file__)), str(folder), str(MEMORY_MB), str(ANSWERS),
            *([] if model is None else [str(model)]),
        ]  # fmt: skip
        try:
            subprocess.run(command, check=True, capture_output=True, text=True, timeout=TIMEOUT_S)
        except (subprocess.SubprocessError, OSError) as error:
            told = (getattr(error, "stderr", None) or str(error)).strip().splitlines()
            raise SmallNodeError(
                f"{model.name if model else 'a process without a model'} does not answer within {MEMORY_MB} MiB: "
                f"{told[-1] if told else 'no reason given'}"
            ) from error
        return dict(read_document(folder / "answer.json", InvalidMeasurementError))


def _judge(data: Measured) -> Verdict:
    facts, bare = data["facts"]["models"], data["facts"]["bare_mb"]
    memory = {name: f["memory_mb"] for name, f in facts.items()}
    slowest = max(facts, key=lambda name: facts[name]["inference_ms"][1])
    quickest = min(facts, key=lambda name: facts[name]["inference_ms"][1])
    sizes = [f["file_kb"] for f in facts.values()]
    return Verdict(
        "finding",
        f"files of {min(sizes):.0f} to {max(sizes):.0f} KiB, {min(memory.values()):.1f} to "
        f"{max(memory.values()):.1f} MiB "
        f"beside the {bare:.0f} MiB of the runtime, {facts[quickest]['inference_ms'][1]:.2f} ms "
        f"({LABELS[quickest]}) to {facts[slowest]['inference_ms'][1]:.2f} ms ({LABELS[slowest]}) for {MANY} tasks",
        f"{len(facts)} models answered within {MEMORY_MB} MiB on one core, of which the runtime without a model held "
        f"{100 * bare / (bare + max(memory.values())):.0f} % or more. From {FEW} to {MANY} tasks the GNN's "
        f"inference, whose "
        "graph is a matrix of tasks by tasks, takes "
        f"{facts['gnn']['inference_ms'][1] / facts['gnn']['inference_ms'][0]:.1f} times as long, the MLP's "
        f"{facts['mlp']['inference_ms'][1] / facts['mlp']['inference_ms'][0]:.1f} times.",
    )


ITEMS = (
    Item(
        "small-node",
        "Finding: memory, file size and latency on a small node",
        "A decision is very fast once the network is trained; memory and size are not reported.",
        _measure,
        _judge,
        lambda s: 30.0,
    ),
)
