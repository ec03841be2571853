"""Judging a store: every cost and every constraint worked out anew from the stored inputs and plans."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from slicewright.errors import InvalidInputError
from slicewright.judging import OPTIMAL_GAP
from slicewright.labels.label import Label
from slicewright.labels.store.manifest import Manifest, load_manifest, sha256
from slicewright.labels.store.shards import JOURNAL, read_journal, read_shard, shard_paths
from slicewright.labels.store.table import LabelTable
from slicewright.network.scenario import Scenario
from slicewright.slicing.certificate import lower_bound
from slicewright.slicing.judge import RULES, TOLERANCE, evaluate

SAME = 1e-9
"""Relative difference up to which two roundings of one number count as the same."""


@dataclass(frozen=True)
class Fault:
    """Something in a store that does not hold.

    Attributes:
        file: name of the shard or manifest.
        seed: of the label, None if the fault is the file's.
        rule: what must hold.
        found: what is there instead.
    """

    file: str
    rule: str
    found: str
    seed: int | None = None

    def __str__(self) -> str:
        place = self.file if self.seed is None else f"{self.file}, seed {self.seed}"
        return f"{place}: {self.rule}, but {self.found}"


def faults(
    folder: str | Path,
    *,
    regenerate: bool = False,
    certify: bool = True,
    on_label: Callable[[int], None] | None = None,
) -> Iterator[Fault]:
    """Everything that does not hold in a store, in the order of its files; nothing if the store is sound.

    Checked: hashes and row counts against the manifest, one label per seed, every seed of a complete store, inputs
    that make a valid scenario, cost, gap, status, split and the residuals of 13a..13g against a fresh evaluation,
    and that no label is cheaper than proven possible.

    Args:
        folder: of the store.
        regenerate: also make every instance anew from its recipe and seed and compare the inputs bit for bit.
        certify: also compute a lower bound of our own for every label and compare.
        on_label: called with the number of labels judged so far.

    Raises:
        InvalidOptionError: the folder is no store.
    """
    place = Path(folder)
    manifest = load_manifest(place)
    seen: dict[int, str] = {}
    for name, table in _files(place, manifest):
        if isinstance(table, Fault):
            yield table
            continue
        for row in range(len(table)):
            seed = int(table.value(row, "seed"))
            if seed in seen:
                yield Fault(name, "each instance has one label", f"{seen[seed]} has one too", seed)
            seen[seed] = name
            yield from _label_faults(name, table, row, manifest, regenerate, certify)
            if on_label is not None:
                on_label(len(seen))
    first, count = manifest.seeds
    missing = [seed for seed in range(first, first + count) if seed not in seen] if manifest.complete else []
    if missing:
        yield Fault(
            "manifest.json",
            "a complete store has a label for every seed",
            f"{len(missing)} are missing",
            missing[0],
        )


def _files(folder: Path, manifest: Manifest) -> Iterator[tuple[str, LabelTable | Fault]]:
    entries = {entry.file: entry for entry in manifest.shards}
    paths = shard_paths(folder)
    for name in sorted(entries.keys() - {path.name for path in paths}):
        yield name, Fault(name, "a shard in the manifest exists", "it does not")
    for path in paths:
        name = path.name
        if name not in entries:
            yield name, Fault(name, "a shard is in the manifest", "it is not; resume the build to enter it")
            continue
        if sha256(path) != entries[name].sha256:
            yield name, Fault(name, "a shard has the hash in the manifest", "it has another")
        try:
            table = LabelTable(read_shard(path))
        except InvalidInputError as broken:
            yield name, Fault(name, "a shard is readable", str(broken))
            continue
        if len(table) != entries[name].rows:
            yield name, Fault(name, f"it has {entries[name].rows} rows", f"it has {len(table)}")
        yield name, table
    yield JOURNAL, LabelTable(read_journal(folder))


def _label_faults(
    file: str, table: LabelTable, row: int, manifest: Manifest, regenerate: bool, certify: bool
) -> Iterator[Fault]:
    seed = int(table.value(row, "seed"))
    try:
        label = table[row]
        found = list(_judged(label, certify))
    except InvalidInputError as broken:
        yield Fault(file, "inputs and decisions are valid", str(broken), seed)
        return
    if table.value(row, "split") != label.split:
        found.append((f"its split is {label.split}", str(table.value(row, "split"))))
    if regenerate and label.scenario is not None:
        again = manifest.job.recipe.scenario(seed)
        found.extend(
            (f"{name} is what recipe and seed give", "it is not")
            for name in _differences(label.scenario, again)
        )
    yield from (Fault(file, rule, what, seed) for rule, what in found)


def _judged(label: Label, certify: bool) -> Iterator[tuple[str, str]]:
    """(rule, what is there instead) for everything about one label that does not hold."""
    if label.status == "failed":
        if not label.reason:
            yield "a failed label has a reason", "it has none"
        return
    if label.scenario is None or label.solution is None:
        yield "a label has inputs and a plan", "some are missing"
        return
    times, violations = evaluate(label.scenario, label.solution.decisions, label.solution.shares)
    cost = float(times.completion_s.sum())
    if label.solved and not violations.feasible:
        yield "a solved label keeps every rule", violations.explain()
    if not label.solved and violations.feasible:
        yield "an infeasible label breaks a rule", "every rule holds"
    for rule in RULES:
        stored = label.residuals[rule]
        if not abs(stored - violations.residuals[rule]) <= TOLERANCE:
            yield f"its residual of {rule} is {violations.residuals[rule]:.6g}", f"the store says {stored}"
    if not _same(label.cost_s, cost):
        yield f"it costs {cost:.12g} s", f"the store says {label.cost_s}"
    bound = label.solution.bound_s
    gap = cost / bound - 1.0 if bound > 0 else math.inf
    if label.gap is None or not (abs(label.gap - gap) <= SAME or label.gap == gap):
        yield f"its gap is {gap:.6g}", f"the store says {label.gap}"
    if label.solved and (label.status == "optimal") != (gap <= OPTIMAL_GAP):
        yield (
            f"optimal means a gap of at most {OPTIMAL_GAP:g}",
            f"the gap is {gap:.6g} and the status {label.status}",
        )
    if label.solved and bound > cost * (1.0 + SAME):
        yield "no bound exceeds the cost", f"{bound:.12g} s is proven against {cost:.12g} s"
    if label.solved and certify and violations.feasible:
        proven = lower_bound(label.scenario, start=label.solution.decisions)
        if proven > cost * (1.0 + SAME):
            yield f"no plan costs less than {proven:.12g} s", f"it costs {cost:.12g} s"


def _same(stored: float | None, fresh: float) -> bool:
    return stored is not None and (stored == fresh or abs(stored - fresh) <= SAME * abs(fresh))


def _differences(have: Scenario, want: Scenario) -> list[str]:
    """Names of the inputs that are not the same; of rates, a logarithm's last digits may differ between processors."""
    names = (
        "task_bits", "local_cycles", "local_capacity_hz", "arrival_rate_hz", "slice_cycles", "node_capacity_hz",
        "bandwidth_hz",
    )  # fmt: skip
    found = [name for name in names if not np.array_equal(getattr(have, name), getattr(want, name))]
    alike = have.rate_bps.shape == want.rate_bps.shape and np.allclose(
        have.rate_bps, want.rate_bps, rtol=SAME, atol=0.0
    )
    return found if alike else [*found, "rate_bps"]
