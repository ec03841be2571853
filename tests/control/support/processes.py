"""Real processes of the control plane and a NATS server of their own, to be killed and paused."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import httpx
import pytest

import slicewright as sw
from slicewright.control.transport.nats_connection import NatsAddress, NatsConnection
from tests.control.support.local_http import local_http
from tests.waiting import PATIENCE_S, wait_for

_INSTALLED = Path(sys.executable).parent / "nats-server"
NATS = str(_INSTALLED) if _INSTALLED.exists() else shutil.which("nats-server")
needs_nats = pytest.mark.skipif(NATS is None, reason="nats-server is not installed")
_SETPRIV = shutil.which("setpriv")
ENDS_WITH_US = () if _SETPRIV is None else (_SETPRIV, "--pdeathsig", "KILL", "--")
"""Before a command: the kernel ends it with the thread that started it, however that ends. A test that is killed
(a time limit, an interrupt, a worker that is out of memory) cleans nothing up."""

_URL = re.compile(r"http://127\.0\.0\.1:\d+")


def patient_connection(url: str) -> NatsConnection:
    """For what is promised however long an answer takes: a machine that is busy may hold one back for seconds.

    A process of the control plane asks again after two; a test that asks once would fail for the load.
    """
    return NatsConnection(NatsAddress(url), "test", patience_s=PATIENCE_S)


@cache
def compile_kernels() -> None:
    """Before anybody waits for a server and counts the seconds: where kernels changed, this takes minutes."""
    _ = sw.plan(sw.preset("paper-slicing", devices=2), rounds=1).lower_bound_s


@dataclass
class Served:
    """One ``slicewright serve`` process, on a port that it finds itself.

    Attributes:
        arguments: of the command. flags: before the sub-command.
        log: what it says.
    """

    arguments: tuple[str, ...]
    log: Path
    process: subprocess.Popen[bytes] | None = None
    flags: tuple[str, ...] = ("-v",)
    _said_before: int = 0

    def start(self) -> None:
        """Start, or start again."""
        compile_kernels()
        program = "from slicewright.cli.main import run; run()"
        command = [sys.executable, "-c", program, *self.flags, "serve", "--port", "0", *self.arguments]
        self._forget_address()
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                command, stdout=log, stderr=log, env={**os.environ, "OMP_NUM_THREADS": "1"}
            )

    def _forget_address(self) -> None:
        """Its port may soon be somebody else's."""
        self._said_before = self.log.stat().st_size if self.log.exists() else 0

    def signal(self, sign: int) -> None:
        """Send a signal."""
        assert self.process is not None
        self.process.send_signal(sign)

    def kill(self) -> None:
        """kill -9, and wait until it is gone."""
        self.signal(signal.SIGKILL)
        assert self.process is not None
        self.process.wait()
        self._forget_address()

    def stop(self) -> None:
        """End it by whatever it takes."""
        if self.process is None or self.process.poll() is not None:
            return
        self.signal(signal.SIGCONT)
        self.process.terminate()
        try:
            self.process.wait(8)
        except subprocess.TimeoutExpired:
            self.kill()

    def refusal(self) -> str:
        """What it says; it must end by itself, with exit code 2."""
        assert self.process is not None
        try:
            assert self.process.wait(PATIENCE_S) == 2
        except subprocess.TimeoutExpired:
            self.kill()
            raise
        return self.log.read_text().strip()

    @property
    def processor_s(self) -> float:
        """Processor time that it has used, s."""
        assert self.process is not None
        return processor_s(self.process.pid)

    @property
    def said(self) -> str:
        """What it has said since it was started last."""
        return self.log.read_bytes()[self._said_before :].decode() if self.log.exists() else ""

    @property
    def address(self) -> str | None:
        """Where its API is; None until it says so."""
        found = _URL.search(self.said)
        return None if found is None else found.group()

    @property
    def url(self) -> str:
        """Where its API is; waits until it says so."""
        found = wait_for(lambda: self.address, f"an address in {self.log}")
        assert found is not None
        return found

    def get(self, path: str) -> Any:
        """The document at a path, or None while it does not answer."""
        address = self.address
        if address is None:
            return None
        try:
            answer = local_http().get(address + path)
        except httpx.HTTPError:
            return None
        return answer.json() if answer.status_code == 200 else None


def processor_s(process: int) -> float:
    """Processor time that a process has used, all of its threads together, s."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextmanager
def nats_server(
    folder: Path, *, settings: str = "", scheme: str = "nats", sync: str = "always"
) -> Iterator[str]:
    """A NATS server with JetStream and a store of its own; gives its URL.

    Args:
        folder: for its store, log and settings.
        settings: lines of its configuration file, such as users or TLS.
        scheme: of the URL.
        sync: its ``sync_interval``.
    """
    assert NATS is not None
    file = folder / "nats.conf"
    store = f'store_dir: "{folder / "nats"}", sync_interval: "{sync}"'
    file.write_text(f"jetstream {{ {store} }}\n{settings}\n")
    log = str(folder / "nats.log")
    choose_a_port = ("-p", "-1", "-m", "-1", "--ports_file_dir", str(folder))
    process = subprocess.Popen(
        [*ENDS_WITH_US, NATS, "-c", str(file), "-a", "127.0.0.1", *choose_a_port, "-l", log]
    )
    ports = folder / f"{Path(NATS).name}_{process.pid}.ports"

    try:
        wait_for(lambda: nats_addresses(ports) or process.poll() is not None, "nats-server")
        addresses = nats_addresses(ports)
        assert addresses is not None, f"nats-server ended: {process.poll()}"
        listens = addresses[0].split("://")[1]
        _monitors[listens] = addresses[1]
        yield f"{scheme}://{listens}"
    finally:
        process.terminate()
        process.wait(PATIENCE_S)


def nats_addresses(ports: Path) -> tuple[str, str] | None:
    """Where a server and its monitoring listen, by the file that it writes; None until that is whole."""
    with contextlib.suppress(OSError, ValueError, LookupError):
        found = json.loads(ports.read_text())
        return found["nats"][0], found["monitoring"][0] if found.get("monitoring") else ""
    return None


_monitors: dict[str, str] = {}


def over_nats(url: str) -> tuple[str, ...]:
    """Flags of a process that uses a server of :func:`nats_server`."""
    return "--nats", url, "--nats-monitor", _monitors[url.rpartition("@")[2].rpartition("/")[2]]
