"""A city as its journal has it, read a piece at a time: a long journal takes no more memory than a short one."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from slicewright.control.city.followed import Change, FollowedCity
from slicewright.control.journal.base import Journal
from slicewright.control.journal.chain import REMEDY, Chain, one_line
from slicewright.control.journal.records import BrokenChainError, Record, verify
from slicewright.control.state.errors import ControlError
from slicewright.control.state.events.city import CityBegan, CityChanged, CityProven

ROUNDED_COST = 1e-9
"""Costs of the same plan may differ by that part, by the order in which they were added up."""
Step = Callable[[FollowedCity, Record], None]
Aside = Callable[..., Awaitable[Any]]
"""Has a function called with arguments in a thread of its own."""


class DecidesOtherwiseError(ControlError):
    """What a record was asked for leads to other decisions now: another version has written it."""


async def first_record(journal: Journal, after: int = 0) -> Record | None:
    """The first record after a sequence that can be read; None where there is none.

    Raises:
        JournalError: it cannot be read now.
    """
    pieces = journal.lines(after)
    async for lines in pieces:
        for line in lines:
            found = one_line(line)
            if found is not None:
                return found[0]
    return None


async def go_on(city: FollowedCity, journal: Journal, *, at: int, step: Step, aside: Aside) -> Record | None:
    """Do what the journal tells of a city.

    Args:
        city: as it was at a record; it is changed.
        journal: the city's.
        at: sequence of that record, which is read again, so that what follows on it is known to follow.
        step: what is done with each record after it: :func:`decide_again` or :func:`follow`.
        aside: see ``Aside``; all work is done there.

    Returns:
        The newest record; None where the journal is empty.

    Raises:
        JournalError: it cannot be read now.
        BrokenChainError: its records do not follow from one another.
        ControlError: as ``step`` does.
    """
    chain = Chain("the city's journal")
    async for lines in journal.lines(at - 1):
        await aside(_take, city, chain, lines, at, step)
    chain.end()
    return chain.newest


def _take(city: FollowedCity, chain: Chain, lines: Sequence[str], at: int, step: Step) -> None:
    """A piece of the journal; the chain has seen those before."""
    for record in verify([record for line in lines for record in chain.take(one_line(line))]):
        if record.sequence > at:
            step(city, record)


def check_beginning(first: Record, digest: str) -> None:
    """Refuse a journal that is not of a city, or of one that began otherwise.

    Args:
        first: its first record. digest: of the scenario that the city began with.

    Raises:
        ControlError: says which.
        BrokenChainError: its first record is damaged, without which nobody knows what the others are about.
    """
    if first.sequence > 1:
        raise BrokenChainError(f"record 1 of the city's journal is damaged or missing; {REMEDY}")
    if not isinstance(first.event, CityBegan):
        raise ControlError(
            "this journal is not that of a city; serve it without `city`, or use another `store`"
        )
    if first.event.scenario_digest != digest:
        raise ControlError("the journal is of a city that began with another scenario")


def decide_again(city: FollowedCity, record: Record) -> None:
    """Make a decision again, which gives the very same city, and compare.

    Raises:
        DecidesOtherwiseError: something else comes of it.
    """
    event = record.event
    if isinstance(event, CityProven):
        city.place(event.places)
    elif isinstance(event, CityChanged):
        again = city.apply(Change.of(event))
        if again.places != event.places or not _is_near(again.cost_s, event.cost_s):
            raise DecidesOtherwiseError(f"record {record.sequence} was decided by another version")


def follow(city: FollowedCity, record: Record) -> None:
    """Do what a record tells without deciding, and compare what it costs.

    Raises:
        BrokenChainError: it leads to a plan that costs something else.
    """
    event = record.event
    if isinstance(event, CityChanged):
        city.follow(event)
    elif isinstance(event, CityProven):
        city.place(event.places)
    else:
        return
    if event.cost_s is not None and not _is_near(city.live.cost_s, event.cost_s):
        raise BrokenChainError(
            f"record {record.sequence} tells of a plan that costs {event.cost_s:.9g} s, which comes to "
            f"{city.live.cost_s:.9g} s here: the city's first plan was another one, and its saved file is missing"
        )


def _is_near(cost_s: float, told_s: float) -> bool:
    return abs(cost_s - told_s) <= ROUNDED_COST * abs(told_s)
