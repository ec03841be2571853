"""Everything that ``slicewright serve`` can be told, and what does not go together.

Light, so that a command line can read it: errors name settings as they are here, between backquotes in a sentence.
"""

from __future__ import annotations

import os
import socket
from dataclasses import dataclass
from pathlib import Path

from slicewright.control.state.options import DEFAULTS, ControlOptions
from slicewright.errors import InvalidOptionError

ROLES = ("all", "sro", "slice-manager")


@dataclass(frozen=True)
class ServeSettings:
    """What to serve.

    Attributes:
        scenario: file or preset: the network, and its devices as first requests of an empty journal.
        host, port: to listen on. tokens: file of bearer tokens; without, only this machine is served.
        role: one of ``ROLES``. slices: to manage, for the role of a slice manager.
        nats: URL of a server that connects roles. nats_credentials, nats_ca, nats_certificate, nats_key: the way in.
        nats_monitors: monitoring endpoints of its servers, which tell whether they sync before they acknowledge.
        nats_unsynced: do without that. nats_prefix: of everything on the server. nats_replicas: copies of it.
        nats_keep: so many checkpoints of the journal stay there, with all that follows on the oldest; by default all.
        instance: name of this process; by default host and pid.
        store: file of the journal; in memory by default. store_segment_bytes: go on in a new file at this size.
        simulate: a simulated crowd reports to it, so that there is something to see.
        store_keep: so many finished files stay, by default all. store_archive: where the others go, else nowhere.
        city: follow a city event by event instead of deciding about everybody anew.
        method: that decides. options: of the orchestrator and its managers.
    """

    scenario: str | None = None
    host: str = "127.0.0.1"
    port: int = 8080
    role: str = "all"
    slices: tuple[str, ...] = ()
    nats: str | None = None
    nats_credentials: Path | None = None
    nats_ca: Path | None = None
    nats_certificate: Path | None = None
    nats_key: Path | None = None
    nats_monitors: tuple[str, ...] = ()
    nats_unsynced: bool = False
    nats_prefix: str = "slicewright"
    nats_replicas: int = 1
    nats_keep: int | None = None
    instance: str | None = None
    store: Path | None = None
    store_segment_bytes: int = 0
    store_keep: int | None = None
    store_archive: Path | None = None
    tokens: Path | None = None
    simulate: bool = False
    city: bool = False
    method: str = "auto"
    options: ControlOptions = DEFAULTS

    @property
    def name(self) -> str:
        """Of this process."""
        return self.instance or f"{socket.gethostname()}-{os.getpid()}"


def check(settings: ServeSettings) -> None:
    """Refuse settings that do not go together.

    Raises:
        InvalidOptionError: names the setting.
    """
    role = settings.role
    if role not in ROLES:
        raise InvalidOptionError("role", f"must be one of {', '.join(ROLES)}", value=role)
    if role != "all" and settings.nats is None:
        raise InvalidOptionError("role", "needs a transport between the roles", value=role, fix="add `nats`")
    _check_nats(settings)
    if settings.store is not None and Path(settings.store).is_dir():
        raise InvalidOptionError("store", "is a folder", value=str(settings.store), fix="name a file in it")
    if role == "slice-manager" and not settings.slices:
        raise InvalidOptionError("slices", "must name at least one slice to manage")
    if settings.store_segment_bytes and settings.store is None:
        raise InvalidOptionError(
            "store_segment_bytes", "is for a journal in files", fix="add `store`, or leave it out"
        )
    if settings.nats_keep is not None and (settings.nats is None or settings.nats_keep < 1):
        raise InvalidOptionError(
            "nats_keep", "is for a journal over NATS, and at least 1", value=settings.nats_keep
        )
    if settings.simulate and (role != "all" or settings.scenario is None or settings.tokens is not None):
        raise InvalidOptionError(
            "simulate", "is for all in one process, with a scenario and without `tokens`", value=role
        )
    if settings.store_keep is not None and not settings.store_segment_bytes:
        raise InvalidOptionError(
            "store_keep", "is for a journal in several files", fix="add `store_segment_bytes`"
        )
    if settings.store_archive is not None and settings.store_keep is None:
        raise InvalidOptionError("store_archive", "is for files that do not stay", fix="add `store_keep`")
    if settings.city and (role != "all" or settings.scenario is None or settings.nats or settings.simulate):
        raise InvalidOptionError(
            "city", "is for all in one process, with a scenario, without `nats` and `simulate`", value=role
        )
    if settings.city and settings.store_segment_bytes:
        raise InvalidOptionError(
            "city", "keeps its journal in one file", fix="leave `store_segment_bytes` out"
        )
    if role == "sro" and settings.options.shares != DEFAULTS.shares:
        raise InvalidOptionError(
            "shares",
            "is for slice managers",
            value=settings.options.shares,
            fix="give it to their processes",
        )
    if role != "slice-manager" and settings.slices:
        raise InvalidOptionError("slices", "is for `role` slice-manager")


def _check_nats(settings: ServeSettings) -> None:
    """A server's address, and nothing about a server that nobody named."""
    if settings.nats is None:
        for name in ("nats_credentials", "nats_ca", "nats_certificate", "nats_key"):
            if (value := getattr(settings, name)) is not None:
                raise InvalidOptionError(name, "is for a NATS server", value=str(value), fix="add `nats`")
        return
    scheme, found, _ = settings.nats.partition("://")
    if found and scheme not in ("nats", "tls", "ws", "wss"):
        raise InvalidOptionError("nats", "must be nats://HOST:PORT or tls://HOST:PORT", value=settings.nats)
