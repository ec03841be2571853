"""What is left on a disk when the power fails: files as a process synced them, without what it only wrote.

The process runs under strace, which notes every write with its bytes. From these a disk is made that keeps of each file
what was there at its last sync; a page cache loses the rest. Names count at once, as on a file system with a journal.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

TRACED = (
    "trace=openat,creat,lseek,write,writev,pwrite64,pwritev,ftruncate,truncate,fsync,fdatasync,close,"
    "rename,renameat,renameat2,unlink,unlinkat"
)
STRACE = ("strace", "-f", "-y", "-xx", "-s", "8000000", "-e", TRACED)
"""Before the command of a process, with ``-o FILE``."""


def _why_not() -> str:
    """Why no process can be watched here; empty if one can."""
    if shutil.which("strace") is None:
        return "strace is not installed"
    tried = subprocess.run(["strace", "-o", os.devnull, "true"], capture_output=True, check=False)
    return "strace may not look at other processes" if b"ptrace" in tried.stderr else ""


needs_strace = pytest.mark.skipif(_why_not() != "", reason=_why_not())
_CALL = re.compile(r"^(\d+)\s+(\w+)\((.*)\)\s+= (-?\d+)")
_FD = re.compile(r"(\d+)<((?:\\x[0-9a-f]{2})*)>")
_TEXT = re.compile(r'"((?:\\x[0-9a-f]{2})*)"')
_BEGUN = re.compile(r"^(\d+)\s+(.*) <unfinished \.\.\.>$")
_RESUMED = re.compile(r"^(\d+)\s+<\.\.\. \w+ resumed>(.*)$")


class UnknownCallError(AssertionError):
    """The process wrote in a way that is not followed here: nothing would be proven."""


@dataclass
class Disk:
    """Files below a folder, as written and as synced.

    Attributes:
        folder: others are not looked at. written, synced: path to content. at: descriptor to its place in the file.
    """

    folder: str
    written: dict[str, bytearray] = field(default_factory=dict)
    synced: dict[str, bytes] = field(default_factory=dict)
    at: dict[int, int] = field(default_factory=dict)
    syncs: int = 0

    def restore(self, to: Path) -> None:
        """Put what is left into another folder."""
        for path, content in self.synced.items():
            file = to / Path(path).relative_to(self.folder)
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content)

    def follow(self, lines: Iterable[str]) -> None:
        """Carry out calls, in the order in which they ended."""
        begun: dict[str, str] = {}
        for line in lines:
            if (half := _BEGUN.match(line)) is not None:
                begun[half[1]] = half[2]
                continue
            if (rest := _RESUMED.match(line)) is not None:
                line = f"{rest[1]} {begun.pop(rest[1], '')}{rest[2]}"
            if (call := _CALL.match(line)) is not None and int(call[4]) >= 0:
                self._call(call[2], call[3], int(call[4]), line)

    def _call(self, name: str, given: str, result: int, line: str) -> None:
        if name in ("openat", "creat"):
            found = re.search(r"= (\d+)<((?:\\x[0-9a-f]{2})*)>", line)
            if found is not None and self._ours(path := _plain(found[2])):
                if path not in self.written and "O_CREAT" not in given and name != "creat":
                    return  # a folder
                if "O_TRUNC" in given or path not in self.written:
                    self.written[path] = bytearray()
                    self.synced.setdefault(path, b"")
                self.at[int(found[1])] = len(self.written[path]) if "O_APPEND" in given else 0
            return
        if name.startswith(("rename", "unlink")):
            self._names(name, [_plain(text) for text in _TEXT.findall(given)])
            return
        target = _FD.match(given)
        if target is None or (content := self.written.get(path := _plain(target[2]))) is None:
            return
        fd = int(target[1])
        numbers = [int(x) for x in re.findall(r", (-?\d+)", re.sub(r'"[^"]*"(?:\.\.\.)?', '""', given))]
        if name in ("write", "pwrite64"):
            text = _TEXT.search(given)
            data = bytes.fromhex(text[1].replace("\\x", "")) if text is not None else b""
            if len(data) < result:
                raise UnknownCallError(f"only {len(data)} of {result} bytes are in the trace")
            where = numbers[-1] if name == "pwrite64" else self.at.get(fd, 0)
            content.extend(bytes(max(0, where - len(content))))
            content[where : where + result] = data[:result]
            if name == "write":
                self.at[fd] = where + result
        elif name == "lseek":
            self.at[fd] = result
        elif name == "ftruncate":
            size = numbers[-1]
            del content[size:]
            content.extend(bytes(size - len(content)))
        elif name in ("fsync", "fdatasync"):
            self.synced[path] = bytes(content)
            self.syncs += 1
        elif name in ("writev", "pwritev"):
            raise UnknownCallError(name)

    def _names(self, name: str, paths: list[str]) -> None:
        for files in (self.written, self.synced):
            here: dict[str, bytes | bytearray] = files  # type: ignore[assignment]
            if name.startswith("rename") and len(paths) == 2 and paths[0] in here:
                here[paths[1]] = here.pop(paths[0])
            elif name.startswith("unlink") and paths:
                here.pop(paths[-1], None)

    def _ours(self, path: str) -> bool:
        return path.startswith(self.folder + "/")


def _plain(text: str) -> str:
    return bytes.fromhex(text.replace("\\x", "")).decode(errors="replace")
