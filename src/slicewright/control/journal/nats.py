"""A journal in a NATS stream. Every append names the message it follows, so that two writers cannot both succeed."""

from __future__ import annotations

import zlib
from collections.abc import Sequence

from nats.errors import Error as NatsError
from nats.js import JetStreamContext
from nats.js.api import ConsumerConfig, DeliverPolicy, StorageType, StreamConfig
from nats.js.errors import APIError, NotFoundError

from slicewright.control.journal.base import FencedError, JournalError
from slicewright.control.journal.records import Record, from_line, to_line
from slicewright.control.state.events import Checkpoint
from slicewright.control.transport.base import TransportError
from slicewright.control.transport.nats_connection import REQUEST_TIMEOUT_S, NatsConnection

STREAM = "SLICEWRIGHT_JOURNAL"
_RECORDS, _CHECKPOINTS = "slicewright.journal.records", "slicewright.journal.checkpoint"
_WRONG_LAST_SEQUENCE = 10071
_PACKED_FROM = 64 * 1024
_PLAIN, _PACKED = b"p", b"z"


class NatsJournal:
    """A journal on a NATS server; one message per append.

    Args:
        connection: to the server.
        replicas: copies that a cluster keeps.
    """

    wants_checkpoint = False

    def __init__(self, connection: NatsConnection, *, replicas: int = 1) -> None:
        self._connection, self._replicas = connection, replicas
        self._created = False
        self._message = 0  # stream sequence of the newest message that was read or written
        self._sequence = 0  # and of the last record in it

    async def _stream(self) -> JetStreamContext:
        stream = await self._connection.jetstream()
        if not self._created:
            config = StreamConfig(
                name=STREAM,
                subjects=[_RECORDS, _CHECKPOINTS],
                storage=StorageType.FILE,
                num_replicas=self._replicas,
                deny_delete=True,
                deny_purge=True,
            )
            await stream.add_stream(config)
            self._created = True
        return stream

    async def append(self, records: Sequence[Record]) -> None:
        """Add records as one message."""
        if not records:
            return
        if records[0].sequence != self._sequence + 1:
            raise FencedError(f"record {records[0].sequence} does not follow {self._sequence}")
        payload = _pack(records)
        subject = _CHECKPOINTS if isinstance(records[0].event, Checkpoint) else _RECORDS
        try:
            stream = await self._stream()
            most = (await self._connection.client()).max_payload
            if len(payload) > most:
                limit = f"more than the {most} that the NATS server takes; raise its max_payload"
                raise JournalError(f"{len(payload)} bytes are {limit}")
            headers = {"Nats-Expected-Last-Sequence": str(self._message)}
            answer = await stream.publish(subject, payload, headers=headers)
        except APIError as error:
            if error.err_code == _WRONG_LAST_SEQUENCE:
                raise FencedError("another orchestrator has written the journal") from None
            raise JournalError(f"the journal cannot be written: {error}") from None
        except TransportError as error:
            raise JournalError(f"the journal cannot be written: {error}") from None
        except (NatsError, OSError) as error:
            # It may have been written although the answer is lost. Only reading the stream again can tell.
            raise FencedError(f"the journal did not answer: {error or type(error).__name__}") from None
        self._message, self._sequence = answer.seq, records[-1].sequence

    async def read(self, after: int = 0) -> list[Record]:
        """Records after a sequence; from the newest known message if that suffices."""
        start = self._message + 1 if self._message and after >= self._sequence else 1
        return [record for record in await self._fetch(start) if record.sequence > after]

    async def read_from_checkpoint(self) -> list[Record]:
        """From the newest message that begins with a checkpoint."""
        try:
            stream = await self._stream()
            newest = await stream.get_last_msg(STREAM, _CHECKPOINTS)
            start = newest.seq or 1
        except NotFoundError:
            start = 1
        except (NatsError, OSError) as error:
            raise JournalError(f"the journal cannot be read: {error}") from None
        return await self._fetch(start)

    async def _fetch(self, start: int) -> list[Record]:
        try:
            stream = await self._stream()
            end = (await stream.stream_info(STREAM)).state.last_seq
            records: list[Record] = []
            if end < start:
                return records
            reader = await stream.subscribe(
                "slicewright.journal.>",
                stream=STREAM,
                ordered_consumer=True,
                config=ConsumerConfig(deliver_policy=DeliverPolicy.BY_START_SEQUENCE, opt_start_seq=start),
            )
            try:
                at = start - 1
                while at < end:
                    message = await reader.next_msg(timeout=REQUEST_TIMEOUT_S)
                    at = message.metadata.sequence.stream
                    records.extend(_unpack(message.data))
            finally:
                await reader.unsubscribe()
        except (NatsError, OSError) as error:
            raise JournalError(f"the journal cannot be read: {error or type(error).__name__}") from None
        self._message, self._sequence = at, records[-1].sequence
        return records

    async def close(self) -> None:
        """Disconnect."""
        await self._connection.close()


def _pack(records: Sequence[Record]) -> bytes:
    plain = "\n".join(to_line(record) for record in records).encode()
    return _PLAIN + plain if len(plain) < _PACKED_FROM else _PACKED + zlib.compress(plain, 1)


def _unpack(payload: bytes) -> list[Record]:
    text = zlib.decompress(payload[1:]) if payload[:1] == _PACKED else payload[1:]
    return [from_line(line) for line in text.decode().split("\n")]
