"""Everything that ``slicewright serve`` can be told, and what does not go together."""

from __future__ import annotations

import os
import socket
from dataclasses import dataclass
from pathlib import Path

from slicewright.control.plane.first_requests import FirstRequests
from slicewright.control.state.device import devices_of
from slicewright.control.state.network import Network
from slicewright.control.state.options import DEFAULTS, ControlOptions
from slicewright.errors import InvalidOptionError
from slicewright.network.scenario_file import load_scenario

ROLES = ("all", "sro", "slice-manager")


@dataclass(frozen=True)
class ServeSettings:
    """Everything that ``slicewright serve`` can be told; see its options."""

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
    instance: str | None = None
    store: Path | None = None
    store_segment_bytes: int = 0
    tokens: Path | None = None
    method: str = "auto"
    options: ControlOptions = DEFAULTS


def check(settings: ServeSettings) -> None:
    """Refuse settings that do not go together.

    Raises:
        InvalidOptionError: names the option.
    """
    if settings.role not in ROLES:
        raise InvalidOptionError("--role", f"must be one of {', '.join(ROLES)}", value=settings.role)
    if settings.role != "all" and settings.nats is None:
        raise InvalidOptionError(
            "--role", "needs a transport between the roles", value=settings.role, fix="add --nats URL"
        )
    if settings.role == "slice-manager" and not settings.slices:
        raise InvalidOptionError("--slice", "must name at least one slice to manage")
    if settings.store_segment_bytes and settings.store is None:
        raise InvalidOptionError(
            "--store-segment", "is for a journal in files", fix="add --store FILE, or leave it out"
        )
    if settings.role == "sro" and settings.options.shares != DEFAULTS.shares:
        raise InvalidOptionError(
            "--shares",
            "is for slice managers",
            value=settings.options.shares,
            fix="give it to their processes",
        )
    if settings.role != "slice-manager" and settings.slices:
        raise InvalidOptionError("--slice", "is for --role slice-manager")


def instance_name(settings: ServeSettings) -> str:
    """The name of this process."""
    return settings.instance or f"{socket.gethostname()}-{os.getpid()}"


def first_requests(settings: ServeSettings) -> FirstRequests | None:
    """The network and devices of the scenario, if one is given."""
    if settings.scenario is None:
        return None
    scenario = load_scenario(settings.scenario)
    return FirstRequests(Network.of(scenario), devices_of(scenario), settings.method)
