"""What one model asks of a node: measured in a process of its own, so that nothing else counts."""

from __future__ import annotations

import multiprocessing
import resource
import statistics
import sys
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from importlib import resources
from pathlib import Path
from typing import Any

from slicewright.network.presets import preset
from slicewright.network.scenario import Scenario

SEARCH = "search"
DEVICES = (10, 30, 50)
REPEATS = 30
SEED = 9
_PER_MB = 2**20 if sys.platform == "darwin" else 1024


def measured_alone(name: str) -> dict[str, Any]:
    """Memory, start and latency of a shipped model, or of ``search``: one run of best response.

    Args:
        name: of a model.

    Returns:
        ``before_mb``, ``after_mb`` and ``most_mb``: resident memory before the model is loaded, after all answers, and
        at most; ``core_s`` of the whole process; ``ready_s`` of one processor until the first answer; ``latency_s`` by
        number of devices as text; ``file_kb``.
    """
    alone = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(max_workers=1, mp_context=alone) as pool:
        return pool.submit(_measured, name).result()


def _measured(name: str) -> dict[str, Any]:
    scenarios = {i: preset("paper-slicing", devices=i, seed=SEED) for i in DEVICES}
    before, began = _now_mb(), time.process_time()
    answer, size = _asked(name)
    answer(scenarios[DEVICES[0]])
    ready_s = time.process_time() - began
    latency = {str(i): _median_s(answer, scenario) for i, scenario in scenarios.items()}
    return {
        "before_mb": before, "after_mb": _now_mb(), "most_mb": _most_mb(), "core_s": time.process_time(),
        "ready_s": ready_s, "latency_s": latency, "file_kb": size / 1024,
    }  # fmt: skip


def _asked(name: str) -> tuple[Callable[[Scenario], object], int]:
    """What answers, and the bytes of its files. Imports are part of what is measured."""
    if name == SEARCH:
        from slicewright.policies.slicing import plan

        return lambda scenario: plan(scenario, method="best-response", rounds=1), 0
    from slicewright.models.slicing.session import load_model

    model = load_model(name)
    folder = resources.files("slicewright.models") / "weights"
    return model.run, sum(len((folder / f"{name}{end}").read_bytes()) for end in (".onnx", ".json"))


def _median_s(answer: Callable[[Scenario], object], scenario: Scenario) -> float:
    answer(scenario)
    taken = []
    for _ in range(REPEATS):
        began = time.process_time()
        answer(scenario)
        taken.append(time.process_time() - began)
    return statistics.median(taken)


def _now_mb() -> float:
    """Resident memory; where the kernel does not tell it, the most so far."""
    return _resident_mb("VmRSS") or _most_mb()


def _most_mb() -> float:
    """The most memory held. The count of a process's resources begins with the process that started it, the kernel's
    own with the programme."""
    return _resident_mb("VmHWM") or resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / _PER_MB


def _resident_mb(name: str) -> float | None:
    """A figure of ``/proc/self/status``, MB; None where there is no such file."""
    try:
        lines = Path("/proc/self/status").read_text(encoding="ascii", errors="replace").splitlines()
    except OSError:
        return None
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith(f"{name}:")), None)
