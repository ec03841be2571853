"""The manifest of a store: how it was made, and what its files must hash to."""

from __future__ import annotations

import hashlib
import os
import platform
import socket
from dataclasses import asdict, dataclass, field, replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from slicewright.errors import InvalidOptionError
from slicewright.files.documents import read_document, write_document
from slicewright.labels.methods import Job
from slicewright.labels.recipe import Recipe
from slicewright.types import Document

SCHEMA = "slicewright/labels/v1"
NAME = "manifest.json"
_PACKAGES = (
    "slicewright", "numpy", "scipy", "numba", "pyarrow", "pyscipopt", "highspy", "casadi", "gurobipy", "ray",
)  # fmt: skip


@dataclass(frozen=True)
class ShardEntry:
    """One file of labels: its name, rows, least and greatest seed, and hash."""

    file: str
    rows: int
    first_seed: int
    last_seed: int
    sha256: str


@dataclass(frozen=True)
class Manifest:
    """How a store was made.

    Attributes:
        job: recipe, method and limits.
        seeds: first seed and number of seeds.
        command: of the latest build.
        versions, host: what and where.
        shards: the files.
        incidents: workers that died or hung: what happened and to which seeds.
        complete: whether every seed has its label.
    """

    job: Job
    seeds: tuple[int, int]
    command: str = ""
    versions: dict[str, str] = field(default_factory=dict)
    host: dict[str, object] = field(default_factory=dict)
    shards: tuple[ShardEntry, ...] = ()
    incidents: tuple[str, ...] = ()
    complete: bool = False

    def with_(self, **changes: Any) -> Manifest:
        """A copy with some fields replaced."""
        return replace(self, **changes)

    def save(self, folder: Path) -> None:
        """Write atomically."""
        document = {
            "schema": SCHEMA,
            **asdict(self),
            "seeds": {"first": self.seeds[0], "count": self.seeds[1]},
        }
        document["job"] = {**asdict(self.job), "recipe": self.job.recipe.to_dict()}
        write_document(document, folder / NAME)


def load_manifest(folder: str | Path) -> Manifest:
    """Read a store's manifest.

    Raises:
        InvalidOptionError: the folder is no store of labels.
    """
    folder = Path(folder)
    if not (folder / NAME).is_file():
        raise InvalidOptionError("store", f"must be a folder with a {NAME}", value=str(folder))
    doc = read_document(folder / NAME, InvalidOptionError)
    if doc.get("schema") != SCHEMA:
        raise InvalidOptionError(f"{NAME}: schema", f"must be {SCHEMA}", value=doc.get("schema"))
    job: Document = dict(doc["job"])
    return Manifest(
        job=Job(**{**job, "recipe": Recipe.from_dict(job["recipe"])}),
        seeds=(doc["seeds"]["first"], doc["seeds"]["count"]),
        command=doc["command"],
        versions=doc["versions"],
        host=doc["host"],
        shards=tuple(ShardEntry(**shard) for shard in doc["shards"]),
        incidents=tuple(doc["incidents"]),
        complete=doc["complete"],
    )


def here() -> dict[str, object]:
    """This host."""
    return {"name": socket.gethostname(), "platform": platform.platform(), "processors": os.cpu_count()}


def installed() -> dict[str, str]:
    """Versions of Python and of the packages that make labels."""
    found = {"python": platform.python_version()}
    for name in _PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def sha256(path: Path) -> str:
    """Hash of a file."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
