"""Tasks on disk: what a controller has promised, for the one that comes after it.

One SQLite file that is synchronised before anybody is told that a task runs.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Protocol

from slicewright.enforcement.sdn.decision import Request
from slicewright.enforcement.sdn.fabric import Fabric, Hop
from slicewright.enforcement.sdn.rules import Part
from slicewright.errors import EnforcementError

_TABLES = """
CREATE TABLE IF NOT EXISTS facts (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS tasks (number INTEGER PRIMARY KEY, document TEXT NOT NULL);
"""


@dataclass(frozen=True)
class StoredTask:
    """A task as it is kept.

    Attributes:
        number: its identity; never given again.
        request: what was asked for.
        nodes: indices of its executors, ascending.
        port: TCP and UDP port that marks its traffic.
        parts: ways to its executors.
        since: s since 1970.
    """

    number: int
    request: Request
    nodes: tuple[int, ...]
    port: int
    parts: tuple[Part, ...]
    since: float


class TaskStore(Protocol):
    """Where tasks are kept."""

    def load(self, fabric: Fabric) -> tuple[int, list[StoredTask]]:
        """The highest number ever given, and the tasks that have not ended."""
        ...

    def add(self, tasks: Sequence[StoredTask]) -> None:
        """Keep tasks, all or none."""
        ...

    def remove(self, number: int) -> None:
        """A task has ended."""
        ...


class NoStore:
    """Keeps nothing: tasks end with the controller."""

    def load(self, fabric: Fabric) -> tuple[int, list[StoredTask]]:
        """Nothing."""
        return 0, []

    def add(self, tasks: Sequence[StoredTask]) -> None:
        """Nothing to do."""

    def remove(self, number: int) -> None:
        """Nothing to do."""


class SqliteTaskStore:
    """A file, locked for as long as it is open. The service's own lock keeps threads apart.

    Raises:
        EnforcementError: it cannot be opened, is no store, or another controller has it.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=0.2)
            self._db.execute("PRAGMA locking_mode=EXCLUSIVE")
            self._db.execute("PRAGMA synchronous=FULL")
            self._db.executescript(f"BEGIN EXCLUSIVE; {_TABLES} COMMIT;")
        except (OSError, sqlite3.Error) as error:
            raise EnforcementError(f"the store of tasks {path} cannot be used: {error}") from None

    def load(self, fabric: Fabric) -> tuple[int, list[StoredTask]]:
        """The highest number ever given, and the tasks that have not ended.

        Raises:
            EnforcementError: they are of another fabric, whose ports mean something else, or cannot be read.
        """
        here = hashlib.sha256(json.dumps(fabric.to_dict(), sort_keys=True).encode()).hexdigest()
        try:
            facts = dict(self._db.execute("SELECT name, value FROM facts").fetchall())
            rows = self._db.execute("SELECT document FROM tasks ORDER BY number").fetchall()
            if rows and facts.get("fabric", here) != here:
                raise EnforcementError(
                    f"{self.path} holds {len(rows)} tasks of another fabric: serve that one, or name another store"
                )
            self._db.execute("INSERT OR REPLACE INTO facts VALUES ('fabric', ?)", (here,))
            tasks = [_task(json.loads(document)) for (document,) in rows]
        except (sqlite3.Error, ValueError, KeyError, TypeError) as error:
            raise EnforcementError(f"the store of tasks {self.path} cannot be read: {error}") from None
        return max([int(facts.get("highest", 0)), *(task.number for task in tasks)]), tasks

    def add(self, tasks: Sequence[StoredTask]) -> None:
        """Keep tasks, all or none; they are on disk when this returns.

        Raises:
            EnforcementError: they could not be written.
        """
        highest = max((task.number for task in tasks), default=0)
        rows = [(task.number, json.dumps(asdict(task))) for task in tasks]
        try:
            self._db.execute("BEGIN IMMEDIATE")
            self._db.executemany("INSERT INTO tasks VALUES (?, ?)", rows)
            self._db.execute("INSERT OR REPLACE INTO facts VALUES ('highest', ?)", (str(highest),))
            self._db.execute("COMMIT")
        except sqlite3.Error as error:
            raise EnforcementError(f"the store of tasks {self.path} cannot be written: {error}") from None
        finally:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")

    def remove(self, number: int) -> None:
        """A task has ended.

        Raises:
            EnforcementError: this could not be written.
        """
        try:
            self._db.execute("DELETE FROM tasks WHERE number = ?", (number,))
        except sqlite3.Error as error:
            raise EnforcementError(f"the store of tasks {self.path} cannot be written: {error}") from None

    def close(self) -> None:
        """Let another controller have it."""
        self._db.close()


def _task(document: dict[str, object]) -> StoredTask:
    doc = dict(document)
    request, parts, nodes = doc.pop("request"), doc.pop("parts"), doc.pop("nodes")
    if not (isinstance(request, dict) and isinstance(parts, list) and isinstance(nodes, list)):
        raise ValueError("a task is not as this version writes it")
    return StoredTask(
        request=Request(**request),
        parts=tuple(
            Part(str(part["executor"]), tuple(Hop(*hop) for hop in part["hops"]), int(part["meter_id"]))
            for part in parts
        ),
        nodes=tuple(int(node) for node in nodes),
        **doc,  # type: ignore[arg-type]  # number, port and since: numbers of our own writing
    )
