"""From a settled decision to its record in the journal, and back again for a replay."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import numpy as np

from slicewright.control.decision.settlement import Settlement
from slicewright.control.state.events import Attempt, Decided
from slicewright.control.state.grants import Place
from slicewright.control.state.options import ControlOptions
from slicewright.control.state.situation import Situation
from slicewright.files.documents import finite
from slicewright.slicing.judge import RULES, times_of
from slicewright.slicing.plan import Plan
from slicewright.slicing.rrm import RadioSplit, split_radio
from slicewright.slicing.shares import Shares
from slicewright.types import FloatArray, IntArray


def decided(
    situation: Situation,
    settlement: Settlement,
    attempts: tuple[Attempt, ...],
    *,
    epoch: int,
    options: ControlOptions,
    pinned: Collection[str],
    previous: Mapping[str, Place],
    duration_s: float,
    certified: bool = False,
) -> Decided:
    """The record of a decision: input hash, method, path, shares, residuals, time.

    ``certified`` puts the certificate in as well, as the first release did.
    """
    plan = settlement.plan
    split = None if plan is None else split_radio(plan.scenario, plan.shares)
    return Decided(
        epoch=epoch,
        method=settlement.method,
        rounds=options.rounds,
        seed=options.seed,
        keep_ratio=options.keep_ratio,
        pinned=tuple(sorted(pinned)),
        input_digest=situation.digest,
        attempts=attempts,
        devices=settlement.devices,
        places=settlement.places,
        reasons=settlement.reasons,
        changed=tuple(d for d in settlement.devices if previous.get(d) != settlement.places.get(d)),
        targets=settlement.targets,
        requested_bandwidth=() if split is None else _rows(split.requested),
        percent=() if split is None else tuple(tuple(row) for row in split.percent.tolist()),
        realised_bandwidth=() if split is None else _rows(split.realised),
        radio_share=() if plan is None else tuple(plan.shares.radio.tolist()),
        compute_share=() if plan is None else tuple(plan.shares.compute.tolist()),
        residuals=dict.fromkeys(RULES, 0.0) if plan is None else dict(plan.violations.residuals),
        cost_s=None if plan is None else plan.cost_s,
        realised_cost_s=None if plan is None or split is None else _realised_cost_s(plan, split),
        lower_bound_s=None if plan is None or not certified else plan.lower_bound_s,
        gap=None if plan is None or not certified else plan.gap,
        duration_s=duration_s,
    )


def _realised_cost_s(plan: Plan, split: RadioSplit) -> float | None:
    """Cost with the inter-slice shares that schedulers realise; None if some device never completes."""
    shares = Shares(split.realised, plan.shares.radio, plan.shares.compute)
    return finite(float(times_of(plan.scenario, plan.decisions, shares).completion_s.sum()))


def _rows(array: FloatArray | IntArray) -> tuple[tuple[float, ...], ...]:
    return tuple(tuple(row) for row in np.asarray(array, dtype=np.float64).tolist())
