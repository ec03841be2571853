"""What a model asks of a small in-network node: parameters, file, memory, latency, and throughput in batches."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from importlib import resources

import numpy as np

import slicewright as sw
from slicewright.models.slicing.session import inputs, load_model

SIZES = (5, 50, 500)
BATCH = 64


def print_footprints(models: Sequence[str]) -> None:
    """One line per model: what it takes, on one core."""
    print(
        "\nfootprint on one core: ms is the median; MB what loading and one inference add to the process at its peak"
    )
    heads = "".join(f"{f'I={n}: ms':>11s} {'MB':>6s}" for n in SIZES)
    print(f"{'model':20s} {'weights':>8s} {'file KB':>8s}{heads} {f'batch of {BATCH}, I=50: ms each':>30s}")
    folder = resources.files("slicewright.models") / "weights"
    for name in models:
        model = load_model(name)
        size = len((folder / model.card.file).read_bytes()) / 1024
        cells = "".join(f"{_latency_ms(name, n):11.3f} {_memory_mb(name, n):6.1f}" for n in SIZES)
        print(f"{name:20s} {model.card.parameters:8d} {size:8.0f}{cells} {_batch_ms(name):30.3f}")
    cells = "".join(f"{_search_ms(n):11.3f} {0:6.1f}" for n in SIZES)
    print(f"{'search, 0 rounds':20s} {0:8d} {0:8d}{cells}")


def _search_ms(devices: int) -> float:
    scenarios = (sw.preset("paper-slicing", devices=devices, seed=seed) for seed in range(9))
    return 1e3 * float(np.median([sw.plan(scenario, rounds=0).runtime_s for scenario in scenarios]))


def _latency_ms(name: str, devices: int) -> float:
    model, scenario = load_model(name), sw.preset("paper-slicing", devices=devices)
    return 1e3 * _median_s(lambda: model.run(scenario), 15)


def _batch_ms(name: str) -> float:
    """Per scenario, when many scenarios of one size are asked at once."""
    model = load_model(name)
    single = [inputs(model.card, sw.preset("paper-slicing", devices=50, seed=k)) for k in range(BATCH)]
    feed = {key: np.concatenate([x[key] for x in single]) for key in single[0]}
    return 1e3 * _median_s(lambda: model.session.run(None, feed), 3) / BATCH


def _memory_mb(name: str, devices: int) -> float:
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks._model_memory", name, str(devices)],
        check=True,
        capture_output=True,
        text=True,
    )
    return int(done.stdout.split()[-1]) / 1024


def _median_s(call: Callable[[], object], times: int) -> float:
    took = []
    for _ in range(times):
        began = time.perf_counter()
        call()
        took.append(time.perf_counter() - began)
    return float(np.median(took))
