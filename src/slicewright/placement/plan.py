"""A placement with its certificate: what was decided, what it costs and breaks, how far from optimal it may be."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from slicewright.errors import InvalidPlanError
from slicewright.files.documents import finite
from slicewright.files.fields import FieldReader
from slicewright.judging import STATUSES, Status, status_of
from slicewright.placement.judge import RULES, Judgement, Violations, judge
from slicewright.placement.open_gap import explain_gap
from slicewright.placement.problem.options import ON_DEVICE
from slicewright.placement.problem.tasks import Tasks
from slicewright.placement.reasons import rejection_reasons
from slicewright.types import Document, FloatArray, IntArray

SCHEMA = "slicewright/placement/v1"
_read = FieldReader(InvalidPlanError)


@dataclass(frozen=True, eq=False)
class Placement:
    """Where every task goes. Written and read as ``slicewright/placement/v1``.

    Attributes:
        method: who decided.
        status: ``optimal`` (proven to 1e-4), ``feasible`` or ``infeasible``.
        objective_bit_hops: cost of the placed tasks and what rejected ones count.
        cost_bit_hops: network cost of the placed tasks (8).
        lower_bound_bit_hops: no placement has a smaller objective; 0 when nothing was proven.
        runtime_s: wall time of the method.
        violations: residuals of 9a to 9e.
        nodes: (K,) tuples: two COINs, one node, ``ON_DEVICE`` alone, or none for a rejected task.
        delay_s: (K,) s, sending and executing; nan for a rejected task.
        deadline_s: (K,) s.
        reasons: (K,) why a task was rejected, else None.
        notes: what the method wants to say (a fallback it took, a model out of its range), and why a large gap is open.
    """

    method: str
    status: Status
    objective_bit_hops: float
    cost_bit_hops: float
    lower_bound_bit_hops: float
    runtime_s: float
    violations: Violations
    nodes: tuple[tuple[int, ...], ...]
    delay_s: FloatArray
    deadline_s: FloatArray
    reasons: tuple[str | None, ...]
    notes: tuple[str, ...] = ()

    @property
    def gap(self) -> float:
        """objective / lower bound - 1: how far from optimal this placement can be at most."""
        return relative_gap(self.objective_bit_hops, self.lower_bound_bit_hops)

    @property
    def rejected(self) -> int:
        """How many tasks are not placed."""
        return sum(not used for used in self.nodes)

    def to_dict(self) -> Document:
        """The placement as a ``slicewright/placement/v1`` document; infinite and missing numbers are null."""
        return {
            "schema": SCHEMA,
            "method": self.method,
            "status": self.status,
            "objective_bit_hops": self.objective_bit_hops,
            "cost_bit_hops": self.cost_bit_hops,
            "lower_bound_bit_hops": self.lower_bound_bit_hops,
            "gap": finite(self.gap),
            "rejected": self.rejected,
            "runtime_s": self.runtime_s,
            "violations": {rule: finite(self.violations[rule]) for rule in RULES},
            "placements": [
                {
                    "task": k,
                    "nodes": [j for j in self.nodes[k] if j != ON_DEVICE],
                    **({"on_device": True} if ON_DEVICE in self.nodes[k] else {}),
                    "delay_s": finite(float(self.delay_s[k])),
                    "deadline_s": float(self.deadline_s[k]),
                    "reason": self.reasons[k],
                }
                for k in range(len(self.nodes))
            ],
            **({"notes": list(self.notes)} if self.notes else {}),
        }

    @classmethod
    def from_dict(cls, source: Mapping[str, object]) -> Placement:
        """Read a ``slicewright/placement/v1`` document as it is written; ``check_placement`` judges it.

        Raises:
            InvalidPlanError: a field is missing or breaks its rule.
        """
        doc = _read.mapping(source, "placement")
        _read.schema(doc, SCHEMA)
        entries = _read.require(doc, "placements", "")
        if not isinstance(entries, list) or not entries:
            raise InvalidPlanError("placements", "must be a list with one entry per task", value=entries)
        rows = [_entry(item, row) for row, item in enumerate(entries)]
        residuals = _read.mapping(doc.get("violations") or {}, "violations")
        return cls(
            method=_read.text(doc.get("method", "unknown"), "method"),
            status=_read.choice(doc.get("status", "feasible"), "status", STATUSES),
            objective_bit_hops=_top_number(doc, "objective_bit_hops"),
            cost_bit_hops=_top_number(doc, "cost_bit_hops"),
            lower_bound_bit_hops=_top_number(doc, "lower_bound_bit_hops"),
            runtime_s=_top_number(doc, "runtime_s"),
            violations=Violations({rule: _number(residuals.get(rule, 0.0), math.inf) for rule in RULES}, {}),
            nodes=tuple(row[0] for row in rows),
            delay_s=np.array([row[1] for row in rows]),
            deadline_s=np.array([row[2] for row in rows]),
            reasons=tuple(row[3] for row in rows),
            notes=_read.words(doc.get("notes"), "notes"),
        )


def certified(
    tasks: Tasks,
    choice: IntArray,
    *,
    method: str,
    lower_bound: float,
    runtime_s: float,
    notes: tuple[str, ...] = (),
) -> Placement:
    """The placement of a decision, judged, with its reasons and its bound.

    Where a proven gap is above 5 %, the last note says in one sentence why.
    """
    judged: Judgement = judge(tasks, choice)
    gap = relative_gap(judged.objective_bit_hops, lower_bound)
    if judged.violations.feasible:
        reason = explain_gap(tasks, choice, method=method, gap=gap)
        notes = notes if reason is None else (*notes, reason)
    return Placement(
        method=method,
        status=status_of(feasible=judged.violations.feasible, gap=gap),
        objective_bit_hops=judged.objective_bit_hops,
        cost_bit_hops=judged.cost_bit_hops,
        lower_bound_bit_hops=lower_bound,
        runtime_s=runtime_s,
        violations=judged.violations,
        nodes=tuple(tasks.options.nodes_of(o) if o >= 0 else () for o in choice.tolist()),
        delay_s=judged.delay_s,
        deadline_s=tasks.deadline_s,
        reasons=rejection_reasons(tasks, choice),
        notes=notes,
    )


def relative_gap(objective: float, bound: float) -> float:
    """objective / bound - 1, 0 if both are 0, infinite without a bound."""
    if bound > 0.0:
        return max(0.0, objective / bound - 1.0)
    return 0.0 if objective == 0.0 else math.inf


def _entry(item: object, row: int) -> tuple[tuple[int, ...], float, float, str | None]:
    field = f"placements[{row}]"
    entry = _read.mapping(item, field)
    if entry.get("task", row) != row:
        raise InvalidPlanError(
            f"{field}.task", "entries must be in the order of the tasks", value=entry["task"]
        )
    nodes = _read.indices(_read.require(entry, "nodes", field), f"{field}.nodes", (None,), below=2**31)
    on_device = entry.get("on_device", False)
    if not isinstance(on_device, bool) or (on_device and nodes.size):
        rule = "must be true or false, and true only without nodes"
        raise InvalidPlanError(f"{field}.on_device", rule, value=on_device)
    reason = entry.get("reason")
    deadline = _number(entry.get("deadline_s"), math.nan)
    used = (ON_DEVICE,) if on_device else tuple(int(j) for j in nodes)
    return used, _number(entry.get("delay_s"), math.nan), deadline, None if reason is None else str(reason)


def _top_number(doc: Document, name: str) -> float:
    return float(_read.numbers(_read.require(doc, name, ""), name, ()))


def _number(value: object, missing: float) -> float:
    return missing if value is None else float(_read.numbers(value, "placements", ()))
