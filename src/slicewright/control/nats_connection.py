"""A connection to NATS that opens itself when first used and comes back by itself."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nats
from nats.aio.client import Client
from nats.errors import Error as NatsError
from nats.js import JetStreamContext

from slicewright.control.transport import TransportError

logger = logging.getLogger(__name__)
REQUEST_TIMEOUT_S = 2.0


@dataclass(frozen=True)
class NatsAddress:
    """A NATS server and how to be let in; credentials and TLS files are passed through."""

    url: str
    credentials: Path | None = None
    ca: Path | None = None
    certificate: Path | None = None
    key: Path | None = None

    def tls(self) -> ssl.SSLContext | None:
        """TLS settings, if any file is given."""
        if self.ca is None and self.certificate is None:
            return None
        context = ssl.create_default_context(cafile=None if self.ca is None else str(self.ca))
        if self.certificate is not None:
            context.load_cert_chain(str(self.certificate), None if self.key is None else str(self.key))
        return context


class NatsConnection:
    """One connection, shared by the transport and the journal of a process.

    Args:
        address: of the server.
        name: of this process, shown by the server.
    """

    def __init__(self, address: NatsAddress, name: str) -> None:
        self._address, self._name = address, name
        self._client: Client | None = None
        self._opening = asyncio.Lock()

    async def client(self) -> Client:
        """The connected client.

        Raises:
            TransportError: the server cannot be reached.
        """
        async with self._opening:
            if self._client is None or self._client.is_closed:
                self._client = await self._open()
        return self._client

    async def jetstream(self) -> JetStreamContext:
        """JetStream on this connection."""
        return (await self.client()).jetstream(timeout=REQUEST_TIMEOUT_S)

    async def _open(self) -> Client:
        options: dict[str, Any] = {}
        if self._address.credentials is not None:
            options["user_credentials"] = str(self._address.credentials)
        tls = self._address.tls()
        if tls is not None:
            options["tls"] = tls

        async def complain(error: Exception) -> None:
            logger.info("NATS: %s", error)

        try:
            return await nats.connect(
                self._address.url,
                name=self._name,
                connect_timeout=2,
                reconnect_time_wait=0.25,
                max_reconnect_attempts=-1,
                allow_reconnect=True,
                error_cb=complain,
                # Writes must fail while the server is away, not wait in a buffer and be sent when they are stale.
                pending_size=0,
                **options,
            )
        except (NatsError, OSError) as error:
            raise TransportError(f"{self._address.url} cannot be reached: {error}") from None

    async def close(self) -> None:
        """Disconnect."""
        if self._client is not None and not self._client.is_closed:
            with contextlib.suppress(NatsError, OSError):
                await self._client.close()


@asynccontextmanager
async def reaching() -> AsyncIterator[None]:
    """Turn what the client raises into a TransportError."""
    try:
        yield
    except (NatsError, OSError) as error:
        raise TransportError(f"NATS: {error or type(error).__name__}") from None
