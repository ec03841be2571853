"""The manifest of a store: how it was made, and what its files must hash to."""

from __future__ import annotations

import hashlib
import os
import platform
import socket
from dataclasses import asdict, dataclass, field, replace
from importlib.metadata import PackageNotFoundError
from pathlib import Path
from typing import Any

from slicewright.errors import InvalidInputError, InvalidOptionError
from slicewright.files.documents import read_document, write_document
from slicewright.files.fields import FieldReader
from slicewright.labels.methods import Job
from slicewright.labels.recipe import Recipe
from slicewright.types import Document
from slicewright.version import version_of

SCHEMA = "slicewright/labels/v1"
NAME = "manifest.json"
_read = FieldReader(InvalidOptionError)
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
        versions: of the packages that made it, by name.
        host: the machine that it was made on.
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
        InvalidOptionError: the folder is no store of labels, or its manifest is damaged.
        UnknownNameError: it names a family or a method that is not there.
    """
    folder = Path(folder)
    if not (folder / NAME).is_file():
        raise InvalidOptionError("store", f"must be a folder with a {NAME}", value=str(folder))
    doc = read_document(folder / NAME, InvalidOptionError)
    if doc.get("schema") != SCHEMA:
        raise InvalidOptionError(f"{NAME}: schema", f"must be {SCHEMA}", value=doc.get("schema"))
    try:
        return _manifest(doc)
    except (KeyError, TypeError, ValueError, AttributeError) as broken:
        if isinstance(broken, InvalidInputError):
            raise
        told = f"{type(broken).__name__} {broken}"
        fix = "restore it, or build the store anew in another folder"
        raise InvalidOptionError(NAME, f"is not what a build of labels writes: {told}", fix=fix) from None


def _manifest(doc: Document) -> Manifest:
    """From a document, whatever is in it; Python's own errors say what does not fit."""
    job: Document = dict(doc["job"])
    return Manifest(
        job=Job(**{**job, "recipe": Recipe.from_dict(job["recipe"])}),
        seeds=(
            _read.whole(doc["seeds"]["first"], "seeds.first"),
            _read.whole(doc["seeds"]["count"], "seeds.count"),
        ),
        command=_read.text(doc["command"], "command"),
        versions=dict(doc["versions"]),
        host=dict(doc["host"]),
        shards=tuple(_shard(entry, f"shards[{k}]") for k, entry in enumerate(doc["shards"])),
        incidents=tuple(str(incident) for incident in doc["incidents"]),
        complete=doc["complete"] is True,
    )


def _shard(entry: Document, where: str) -> ShardEntry:
    return ShardEntry(
        file=_read.text(entry["file"], f"{where}.file"),
        rows=_read.whole(entry["rows"], f"{where}.rows"),
        first_seed=_read.whole(entry["first_seed"], f"{where}.first_seed"),
        last_seed=_read.whole(entry["last_seed"], f"{where}.last_seed"),
        sha256=_read.text(entry["sha256"], f"{where}.sha256"),
    )


def here() -> dict[str, object]:
    """This host."""
    return {"name": socket.gethostname(), "platform": platform.platform(), "processors": os.cpu_count()}


def installed() -> dict[str, str]:
    """Versions of Python and of the packages that make labels."""
    found = {"python": platform.python_version()}
    for name in _PACKAGES:
        try:
            found[name] = version_of(name)
        except PackageNotFoundError:
            continue
    return found


def sha256(path: Path) -> str:
    """Hash of a file."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
