"""The slice resource orchestrator at work: one loop that owns the state, writes the journal, then acts.

Nothing is said to anybody before it is in the journal: a crash at any point loses no accepted request, and a
successor that reads the journal sends the same grants with the same revisions.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial

from slicewright.control.decision.certifying import Certifier
from slicewright.control.decision.fallback import FALLBACK, DecisionMade, FallbackChain
from slicewright.control.decision.settlement import Settlement
from slicewright.control.journal.base import FencedError, Journal, JournalError
from slicewright.control.journal.feed import Feed
from slicewright.control.journal.records import Position
from slicewright.control.messages.details import DETAILS
from slicewright.control.messages.keys import DETAILS_KEYS, GRANT_KEYS, STATUS_KEYS, slice_key
from slicewright.control.messages.status import Status
from slicewright.control.orchestrator.hearing import Hearing
from slicewright.control.orchestrator.inbox import Change, Gathering, Inbox, Request
from slicewright.control.orchestrator.journal_memory import Setback
from slicewright.control.orchestrator.known_journal import KnownJournal, named
from slicewright.control.orchestrator.lease import Lease
from slicewright.control.orchestrator.leftovers import remove_measurements
from slicewright.control.orchestrator.publishing import Publishing
from slicewright.control.orchestrator.turn.instructions import (
    AnswerRequest,
    Certify,
    Inform,
    Instruction,
    Publish,
    RefuseRequest,
    Shadow,
)
from slicewright.control.orchestrator.turn.term import Term
from slicewright.control.orchestrator.turn.turn import Inputs, Turn, begin_turn, finish_turn
from slicewright.control.state.clock import Clock, end, pause
from slicewright.control.state.errors import NotLeadingError, UndecidableError
from slicewright.control.state.events import Adopted, Certified, Decided, Event, TookOver
from slicewright.control.state.fold import fold
from slicewright.control.state.grants import GRANT
from slicewright.control.state.options import DEFAULTS, ControlOptions
from slicewright.control.state.state import OrchestratorState
from slicewright.control.transport.base import Entry, Transport, TransportError

logger = logging.getLogger(__name__)
JOURNAL_RETRY_S = 1.0
TIDY_S = 60.0
CHECK_S = 10.0
MANY_DEVICES = 1000


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
        self._known = KnownJournal(journal, clock=clock, instance=instance, options=options, threads=threads)
        self._hearing = Hearing()
        self.leading = self.led_elsewhere = False
        self.settled: tuple[Settlement, int] | None = None  # the newest of this process, and its epoch
        self.fallback_chain = FallbackChain(options, clock=clock, threads=threads)
        self._transport, self._clock = transport, clock
        self.instance, self.options, self._observe = instance, options, observe
        self._inbox, self._gathering, self._term = Inbox(), Gathering(), Term()
        self._certifier = Certifier(threads=threads, wake=lambda: self._wake.set())
        self._wake, self._threads = asyncio.Event(), threads
        self._lease = Lease(transport, clock=clock, instance=instance)
        self._publishing = Publishing(transport, self._lease.check)

    @property
    def state(self) -> OrchestratorState:
        """The state as the journal has it."""
        return self._known.position.state

    @property
    def position(self) -> Position:
        """The newest record that is known, and the state there."""
        return self._known.position

    @property
    def setback(self) -> Setback | None:
        """The last time that the journal was not what it had been."""
        return self._known.setback

    @property
    def journal_fault(self) -> str:
        """Why the last attempt to write failed; empty since one has not."""
        return self._known.fault

    @property
    def feed(self) -> Feed:
        """What is told to those who only watch."""
        return self._known.feed

    @property
    def statuses(self) -> Mapping[str, Status]:
        """What every slice's manager said last."""
        return self._hearing.statuses

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
        answered = self._inbox.add(change, wait=wait)
        self._wake.set()
        return await answered

    async def run(self) -> None:
        """Lead whenever the lease is free, follow the journal otherwise; until cancelled."""
        try:
            while True:
                try:
                    self.led_elsewhere = not await self._lease.acquire()
                    if self.led_elsewhere:
                        await self._catch_up()
                    else:
                        await self._lead()
                except (TransportError, JournalError) as error:
                    self.led_elsewhere = False
                    logger.warning("%s: %s", self.instance, error)
                await asyncio.sleep(self.options.heartbeat_s)
        finally:
            self.fallback_chain.close()
            self._certifier.close()
            if self.leading:
                self._stop_leading(NotLeadingError("the orchestrator is stopping"))
                with contextlib.suppress(TransportError):
                    await self._lease.surrender()

    async def _catch_up(self) -> None:
        if not await self._known.catch_up():
            self.settled = None

    async def _lead(self) -> None:
        """Take over from the journal and work until the lease or the journal is lost."""
        await self._catch_up()
        await self._known.restore()
        term = max(self.state.term + 1, int(self._clock.now() * 1000))
        took_over = TookOver(self.instance, term, fences=bool(self.state.accounts))
        await self._append((took_over,), fold(self.state, took_over))
        await self.fallback_chain.warm_up((FALLBACK, self.state.methods.active))
        self._hearing.begin_term()
        self._publishing.begin_term()
        self._term, instructions = Term.begin(self.state, self._clock.monotonic())
        await self._carry_out(instructions)
        self.leading = True
        logger.info("%s leads, at record %d", self.instance, self.position.sequence)
        works = (self._watch(), self._renew(), self._work(), self._tidy(), self._check())
        tasks = [asyncio.create_task(work) for work in works]
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
        """Keep the lease; returns when somebody else has it, or may have had it in between.

        Asks after managers that the watch is silent about.
        """
        while True:
            await asyncio.sleep(self.options.heartbeat_s)
            try:
                if not await self._lease.renew():
                    return
                now = self._clock.monotonic()
                for name in self._term.liveness.quiet(self._hearing.heard_s, now, self.options):
                    entry = await self._transport.get(slice_key(STATUS_KEYS, name))
                    if entry is not None and entry.value:
                        self._hear(entry)
            except TransportError as error:
                logger.warning("%s cannot renew its lease: %s", self.instance, error)

    async def _tidy(self) -> None:
        """Remove what devices have left behind: once in a term, and whenever some have gone since."""
        before: set[str] | None = None
        while True:
            await asyncio.sleep(TIDY_S)
            now = set(self.state.devices)
            if before is not None and before <= now:
                before = now
                continue
            try:
                await remove_measurements(self._transport, lambda: self.state.devices)
                before = now
            except TransportError as error:
                logger.info("%s tidies up later: %s", self.instance, error)

    async def _check(self) -> None:
        """Look after the journal; ends with a FencedError when it is not what it was."""
        while True:
            await asyncio.sleep(CHECK_S)
            await self._known.check()

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
        if self._hearing.take_in(entry, self._clock.monotonic()):
            self._wake.set()

    async def _work(self) -> None:
        """The loop: collect, decide, record, act, answer."""
        while True:
            await self._gathering.wait(self._inbox, self._wake, waiting=len(self._term.waiting))
            requests = self._inbox.take()
            numbers = [request.number for request in requests]
            try:
                busy = await self._turn(requests)
            except FencedError:
                self._inbox.refuse(NotLeadingError("another orchestrator has taken over"), numbers)
                raise
            except JournalError as error:
                self._known.fault = str(error)
                logger.error("%s", error)
                self._inbox.refuse(error, numbers)
                await asyncio.sleep(JOURNAL_RETRY_S)
                continue
            except UndecidableError:
                if not requests:
                    raise  # nobody's request: whoever supervises this process starts it again
                busy = await self._one_by_one(requests)
            if not busy and self._inbox.empty:
                await pause(self._wake, self._pause_s())
            self._wake.clear()

    async def _one_by_one(self, requests: Sequence[Request]) -> bool:
        """Turns with a request each, to refuse those with which no turn can be computed."""
        for request in requests:
            try:
                await self._turn((request,))
            except UndecidableError as error:
                logger.exception("a request is refused, for no turn can be computed with it")
                self._inbox.refuse(error, (request.number,))
        return True

    def _pause_s(self) -> float:
        if self.journal_fault:
            return JOURNAL_RETRY_S
        return self._term.pause_s(self._clock.monotonic(), self.options)

    async def _turn(self, requests: Sequence[Request]) -> bool:
        """One turn: compute, record, carry out; True if there may be more to do at once."""
        try:
            turn = await self._computed(requests)
        except (TransportError, JournalError):
            raise
        except Exception as error:
            raise UndecidableError(f"no turn can be computed: {type(error).__name__}: {error}") from error
        await self._append(turn.events, turn.state)
        self._lease.check()
        self._term = turn.term
        self._recorded(turn)
        await self._carry_out(turn.instructions)
        await self._known.checkpoint()
        return bool(turn.events)

    async def _computed(self, requests: Sequence[Request]) -> Turn:
        """What one turn amounts to; refusals are told at once, everything else waits for the journal."""
        options = self.options
        ready = self._certifier.ready()
        begun = begin_turn(self.state, self._term, requests, self._inputs(), options, certificate=ready)
        await self._carry_out(begun.refused)
        made: DecisionMade | None = None
        late: tuple[Certified, ...] = ()
        if begun.wanted is not None:
            made = await self.fallback_chain.decide(begun.wanted)
            late = () if ready else self._certifier.ready()
        finish = partial(
            finish_turn,
            begun,
            made,
            self._inputs(),
            options,
            certificate=late,
            probe=bool(self.journal_fault),
        )
        if self._threads and made is not None and len(begun.state.devices) > MANY_DEVICES:
            return await asyncio.to_thread(finish)  # a second or so: leases are renewed meanwhile
        return finish()

    def _inputs(self) -> Inputs:
        return Inputs(self._clock.monotonic(), dict(self.statuses), dict(self._hearing.heard_s))

    def _recorded(self, turn: Turn) -> None:
        """What a turn means for those who only watch."""
        for event in turn.events:
            if isinstance(event, Certified):
                self._certifier.recorded(event)
            if isinstance(event, Adopted):
                logger.error(
                    "slice %s holds a grant of records that are lost, up to record %d; back from it: %s",
                    event.grant.slice, event.record, named(event.returned),
                )  # fmt: skip
        if turn.settlement is not None and turn.state.last is not None:
            self.settled = turn.settlement, turn.state.epoch
            self._observe(turn.state.last)
            answered = sum(isinstance(item, AnswerRequest) for item in turn.instructions)
            self._gathering.answered(answered, decision_s=turn.state.last.duration_s)

    async def _carry_out(self, instructions: Sequence[Instruction]) -> None:
        for item in instructions:
            now_s = self._clock.monotonic()
            reached = await self._done(item)
            self._term = self._term.carried_out(item, now_s, reached=reached)

    async def _done(self, item: Instruction) -> bool:
        """Do something; False if the transport did not take it."""
        match item:
            case AnswerRequest():
                self._inbox.answer(item.request, self.state)
            case RefuseRequest():
                self._inbox.refuse(item.error, (item.request,))
            case Certify():
                self._certifier.begin(item.epoch, item.plan)
            case Shadow():
                self.fallback_chain.shadow(item.situation, item.method, item.used)
            case Inform():
                key, details = slice_key(DETAILS_KEYS, item.slice), DETAILS.dump_json(item.details)
                sent = self._transport.put(key, details)
                return await self._reached(sent, f"the details of slice {item.slice} wait")
            case Publish():
                # The managers' acknowledgement is what counts, not whether the transport took it.
                key = slice_key(GRANT_KEYS, item.grant.slice)
                grant = replace(item.grant, record=self.position.sequence)
                put = self._publishing.put(key, GRANT.dump_json(grant))
                return await self._reached(put, f"the grant of slice {grant.slice} waits")
        return True

    async def _reached(self, put: Awaitable[object], otherwise: str) -> bool:
        try:
            await put
        except TransportError as error:
            logger.warning("%s: %s", otherwise, error)
            return False
        return True

    async def _append(self, events: Sequence[Event], state: OrchestratorState) -> None:
        """Write down what leads to a state; nobody is told before."""
        await self._known.append(events, state)
