"""Cross-validation of the published models and their variants, and the figures that its out-of-fold answers give."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from slicewright.evaluation.reproduction.engine.measured import Measured
from slicewright.evaluation.reproduction.engine.scale import Scale
from slicewright.evaluation.reproduction.engine.workshop import Workshop
from slicewright.evaluation.reproduction.slicing.models import trained_by

if TYPE_CHECKING:
    from slicewright.learning.slicing.chained_training import Upstream
    from slicewright.learning.slicing.solved_scenarios import Solved
    from slicewright.network.scenario import Scenario

FIRST_SEED = 3_000_000
"""Instances of the cross-validation: no seeds of other models."""


@dataclass(frozen=True)
class Trial:
    """A published design, or a variant of it, to be cross-validated.

    Attributes:
        name: of the published design.
        upstream: what SP2 and SP3 see of SP1 and SP2.
        changes: fields of the design that are replaced.
        joint: whether one encoder serves all three subproblems, trained together.
        epochs: times the scale's epochs.
    """

    name: str
    upstream: Upstream = "chained"
    changes: Mapping[str, Any] = field(default_factory=dict)
    joint: bool = False
    epochs: int = 1


def solved_instances(
    shop: Workshop, drawn: Callable[[int], Scenario] | None = None, *, count: int | None = None
) -> list[Solved]:
    """Solved scenarios to cross-validate on.

    Args:
        shop: scale and processors.
        drawn: a seed to a scenario; the published setting with 5 to 50 devices by default.
        count: how many; those of the scale by default.
    """
    from slicewright.learning.slicing.solved_scenarios import paper_scenario, solve

    wanted = shop.scale.labels if count is None else count
    return solve([(drawn or paper_scenario)(FIRST_SEED + k) for k in range(wanted)], jobs=shop.jobs)


def cross_validated(shop: Workshop, trials: Sequence[Trial], instances: Sequence[Solved]) -> list[Measured]:
    """Figures of every trial on the same folds, side by side in processes; folds that are done are not done again."""
    folder = str(shop.work / "folds" / trained_by())
    jobs = [(trial, list(instances), shop.scale, shop.seed, folder) for trial in trials]
    return shop.separately(_cross_validated, jobs)


def _cross_validated(trial: Trial, instances: list[Solved], scale: Scale, seed: int, folder: str) -> Measured:
    """Figures of one trial per fold; runs in a process of its own."""
    from dataclasses import replace

    import torch

    from slicewright.learning.slicing.chained_training import cross_validate
    from slicewright.learning.slicing.joint_training import cross_validate_joint
    from slicewright.learning.slicing.networks.published import published_design

    torch.set_num_threads(1)
    design = replace(published_design(trial.name), **trial.changes)
    schedule = scale.schedule(seed, scale.epochs * trial.epochs)
    where = Path(folder) / _kept_as(trial, asdict(published_design(trial.name)))
    if trial.joint:
        answers = cross_validate_joint(instances, design, parts=scale.folds, schedule=schedule, folder=where)
    else:
        answers = cross_validate(
            instances, design, parts=scale.folds, schedule=schedule, upstream=trial.upstream, folder=where
        )
    parts = [np.flatnonzero(answers.fold == k) for k in range(scale.folds)]
    figures = figures_of(instances, (answers.share, answers.bandwidth, answers.choice), parts)
    return figures | {"heads": _heads(instances, answers.choice, answers.offload, answers.factored, parts)}


def _kept_as(trial: Trial, usual: Mapping[str, Any]) -> str:
    """Folder of a trial: weights of SP3's loss are in the names of its files, so that SP1 and SP2 are shared."""
    kept = {k: v for k, v in trial.changes.items() if usual[k] != v and k not in ("binary", "parts")}
    return "-".join([trial.name, *(f"{name}{value}" for name, value in sorted(kept.items()))])


def figures_of(
    instances: Sequence[Any], given: tuple[Any, Any, Any], parts: Sequence[np.ndarray]
) -> Measured:
    """Errors of shares and accuracy of decisions, fold by fold.

    Args:
        instances: solved scenarios.
        given: answers for SP1, SP2 and SP3, as targets are.
        parts: indices of every fold.
    """
    from slicewright.learning.slicing.metrics import choice_accuracy, share_errors
    from slicewright.models.slicing.features import targets

    labels = [targets(x.scenario, x.decisions, x.shares) for x in instances]
    truth = ([t.share for t in labels], [t.bandwidth for t in labels], [t.choice for t in labels])
    out: Measured = {}
    for k, (problem, judge) in enumerate(
        (("sp1", share_errors), ("sp2", share_errors), ("sp3", choice_accuracy))
    ):
        folds = [judge([given[k][i] for i in part], [truth[k][i] for i in part]) for part in parts]
        out[problem] = {name: [float(f[name]) for f in folds] for name in folds[0]}
    out["errors"] = {
        "devices": [x.scenario.n_devices for x in instances],
        "sp1": _errors(given[0], truth[0]),
        "sp2": _errors(given[1], truth[1]),
    }
    return out


def _heads(
    instances: Sequence[Solved],
    joint: Sequence[np.ndarray],
    offload: Sequence[np.ndarray],
    factored: Sequence[np.ndarray],
    parts: Sequence[np.ndarray],
) -> Measured:
    """What single heads of SP3 say, fold by fold."""
    from slicewright.models.slicing.features import choices

    truth = [choices(x.scenario, x.decisions) for x in instances]
    binary = [np.where(q < 0.5, 0, 1) for q in offload]
    folds = [
        head_figures(*([x[i] for i in part] for x in (joint, binary, factored, truth))) for part in parts
    ]
    return {name: [f[name] for f in folds] for name in folds[0]}


def head_figures(
    joint: Sequence[np.ndarray],
    binary: Sequence[np.ndarray],
    factored: Sequence[np.ndarray],
    truth: Sequence[np.ndarray],
) -> dict[str, float]:
    """Accuracy by the joint argmax (44), the binary head (45) and the rule (47), and averaged scores of the argmax.

    Args:
        joint, factored: classes by scenario, 0 is local.
        binary: 1 where the binary head offloads.
        truth: classes of the labels.
    """
    from slicewright.learning.slicing.metrics import averaged_scores, choice_accuracy

    by_joint, by_rule = choice_accuracy(joint, truth), choice_accuracy(factored, truth)
    by_head = choice_accuracy(binary, truth)
    return {
        "acc": by_joint["acc"],
        "acc_rule": by_rule["acc"],
        "bin_joint": by_joint["acc_bin"],
        "bin_head": by_head["acc_bin"],
        **averaged_scores(joint, truth),
    }


def _errors(given: Sequence[np.ndarray], truth: Sequence[np.ndarray]) -> list[float]:
    """Mean absolute error of each scenario, in percent of a resource."""
    return [float(100 * np.abs(p - t).mean()) for p, t in zip(given, truth, strict=True)]


def fold_s(scale: Scale, trials: float, *, labels: int | None = None) -> float:
    """Core-seconds of cross-validating so many trials of all three subproblems; measured."""
    return 3 * trials * scale.folds * (labels or scale.labels) * scale.epochs * 3e-4
