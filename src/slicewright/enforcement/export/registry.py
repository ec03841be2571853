"""Targets by name, and the way onto the disk."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType

from slicewright.enforcement.export.compute import to_kubernetes, to_mec015
from slicewright.enforcement.export.document import Export, ExportOptions, Source
from slicewright.enforcement.export.radio import to_a1, to_e2sm_ccc, to_rrm, to_srsran_json, to_srsran_yaml
from slicewright.errors import InvalidPlanError, UnknownNameError
from slicewright.files.documents import write_atomically
from slicewright.slicing.plan import Plan

TARGETS: Mapping[str, Callable[[Source], Export]] = MappingProxyType(
    {
        "rrm": to_rrm,
        "srsran-yaml": to_srsran_yaml,
        "srsran-json": to_srsran_json,
        "e2sm-ccc": to_e2sm_ccc,
        "a1": to_a1,
        "k8s": to_kubernetes,
        "mec015": to_mec015,
    }
)


def export_plan(plan: Plan, target: str, *, options: ExportOptions | None = None) -> Export:
    """A plan in the dialect of a target. Nothing is sent anywhere.

    Args:
        plan: a feasible plan.
        target: a name of :data:`TARGETS`.
        options: what the plan does not say; the defaults are those of a test network.

    Raises:
        UnknownNameError: no such target.
        InvalidPlanError: the plan breaks a constraint: nobody should carry it out.
        InvalidOptionError: an option does not fit the plan.
    """
    if target not in TARGETS:
        raise UnknownNameError("export target", target, TARGETS)
    if not plan.violations.feasible:
        raise InvalidPlanError(
            "plan", f"must keep every constraint: {plan.violations.explain().splitlines()[0]}"
        )
    return TARGETS[target](Source(plan, options or ExportOptions()))


def write_export(export: Export, folder: str | Path) -> list[Path]:
    """Write the files and a README.md that says what the target ignores; returns what was written."""
    base = Path(folder)
    written = [write_atomically(base / name, text) for name, text in export.files.items()]
    return [*written, write_atomically(base / "README.md", export.read_me())]
