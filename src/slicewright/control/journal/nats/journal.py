"""A journal in a NATS stream. Every append names the hash that it follows, so that two writers cannot both succeed.

One append is one message; what does not fit is cut into *parts* that precede it. Every message carries the hash of its
last record as its id, and the server takes an append only directly after the id that it names. That holds after a
restart, and it holds where the store has lost messages and others have taken their numbers: numbers repeat, hashes do
not. Reading changes nothing: any number of readers may look while one writes.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass

from nats.errors import Error as NatsError
from nats.errors import TimeoutError as NatsTimeoutError
from nats.js import JetStreamContext
from nats.js.api import ConsumerConfig, DeliverPolicy, RawStreamMsg, StorageType, StreamConfig
from nats.js.errors import APIError, NotFoundError

from slicewright.control.journal.base import FencedError, JournalError
from slicewright.control.journal.chain import one_chain
from slicewright.control.journal.nats.retention import PARTS, retire
from slicewright.control.journal.records import (
    GENESIS,
    BrokenChainError,
    Record,
    from_line,
    sequence_of,
    to_line,
)
from slicewright.control.state.clock import end
from slicewright.control.state.events import Checkpoint, Restored
from slicewright.control.transport.base import TransportError
from slicewright.control.transport.nats_connection import NatsConnection
from slicewright.control.transport.packing import pack, pieces, unpack

DEPLOYMENT = "slicewright"
_MESSAGE_ID, _PARTS = "Nats-Msg-Id", PARTS
_WRONG_LAST_ID, _WRONG_LAST_SEQUENCE, _OTHER_SETTINGS = 10070, 10071, 10058
_HEADERS = 512
"""Bytes that headers and subject may take of a message."""
_TRIES = 2


@dataclass(frozen=True)
class _Message:
    """One message of the stream.

    Attributes:
        number: in the stream. subject, data: of it. parts: how many messages before belong to it.
    """

    number: int
    subject: str
    data: bytes
    parts: int


class NatsJournal:
    """A journal on a NATS server.

    Args:
        connection: to the server.
        replicas: copies that a cluster keeps.
        deployment: first word of its subjects and stream; deployments on one server do not meet.
        check: called before the stream is used, and again once another server answers, or the same one after a start;
            raises a TransportError to refuse it.
        keep: so many checkpoints stay, with everything after the oldest of them; None keeps all, and has the server
            refuse whoever wants to remove anything. A stream that was made so stays so.
    """

    wants_checkpoint = False

    def __init__(
        self,
        connection: NatsConnection,
        *,
        replicas: int = 1,
        deployment: str = DEPLOYMENT,
        check: Callable[[], Awaitable[None]] | None = None,
        keep: int | None = None,
    ) -> None:
        self._connection, self._replicas, self._check, self._keep = connection, replicas, check, keep
        self._retiring: asyncio.Task[None] | None = None
        self._begins_after = GENESIS
        self.stream_name = f"{deployment.upper()}_JOURNAL"
        start = f"{deployment}.journal"
        self._records, self._checkpoints, self._parts = (
            f"{start}.{kind}" for kind in ("records", "checkpoint", "part")
        )
        self._all = f"{start}.>"
        self._created = False
        self._server = ""
        self._newest = (
            GENESIS,
            "",
        )  # hash of the newest record that was written here, and the id of its message
        self._hint = (0, 1)  # a record, and a message that is not after it: where to begin to look

    async def _stream(self) -> JetStreamContext:
        stream, server = await self._connection.jetstream(), await self._connection.server()
        if not self._created or server != self._server:
            self._created = False
            if self._check is not None:
                await self._check()
            config = StreamConfig(
                name=self.stream_name,
                subjects=[self._records, self._checkpoints, self._parts],
                storage=StorageType.FILE,
                num_replicas=self._replicas,
                deny_delete=True,
                deny_purge=self._keep is None,
            )
            try:
                await stream.add_stream(config)
            except APIError as error:
                if error.err_code != _OTHER_SETTINGS:
                    raise
                await self._adopt(stream, config)
            self._created, self._server = True, server
        return stream

    async def _adopt(self, stream: JetStreamContext, config: StreamConfig) -> None:
        """A stream of an earlier release, or with other replicas: only what is ours is changed."""
        there = (await stream.stream_info(self.stream_name)).config
        subjects = sorted({*(there.subjects or []), *(config.subjects or [])})
        await stream.update_stream(there.evolve(subjects=subjects, num_replicas=self._replicas))

    async def append(self, records: Sequence[Record]) -> None:
        """Add records as one message, after as many parts as it takes."""
        if not records:
            return
        whole = isinstance(records[0].event, Checkpoint | Restored)
        subject = self._checkpoints if whole else self._records
        packed = pack("\n".join(to_line(record) for record in records).encode())
        try:
            stream = await self._stream()
            most = (await self._connection.client()).max_payload - _HEADERS
            *parts, last = pieces(packed, most)
            here, number = records[-1].hash, 0
            previous = records[0].previous
            before = self._newest[1] if self._newest[0] == previous else previous
            for k, part in enumerate(parts):
                _, before = await self._publish(
                    stream, self._parts, part, before, f"{here}.{k}", {}, None if k else previous
                )
            headers = {_PARTS: str(len(parts))} if parts else {}
            number, before = await self._publish(
                stream, subject, last, before, here, headers, None if parts else previous
            )
        except APIError as error:
            raise JournalError(f"the journal cannot be written: {error}") from None
        except TransportError as error:
            raise JournalError(f"the journal cannot be written: {error}") from None
        except (NatsError, OSError) as error:
            self._created = False
            # It may have been written although the answer is lost. Only reading the stream again can tell.
            raise FencedError(f"the journal did not answer: {error or type(error).__name__}") from None
        self._hint, self._newest = (records[0].sequence, number - len(parts)), (here, before)
        if whole and self._keep is not None and (self._retiring is None or self._retiring.done()):
            work = retire(stream, self.stream_name, self._checkpoints, keep=self._keep)
            self._retiring = asyncio.create_task(work)

    async def begin_after(self, previous: str) -> bool:
        """Let an empty stream begin with a record that follows this hash; False if the stream is not empty.

        For a restored copy that does not go back to the first record. Whoever reads it begins with the checkpoint.
        """
        try:
            stream = await self._stream()
            empty = (await stream.stream_info(self.stream_name)).state.messages == 0
        except (NatsError, OSError, TransportError) as error:
            raise JournalError(f"the journal cannot be written: {error or type(error).__name__}") from None
        self._begins_after = previous if empty else GENESIS
        return empty

    async def _publish(
        self,
        stream: JetStreamContext,
        subject: str,
        data: bytes,
        before: str,
        own: str,
        headers: dict[str, str],
        previous: str | None,
    ) -> tuple[int, str]:
        """Publish directly after a message with an id; the number in the stream, and the id that it got.

        In a cluster a server that has refused an id leaves it unanswered for two minutes: another try takes another.
        ``previous`` is the hash of the record before if the message before may have another id than that.
        """
        after = {"Nats-Expected-Last-Msg-Id": before}
        if before in (GENESIS, self._begins_after):  # no message has that id
            after = await self._after_newest(stream, before)
        for k in range(_TRIES):
            try:
                answer = await stream.publish(
                    subject,
                    data,
                    headers={_MESSAGE_ID: own, **headers, **after},
                    timeout=self._connection.patience_s,
                )
            except NatsTimeoutError:
                if k:
                    raise
                # Whether it was taken or not: the server knows an id that comes again, and says yes.
            except APIError as error:
                if error.err_code == _WRONG_LAST_SEQUENCE or (error.err_code == _WRONG_LAST_ID and k):
                    raise FencedError("another orchestrator has written the journal") from None
                if error.err_code != _WRONG_LAST_ID or previous is None:
                    raise
                after, own = await self._after_newest(stream, previous), f"{own}~"
            else:
                if answer.duplicate and not k:
                    raise FencedError("this was written before")
                return answer.seq, own
        raise FencedError("another orchestrator has written the journal")

    async def _after_newest(self, stream: JetStreamContext, previous: str) -> dict[str, str]:
        return {"Nats-Expected-Last-Sequence": str(await self._last_number(stream, previous))}

    async def _last_number(self, stream: JetStreamContext, previous: str) -> int:
        """Of the newest message, when it has no id that is ours but the newest record is the one we follow.

        That is so in an empty stream, after messages of the first release, after foreign ones and after parts that
        nobody finished.

        Raises:
            FencedError: the newest record is another one.
        """
        last = (await stream.stream_info(self.stream_name)).state.last_seq
        records = await self._fetch(self._hint[1], last)
        newest = records[-1].hash if records else self._begins_after
        if newest != previous and self._hint[1] > 1:
            records = await self._fetch(1, last)
            newest = records[-1].hash if records else self._begins_after
        if newest != previous:
            raise FencedError("another orchestrator has written the journal, or it has lost its end")
        return last

    async def read(self, after: int = 0) -> list[Record]:
        """Records after a sequence."""
        records = [record async for batch in self._batches(after) for record in batch]
        return [record for record in records if record.sequence > after]

    async def _batches(self, after: int) -> AsyncIterator[list[Record]]:
        start = self._hint[1] if self._hint[0] <= after else await self._find(after)
        yield await self._fetch(start)

    async def read_from_checkpoint(self) -> list[Record]:
        """From the newest message that begins with a checkpoint and can be read, with its parts."""
        try:
            stream = await self._stream()
            found = await stream.get_last_msg(self.stream_name, self._checkpoints)
            start = (found.seq or 1) - int((found.headers or {}).get(_PARTS, 0))
        except TransportError as error:
            raise JournalError(f"the journal cannot be read: {error}") from None
        except NotFoundError:
            start = 1
        except (NatsError, OSError) as error:
            self._created = False
            raise JournalError(f"the journal cannot be read: {error}") from None
        try:
            return await self._fetch(start)
        except BrokenChainError:
            return await self._fetch(1)

    async def lines(self, after: int = 0) -> AsyncIterator[list[str]]:
        """Lines as they are, message by message."""
        start = await self._find(after)
        async for _, batch in self._appends(start, None):
            if batch is not None and (lines := _lines_after(batch, after)):
                yield lines

    async def _find(self, after: int) -> int:
        """A message at or before the one with the record after a sequence; a few look-ups."""
        if after <= 0:
            return 1
        try:
            stream = await self._stream()
            state = (await stream.stream_info(self.stream_name)).state
            low, high = max(1, state.first_seq), state.last_seq
            while low < high:
                middle = (low + high + 1) // 2
                found = await self._first_record_at(stream, middle, high)
                if found is None or found > after:
                    high = middle - 1
                else:
                    low = middle
        except (NatsError, OSError, TransportError) as error:
            raise JournalError(f"the journal cannot be read: {error or type(error).__name__}") from None
        return low

    async def _first_record_at(self, stream: JetStreamContext, number: int, last: int) -> int | None:
        """Sequence of the first record at a message or soon after; None if there is none up to the last."""
        for at in range(number, min(last, number + 64) + 1):
            try:
                found: RawStreamMsg = await stream.get_msg(self.stream_name, at)
                if found.subject == self._parts or (found.headers or {}).get(_PARTS):
                    continue
                return sequence_of(unpack(found.data or b"").decode().partition("\n")[0])
            except (ValueError, NotFoundError, BrokenChainError):
                continue
        return None

    async def _fetch(self, start: int, end: int | None = None) -> list[Record]:
        batches: list[list[Record] | None] = []
        numbers: list[int] = []
        async for number, text in self._appends(start, end):
            batch = None if text is None else _records(text)
            if batch and batches and len(batches) % 200 == 0:
                await asyncio.sleep(0)
            batches.append(batch)
            numbers.append(number)
        chain = one_chain(batches, store=f"stream {self.stream_name}")
        if chain:
            newest = max(k for k, b in enumerate(batches) if b and b[-1].hash == chain[-1].hash)
            self._hint = ((batches[newest] or chain)[0].sequence, numbers[newest])
        return chain

    async def _appends(self, start: int, end: int | None) -> AsyncIterator[tuple[int, str | None]]:
        """First message and text of every append from a message on; None for what cannot be read."""
        parts: list[_Message] = []
        async for message in self._messages(start, end):
            if message.subject == self._parts:
                parts.append(message)
                continue
            mine = parts[len(parts) - message.parts :] if message.parts else []
            parts = []
            first = mine[0].number if mine else message.number
            try:
                if len(mine) != message.parts:
                    raise ValueError("some of its parts are missing")
                yield first, unpack(b"".join((*(part.data for part in mine), message.data))).decode()
            except ValueError:
                yield first, None

    async def _messages(self, start: int, end: int | None) -> AsyncIterator[_Message]:
        try:
            stream = await self._stream()
            if end is None:
                end = (await stream.stream_info(self.stream_name)).state.last_seq
            if end < start:
                return
            reader = await stream.subscribe(
                self._all,
                stream=self.stream_name,
                ordered_consumer=True,
                config=ConsumerConfig(deliver_policy=DeliverPolicy.BY_START_SEQUENCE, opt_start_seq=start),
            )
            try:
                at = start - 1
                while at < end:
                    message = await reader.next_msg(timeout=self._connection.patience_s)
                    at = message.metadata.sequence.stream
                    count = (message.headers or {}).get(_PARTS, "0")
                    parts = int(count) if count.isdecimal() else 0
                    yield _Message(at, message.subject, message.data, parts)
            finally:
                await reader.unsubscribe()
        except TransportError as error:
            raise JournalError(f"the journal cannot be read: {error}") from None
        except (NatsError, OSError) as error:
            self._created = False
            raise JournalError(f"the journal cannot be read: {error or type(error).__name__}") from None

    async def close(self) -> None:
        """Disconnect."""
        if self._retiring is not None:
            await end([self._retiring])
        await self._connection.close()


def _records(text: str) -> list[Record] | None:
    """Records of an append; None if one of them cannot be read."""
    try:
        return [from_line(line) for line in text.split("\n")]
    except BrokenChainError:
        return None


def _lines_after(text: str, after: int) -> list[str]:
    """Lines of an append from the record after a sequence on; none of what is foreign."""
    try:
        return [line for line in text.split("\n") if sequence_of(line) > after]
    except BrokenChainError:
        return []
