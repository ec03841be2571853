"""Where a requested task goes, beside those that already run. Pure apart from the placement method's clock."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from slicewright.errors import InvalidTasksError
from slicewright.files.fields import FieldReader
from slicewright.placement import REJECTED, Tasks, choice_of, judge, place
from slicewright.placement.problem.tasks import Split
from slicewright.placement.problem.topology import Topology
from slicewright.types import IntArray

_read = FieldReader(InvalidTasksError)
_NUMBERS = ("size_bits", "cycles", "deadline_s", "arrival_rate_hz")
MOST, MOST_BPS = 1e18, 4e12
"""Bounds far beyond any real task; they keep every product of the model finite, and rates within OpenFlow's 32 bits."""
NO_ROOM = "no nodes can take it in time beside the tasks that run"
NO_WAY = "the nodes that could take it are cut off: a switch on the way is away"


@dataclass(frozen=True)
class Request:
    """A task as it is asked for.

    Attributes:
        access_point: name of the access point it enters by.
        size_bits, cycles, deadline_s, arrival_rate_hz: as in ``slicewright/tasks/v1``.
        rate_bps: bit/s that may enter; by default what carries one task in within its deadline.
        duration_s: s after which the task ends by itself; None: when it is told to.
    """

    access_point: str
    size_bits: float
    cycles: float
    deadline_s: float
    arrival_rate_hz: float
    rate_bps: float
    duration_s: float | None = None


def read_request(document: object, topology: Topology) -> Request:
    """A request as it arrives, in JSON.

    Raises:
        InvalidTasksError: a field is missing, unknown or breaks its rule.
    """
    doc = _read.mapping(document, "task")
    _read.only(doc, ("access_point", *_NUMBERS, "rate_bps", "duration_s"), "")
    name = _read.choice(_read.require(doc, "access_point", ""), "access_point", topology.access_points)
    numbers = {key: _positive(_read.require(doc, key, ""), key) for key in _NUMBERS}
    rate, duration = doc.get("rate_bps"), doc.get("duration_s")
    wanted = numbers["size_bits"] / numbers["deadline_s"] if rate is None else _positive(rate, "rate_bps")
    if not wanted <= MOST_BPS:
        raise InvalidTasksError(
            "rate_bps", f"must be at most {MOST_BPS:g}: meters count no further", value=wanted
        )
    return Request(
        name,
        **numbers,
        rate_bps=wanted,
        duration_s=None if duration is None else _positive(duration, "duration_s"),
    )


@dataclass(frozen=True)
class PlacementSettings:
    """How decisions are made.

    Attributes:
        method: a placement method's name.
        split: how work is divided.
        budget_s: s that the method may take; None: its own habit.
        seed: of everything random.
    """

    method: str = "auto"
    split: Split = "proportional"
    budget_s: float | None = 0.05
    seed: int = 0


def decide(
    topology: Topology,
    running: Sequence[tuple[Request, tuple[int, ...]]],
    fresh: Sequence[Request],
    settings: PlacementSettings,
    reachable: Callable[[Request, tuple[int, ...]], bool],
) -> list[tuple[int, ...] | str]:
    """Nodes for every fresh task, or the reason why there are none. Tasks that run are never moved.

    The placement method solves the problem of all tasks together. If its answer would move a running task, or
    needs a switch that is away, running tasks are pinned where they are and each fresh one keeps its answer if
    that is still feasible, else takes the cheapest that is.

    Args:
        topology: nodes and distances.
        running: tasks that run, with their nodes in ascending order.
        fresh: tasks that are asked for.
        settings: method and its limits.
        reachable: whether a task can get to these nodes now.
    """
    tasks = _problem(topology, [*(request for request, _ in running), *fresh], settings.split)
    pinned = choice_of(tasks, [nodes for _, nodes in running] + [()] * len(fresh))
    answer = place(tasks, settings.method, budget_s=settings.budget_s, seed=settings.seed, certify=False)
    proposed = choice_of(tasks, answer.nodes)
    choice = pinned.copy()
    reasons: dict[int, str] = {}
    for k in range(len(running), tasks.n_tasks):
        order = [int(proposed[k]), *np.argsort(tasks.options.cost[k], kind="stable").tolist()]
        fitting = [
            option
            for option in dict.fromkeys(order)
            if option != REJECTED and _fits(tasks, choice, k, option)
        ]
        ways = (o for o in fitting if reachable(fresh[k - len(running)], tasks.options.nodes_of(o)))
        choice[k] = next(ways, REJECTED)
        if choice[k] == REJECTED:
            reasons[k] = NO_WAY if fitting else (answer.reasons[k] or NO_ROOM)
    return [
        reasons[k] if k in reasons else tasks.options.nodes_of(int(choice[k]))
        for k in range(len(running), tasks.n_tasks)
    ]


def _fits(tasks: Tasks, choice: IntArray, task: int, option: int) -> bool:
    trial = choice.copy()
    trial[task] = option
    return judge(tasks, trial).violations.feasible


def _problem(topology: Topology, requests: Sequence[Request], split: Split) -> Tasks:
    index = {name: a for a, name in enumerate(topology.access_points)}
    numbers = np.array([[getattr(request, name) for name in _NUMBERS] for request in requests])
    size, cycles, deadline, rate = numbers.T
    ingress = np.array([index[request.access_point] for request in requests])
    return Tasks(topology, ingress, size, cycles, deadline, rate, split=split)


def _positive(value: object, field: str) -> float:
    number = float(_read.numbers(value, field, (), positive=True))
    if not 1 / MOST <= number <= MOST:
        raise InvalidTasksError(field, f"must be from {1 / MOST:g} to {MOST:g}", value=number)
    return number
