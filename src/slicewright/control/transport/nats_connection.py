"""A connection to NATS that opens itself when first used and comes back by itself."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from nats.aio.client import Client
from nats.errors import AuthorizationError
from nats.errors import Error as NatsError
from nats.js import JetStreamContext

from slicewright.control.state.clock import end
from slicewright.control.transport.base import TransportError
from slicewright.errors import InvalidOptionError

logger = logging.getLogger(__name__)
REQUEST_TIMEOUT_S = 2.0
CONNECT_S = 5.0


class RefusedError(TransportError):
    """The server lets this process not in, or is not the one it should be: somebody has to change something."""


@dataclass(frozen=True)
class NatsAddress:
    """A NATS server and how to be let in; errors name the fields as ``ServeSettings`` does: ``nats_ca`` and so on."""

    url: str
    credentials: Path | None = None
    ca: Path | None = None
    certificate: Path | None = None
    key: Path | None = None

    @property
    def shown(self) -> str:
        """The URL without user and password, for messages."""
        parts = urlsplit(self.url)
        return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))

    def tls(self) -> ssl.SSLContext | None:
        """TLS settings, if any file is given.

        Raises:
            InvalidOptionError: a file cannot be read, or is something else.
        """
        if self.ca is None and self.certificate is None:
            return None
        try:
            context = ssl.create_default_context(cafile=None if self.ca is None else str(self.ca))
        except OSError as error:
            raise _unreadable("nats_ca", self.ca, error) from None
        if self.certificate is not None:
            try:
                context.load_cert_chain(str(self.certificate), None if self.key is None else str(self.key))
            except OSError as error:
                raise _unreadable("nats_certificate", self.certificate, error) from None
        return context

    def explain(self, error: Exception) -> str:
        """One sentence on a server that refuses us for good, or whom we refuse; empty if waiting may help."""
        if isinstance(error, ssl.SSLCertVerificationError):
            by = "an authority that this machine trusts" if self.ca is None else f"`nats_ca` {self.ca}"
            return f"{self.shown} has no certificate by {by}: {error.verify_message}"
        if isinstance(error, ssl.SSLError):
            return f"{self.shown} cannot be spoken to by TLS: {error.reason or error}"
        text = str(error).removeprefix("nats: ").strip("'\"")
        if isinstance(error, AuthorizationError) or "authorization" in text.lower():
            what = "the user and password in `nats`" if self.credentials is None else "`nats_credentials`"
            return f"{self.shown} does not let this process in: {text}; check {what}"
        return ""


def _unreadable(option: str, file: Path | None, error: OSError) -> InvalidOptionError:
    return InvalidOptionError(option, f"cannot be used: {error.strerror or error}", value=str(file))


class NatsConnection:
    """One connection, shared by the transport and the journal of a process.

    Args:
        address: of the server.
        name: of this process, shown by the server.
        patience_s: s, after which a request that has no answer has failed; whoever asked decides whether to ask again.
    """

    def __init__(self, address: NatsAddress, name: str, *, patience_s: float = REQUEST_TIMEOUT_S) -> None:
        self._address, self._name, self.patience_s = address, name, patience_s
        self._client: Client | None = None
        self._opening = asyncio.Lock()

    @property
    def shown(self) -> str:
        """The address without user and password, for messages."""
        return self._address.shown

    def tls(self) -> ssl.SSLContext | None:
        """TLS settings, if any file is given."""
        return self._address.tls()

    async def client(self) -> Client:
        """The connected client.

        Raises:
            TransportError: the server cannot be reached now.
            RefusedError: it can, and waiting will not help.
        """
        async with self._opening:
            if self._client is None or self._client.is_closed:
                self._client = await self._open()
        return self._client

    async def jetstream(self) -> JetStreamContext:
        """JetStream on this connection."""
        return (await self.client()).jetstream(timeout=self.patience_s)

    async def server(self) -> str:
        """Id of the server that answers now; every start of one gives it another.

        Raises:
            TransportError: the server cannot be reached now.
            RefusedError: it can, and waiting will not help.
        """
        return str((await self.client())._server_info.get("server_id", ""))

    async def _open(self) -> Client:
        """Connect; afterwards the client comes back by itself whenever the server was away."""
        # A float as the library's own documentation has it, whatever its annotation says.
        options: dict[str, Any] = {"reconnect_time_wait": 0.25}
        if self._address.credentials is not None:
            if not self._address.credentials.is_file():
                raise InvalidOptionError(
                    "nats_credentials", "is no file", value=str(self._address.credentials)
                )
            options["user_credentials"] = str(self._address.credentials)
        tls = self._address.tls()
        if tls is not None:
            options["tls"] = tls
            logging.getLogger("asyncio").addFilter(_about_more_than_eof)
        client, failed = Client(), asyncio.Event()
        last: list[Exception] = []

        async def complain(error: Exception) -> None:
            logger.info("NATS: %s", error)
            if not failed.is_set():  # what follows a refusal is only its noise
                last[:] = [error]
            if self._address.explain(error):
                failed.set()

        connecting: asyncio.Task[None] = asyncio.create_task(
            client.connect(
                self._address.url,
                name=self._name,
                connect_timeout=2,
                max_reconnect_attempts=-1,
                allow_reconnect=True,
                error_cb=complain,
                # Writes must fail while the server is away, not wait in a buffer and be sent when they are stale.
                pending_size=0,
                **options,
            )
        )
        refused: asyncio.Task[None] = asyncio.create_task(_until(failed))
        try:
            await asyncio.wait({connecting, refused}, timeout=CONNECT_S, return_when=asyncio.FIRST_COMPLETED)
            if connecting.done():
                await connecting
                return client
            # The client would go on trying for ever: whoever asks decides whether to wait.
            raise self._unconnected(last[-1] if last else TimeoutError("no answer"))
        except (NatsError, OSError) as error:
            raise self._unconnected(error) from None
        finally:
            connected = connecting.done() and client.is_connected
            await end([refused, *([] if connected else [connecting])])
            if not connected:
                await _close(client)

    def _unconnected(self, error: Exception) -> TransportError:
        for_good = self._address.explain(error)
        if for_good:
            return RefusedError(for_good)
        return TransportError(f"{self._address.shown} cannot be reached: {error or type(error).__name__}")

    async def close(self) -> None:
        """Disconnect."""
        if self._client is not None and not self._client.is_closed:
            await _close(self._client)


async def _until(event: asyncio.Event) -> None:
    await event.wait()


async def _close(client: Client) -> None:
    with contextlib.suppress(NatsError, OSError, TimeoutError):
        async with asyncio.timeout(REQUEST_TIMEOUT_S):
            await client.close()


def _about_more_than_eof(record: logging.LogRecord) -> bool:
    """Drops what asyncio remarks whenever a server closes a TLS stream; nobody can act on it."""
    return "eof_received()" not in str(record.msg)


@asynccontextmanager
async def reaching() -> AsyncIterator[None]:
    """Turn what the client raises into a TransportError."""
    try:
        yield
    except (NatsError, OSError) as error:
        raise TransportError(f"NATS: {error or type(error).__name__}") from None


async def check_address(
    address: NatsAddress, name: str, check: Callable[[NatsConnection], Awaitable[None]] | None = None
) -> str:
    """Connect once, so that wrong settings end a process at its start instead of in its log.

    Args:
        address: of the server. name: of this process.
        check: what else is to be seen to once it answers.

    Returns:
        Why the server does not answer yet, if it may later; empty if it does.

    Raises:
        RefusedError: wrong password, credentials or authority, or the check refuses the server.
        InvalidOptionError: a file cannot be used.
    """
    connection = NatsConnection(address, name)
    try:
        await connection.client()
        if check is not None:
            await check(connection)
    except RefusedError:
        raise
    except TransportError as error:
        return str(error)
    finally:
        await connection.close()
    return ""
