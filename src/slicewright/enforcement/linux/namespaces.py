"""Network namespaces: made, listed and removed by name; and whether we are in one of our own."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterable
from pathlib import Path

from slicewright.enforcement.linux.shell import run
from slicewright.errors import EnforcementError

NAMES = Path("/run/netns")
_SELF, _FIRST = Path("/proc/self/ns/net"), Path("/proc/1/ns/net")
_PATIENCE_S = 3.0


def in_own_namespace() -> bool:
    """Whether this process is in another network namespace than the machine's first process, or in a named one.

    Where neither can be told, the answer is no: better to refuse than to shape the machine's own network.
    """
    try:
        here = _SELF.stat().st_ino
        named = {entry.stat().st_ino for entry in NAMES.iterdir()} if NAMES.is_dir() else set()
    except OSError:
        return False
    if here in named:
        return True
    try:
        return here != _FIRST.stat().st_ino
    except OSError:
        return False


def refuse_host(what: str, netns: str | None, *, allow_host: bool) -> None:
    """Raise unless a named namespace, one of our own, or the user's word keeps the host's network out of it.

    Raises:
        EnforcementError: the change would hit the network that the machine itself uses.
    """
    if netns is None and not allow_host and not in_own_namespace():
        raise EnforcementError(
            f"{what} would change the network of this machine itself; "
            "name a network namespace, or allow it explicitly (allow_host)"
        )


def existing(prefix: str) -> list[str]:
    """Named namespaces that begin so."""
    if not NAMES.is_dir():
        return []
    return sorted(entry.name for entry in NAMES.iterdir() if entry.name.startswith(prefix))


def processes(netns: str) -> list[int]:
    """Processes that run inside a namespace."""
    return [int(word) for word in run(["ip", "netns", "pids", netns]).split()]


def configure(lines: Iterable[str]) -> None:
    """Many ``ip`` commands in one go; the first failure stops them."""
    run(["ip", "-batch", "-"], lines=lines)


def delete(names: Iterable[str]) -> None:
    """End what runs in the namespaces, then remove them with all their interfaces."""
    names = list(names)
    end_processes(pid for name in names for pid in processes(name))
    for name in names:
        run(["ip", "netns", "del", name])


def end_processes(pids: Iterable[int]) -> None:
    """Ask processes to end, then end them; returns when they are gone."""
    waiting = list(pids)
    for sent in (signal.SIGTERM, signal.SIGKILL):
        waiting = [pid for pid in waiting if _runs(pid)]
        for pid in waiting:
            _signal(pid, sent)
        deadline = time.monotonic() + _PATIENCE_S
        while time.monotonic() < deadline and any(map(_runs, waiting)):
            time.sleep(0.01)


def _signal(pid: int, sent: signal.Signals) -> None:
    try:
        os.kill(pid, sent)
    except ProcessLookupError:
        return


def _runs(pid: int) -> bool:
    """Whether a process still runs; a zombie, whose parent has yet to fetch it, does not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (OSError, IndexError):
        return False
    return state != "Z"
