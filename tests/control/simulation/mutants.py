"""Bugs planted into the real code, one at a time: the kinds that a control plane dies of. The simulation finds each."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from typing import Any
from unittest.mock import patch

from slicewright.control.journal.base import JournalError
from slicewright.control.journal.records import chained
from slicewright.control.messages.measurement import Measurement, measured_seat
from slicewright.control.orchestrator import loop
from slicewright.control.orchestrator.hearing import Hearing
from slicewright.control.orchestrator.journal_memory import Hashes
from slicewright.control.orchestrator.known_journal import KnownJournal
from slicewright.control.orchestrator.loop import Orchestrator
from slicewright.control.orchestrator.publishing import Publishing
from slicewright.control.orchestrator.turn import status_events
from slicewright.control.orchestrator.turn.instructions import Publish
from slicewright.control.orchestrator.turn.turn import finish_turn
from slicewright.control.requests.commands import admit, remove
from slicewright.control.slice_manager import state as manager_state
from slicewright.control.slice_manager.task import SliceManager
from slicewright.control.state import fold, grants
from slicewright.control.state.device import Life
from slicewright.control.state.events import Event, TookOver
from slicewright.control.state.grants import Grant, GrantAccount
from slicewright.control.state.state import OrchestratorState, load
from slicewright.control.transport.base import Entry
from tests.control.simulation import world
from tests.control.simulation.store import Store

Planted = Callable[[], Any]


def _acknowledges_before_it_is_on_disk() -> Any:
    """A journal that cannot be written is no reason to say no."""
    append = KnownJournal.append

    async def careless(self: KnownJournal, events: Sequence[Event], state: OrchestratorState) -> None:
        with suppress(JournalError):
            await append(self, events, state)

    return patch.object(KnownJournal, "append", careless)


def _publishes_before_it_is_on_disk() -> Any:
    """Grants go out first, then the record of them: a crash in between, and nobody knows who holds what."""
    turn_append, finish = Orchestrator._append, finish_turn

    def remember(*arguments: Any, **named: Any) -> Any:
        made = finish(*arguments, **named)
        remember.turn = made  # type: ignore[attr-defined]
        return made

    async def late(self: Orchestrator, events: Sequence[Event], state: OrchestratorState) -> None:
        turn = getattr(remember, "turn", None)
        if turn is not None and turn.events is events:
            await self._carry_out([item for item in turn.instructions if isinstance(item, Publish)])
        await turn_append(self, events, state)

    return _both(patch.object(loop, "finish_turn", remember), patch.object(Orchestrator, "_append", late))


def _fences_by_number_alone() -> Any:
    """After a lost tail the numbers fit again, and two histories become one."""

    def init(self: Store, heard: Any) -> None:
        original(self, heard)
        self.by_number_only = True

    original = Store.__init__
    return patch.object(Store, "__init__", init)


def _store_acknowledges_before_it_syncs() -> Any:
    """As a NATS server does by default."""

    def init(self: Store, heard: Any) -> None:
        original(self, heard)
        self.syncs = False

    original = Store.__init__
    return patch.object(Store, "__init__", init)


def _follows_a_store_that_went_back_blindly() -> Any:
    """What the journal says now is taken for all there ever was."""

    async def blind(self: KnownJournal) -> None:
        return None

    return patch.object(KnownJournal, "restore", blind)


def _manager_takes_older_grants() -> Any:
    receive = manager_state.receive

    def careless(manager: Any, grant: Grant) -> Any:
        if manager_state.fault(manager.slice, grant):
            return receive(manager, grant)
        return manager_state._reshared(replace(manager, grant=grant, measured={}, refused=None, reason=""))

    return patch.object(manager_state, "receive", careless)


def _measurements_of_any_life_count() -> Any:
    """A late measurement of a device's life before overwrites what it asks for now."""
    return _both(
        patch.object(Life, "takes", lambda self, generation, counter: True),
        patch.object(Measurement, "follows", lambda self, life: True),
        patch.object(manager_state, "current_seats", _seats_of_any_life),
    )


def _seats_of_any_life(manager: Any) -> Any:
    return {
        device: measured_seat(seat, manager.measured[device]) if device in manager.measured else seat
        for device, seat in manager.grant.seats.items()
    }


def _gives_away_what_others_hold() -> Any:
    """A grant goes out although others have not given back yet."""
    return patch.object(grants, "is_safe", lambda grant, accounts: True)


def _forgets_what_is_on_its_way() -> Any:
    """Only what was acknowledged counts as held."""
    return patch.object(GrantAccount, "possible", property(lambda self: (self.held,)))


def _ignores_what_managers_hold() -> Any:
    """Grants of a lost future are taken for old news."""
    return patch.object(status_events, "adopted", lambda state, statuses: [])


def _orders_statuses_by_the_transport() -> Any:
    """Once the transport has gone back in time nobody is heard any more."""

    def newer(self: Hearing, status: Any, revision: int, known: Any) -> bool:
        return revision > self._revision.get(status.slice, 0)

    return _both(patch.object(Hearing, "is_newer", newer), patch.object(Publishing, "put", _put_blindly))


def _applies_a_repeated_request_again() -> Any:
    """An Idempotency-Key that nobody looks at."""

    def forgetful(state: OrchestratorState, **named: Any) -> Any:
        return admit(replace(state, keys={}), **named)

    return patch.object(world, "admit", forgetful)


def _forgets_what_was_lost_on_its_way() -> Any:
    """A grant of a lost future arrives when others have been given what it gives."""

    def open_hearted(accounts: Any, away: Any = (), *, fence: int = 0) -> Any:
        return grants.next_grants(accounts, away)

    return _both(
        patch.object(fold, "next_grants", open_hearted), patch.object(Publishing, "put", _put_blindly)
    )


async def _put_blindly(self: Publishing, key: str, value: bytes) -> None:
    """The first line of defence off: what is behind it shows only then."""
    await self._transport.put(key, value)


def _puts_over_what_others_have_put() -> Any:
    """What a leader had on its way when it stood still comes to a manager that begins anew."""
    return patch.object(Publishing, "put", _put_blindly)


def _a_leader_without_a_lease() -> Any:
    """Each believes to lead, and writes over the other's head: the position is made up, not read."""

    async def made_up(self: KnownJournal, events: Sequence[Event], state: OrchestratorState) -> None:
        store = self._journal._store  # type: ignore[attr-defined]
        newest = store.records[-1] if store.records else None
        if not events:
            return
        if newest is None or newest.hash == self.position.hash:
            await append(self, events, state)
            return
        here = self.position
        records = chained(newest.hash, newest.sequence, self._clock.now(), events)
        await self._journal.append(records)
        self.position = replace(here, sequence=records[-1].sequence, hash=records[-1].hash)

    append = KnownJournal.append
    return patch.object(KnownJournal, "append", made_up)


def _takes_over_without_a_fence() -> Any:
    """A new leader that sees nothing missing gives away what a grant on its way gives, too."""

    def without(instance: str, term: int, *, fences: bool) -> TookOver:
        return TookOver(instance, term)

    return _both(patch.object(loop, "TookOver", without), patch.object(Publishing, "put", _put_blindly))


def _believes_what_lay_on_its_way() -> Any:
    """A manager that stood still goes on with whatever comes first."""

    async def believing(self: SliceManager, entry: Entry) -> None:
        self.apply(entry)

    return _both(
        patch.object(SliceManager, "_take", believing), patch.object(Publishing, "put", _put_blindly)
    )


def _takes_what_is_old_for_its_own_past() -> Any:
    """Whoever has started at a checkpoint knows no hashes of before, and writes over what others have written since."""

    def trusting(self: Hashes, found: Any, written_s: float, *, term: int) -> bool:
        oldest = self._hashes[0][0] if self._hashes else 0
        return found.sequence < oldest or any(one[:2] == (found.sequence, found.hash) for one in self._hashes)

    return _both(patch.object(Hashes, "is_our_past", trusting), patch.object(Publishing, "put", _put_blindly))


def _checkpoints_forget_keys() -> Any:
    """After a restart a repeated request is a new one."""

    def forgetful(document: Mapping[str, Any]) -> OrchestratorState:
        return replace(load(document), keys={})

    return patch.object(fold, "load", forgetful)


def _says_yes_to_a_withdrawal_and_forgets_it() -> Any:
    def lazy(state: OrchestratorState, device: str) -> Any:
        events = remove(state, device)
        return () if device.endswith("2") else events

    return patch.object(world, "remove", lazy)


def _terms_do_not_grow() -> Any:
    """Grants of a lost future and of now have the same numbers."""

    def same(state: OrchestratorState, event: TookOver) -> OrchestratorState:
        return replace(with_leader(state, event), term=1)

    with_leader = fold._with_leader
    return patch.object(fold, "_with_leader", same)


@contextmanager
def _both(*patches: Any) -> Iterator[None]:
    with ExitStack() as stack:
        for one in patches:
            stack.enter_context(one)
        yield


MUTANTS: Mapping[str, Planted] = {
    "acknowledges before it is on disk": _acknowledges_before_it_is_on_disk,
    "publishes before it is on disk": _publishes_before_it_is_on_disk,
    "fences by number alone": _fences_by_number_alone,
    "store acknowledges before it syncs": _store_acknowledges_before_it_syncs,
    "follows a store that went back blindly": _follows_a_store_that_went_back_blindly,
    "manager takes older grants": _manager_takes_older_grants,
    "measurements of any life count": _measurements_of_any_life_count,
    "gives away what others hold": _gives_away_what_others_hold,
    "forgets what is on its way": _forgets_what_is_on_its_way,
    "ignores what managers hold": _ignores_what_managers_hold,
    "orders statuses by the transport": _orders_statuses_by_the_transport,
    "applies a repeated request again": _applies_a_repeated_request_again,
    "forgets what was lost on its way": _forgets_what_was_lost_on_its_way,
    "puts over what others have put": _puts_over_what_others_have_put,
    "a leader without a lease": _a_leader_without_a_lease,
    "takes over without a fence": _takes_over_without_a_fence,
    "believes what lay on its way": _believes_what_lay_on_its_way,
    "takes what is old for its own past": _takes_what_is_old_for_its_own_past,
    "checkpoints forget keys": _checkpoints_forget_keys,
    "says yes to a withdrawal and forgets it": _says_yes_to_a_withdrawal_and_forgets_it,
    "terms do not grow": _terms_do_not_grow,
}
"""What was planted, and how."""

FOUND_BY: Mapping[str, int] = {
    "acknowledges before it is on disk": 4,
    "publishes before it is on disk": 1,
    "fences by number alone": 19,
    "store acknowledges before it syncs": 8,
    "follows a store that went back blindly": 4,
    "manager takes older grants": 10,
    "measurements of any life count": 1,
    "gives away what others hold": 1,
    "forgets what is on its way": 1,
    "ignores what managers hold": 5,
    "orders statuses by the transport": 62,
    "applies a repeated request again": 19,
    "forgets what was lost on its way": 67,
    "puts over what others have put": 743,
    "a leader without a lease": 30,
    "takes over without a fence": 40_000_045,
    "believes what lay on its way": 40_000_034,
    "takes what is old for its own past": 100_000_117,
    "checkpoints forget keys": 1,
    "says yes to a withdrawal and forgets it": 4,
    "terms do not grow": 5,
}
"""A schedule that found it once. Whatever changes in the code changes what happens in it: then others are tried."""
