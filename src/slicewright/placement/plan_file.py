"""Placement files: ``slicewright/placement/v1``, written, read, and judged."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from slicewright.errors import InvalidPlanError
from slicewright.files.documents import read_document, told_of_file, write_document
from slicewright.judging import CLAIM_TOLERANCE
from slicewright.placement.judge import RULES, Judgement, Violations, choice_of, judge
from slicewright.placement.plan import Placement
from slicewright.placement.problem.options import ON_DEVICE
from slicewright.placement.problem.tasks import Tasks
from slicewright.types import IntArray


def save_placement(placement: Placement, path: str | Path) -> Path:
    """Write a placement file atomically."""
    return write_document(placement.to_dict(), path)


def load_placement(source: str | Path | Mapping[str, object]) -> Placement:
    """Read a placement as it is written; :func:`check_placement` judges it.

    Raises:
        InvalidPlanError: the document does not describe a placement.
    """
    with told_of_file(source):
        return Placement.from_dict(
            source if isinstance(source, Mapping) else read_document(source, InvalidPlanError)
        )


def check_placement(tasks: Tasks, placement: Placement | str | Path | Mapping[str, object]) -> Violations:
    """Judge a placement, or its file or document, against its problem, whoever made it and whatever it claims.

    Raises:
        InvalidPlanError: it places another number of tasks, or on nodes that do not exist.
    """
    if not isinstance(placement, Placement):
        placement = load_placement(placement)
    return judge(tasks, placement_choice(tasks, placement)).violations


def placement_choice(tasks: Tasks, placement: Placement) -> IntArray:
    """(K,) options of a placement's nodes, see :func:`slicewright.placement.judge.choice_of`."""
    if len(placement.nodes) != tasks.n_tasks:
        raise InvalidPlanError("placements", f"must have {tasks.n_tasks} entries", value=len(placement.nodes))
    for k, used in enumerate(placement.nodes):
        for j in used:
            if j != ON_DEVICE and not 0 <= j < tasks.topology.n_nodes:
                rule = f"must be nodes from 0 to {tasks.topology.n_nodes - 1}"
                raise InvalidPlanError(f"placements[{k}].nodes", rule, value=list(used))
    return choice_of(tasks, placement.nodes)


def false_claims(placement: Placement, true: Judgement) -> list[str]:
    """One sentence for each number of a placement that its nodes do not bear out.

    Args:
        placement: as it was read, with its own numbers.
        true: what the judge says of its nodes (:func:`placement_choice`).
    """
    sentences: list[str] = []
    for name, what in (("objective_bit_hops", "count"), ("cost_bit_hops", "cost")):
        claimed, found = getattr(placement, name), getattr(true, name)
        if not abs(claimed - found) <= CLAIM_TOLERANCE * abs(found):
            sentences.append(f"{name} claims {claimed:.6g} bit-hops, but the nodes {what} {found:.6g}")
    bound, least = placement.lower_bound_bit_hops, true.objective_bit_hops
    if true.violations.feasible and bound > least * (1.0 + CLAIM_TOLERANCE):
        sentences.append(
            f"lower_bound_bit_hops claims {bound:.6g}, but this feasible placement counts {least:.6g}"
        )
    for rule in RULES:
        claimed, found = placement.violations[rule], true.violations[rule]
        if rule in true.violations.broken and claimed < found * (1.0 - CLAIM_TOLERANCE):
            sentences.append(f"violations.{rule} claims {claimed:.4g}, but the residual is {found:.4g}")
    return sentences
