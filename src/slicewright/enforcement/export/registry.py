"""Targets by name, and the way onto the disk."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from hashlib import sha256
from pathlib import Path
from types import MappingProxyType

from slicewright.enforcement.export.compute import to_kubernetes, to_mec015
from slicewright.enforcement.export.document import Export, ExportOptions, Source
from slicewright.enforcement.export.radio import to_a1, to_e2sm_ccc, to_rrm, to_srsran_json, to_srsran_yaml
from slicewright.errors import InvalidPlanError, UnknownNameError
from slicewright.files.documents import write_atomically
from slicewright.network.slice_identity import identity_clash
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
"""What plans can be exported to, by name."""

READ_ME, CHECKSUMS = "README.md", "SHA256SUMS"
_BY_IDENTITY = frozenset(("rrm", "srsran-yaml", "srsran-json", "e2sm-ccc", "a1"))
"""Targets that know a slice by its S-NSSAI alone."""
PER_SLICE_LIMITS: Mapping[str, int] = MappingProxyType({"e2sm-ccc": 64})
"""So many slices of a cell fit into one message of a target: ListOfConfigurationStructures has 1 to 64 entries."""


def export_plan(plan: Plan, target: str, *, options: ExportOptions | None = None) -> Export:
    """A plan in the dialect of a target. Nothing is sent anywhere.

    Args:
        plan: a feasible plan.
        target: a name of :data:`TARGETS`.
        options: what the plan does not say; the defaults are those of a test network.

    Raises:
        UnknownNameError: no such target.
        InvalidPlanError: the plan breaks a constraint: nobody should carry it out; or two of its slices have the
            same identity, so that the target would take one for the other; or it has more slices than the target takes.
        InvalidOptionError: an option does not fit the plan.
    """
    if target not in TARGETS:
        raise UnknownNameError("export target", target, TARGETS)
    if not plan.violations.feasible:
        raise InvalidPlanError(
            "plan", f"must keep every constraint: {plan.violations.explain().splitlines()[0]}"
        )
    clash = identity_clash(plan.scenario.slices)
    if clash is not None and target in _BY_IDENTITY:
        raise InvalidPlanError("slices", clash, fix="give each slice its own sst, or its own sd")
    most = PER_SLICE_LIMITS.get(target, plan.scenario.n_slices)
    if plan.scenario.n_slices > most:
        rule = f"must be at most {most} slices for {target}, whose messages hold no more for a cell"
        raise InvalidPlanError(
            "slices", rule, value=plan.scenario.n_slices, fix="export rrm or srsran-yaml instead"
        )
    return TARGETS[target](Source(plan, options or ExportOptions()))


def write_export(export: Export, folder: str | Path) -> list[Path]:
    """Write the files, a README.md that says what the target ignores, and checksums; returns what was written."""
    base = Path(folder)
    texts = {**export.files, READ_ME: export.read_me()}
    texts[CHECKSUMS] = checksums(texts)
    new = [base / name for name in texts if not (base / name).exists()]
    try:
        return [write_atomically(base / name, text) for name, text in texts.items()]
    except OSError:  # a part of an export must not be taken for all of it
        for file in new:
            file.unlink(missing_ok=True)
        raise


def checksums(texts: Mapping[str, str]) -> str:
    """One line for each file, as ``sha256sum --check`` reads them."""
    lines = [f"{sha256(text.encode('utf-8')).hexdigest()}  {name}\n" for name, text in texts.items()]
    return "".join(lines)
