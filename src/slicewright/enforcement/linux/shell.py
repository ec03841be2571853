"""The ordinary network tools, run with their errors read."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterable, Sequence

from slicewright.enforcement.linux.names import refuse_odd_line, refuse_odd_name
from slicewright.errors import EnforcementError, MissingFeatureError

SYSTEM_FOLDERS = ("/usr/sbin", "/sbin", "/usr/local/sbin")
_TIMEOUT_S = 60.0
_SHOWN = 160  # characters of a command in an error sentence


def program(name: str) -> str | None:
    """Path of a program; the system administrator's folders are searched too."""
    return shutil.which(name) or shutil.which(name, path=os.pathsep.join(SYSTEM_FOLDERS))


def run(command: Sequence[str], *, netns: str | None = None, lines: Iterable[str] = ()) -> str:
    """What a program prints.

    Args:
        command: program and arguments, no shell involved.
        netns: run it inside this named network namespace.
        lines: fed to its standard input, e.g. the commands of ``tc -batch -``; each must be one line of plain words.

    Raises:
        MissingFeatureError: no such program.
        EnforcementError: it failed; carries the command and the last lines it said. Or a line or the namespace has
            characters that mean something else to such programs; nothing was run then.
    """
    lines = list(lines)
    for line in lines:
        refuse_odd_line(line)
    if netns is not None:
        refuse_odd_name(netns)
    name = command[0]
    path = program(name)
    if path is None:
        raise MissingFeatureError("this step", [f"the program {name}"])
    within = ["ip", "netns", "exec", netns] if netns else []
    if within and program("ip") is None:
        raise MissingFeatureError("this step", ["the program ip"])
    try:
        done = subprocess.run(
            [*within, path, *command[1:]],
            input="".join(f"{line}\n" for line in lines),
            capture_output=True,
            text=True,
            timeout=_TIMEOUT_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise EnforcementError(f"`{_shown(command)}` did not end within {_TIMEOUT_S:g} s") from None
    if done.returncode != 0:
        said = " / ".join((done.stderr or done.stdout).strip().splitlines()[-3:])
        raise EnforcementError(f"`{_shown(command)}` failed: {said}")
    return done.stdout


def _shown(command: Sequence[str]) -> str:
    text = " ".join(command)
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"
