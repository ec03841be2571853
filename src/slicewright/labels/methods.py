"""How instances are labelled: ``best-known``, ``exact``, ``solver``, or a function of the user's."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from types import MappingProxyType
from typing import cast

from slicewright.errors import InvalidOptionError, SolverError, UnknownNameError
from slicewright.labels.label import Solution
from slicewright.labels.recipe import Recipe
from slicewright.network.scenario import Scenario
from slicewright.slicing.certificate import lower_bound
from slicewright.slicing.search import iterated_search
from slicewright.slicing.shares import optimal_shares
from slicewright.version import __version__


@dataclass(frozen=True)
class Job:
    """Everything a worker needs to know; with a seed, the label follows bit for bit (times aside).

    Attributes:
        recipe: makes the instances.
        method: ``best-known``, ``exact``, ``solver``, or ``module:function`` of type :data:`Method`.
        time_limit_s: s per instance for ``exact`` and ``solver``; the incumbent counts.
        rounds: of search per instance for ``best-known``; by default enough for the device count.
    """

    recipe: Recipe
    method: str = "best-known"
    time_limit_s: float = 60.0
    rounds: int | None = None

    def __post_init__(self) -> None:
        if not self.time_limit_s > 0:
            raise InvalidOptionError(
                "time_limit_s", "must be a positive number of seconds", value=self.time_limit_s
            )
        if self.rounds is not None and self.rounds < 0:
            raise InvalidOptionError("rounds", "must be a whole number of at least 0", value=self.rounds)
        if ":" not in self.method and self.method not in METHODS:
            raise UnknownNameError("method of labelling", self.method, METHODS)


Method = Callable[[Job, Scenario, int], Solution]
"""Solves one scenario; the last argument is the instance's seed."""


def method_of(job: Job) -> Method:
    """The function that a job names.

    Raises:
        InvalidOptionError: the user's function cannot be imported.
    """
    if job.method in METHODS:
        return METHODS[job.method]
    module, _, function = job.method.partition(":")
    try:
        return cast(Method, getattr(import_module(module), function))
    except (ImportError, AttributeError) as error:
        raise InvalidOptionError(
            "method", f"cannot be imported: {error}", value=job.method, fix="write module:function"
        ) from None


def default_rounds(devices: int) -> int:
    """Rounds after which the mean gap to the best known is below 0.01 % (measured by ``benchmarks/labels.py``)."""
    return max(32, 4 * devices)


def _best_known(job: Job, scenario: Scenario, seed: int) -> Solution:
    rounds = default_rounds(scenario.n_devices) if job.rounds is None else job.rounds
    decisions, shares = iterated_search(scenario, rounds=rounds, seed=seed)
    bound = lower_bound(scenario, start=decisions, queues=False)  # a label is worth its cost, not its proof
    return Solution(decisions, shares, bound, f"slicewright {__version__}")


def _exact(job: Job, scenario: Scenario, seed: int) -> Solution:
    from slicewright.slicing.exact import solve_exact

    answer = solve_exact(scenario, budget_s=job.time_limit_s, seed=seed)
    shares = optimal_shares(scenario, answer.decisions)
    if shares is None:
        raise SolverError("the exact method answered with decisions that no shares make feasible")
    return Solution(answer.decisions, shares, answer.bound_s, f"slicewright {__version__}")


def _solver(job: Job, scenario: Scenario, seed: int) -> Solution:
    from slicewright.slicing.published.cone_programme import solve_cone
    from slicewright.solvers import SolverOptions

    start = iterated_search(scenario, rounds=default_rounds(scenario.n_devices), seed=seed)
    answer = solve_cone(
        scenario, start=start, options=SolverOptions(time_limit_s=job.time_limit_s, seed=seed)
    )
    return Solution(
        answer.decisions, answer.shares, answer.bound_s, f"{answer.result.solver} {answer.result.version}"
    )


METHODS: Mapping[str, Method] = MappingProxyType(
    {"best-known": _best_known, "exact": _exact, "solver": _solver}
)
"""Methods of labelling, by name."""
