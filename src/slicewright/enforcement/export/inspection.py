"""A folder of an export, looked at before it is applied: is every file there, unchanged, and complete?"""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

from slicewright.enforcement.export.read_back import read_back
from slicewright.enforcement.export.registry import CHECKSUMS, READ_ME, TARGETS
from slicewright.enforcement.linux.names import slugs
from slicewright.errors import InvalidPlanError
from slicewright.files.text import read_text
from slicewright.network.scenario import Scenario

MOST_MB = 64
PER_CELL = ("rrm", "srsran-yaml", "srsran-json", "e2sm-ccc")
"""Targets with one file for each access point."""


class Inspection(NamedTuple):
    """What is in one target's folder: how many files, and one sentence for everything that is wrong.

    ``cells`` is how many access points there must be a file for, and for how many there is one; None for targets that
    have no file for each.
    """

    target: str
    folder: Path
    files: int
    wrong: tuple[str, ...]
    cells: tuple[int, int] | None = None


def inspect_export(folder: str | Path, scenario: Scenario) -> tuple[Inspection, ...]:
    """Look at the folder of one target, or at one that has a folder for each of several.

    Raises:
        InvalidPlanError: there is no export in the folder.
    """
    base = Path(folder)
    homes = [base] if (base / READ_ME).is_file() else sorted(p.parent for p in base.glob(f"*/{READ_ME}"))
    found = tuple(_inspect(home, scenario) for home in homes if _target(home) in TARGETS)
    if not found:
        raise InvalidPlanError(
            str(base), f"is a folder without an export: none has a {READ_ME} of a known target"
        )
    return found


def _target(folder: Path) -> str:
    return (
        read_text(folder / READ_ME, InvalidPlanError, most_mb=1).content.partition("\n")[0].removeprefix("# ")
    )


def _inspect(folder: Path, scenario: Scenario) -> Inspection:
    target = _target(folder)
    texts = {
        path.name: read_text(path, InvalidPlanError, most_mb=MOST_MB).content
        for path in sorted(folder.iterdir())
        if path.is_file() and path.name not in (READ_ME, CHECKSUMS)
    }
    wrong = list(_differences(folder, texts))
    listed = _listed(folder)
    ours = {name: text for name, text in texts.items() if listed is None or name in listed}
    try:
        read_back(target, ours, scenario)
    except InvalidPlanError as broken:
        wrong.append(str(broken))
    return Inspection(target, folder, len(texts), tuple(wrong), _cells(target, ours, scenario))


def _cells(target: str, texts: Mapping[str, str], scenario: Scenario) -> tuple[int, int] | None:
    """Access points, and those that have a file."""
    if target not in PER_CELL:
        return None
    there = {name.rpartition(".")[0] for name in texts}
    return scenario.n_access_points, sum(name in there for name in slugs(scenario.access_points))


def _listed(folder: Path) -> dict[str, str] | None:
    """Digests by file name, as they were when the export was written; None where there is no list."""
    if not (folder / CHECKSUMS).is_file():
        return None
    lines = read_text(folder / CHECKSUMS, InvalidPlanError, most_mb=MOST_MB).content.splitlines()
    pairs = [line.split(maxsplit=1) for line in lines if line.strip()]
    return {pair[1].lstrip("*"): pair[0] for pair in pairs if len(pair) == 2}


def _differences(folder: Path, texts: Mapping[str, str]) -> list[str]:
    listed = _listed(folder)
    if listed is None:
        return [f"{CHECKSUMS} is missing: whether all files are there cannot be told"]
    wrong = []
    for name, digest in listed.items():
        if name == READ_ME:
            continue
        if name not in texts:
            wrong.append(f"{name} is missing")
        elif sha256((folder / name).read_bytes()).hexdigest() != digest:
            wrong.append(f"{name} was changed since it was exported")
    wrong += [f"{name} was not exported with the others" for name in texts if name not in listed]
    return wrong
