"""Starts os-ken without its own manager: native threads, no WSGI, our options instead of its command line."""

from __future__ import annotations

import importlib.util
import os
import socket
import threading
import time
from dataclasses import dataclass

from slicewright.enforcement.sdn.service import Service
from slicewright.errors import EnforcementError, MissingExtraError

OPENFLOW_PORT = 6653
STARTS_WITHIN_S = 60.0
"""os-ken is imported within this time, also on a busy machine."""
ECHO_S = 1.0
MOST_UNANSWERED = 3
"""With native threads os-ken notices a broken connection only when it sends: so it sends an echo every second."""


@dataclass(frozen=True)
class Address:
    """Where to listen."""

    host: str = "127.0.0.1"
    port: int = OPENFLOW_PORT


def start_controller(service: Service, listen: Address) -> threading.Thread:
    """Listen for switches, in threads that end with the process; returns once switches can connect.

    Args:
        service: what switches are told.
        listen: IPv4 address and port for OpenFlow.

    Raises:
        MissingExtraError: os-ken is not installed.
        EnforcementError: the address cannot be bound, or nothing listens there in time.
    """
    if importlib.util.find_spec("os_ken") is None:
        raise MissingExtraError("the OpenFlow controller", "sdn")
    _check_free(listen)
    os.environ["OSKEN_HUB_TYPE"] = "native"  # before the first import of os_ken
    # os-ken's threads cannot be stopped from outside. As children of a daemon they are daemons and end with us.
    thread = threading.Thread(target=_run, args=(service, listen), name="openflow", daemon=True)
    thread.start()
    _await_listening(listen, thread)
    return thread


def _run(service: Service, listen: Address) -> None:
    from os_ken import cfg
    from os_ken.base.app_manager import AppManager
    from os_ken.controller import controller as _options  # registers the options below
    from os_ken.lib import hub

    from slicewright.enforcement.sdn.openflow import PlacementApp

    del _options
    cfg.CONF(
        ["--ofp-listen-host", listen.host, "--ofp-tcp-listen-port", str(listen.port)],
        project="slicewright",
        default_config_files=[],
        default_config_dirs=[],
    )
    cfg.CONF.set_override("echo_request_interval", ECHO_S)
    cfg.CONF.set_override("maximum_unreplied_echo_requests", MOST_UNANSWERED)
    manager = AppManager.get_instance()
    manager.load_apps(["os_ken.controller.ofp_handler"])
    manager.instantiate(PlacementApp, service=service)
    hub.joinall(manager.instantiate_apps())


def _check_free(listen: Address) -> None:
    """os-ken would fail in a thread, unheard."""
    try:
        with socket.create_server((listen.host, listen.port)):
            return
    except OSError as refusal:
        raise EnforcementError(f"cannot listen on {listen.host}:{listen.port}: {refusal.strerror}") from None


def _await_listening(listen: Address, thread: threading.Thread) -> None:
    """Until a switch could connect: os-ken does not say when it listens."""
    host = "127.0.0.1" if listen.host == "0.0.0.0" else listen.host
    until = time.monotonic() + STARTS_WITHIN_S
    while thread.is_alive() and time.monotonic() < until:
        try:
            socket.create_connection((host, listen.port), timeout=1.0).close()
        except OSError:
            time.sleep(0.02)
        else:
            return
    raise EnforcementError(
        f"the OpenFlow controller does not listen on {listen.host}:{listen.port}; see the log"
    )
