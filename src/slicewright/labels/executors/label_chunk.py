"""What a worker does, whichever executor runs it: seeds in, a batch of labels out."""

from __future__ import annotations

import time
from functools import cache

from slicewright.errors import SlicewrightError
from slicewright.judging import OPTIMAL_GAP
from slicewright.labels.label import Label, LabelStatus
from slicewright.labels.methods import METHODS, Job, method_of
from slicewright.labels.recipe import Recipe
from slicewright.labels.store.table import encode
from slicewright.network.presets import preset
from slicewright.slicing import certificate
from slicewright.slicing.exact import tree
from slicewright.slicing.judge import evaluate


@cache
def warm_up(method: str) -> None:
    """Load (on a new machine: compile) what a method runs, so that no label's time or limit pays for it.

    A method of the user's is not called before its time; what it is likely to use of ours, search and bound, is loaded.
    """
    ours = method if method in METHODS else "best-known"
    METHODS[ours](Job(Recipe(), ours), preset("paper-slicing", devices=2), 0)
    if ours != method:
        certificate.load_kernels()
        tree.load_kernels()


def label_chunk(job: Job, seeds: tuple[int, ...]) -> bytes:
    """Label some instances; the bytes are one Arrow record batch, ready for the journal."""
    warm_up(job.method)
    return encode([label_one(job, seed) for seed in seeds])


def label_one(job: Job, seed: int) -> Label:
    """Label one instance. What the library refuses becomes a failed label with the reason."""
    try:
        scenario = job.recipe.scenario(seed)
        solve = method_of(job)
        began = time.perf_counter()
        solution = solve(job, scenario, seed)
        time_s = time.perf_counter() - began
    except SlicewrightError as refusal:
        return Label(seed, "failed", job.method, reason=f"{type(refusal).__name__}: {refusal}")
    times, violations = evaluate(scenario, solution.decisions, solution.shares)
    cost = float(times.completion_s.sum())
    gap = cost / solution.bound_s - 1.0 if solution.bound_s > 0 else float("inf")
    status: LabelStatus = "infeasible"
    if violations.feasible:
        status = "optimal" if gap <= OPTIMAL_GAP else "feasible"
    return Label(
        seed, status, job.method, scenario, solution, cost, solution.bound_s, gap, time_s, violations.residuals,
        reason=violations.explain(),
    )  # fmt: skip
