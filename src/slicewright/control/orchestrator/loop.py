"""The slice resource orchestrator at work: one loop that owns the state, writes the journal, then acts.

Nothing is said to anybody before it is in the journal: a crash at any point loses no accepted request, and a
successor that reads the journal sends the same grants with the same revisions.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Sequence

from pydantic import ValidationError

from slicewright.control.decision.certifying import Certifier
from slicewright.control.decision.fallback import FALLBACK, FallbackChain
from slicewright.control.decision.recording import decided
from slicewright.control.decision.settlement import Settlement
from slicewright.control.journal.base import FencedError, Journal, JournalError
from slicewright.control.journal.feed import Feed
from slicewright.control.journal.records import Position, chained
from slicewright.control.messages.keys import GRANT_KEYS, STATUS_KEYS, slice_key
from slicewright.control.messages.status import STATUS, Status
from slicewright.control.orchestrator import status_events
from slicewright.control.orchestrator.inbox import Change, Command, Inbox
from slicewright.control.orchestrator.informing import Informer
from slicewright.control.orchestrator.liveness import Liveness
from slicewright.control.orchestrator.turn import Draft
from slicewright.control.state.clock import Clock, end, pause
from slicewright.control.state.errors import NotLeadingError
from slicewright.control.state.events import Checkpoint, Decided, Event, MethodChanged, Sent, TookOver
from slicewright.control.state.fold import sends
from slicewright.control.state.grants import GRANT
from slicewright.control.state.options import DEFAULTS, ControlOptions
from slicewright.control.state.state import OrchestratorState, dump
from slicewright.control.transport.base import Entry, Transport, TransportError

logger = logging.getLogger(__name__)
LEASE = "orchestrator"
JOURNAL_RETRY_S = 1.0


class Orchestrator:
    """Runs one orchestrator; several may run on one transport and journal, one of them leads.

    Args:
        journal: the durable state.
        transport: how to reach the managers, and where the lease is.
        clock: time.
        instance: name of this process.
        options: settings.
        threads: False decides in place, for simulated time.
        observe: told about every decision, for metrics.
    """

    def __init__(
        self,
        journal: Journal,
        transport: Transport,
        *,
        clock: Clock,
        instance: str,
        options: ControlOptions = DEFAULTS,
        threads: bool = True,
        observe: Callable[[Decided], None] = lambda decision: None,
    ) -> None:
        self.position = Position(OrchestratorState())
        self.feed = Feed()
        self.statuses: dict[str, Status] = {}
        self._status_revision: dict[str, int] = {}
        self.leading = False
        self.journal_fault = ""
        self.settlement: Settlement | None = None
        self.fallback_chain = FallbackChain(options, threads=threads)
        self._journal, self._transport, self._clock = journal, transport, clock
        self.instance, self.options, self._observe = instance, options, observe
        self._inbox, self._informer = Inbox(), Informer(transport)
        self._certifier = Certifier(
            longest_s=options.deadline_s, threads=threads, wake=lambda: self._wake.set()
        )
        self._wake = asyncio.Event()
        self._liveness = Liveness(clock, options, {})
        self._next_epoch_s = 0.0
        self._since_checkpoint = 0
        self._failures = 0

    @property
    def state(self) -> OrchestratorState:
        """The state as the journal has it."""
        return self.position.state

    async def submit(self, change: Change, *, wait: bool) -> OrchestratorState:
        """Carry out a change.

        Args:
            change: gives the events, or refuses.
            wait: return after the next decision rather than as soon as the change is durable.

        Returns:
            The state afterwards.

        Raises:
            NotLeadingError: another orchestrator leads.
            JournalError: the change could not be recorded and has not happened.
            SlicewrightError: the change refused.
        """
        if not self.leading:
            other = self.state.leader if self.state.leader != self.instance else ""
            raise NotLeadingError(f"{other or 'no orchestrator, for the moment,'} leads")
        command = Command(change, wait)
        self._inbox.add(command)
        self._wake.set()
        return await command.done

    async def run(self) -> None:
        """Lead whenever the lease is free, follow the journal otherwise; until cancelled."""
        try:
            while True:
                try:
                    if await self._transport.acquire(LEASE, self.instance):
                        await self._lead()
                    else:
                        await self._catch_up()
                except (TransportError, JournalError) as error:
                    logger.warning("%s: %s", self.instance, error)
                await asyncio.sleep(self.options.heartbeat_s)
        finally:
            self.fallback_chain.close()
            self._certifier.close()
            if self.leading:
                self._stop_leading(NotLeadingError("the orchestrator is stopping"))
                with contextlib.suppress(TransportError):
                    await self._transport.surrender(LEASE, self.instance)

    async def _catch_up(self) -> None:
        """Read what the journal has in addition to what is known."""
        if self.position.sequence == 0:
            records = await self._journal.read_from_checkpoint()
            if records:
                self.feed.start_at(records[0].sequence - 1)
        else:
            records = await self._journal.read(self.position.sequence)
        self.position = self.position.after(records)
        self.feed.add(records)

    async def _lead(self) -> None:
        """Take over from the journal and work until the lease or the journal is lost."""
        await self._catch_up()
        await self._append((TookOver(self.instance),))
        await self.fallback_chain.warm_up((FALLBACK, self.state.methods.active))
        self._liveness = Liveness(self._clock, self.options, self.state.accounts)
        for name in self.state.accounts:
            await self._publish(name)
        self.leading = True
        logger.info("%s leads, at record %d", self.instance, self.position.sequence)
        tasks = [asyncio.create_task(work) for work in (self._watch(), self._renew(), self._work())]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            ended = await end(tasks)
            self._stop_leading(NotLeadingError("this orchestrator no longer leads"))
        for error in ended:
            if error is not None:
                raise error

    def _stop_leading(self, error: Exception) -> None:
        self.leading = False
        self._certifier.forget()
        self._inbox.refuse(error)

    async def _renew(self) -> None:
        """Keep the lease; returns when somebody else has it. Asks after managers that the watch is silent about."""
        while True:
            await asyncio.sleep(self.options.heartbeat_s)
            try:
                if not await self._transport.acquire(LEASE, self.instance):
                    return
                for name in self._liveness.quiet():
                    entry = await self._transport.get(slice_key(STATUS_KEYS, name))
                    if entry is not None and entry.value:
                        self._hear(entry)
            except TransportError as error:
                logger.warning("%s cannot renew its lease: %s", self.instance, error)

    async def _watch(self) -> None:
        """Take in what managers say."""
        while True:
            try:
                async for entry in self._transport.watch(STATUS_KEYS):
                    self._hear(entry)
            except TransportError as error:
                logger.warning("%s cannot hear its managers: %s", self.instance, error)
            await asyncio.sleep(self.options.heartbeat_s)

    def _hear(self, entry: Entry) -> None:
        """One status; what cannot be read, was overtaken on its way or comes again is passed over."""
        try:
            status = STATUS.validate_json(entry.value)
        except ValidationError as error:
            logger.error("%s is not readable: %s", entry.key, error)
            return
        if entry.revision <= self._status_revision.get(status.slice, 0):
            return
        self._status_revision[status.slice] = entry.revision
        self.statuses[status.slice] = status
        self._liveness.heard(status.slice)
        self._wake.set()

    async def _work(self) -> None:
        """The loop: collect, decide, record, act, answer."""
        while True:
            commands = self._inbox.take()
            try:
                busy = await self._turn(commands)
            except FencedError:
                self._inbox.refuse(NotLeadingError("another orchestrator has taken over"), commands)
                raise
            except JournalError as error:
                self.journal_fault = str(error)
                logger.error("%s", error)
                self._inbox.refuse(error, commands)
                await asyncio.sleep(JOURNAL_RETRY_S)
                continue
            if not busy and self._inbox.empty:
                await pause(self._wake, self._pause_s())
            self._wake.clear()

    def _pause_s(self) -> float:
        """Until the next epoch, or until somebody may have become late."""
        if self.journal_fault:
            return JOURNAL_RETRY_S
        until_epoch = self._next_epoch_s - self._clock.monotonic()
        return max(0.01, min(until_epoch, self.options.ack_timeout_s / 4))

    async def _turn(self, commands: Sequence[Command]) -> bool:
        """One round of the loop; True if there may be more to do at once."""
        draft = Draft(self.state)
        accepted = [command for command in commands if draft.carry_out(command)]
        draft.add(*status_events.received(draft.state, self.statuses))
        draft.add(*status_events.shares_reported(draft.state, self.statuses))
        due = self._clock.monotonic() >= self._next_epoch_s
        if due:
            self._next_epoch_s = self._clock.monotonic() + self.options.epoch_s
            draft.add(*status_events.measured(draft.state, self.statuses))
        away = self._liveness.away(draft.state.accounts)
        certificate = self._certifier.ready()
        draft.add(*certificate)
        settlement = None
        if self._must_decide(draft.state, away, due):
            decision, settlement = await self._decide(draft.state, away)
            if not certificate:
                draft.add(*await self._certifier.finished())  # of the decision before: none stays without
            draft.add(decision)
            draft.add(*self._rollback(decision, draft.state))
        elif not draft.state.dirty and draft.state.settled:
            ratio = self.options.rebalance_ratio
            draft.add(*status_events.rebalanced(draft.state, self.statuses, away, ratio))
        draft.add(*sends(draft.state, away))
        if self.journal_fault and not draft.events:
            draft.add(Checkpoint(dump(draft.state)))  # a probe: does the journal take records again?
        await self._append(draft.events)
        if certificate:
            self._certifier.forget()
        if settlement is not None:
            self.settlement = settlement
            self._certifier.begin(self.state.epoch, settlement.plan)
        self._inbox.recorded(accepted, self.state, decided=not self.state.dirty or self.state.network is None)
        await self._informer.inform(self.state, self.statuses)
        for event in draft.events:
            if isinstance(event, Sent):
                self._liveness.sent(event.slice)
                await self._publish(event.slice)
        for name in list(self._liveness.without_newest(self.state.accounts, self.statuses)):
            await self._publish(name)
        return bool(draft.events)

    def _must_decide(self, state: OrchestratorState, away: set[str], due: bool) -> bool:
        if state.network is None:
            return False
        answering = any(
            account.sent is not None and name not in away for name, account in state.accounts.items()
        )
        if answering or sends(state, away):
            return False  # grants are on their way: what they free will be known soon
        pins_changed = state.last is not None and set(state.last.pinned) != away & set(state.accounts)
        asked = state.dirty and (self.options.on_demand or state.last is None)
        return asked or (due and (state.dirty or pins_changed))

    async def _decide(self, state: OrchestratorState, away: set[str]) -> tuple[Decided, Settlement]:
        began = time.perf_counter()
        epoch = state.epoch + 1
        situation = state.situation(away)
        settlement, attempts = await self.fallback_chain.decide(
            situation, state.methods.active, state.places, epoch
        )
        event = decided(
            situation,
            settlement,
            attempts,
            epoch=epoch,
            options=self.options,
            pinned=away & set(state.accounts),
            previous=state.places,
            duration_s=time.perf_counter() - began,
        )
        self._observe(event)
        if state.methods.canary is not None:
            self.fallback_chain.shadow(situation, state.methods.canary, settlement)
        return event, settlement

    def _rollback(self, event: Decided, state: OrchestratorState) -> tuple[MethodChanged, ...]:
        """After too many decisions without an answer, go back to the method before."""
        answered = event.attempts[0].result == "used"
        self._failures = 0 if answered else self._failures + 1
        previous = state.methods.previous
        if previous is None or self._failures < self.options.most_failures:
            return ()
        self._failures = 0
        why = f"{state.methods.active} gave no usable answer {self.options.most_failures} times in a row"
        return (MethodChanged("roll-back", previous, why),)

    async def _append(self, events: Sequence[Event]) -> None:
        if not events:
            return
        here = self.position
        records = chained(here.hash, here.sequence, self._clock.now(), events)
        await self._journal.append(records)
        self.position = here.after(records)
        self.journal_fault = ""
        self.feed.add(records)
        self._since_checkpoint += len(records)
        due = self._since_checkpoint >= self.options.checkpoint_every > 0
        if (due or self._journal.wants_checkpoint) and not isinstance(events[-1], Checkpoint):
            self._since_checkpoint = 0
            await self._append((Checkpoint(dump(self.state)),))

    async def _publish(self, name: str) -> None:
        """Put a slice's newest grant where its manager watches; the managers' acknowledgement is what counts."""
        account = self.state.accounts.get(name)
        if account is None:
            return
        self._liveness.published(name)
        try:
            await self._transport.put(
                slice_key(GRANT_KEYS, name), GRANT.dump_json(account.sent or account.held)
            )
        except TransportError as error:
            logger.warning("the grant of slice %s waits: %s", name, error)
