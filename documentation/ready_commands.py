"""``slicewright`` for the examples of a page: forked from a process that has loaded it, rather than started anew.

A page calls it up to a dozen times, and a start takes a second of a processor, of which next to nothing belongs to the
command. So a program of that name comes first on the path of examples; it hands its arguments, folder, environment and
streams over, and ends as the command ends. What runs is :func:`slicewright.cli.main.run` all the same.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import sys
import tempfile
import threading
import traceback
import types
from contextlib import suppress
from pathlib import Path
from typing import Any

_PROGRAM = """#!{python} -IS
import json, os, signal, socket, sys

link = socket.socket(socket.AF_UNIX)
link.connect({address!r})
asked = json.dumps([sys.argv[1:], os.getcwd(), dict(os.environ)]).encode()
socket.send_fds(link, [len(asked).to_bytes(8, "big")], [0, 1, 2])
link.sendall(asked)
told = link.makefile("rb")
command = int(told.readline())
for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
    if signal.getsignal(number) != signal.SIG_IGN:
        signal.signal(number, lambda number, frame: os.kill(command, number))
status = int(told.readline())
if status < 0:
    signal.signal(-status, signal.SIG_DFL)
    os.kill(os.getpid(), -status)
sys.exit(status)
"""


def offer() -> Path:
    """Load the package, and offer its command to all processes of this one's group.

    Returns:
        The folder of the program, to be put first on the path; who asks removes it. Whoever ends the group ends what
        is offered.
    """
    folder = Path(tempfile.mkdtemp(prefix="slicewright-"))
    address = str(folder / "socket")
    program = folder / "slicewright"
    program.write_text(_PROGRAM.format(python=sys.executable, address=address), encoding="utf-8")
    program.chmod(0o755)
    _load()
    listening = socket.socket(socket.AF_UNIX)
    listening.bind(address)
    listening.listen()
    if os.fork() == 0:
        _serve(listening)
    listening.close()
    return folder


def _load() -> None:
    """What nearly every command needs, kernels too."""
    import slicewright as sw
    from slicewright.cli.main import command

    for name in ("plan", "scenario"):
        command(name)
    sw.plan(sw.preset("paper-slicing", devices=12, seed=7), rounds=1)


def _serve(listening: socket.socket) -> None:
    """A process for every call, which waits for the command and tells how it ended."""
    nothing = os.open(os.devnull, os.O_RDWR)
    for number in range(3):  # or whoever reads what the page prints would wait for this process
        os.dup2(nothing, number)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    while True:
        link, _ = listening.accept()
        if os.fork() == 0:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            listening.close()
            try:
                _wait(link)
            finally:  # also where who asked is gone: this process has nothing else to do
                os._exit(0)
        link.close()


def _wait(link: socket.socket) -> None:
    """Have one call done: what comes over the link is arguments, folder, environment and streams."""
    head, streams, _, _ = socket.recv_fds(link, 8, 3)
    with link.makefile("rb") as sent:
        arguments, folder, environment = json.loads(sent.read(int.from_bytes(head, "big")))
    command = os.fork()
    if command == 0:
        link.close()
        _run(arguments, folder, environment, streams)
    for stream in streams:
        os.close(stream)
    link.sendall(f"{command}\n".encode())
    threading.Thread(target=_kill_with, args=(link, command), daemon=True).start()
    link.sendall(f"{os.waitstatus_to_exitcode(os.waitpid(command, 0)[1])}\n".encode())


def _kill_with(link: socket.socket, command: int) -> None:
    """What is killed for good can hand nothing on: its end of the link closes, and its command goes with it."""
    if not link.recv(1):
        with suppress(ProcessLookupError):
            os.kill(command, signal.SIGKILL)


def _run(arguments: list[str], folder: str, environment: dict[str, str], streams: list[int]) -> None:
    """The command, as a program of its own would run it."""
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    sys.stdin = os.fdopen(0, encoding="utf-8", closefd=False)
    sys.stdout = os.fdopen(1, "w", encoding="utf-8", closefd=False)
    sys.stderr = os.fdopen(2, "w", encoding="utf-8", closefd=False)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = ["slicewright", *arguments]
    sys.modules["__main__"] = types.ModuleType("__main__")  # which workers would import again
    from slicewright.cli.main import run

    status: Any = 0
    try:
        run()
    except SystemExit as end:
        status = end.code
    except BaseException:  # noqa: BLE001  # as Python itself would tell it
        traceback.print_exc()
        status = 1
    for told in (sys.stdout, sys.stderr):
        told.flush()
    os._exit(status if isinstance(status, int) else 0 if status is None else 1)
