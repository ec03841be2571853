"""What a NATS server must be like: new enough, and on disk before it says so. Looked at before it is trusted.

By default a server syncs its files every two minutes: what it has acknowledged since then is lost when the power fails,
on one server as in a cluster. Only its monitoring endpoint tells what ``sync_interval`` it runs with.
"""

from __future__ import annotations

import asyncio
import json
import logging
import re
import ssl
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from slicewright.control.transport.nats_connection import NatsConnection, RefusedError
from slicewright.errors import InvalidOptionError

logger = logging.getLogger(__name__)
LEAST_VERSION = (2, 12)
MONITOR_PORT = 8222
_LOOK_S = 2.0
_NAME = re.compile(r"[a-z][a-z0-9-]{0,31}")


@dataclass(frozen=True)
class NatsDeployment:
    """What of a server is ours, and what we want of it; errors name the fields as ``ServeSettings`` does.

    Attributes:
        prefix: first word of streams, buckets and subjects: deployments of other prefixes do not meet ours.
        replicas: copies that a cluster keeps of everything.
        monitors: HTTP addresses of the monitoring endpoints of all servers; by default port 8222 of the one in the URL.
        unsynced: the operator accepts that a power failure may cost what was acknowledged.
        keep: so many checkpoints of the journal stay, with everything after the oldest of them; None keeps all.
    """

    prefix: str = "slicewright"
    replicas: int = 1
    monitors: tuple[str, ...] = ()
    unsynced: bool = False
    keep: int | None = None

    def __post_init__(self) -> None:
        """Refuse what a server would refuse later.

        Raises:
            InvalidOptionError: names the field.
        """
        if not _NAME.fullmatch(self.prefix):
            rule = "must be a letter and up to 31 letters, digits and hyphens, all small"
            raise InvalidOptionError("nats_prefix", rule, value=self.prefix)
        if self.replicas not in (1, 3, 5):
            raise InvalidOptionError("nats_replicas", "must be 1, 3 or 5", value=self.replicas)
        for url in self.monitors:
            if urlsplit(url).scheme not in ("http", "https") or not urlsplit(url).netloc:
                raise InvalidOptionError("nats_monitors", "must be http:// or https://", value=url)


DEFAULT_DEPLOYMENT = NatsDeployment()


async def check_version(connection: NatsConnection) -> None:
    """See that the server is new enough.

    Raises:
        TransportError: it cannot be reached now.
        RefusedError: it is too old.
    """
    version = (await connection.client()).connected_server_version
    if (version.major, version.minor) < LEAST_VERSION:
        least = ".".join(map(str, LEAST_VERSION))
        raise RefusedError(
            f"{connection.shown} is nats-server {version.major}.{version.minor}.{version.patch}, too old:"
            f" {least} or newer is needed"
        )


async def check_durability(connection: NatsConnection, deployment: NatsDeployment) -> None:
    """See that every server syncs before it acknowledges, or that the operator does without knowingly.

    Raises:
        TransportError: the server cannot be reached now.
        RefusedError: one does not sync, or nobody tells.
    """
    await check_version(connection)
    if deployment.unsynced:
        return
    host = urlsplit(connection.shown).hostname or "127.0.0.1"
    host = f"[{host}]" if ":" in host else host
    monitors = deployment.monitors or (f"http://{host}:{MONITOR_PORT}",)
    looked = await asyncio.gather(*(_look(url, connection.tls()) for url in monitors))
    if all(isinstance(found, str) for found in looked):
        raise RefusedError(
            f"{connection.shown} does not tell whether it syncs before it acknowledges ({looked[0]}): name its"
            f" monitoring endpoint with `nats_monitors`, or accept with `nats_unsynced` that a power failure may"
            f" cost acknowledged requests"
        )
    for found in looked:
        if isinstance(found, str):  # one server of a cluster may be lost, and all goes on
            logger.warning("%s: whether that server syncs before it acknowledges is not known", found)
    _refuse_unsynced(connection.shown, [found for found in looked if not isinstance(found, str)])
    ids = {found["server_id"] for found in looked if not isinstance(found, str)}
    if await connection.server() not in ids:
        raise RefusedError(
            f"the monitoring endpoints in `nats_monitors` are of other servers than {connection.shown}, which this"
            f" process is connected to"
        )


def _refuse_unsynced(shown: str, servers: Sequence[dict[str, Any]]) -> None:
    for found in servers:
        settings = found.get("jetstream", {}).get("config") or {}
        if not settings.get("sync_always"):
            every_s = settings.get("sync_interval", 0) / 1e9
            raise RefusedError(
                f"nats-server {found.get('server_name')} behind {shown} syncs every {every_s:g} s: a power failure"
                f" costs what was acknowledged since; set `sync_interval: always` in its jetstream block, or accept"
                f" that with `nats_unsynced`"
            )


async def _look(url: str, context: ssl.SSLContext | None) -> dict[str, Any] | str:
    """What a monitoring endpoint tells, or why it does not."""

    def fetch() -> dict[str, Any] | str:
        try:
            secure = context if url.startswith("https:") else None
            with urllib.request.urlopen(f"{url.rstrip('/')}/varz", timeout=_LOOK_S, context=secure) as answer:
                found: dict[str, Any] = json.loads(answer.read(1 << 20))
        except (OSError, ValueError) as error:
            return f"{url} cannot be read: {getattr(error, 'reason', error)}"
        return found if isinstance(found, dict) and "server_id" in found else f"{url} is no NATS server"

    return await asyncio.to_thread(fetch)
