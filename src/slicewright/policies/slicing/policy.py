"""What a method is: something that answers a scenario within limits."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from slicewright.network.scenario import Scenario
from slicewright.slicing.decisions import Decisions
from slicewright.slicing.dual_prices import DualPrices
from slicewright.slicing.shares import Shares


@dataclass(frozen=True)
class Limit:
    """How long a method may work.

    Attributes:
        budget_s: s of wall time for everything but the certificate; None is no limit.
        rounds: of search. With rounds and no budget, an answer depends on the seed alone, bit for bit.
    """

    budget_s: float | None = None
    rounds: int | None = None


@dataclass(frozen=True)
class Answer:
    """What a method returns; the planner makes a :class:`~slicewright.slicing.plan.Plan` of it.

    Attributes:
        decisions: one per device.
        shares: None asks for the optimal ones (closed form).
        proven_bound_s: a lower bound that the method proved, if it proves any.
        notes: sentences for the user.
        prices: with which a certificate of the plan begins, if the method has any.
    """

    decisions: Decisions
    shares: Shares | None = None
    proven_bound_s: float | None = None
    notes: tuple[str, ...] = ()
    prices: DualPrices | None = None


class Policy(Protocol):
    """A method. Implement it in your own package and offer it by the entry point ``slicewright.policies``."""

    @property
    def name(self) -> str:
        """What users write after ``--method``."""
        ...

    @property
    def summary(self) -> str:
        """One line for lists of methods."""
        ...

    def decide(self, scenario: Scenario, *, limit: Limit, seed: int) -> Answer:
        """Answer one scenario. Must be feasible whatever the limit, and must not keep state between calls."""
        ...


@dataclass(frozen=True)
class FunctionPolicy:
    """A policy made of a function.

    Attributes:
        name: what users write after ``--method``.
        summary: one line for lists of methods.
        function: of scenario, limit and seed; answers.
        default_budget_s: s that the planner allows where the user sets no limit; None leaves that to the planner.
            Any policy may have this attribute.
    """

    name: str
    summary: str
    function: Callable[[Scenario, Limit, int], Answer]
    default_budget_s: float | None = None

    def decide(self, scenario: Scenario, *, limit: Limit, seed: int) -> Answer:
        """Call the function."""
        return self.function(scenario, limit, seed)
