"""Solved runs to learn from: drawn from families, solved, labelled canonically.

A run is one placement problem; splits are made by run, so that tasks that compete for the same queues never lie in
training and test alike.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from slicewright.learning.common.instances import ranges
from slicewright.learning.placement.canonical_labels import canonical, keeping
from slicewright.placement import Link, Tasks, judge, linked_topology, place, placement_preset
from slicewright.types import BoolArray, IntArray

FEWEST_TASKS, MOST_TASKS = 10, 120
DEADLINES_S = ((0.010, 0.150), (0.050, 0.150))
"""Both published ranges, in turn."""
EXACT_UP_TO = 40
"""Tasks up to which HiGHS proves the optimum in a fraction of a second; beyond, a long search labels."""
EXACT_BUDGET_S = 30.0
LABEL_ITERATIONS = 20_000
FIRST_TEST_SEED = 50_000
"""Seeds from here on are never learned from."""
SAME_NETWORK = 16
"""Runs of the varied family that share the size of their network, and so can be stacked."""


@dataclass(frozen=True, eq=False)
class Run:
    """One solved problem.

    Attributes:
        tasks: the problem.
        choice: (K,) canonical option of each task, -1 for a rejected one.
        objective_bit_hops: of that placement.
        proven: whether it is optimal to 1e-4.
        keeps: (K, O) options that keep the optimum when the others stay: any of them is right.
        learned: (K,) whose labels may be learned from; everybody's by default.
    """

    tasks: Tasks
    choice: IntArray
    objective_bit_hops: float
    proven: bool
    keeps: BoolArray
    learned: BoolArray | None = None

    @property
    def target(self) -> IntArray:
        """(K,) what is learned: ``choice``, -1 for tasks that it rejects and those whose labels are withheld."""
        return self.choice if self.learned is None else np.where(self.learned, self.choice, -1)


def paper_tasks(seed: int) -> Tasks:
    """Preset ``paper-placement`` with 10 to 120 tasks, one deadline range for even seeds, the other for odd ones."""
    count = int(np.random.default_rng([seed, 1]).integers(FEWEST_TASKS, MOST_TASKS + 1))
    return placement_preset(tasks=count, seed=seed, deadline_s=DEADLINES_S[seed % 2])


def varied_tasks(seed: int) -> Tasks:
    """Other networks: random connected graphs of 4 to 20 COINs and 1 or 2 MEC servers, speeds and lengths at random.

    Sixteen seeds in a row share their counts of nodes, but no more than that.
    """
    shape = np.random.default_rng([seed // SAME_NETWORK, 2])
    coins, mecs = int(shape.integers(4, 21)), int(shape.integers(1, 3))
    rng = np.random.default_rng([seed, 3])
    access_points = int(rng.integers(2, coins + 1))
    names = tuple(f"coin{j}" for j in range(coins)) + tuple(f"mec{j}" for j in range(mecs))
    ingress = tuple(f"ap{a}" for a in range(access_points))

    def hop() -> float:
        return float(rng.choice([1.0, 1.0, 2.0]))

    order = rng.permutation(coins)
    links = [Link(names[order[int(rng.integers(i))]], names[order[i]], hop()) for i in range(1, coins)]
    links += [
        Link(names[u], names[v], hop()) for u, v in pairwise(rng.permutation(coins)) if rng.random() < 0.7
    ]
    links += [Link(names[int(rng.integers(coins))], names[coins + m], 2.0) for m in range(mecs)]
    links += [Link(names[int(rng.integers(coins))], name, 1.0) for name in ingress]
    topology = linked_topology(
        links,
        capacity_hz=np.concatenate(
            [
                rng.choice([5e8, 1e9, 1.5e9], coins) * rng.uniform(0.9, 1.1, coins),
                rng.uniform(5e9, 2e10, mecs),
            ]
        ),
        nodes=names,
        access_points=ingress,
        kinds=("coin",) * coins + ("mec",) * mecs,
    )
    drawn = paper_tasks(seed)
    rate = rng.uniform(0.1, 0.5)
    return Tasks(
        topology,
        access_point=rng.integers(access_points, size=drawn.n_tasks),
        size_bits=drawn.size_bits,
        cycles=drawn.cycles,
        deadline_s=drawn.deadline_s,
        arrival_rate_hz=np.full(drawn.n_tasks, rate),
    )


FAMILIES: dict[str, Callable[[int], Tasks]] = {"paper": paper_tasks, "varied": varied_tasks}


def solve_run(tasks: Tasks, *, iterations: int = LABEL_ITERATIONS, proof_s: float | None = None) -> Run:
    """Solve and label: exactly up to 40 tasks, else by a search of fixed length, which repeats bit for bit.

    With ``proof_s`` every number of tasks is solved exactly, and a proof may take that many seconds; the placement
    known by then is the label, proven or not.
    """
    if proof_s is not None or tasks.n_tasks <= EXACT_UP_TO:
        found = place(tasks, "exact", budget_s=EXACT_BUDGET_S if proof_s is None else proof_s)
    else:
        found = place(tasks, iterations=iterations)
    index = tasks.options.index
    choice = np.array([index[used] if used else -1 for used in found.nodes], dtype=np.int64)
    return labelled_run(tasks, canonical(tasks, choice), proven=found.status == "optimal")


def labelled_run(tasks: Tasks, label: IntArray, *, proven: bool) -> Run:
    """A run of a canonical label, (K,), with what follows from it."""
    return Run(tasks, label, judge(tasks, label).objective_bit_hops, proven, keeping(tasks, label))


def solved_runs(
    family: str, seeds: Iterable[int], *, report: Callable[[str], None] = lambda line: None
) -> list[Run]:
    """Draw and solve the runs of some seeds of a family."""
    runs: list[Run] = []
    for seed in seeds:
        runs.append(solve_run(FAMILIES[family](seed)))
        report(f"solved {len(runs)} runs of family {family}")
    return runs


def sizes(runs: Sequence[Run]) -> dict[str, list[int]]:
    """Smallest and largest counts in the data."""
    return ranges(
        {
            "tasks": [x.tasks.n_tasks for x in runs],
            "coins": [x.tasks.topology.coins.size for x in runs],
            "mecs": [x.tasks.topology.mecs.size for x in runs],
        }
    )


def digest(runs: Sequence[Run]) -> str:
    """Of all labels: tells data sets apart, for what may be resumed."""
    whole = hashlib.sha256()
    for x in runs:
        whole.update(np.array([x.tasks.n_tasks, x.objective_bit_hops]).tobytes())
        whole.update(x.choice.tobytes())
    return whole.hexdigest()
