"""Real processes of the control plane and a NATS server of their own, to be killed and paused."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

NATS = shutil.which("nats-server") or (
    "/usr/sbin/nats-server" if Path("/usr/sbin/nats-server").exists() else None
)


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


@dataclass
class Served:
    """One ``slicewright serve`` process."""

    arguments: tuple[str, ...]
    log: Path
    port: int = 0
    process: subprocess.Popen[bytes] | None = None
    flags: tuple[str, ...] = ("-v",)

    def start(self) -> None:
        """Start, or start again."""
        program = "from slicewright.cli.main import run; run()"
        command = [sys.executable, "-c", program, *self.flags, "serve", *self.arguments]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                command, stdout=log, stderr=log, env={**os.environ, "OMP_NUM_THREADS": "1"}
            )

    def signal(self, sign: int) -> None:
        """Send a signal."""
        assert self.process is not None
        self.process.send_signal(sign)

    def kill(self) -> None:
        """kill -9, and wait until it is gone."""
        self.signal(signal.SIGKILL)
        assert self.process is not None
        self.process.wait()

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

    @property
    def url(self) -> str:
        """Where its API is."""
        return f"http://127.0.0.1:{self.port}"

    def get(self, path: str) -> Any:
        """The document at a path, or None while it does not answer."""
        try:
            answer = httpx.get(self.url + path, timeout=5)
        except httpx.HTTPError:
            return None
        return answer.json() if answer.status_code == 200 else None


def wait_for(condition: Any, timeout_s: float, what: str) -> Any:
    """Poll until something is true, and return it."""
    end = time.monotonic() + timeout_s
    while time.monotonic() < end:
        found = condition()
        if found:
            return found
        time.sleep(0.05)
    raise AssertionError(f"not within {timeout_s} s: {what}")


@contextmanager
def nats_server(folder: Path, *, settings: str = "", scheme: str = "nats") -> Iterator[str]:
    """A NATS server with JetStream and a store of its own; gives its URL.

    Args:
        folder: for its store, log and settings.
        settings: lines of its configuration file, such as users or TLS.
        scheme: of the URL.
    """
    assert NATS is not None
    port = free_port()
    file = folder / "nats.conf"
    file.write_text(f'jetstream {{ store_dir: "{folder / "nats"}" }}\n{settings}\n')
    log = str(folder / "nats.log")
    process = subprocess.Popen([NATS, "-c", str(file), "-a", "127.0.0.1", "-p", str(port), "-l", log])

    def listening() -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", port)) == 0

    try:
        wait_for(listening, 10, "nats-server")
        yield f"{scheme}://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(10)
