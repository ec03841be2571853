"""Target 7: labels per second and core, and how far they are from a search 50 times as long."""

from __future__ import annotations

import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from slicewright.labels import Job, Recipe, build_labels
from slicewright.labels.executors.label_chunk import label_chunk
from slicewright.labels.methods import default_rounds
from slicewright.slicing import evaluate, iterated_search

FIRST_SEED = 1_000_000  # never used in training
LONGER = 50
FACTORS = (0.25, 0.5, 1.0, 2.0, 4.0)


@dataclass(frozen=True)
class Sizes:
    """Instances whose gap is measured, and labels that are timed."""

    instances: int
    labels: int


SCALES = {"quick": Sizes(60, 600), "full": Sizes(200, 5000)}


def main(scale: str) -> None:
    """Print the rate on one core, and the gap as it depends on the rounds of search."""
    size = SCALES[scale]
    job = Job(Recipe())
    least, most = job.recipe.devices
    print(f"preset {job.recipe.preset}, {least} to {most} devices, method {job.method}")
    _rate(job, size.labels)
    _gaps(job, size.instances)


def smoke() -> None:
    """A label for each amount of search, for one scenario."""
    _gaps(Job(Recipe()), 1)


def _rate(job: Job, count: int) -> None:
    """Labels per second: in this process, and through a supervised worker into a store."""
    seeds = tuple(range(FIRST_SEED, FIRST_SEED + count))
    label_chunk(job, seeds[:2])
    wall, processor = time.perf_counter(), time.process_time()
    for first in range(0, count, 50):
        label_chunk(job, seeds[first : first + 50])
    wall, processor = time.perf_counter() - wall, time.process_time() - processor
    print(
        f"one core: {count / wall:.0f} labels/s ({count / processor:.0f} per s of processor time): scenario, search, "
        "certificate, judgement and encoding"
    )
    with tempfile.TemporaryDirectory() as folder:
        began: list[tuple[float, int]] = []
        build_labels(
            Path(folder) / "store", job, count=count, first_seed=FIRST_SEED, workers=1,
            on_progress=lambda progress: began.append((time.perf_counter(), progress.done)),
        )  # fmt: skip
    (first_s, first), (last_s, last) = began[1], began[-1]
    print(f"one supervised worker, journal and shards: {(last - first) / (last_s - first_s):.0f} labels/s")


def _gaps(job: Job, instances: int) -> None:
    """Mean gap to the best known by rounds of search, all instances and all searches in one run."""
    gaps, times = np.empty((instances, len(FACTORS))), np.empty((instances, len(FACTORS)))
    for k in range(instances):
        scenario = job.recipe.scenario(FIRST_SEED + k)
        costs = []
        for f, factor in enumerate(FACTORS):
            began = time.perf_counter()
            found = iterated_search(
                scenario, rounds=round(factor * default_rounds(scenario.n_devices)), seed=FIRST_SEED + k
            )
            times[k, f] = time.perf_counter() - began
            costs.append(evaluate(scenario, *found)[0].completion_s.sum())
        longer = iterated_search(scenario, rounds=LONGER * default_rounds(scenario.n_devices), seed=k)
        best = min(*costs, evaluate(scenario, *longer)[0].completion_s.sum())
        gaps[k] = np.array(costs) / best - 1.0
    print(f"gap to the best known ({LONGER} times the rounds, or any run here), {instances} instances:")
    print("  rounds (1 is the default)   mean gap   p95 gap   time per search")
    for f, factor in enumerate(FACTORS):
        mean, p95 = 100 * gaps[:, f].mean(), 100 * np.percentile(gaps[:, f], 95)
        print(f"  {factor:>24g}   {mean:6.4f} %  {p95:6.4f} %   {1e3 * times[:, f].mean():.2f} ms")
    print("target 7: 300 labels per second and core with a mean gap below 0.01 %")
