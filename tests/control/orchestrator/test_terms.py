"""Grants over a change of leaders: what goes out in a new term, what may not, and what managers take."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from functools import partial

from slicewright.control.messages.keys import GRANT_KEYS, slice_key
from slicewright.control.orchestrator.turn.instructions import Publish
from slicewright.control.orchestrator.turn.term import Term
from slicewright.control.requests.commands import remove
from slicewright.control.slice_manager.state import receive
from slicewright.control.slice_manager.task import SliceManager
from slicewright.control.state.clock import LoopClock
from slicewright.control.state.events import (
    Acknowledged,
    Adopted,
    Sent,
    TookOver,
)
from slicewright.control.state.fold import fold, sends
from slicewright.control.state.grants import GRANT
from slicewright.control.transport.base import Entry
from slicewright.control.transport.memory import MemoryTransport
from tests.control.orchestrator.test_loop import OPTIONS
from tests.control.support.simulated_time import simulate
from tests.control.support.turns import World, published


def test_nothing_is_sent_in_a_new_term_before_managers_have_spoken_or_are_away() -> None:
    world = World()
    world.hear()
    world.settle()
    world.term, instructions = Term.begin(world.state, world.now_s)
    for item in instructions:
        world.carry_out(item)
    world.heard_s.clear()
    gone = next(iter(world.state.places))
    turn = world.turn(world.request(partial(remove, device=gone)))
    assert not any(isinstance(event, Sent) for event in turn.events)
    world.now_s += 0.1
    world.hear("s0", "s1")
    assert not any(isinstance(event, Sent) for event in world.turn().events)
    world.now_s += OPTIONS.away_after_s
    world.hear("s0", "s1")
    assert world.turn().term.unheard == frozenset(), "the third is away"


def test_a_manager_that_is_away_frees_nobody_while_an_older_grant_may_lie_where_it_looks() -> None:
    world = World()
    world.hear()
    world.settle()
    world.term, instructions = Term.begin(world.state, world.now_s)
    for item in instructions:
        reached = not (isinstance(item, Publish) and item.grant.slice == "s2")
        world.term = world.term.carried_out(item, world.now_s, reached=reached)
    world.heard_s.clear()
    world.now_s += OPTIONS.away_after_s + 1
    world.hear("s0", "s1")
    gone = next(iter(world.state.places))
    turn = world.turn(world.request(partial(remove, device=gone)))
    assert turn.term.unheard == {"s2"}
    assert not any(isinstance(event, Sent) for event in turn.events)
    assert published(turn) == ["s2"], "it is put again"
    assert world.turn().term.unheard == frozenset()


def test_a_grant_of_an_earlier_term_never_replaces_one_of_a_later_term() -> None:
    world = World()
    world.hear()
    world.settle()
    name = next(iter(world.state.places.values())).slice
    manager = world.managers[name]
    newer = receive(manager, replace(manager.grant, term=2, revision=50))
    assert newer.grant.revision == 50
    assert receive(newer, replace(manager.grant, term=1, revision=60)) is newer
    assert receive(newer, replace(manager.grant, term=3, revision=40)).grant.revision == 40


def test_a_new_leader_has_everybody_confirm_what_he_holds_before_anybody_is_given_more() -> None:
    """It cannot tell whether records behind grants that are still on their way are lost."""
    world = World()
    world.hear()
    world.settle()
    state = fold(world.state, TookOver("sro-2", 50, fences=True))
    assert {event.stage for event in sends(state)} == {"held"}
    assert {event.slice for event in sends(state)} == set(state.accounts)
    as_before = fold(world.state, TookOver("sro-2", 50))
    assert not any(event.stage == "held" for event in sends(as_before)), "logs of before fold as they did"


def test_a_manager_that_stood_still_takes_what_there_is_now_not_what_lay_on_its_way() -> None:
    async def story() -> None:
        world = World()
        world.hear()
        world.settle()
        name = next(iter(world.state.places.values())).slice
        clock = LoopClock(1.7e9)
        transport = MemoryTransport(clock)
        manager = SliceManager(name, transport, clock=clock, instance="m")
        key = slice_key(GRANT_KEYS, name)
        held = replace(world.managers[name].grant, term=1, revision=3)
        late = replace(held, revision=4, seats={}, bandwidth={})
        await manager._take(Entry(key, GRANT.dump_json(held), 1))
        assert manager.state.grant == held
        await transport.put(key, b"")
        await transport.put(key, GRANT.dump_json(held))
        await asyncio.sleep(60)  # somebody else leads by now, and knows nothing of the newer grant
        await manager._take(Entry(key, GRANT.dump_json(late), 2))
        assert manager.state.grant == held
        await manager._take(Entry(key, GRANT.dump_json(late), 1))
        assert manager.state.grant == held, "older than what was read"
        await manager._take(Entry(key, GRANT.dump_json(late), 5))
        assert manager.state.grant == late

    simulate(story)


def test_grants_of_a_lost_future_reach_nobody_once_others_are_given_more() -> None:
    """When one manager shows that records are lost, each takes a grant of the new term before anybody is given more."""
    world = World()
    world.hear()
    world.settle()
    accounts = world.state.accounts
    some = next(name for name, account in accounts.items() if account.held.seats)
    lost = replace(accounts[some].held, term=7, revision=99)
    state = fold(fold(world.state, TookOver("sro-2", 50)), Adopted(lost))
    first = sends(state)
    assert {event.slice for event in first} == set(accounts)
    assert {event.stage for event in first} == {"held"}
    for event in first:
        state = fold(state, event)
        newest = state.accounts[event.slice].newest
        assert newest.term == 50
        assert newest.same_terms(state.accounts[event.slice].held), "nothing is interrupted"
    assert not sends(state)
    for event in first:
        state = fold(state, Acknowledged(event.slice, event.revision))
    assert all(event.stage != "held" for event in sends(state))
