"""A transport over NATS JetStream: a key-value bucket for values, one with a time to live for leases."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping

from nats.errors import Error as NatsError
from nats.errors import TimeoutError as NatsTimeoutError
from nats.js.api import KeyValueConfig, StorageType
from nats.js.errors import KeyNotFoundError, KeyWrongLastSequenceError
from nats.js.kv import KeyValue

from slicewright.control.transport.base import Entry, OvertakenError
from slicewright.control.transport.large_values import put_pieces, start_of, whole
from slicewright.control.transport.nats_connection import NatsConnection, reaching

CALL_S = 5.0
REFRESH_S = 10.0
"""A watch that hears nothing for so long is renewed: the server may have lost it in a restart."""


_QUIET = object()


async def _next(watcher: KeyValue.KeyWatcher) -> object:
    """The next update, or that nothing came for a while.

    Not ``watcher.updates``: it is built on ``asyncio.wait_for``, which can swallow a cancellation on Python 3.11.
    """
    try:
        async with asyncio.timeout(REFRESH_S):
            return await anext(watcher)
    except (TimeoutError, StopAsyncIteration):
        return _QUIET


class NatsTransport:
    """Values with revisions and leases on a NATS server.

    Args:
        connection: to the server.
        lease_s: how long a lease lasts, s; the server's clock counts.
        replicas: copies that a cluster keeps.
        deployment: first word of its buckets; deployments on one server do not meet.
    """

    def __init__(
        self,
        connection: NatsConnection,
        *,
        lease_s: float = 3.0,
        replicas: int = 1,
        deployment: str = "slicewright",
    ) -> None:
        self._values, self._leases = f"{deployment}-values", f"{deployment}-leases"
        self._connection, self.lease_s, self._replicas = connection, lease_s, replicas
        self._buckets: dict[str, KeyValue] = {}
        self._held: dict[str, int] = {}
        self._pieces: dict[str, str | None] = {}

    async def _bucket(self, name: str) -> KeyValue:
        if name not in self._buckets:
            config = KeyValueConfig(
                bucket=name,
                history=1,
                storage=StorageType.FILE,
                replicas=self._replicas,
                ttl=self.lease_s if name == self._leases else None,
            )
            self._buckets[name] = await (await self._connection.jetstream()).create_key_value(config)
        return self._buckets[name]

    async def put(self, key: str, value: bytes, *, after: int | None = None) -> int:
        """Set a value; returns the bucket's revision, which the server compares."""
        async with reaching():
            bucket = await self._bucket(self._values)
            most = (await self._connection.client()).max_payload
            small = await put_pieces(value, key=key, most=most, put=bucket.put)
            try:
                revision = await (
                    bucket.put(key, small) if after is None else bucket.update(key, small, last=after)
                )
            except KeyWrongLastSequenceError:
                raise OvertakenError(f"{key} has another value by now") from None
            await self._drop_pieces(key, start_of(small))
            return revision

    async def _drop_pieces(self, key: str, current: str | None) -> None:
        """Remove the pieces of the value before."""
        before, self._pieces[key] = self._pieces.get(key), current
        if before is not None and before != current:
            stream = await self._connection.jetstream()
            await stream.purge_stream(f"KV_{self._values}", subject=f"$KV.{self._values}.{before}.>")

    async def get(self, key: str) -> Entry | None:
        """The value now."""
        async with reaching():
            try:
                found = await (await self._bucket(self._values)).get(key)
            except KeyNotFoundError:
                return None
        self._pieces[key] = start_of(found.value or b"")  # whoever replaces the value removes them
        value = await self._whole(found.value or b"")
        return None if value is None else Entry(key, value, found.revision or 0)

    async def _whole(self, value: bytes) -> bytes | None:
        async def piece(key: str) -> bytes | None:
            try:
                return (await (await self._bucket(self._values)).get(key)).value
            except KeyNotFoundError:
                return None

        async with reaching():
            return await whole(value, piece)

    async def watch(self, prefix: str) -> AsyncIterator[Entry]:
        """Values there are, then changes; begins again now and then, so an entry may come twice."""
        keys = prefix if "." in prefix else f"{prefix}.>"
        while True:
            async with reaching(), asyncio.timeout(CALL_S):
                watcher = await (await self._bucket(self._values)).watch(keys)
            try:
                while True:
                    found = await _next(watcher)
                    if found is _QUIET:
                        break
                    if isinstance(found, KeyValue.Entry):
                        gone = found.operation is not None
                        value = b"" if gone else await self._whole(found.value or b"")
                        if value is not None:
                            yield Entry(found.key, value, found.revision or 0)
            finally:
                with contextlib.suppress(NatsError, OSError):
                    async with asyncio.timeout(CALL_S):
                        await watcher.stop()  # type: ignore[no-untyped-call]  # nats-py has no types there

    async def keys(self, prefix: str) -> Mapping[str, int]:
        """Subjects of the bucket's stream, with its newest message before they were listed."""
        async with reaching():
            await self._bucket(self._values)
            stream, start = await self._connection.jetstream(), f"$KV.{self._values}."
            newest = (await stream.stream_info(f"KV_{self._values}")).state.last_seq
            found = await stream.stream_info(f"KV_{self._values}", subjects_filter=f"{start}{prefix}.>")
        return {subject.removeprefix(start): newest for subject in found.state.subjects or {}}

    async def remove(self, key: str, revision: int) -> None:
        """Purge the key's subject; no marker stays behind."""
        async with reaching():
            await self._bucket(self._values)
            stream = await self._connection.jetstream()
            await stream.purge_stream(
                f"KV_{self._values}", seq=revision + 1, subject=f"$KV.{self._values}.{key}"
            )

    async def acquire(self, name: str, holder: str) -> bool:
        """Take or renew a lease; the server's sequence check makes sure that one holder wins."""
        async with reaching():
            leases = await self._bucket(self._leases)
            known = self._held.get(name)
            try:
                if known is not None:
                    self._held[name] = await leases.update(name, holder.encode(), last=known)
                else:
                    self._held[name] = await leases.create(name, holder.encode())
            except (KeyWrongLastSequenceError, KeyNotFoundError):  # not found: it ran out while we looked
                return await self._reclaim(leases, name, holder)
        return True

    async def _reclaim(self, leases: KeyValue, name: str, holder: str) -> bool:
        """The revision is not what we thought: the lease ran out, somebody has it, or we do since before a restart."""
        self._held.pop(name, None)
        try:
            found = await leases.get(name)
            if found.value != holder.encode():
                return False
            self._held[name] = await leases.update(name, holder.encode(), last=found.revision)
        except (KeyNotFoundError, KeyWrongLastSequenceError):
            return False
        return True

    async def surrender(self, name: str, holder: str) -> None:
        """Give a lease back."""
        known = self._held.pop(name, None)
        if known is None:
            return
        async with reaching():
            with contextlib.suppress(KeyWrongLastSequenceError, NatsTimeoutError):
                await (await self._bucket(self._leases)).delete(name, last=known)

    async def close(self) -> None:
        """Disconnect."""
        await self._connection.close()
