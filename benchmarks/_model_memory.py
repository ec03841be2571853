"""What loading a model and one inference add to a process, KB: ``python -m benchmarks._model_memory MODEL DEVICES``."""

from __future__ import annotations

import sys
from pathlib import Path

import onnxruntime  # noqa: F401  # what every model loads is there before

import slicewright as sw
from slicewright.models.slicing import features
from slicewright.models.slicing import session as learned_models


def added_kb(name: str, devices: int) -> int:
    """KB. In a process that has loaded nothing but libraries."""
    scenario = sw.preset("paper-slicing", devices=devices)
    features.rows(scenario), features.scenario_inputs(scenario)  # what both kinds of model would load
    Path("/proc/self/clear_refs").write_text("5")  # the peak starts anew
    before = _status_kb("VmRSS")
    learned_models.load_model(name).run(scenario)
    return _status_kb("VmHWM") - before


def _status_kb(name: str) -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith(name)).split()[1])


if __name__ == "__main__":
    print(added_kb(sys.argv[1], int(sys.argv[2])))
