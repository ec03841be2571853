"""Solved scenarios in memory: what models are trained on and scored against."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from slicewright.errors import InvalidOptionError
from slicewright.learning.common.instances import ranges
from slicewright.network.presets import preset
from slicewright.network.regimes import REGIMES
from slicewright.network.scenario import Scenario
from slicewright.slicing.decisions import Decisions
from slicewright.slicing.plan import Plan
from slicewright.slicing.search import iterated_search
from slicewright.slicing.shares import Shares

LABEL_ROUNDS = 400
"""Rounds of iterated search per label: within 0.01 % of the best known on average at 5 to 50 devices."""
FIRST_TEST_SEED = 1_000_000
"""Scenarios with seeds from here on are never trained on."""


@dataclass(frozen=True, eq=False)
class Solved:
    """One scenario with near-optimal decisions and their optimal shares.

    Attributes:
        scenario: the problem.
        decisions: one per device.
        shares: optimal for these decisions.
        cost_s: s, of the plan.
    """

    scenario: Scenario
    decisions: Decisions
    shares: Shares
    cost_s: float


def solve(
    scenarios: Iterable[Scenario], *, rounds: int = LABEL_ROUNDS, seed: int = 0, jobs: int | None = None
) -> list[Solved]:
    """Label scenarios by iterated search in threads, in the given order; repeats bit for bit.

    Args:
        scenarios: the problems.
        rounds: of search per scenario.
        seed: of the search.
        jobs: threads; one per processor by default.
    """

    def one(scenario: Scenario) -> Solved:
        decisions, shares = iterated_search(scenario, rounds=rounds, seed=seed)
        return Solved(scenario, decisions, shares, Plan(scenario, decisions, shares, method="label").cost_s)

    with ThreadPoolExecutor(max_workers=jobs or os.cpu_count() or 1) as pool:
        return list(pool.map(one, scenarios))


def from_store(folder: str | Path) -> list[Solved]:
    """Training instances of a label store: solved, of its train and validation splits, no test seed of ours.

    Raises:
        InvalidOptionError: the folder is no store.
        MissingExtraError: pyarrow is not installed.
    """
    from slicewright.labels import read_labels

    return [
        Solved(label.scenario, label.solution.decisions, label.solution.shares, label.cost_s)
        for label in read_labels(folder)
        if label.solved
        and label.split != "test"
        and label.seed < FIRST_TEST_SEED
        and label.scenario is not None
        and label.solution is not None
        and label.cost_s is not None
    ]


def paper_scenario(seed: int) -> Scenario:
    """The published setting with 5 to 50 devices (model page 1.6); the seed fixes their number too."""
    devices = int(np.random.default_rng([seed, 1]).integers(5, 51))
    return preset("paper-slicing", devices=devices, seed=seed)


def varied_scenario(seed: int) -> Scenario:
    """Another network each time: 1 to 8 access points, 2 to 20 nodes, 1 to 4 slices, 3 to 120 devices, either preset.

    Work, arrivals, speeds and sizes are drawn around the presets' own, so that a size-free model meets loads from
    idle to congested.
    """
    rng = np.random.default_rng([seed, 2])
    name = "paper-slicing" if rng.random() < 0.5 else "dense-urban"
    cycles = float(np.exp(rng.uniform(0, np.log(8.0))))
    return preset(
        name,
        devices=int(np.exp(rng.uniform(np.log(3), np.log(120)))),
        seed=seed,
        access_points=int(rng.integers(1, 9)),
        coins=int(rng.integers(2, 19)),
        mecs=int(rng.integers(1, 3)),
        slices=int(rng.integers(1, 5)),
        area_m=float(rng.uniform(200, 1000)),
        hotspots=int(rng.integers(0, 5)),
        cycles_per_bit=(cycles, 2 * cycles),
        queueing="node" if rng.random() < 0.8 else "device",
    )


def regimes_scenario(seed: int) -> Scenario:
    """A regime (see ``network.regimes``) and a queueing variant each time, with 5 to 60 devices."""
    rng = np.random.default_rng([seed, 3])
    names = tuple(REGIMES)
    return preset(
        f"regime/{names[int(rng.integers(len(names)))]}",
        devices=int(np.exp(rng.uniform(np.log(5), np.log(61)))),
        seed=seed,
        queueing="node" if rng.random() < 0.5 else "device",
    )


FAMILIES: dict[str, Callable[[int], Scenario]] = {
    "paper": paper_scenario,
    "varied": varied_scenario,
    "regimes": regimes_scenario,
}
"""Families of training scenarios: a seed to a scenario."""


def draw(family: str, count: int, *, first_seed: int = 0) -> list[Scenario]:
    """Consecutive scenarios of a family.

    Raises:
        InvalidOptionError: no such family, or training seeds would reach into the test seeds.
    """
    if family not in FAMILIES:
        raise InvalidOptionError("family", f"must be one of {', '.join(FAMILIES)}", value=family)
    if first_seed < FIRST_TEST_SEED < first_seed + count:
        raise InvalidOptionError("count", f"must keep training seeds below {FIRST_TEST_SEED}", value=count)
    return [FAMILIES[family](first_seed + k) for k in range(count)]


def same_network(instances: Sequence[Solved]) -> tuple[int, int, int]:
    """(A, J, N) of instances that must agree in it.

    Raises:
        InvalidOptionError: there are none, or their networks differ in size: the published models have fixed widths.
    """
    sizes = {(s.scenario.n_access_points, s.scenario.n_nodes, s.scenario.n_slices) for s in instances}
    if len(sizes) != 1:
        raise InvalidOptionError(
            "instances", "must be of one network size", value=sorted(sizes), fix="use bipartite"
        )
    return sizes.pop()


def sizes(instances: Sequence[Solved]) -> dict[str, list[int]]:
    """Smallest and largest counts in the data."""
    return ranges(
        {
            "devices": [x.scenario.n_devices for x in instances],
            "access_points": [x.scenario.n_access_points for x in instances],
            "nodes": [x.scenario.n_nodes for x in instances],
            "slices": [x.scenario.n_slices for x in instances],
        }
    )


def digest(instances: Sequence[Solved]) -> str:
    """Of all labels: tells data sets apart, for model cards and for what may be resumed."""
    whole = hashlib.sha256()
    for x in instances:
        whole.update(np.array([x.scenario.n_devices, x.cost_s]).tobytes())
        whole.update(
            np.concatenate([x.decisions.access_point, x.decisions.node, x.decisions.slice]).tobytes()
        )
    return whole.hexdigest()
