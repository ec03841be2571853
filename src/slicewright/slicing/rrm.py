"""Inter-slice shares as 3GPP RRMPolicyRatio: whole percents per access point (TS 28.541).

Three values are kept apart and never mixed up: what was *requested* (omega), the *quantised* percent that the
interface can express, and the share that a scheduler *realises* with a whole number of resource blocks.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from slicewright.errors import InvalidOptionError
from slicewright.files.fields import FieldReader
from slicewright.network.scenario import Scenario, SliceId
from slicewright.slicing.decisions import Decisions
from slicewright.slicing.judge import Violations, evaluate
from slicewright.slicing.shares import Shares
from slicewright.types import BoolArray, Document, FloatArray, IntArray

Profile = Literal["hard", "guaranteed"]
PROFILES: tuple[Profile, ...] = ("hard", "guaranteed")
RESOURCE_BLOCK_HZ = 180e3
"""Width of one resource block at 15 kHz subcarrier spacing."""
_TIE = 1e-9
_read = FieldReader(InvalidOptionError)


@dataclass(frozen=True)
class Plmn:
    """A mobile network: country code of three digits, network code of two or three; strings, zeros count."""

    mcc: str = "001"
    mnc: str = "01"

    def __post_init__(self) -> None:
        for name, text, lengths in (("mcc", self.mcc, (3,)), ("mnc", self.mnc, (2, 3))):
            if not text.isdecimal() or len(text) not in lengths:
                rule = f"must be a string of {' or '.join(map(str, lengths))} digits"
                raise InvalidOptionError(name, rule, value=text)


TEST_NETWORK = Plmn()
"""The mobile network that 3GPP reserves for tests."""


@dataclass(frozen=True, eq=False)
class RadioSplit:
    """Inter-slice shares on their way to schedulers.

    Attributes:
        requested: (A, N) omega.
        percent: (A, N) whole percents; each row sums to at most 100.
        realised: (A, N) share that whole resource blocks give.
        blocks: (A,) resource blocks of each access point.
    """

    requested: FloatArray
    percent: IntArray
    realised: FloatArray
    blocks: IntArray


@dataclass(frozen=True, eq=False)
class RoundingEffect:
    """What rounding does to a plan.

    Attributes:
        cost_s: s, with the requested shares.
        realised_cost_s: s, with the realised ones; infinite if an offloaded device is left without a block.
        violations: of 13a..13g with the realised shares.
        starved: (k,) offloaded devices whose slice got no resource block on their access point.
        slower_than_local: (k,) offloaded devices that would now be faster on their own.
    """

    cost_s: float
    realised_cost_s: float
    violations: Violations
    starved: IntArray
    slower_than_local: IntArray


def resource_blocks(bandwidth_hz: FloatArray, *, block_hz: float = RESOURCE_BLOCK_HZ) -> IntArray:
    """(A,) whole resource blocks that fit in each access point's bandwidth, at least one."""
    return np.maximum(1, np.floor(np.asarray(bandwidth_hz) / block_hz + _TIE)).astype(np.int64)


def quantise(bandwidth: FloatArray, *, used: BoolArray | None = None) -> IntArray:
    """Whole percents by largest remainder, access point by access point.

    A row that sums to 1 becomes percents that sum to 100; a row with slack keeps it. Ties go to the slice with the
    lower index. A used slice never gets 0: the largest of its row gives it one percent.

    Args:
        bandwidth: (A, N) omega, rows sum to at most 1.
        used: (A, N) slices that must keep a share; by default those with a positive one.

    Returns:
        (A, N) percents; rows sum to at most 100.

    Raises:
        InvalidOptionError: a share is negative, a row exceeds 1, or more than 100 slices need a share.
    """
    omega = _read.numbers(bandwidth, "bandwidth_share", (None, None), axes=["access points", "slices"])
    sums = omega.sum(axis=1)
    if (sums > 1 + 1e-6).any():
        a = int(np.argmax(sums))
        raise InvalidOptionError(
            "bandwidth_share", "must sum to at most 1 (13d)", index=(a,), value=float(sums[a])
        )
    needed = omega > 0 if used is None else np.asarray(used, dtype=bool)
    if needed.shape[1] > 100 and (needed.sum(axis=1) > 100).any():
        raise InvalidOptionError(
            "bandwidth_share", "cannot be shared among more than 100 slices in whole percents"
        )
    percent = _largest_remainder(omega)
    for a, n in np.argwhere(needed & (percent == 0)).tolist():
        if percent[a].sum() >= 100:
            percent[a, int(np.argmax(percent[a]))] -= 1
        percent[a, n] = 1
    return percent


def _largest_remainder(omega: FloatArray) -> IntArray:
    """(A, N) percents of rows: rounded down, and what is missing goes to the largest remainders."""
    exact = 100.0 * np.minimum(omega, 1.0)
    percent = np.floor(exact + _TIE).astype(np.int64)
    missing = np.minimum(100, np.floor(exact.sum(axis=1) + 1e-6)) - percent.sum(axis=1)
    order = np.argsort(-np.round(exact - percent, 9), axis=1, kind="stable")
    rank = np.argsort(order, axis=1, kind="stable")
    percent += rank < missing[:, None]
    return percent


def split_radio(scenario: Scenario, shares: Shares) -> RadioSplit:
    """Requested, quantised and realised inter-slice shares of every access point.

    A scheduler gives a slice ``floor(blocks * percent / 100)`` resource blocks, so 1 % of 51 blocks is none.
    """
    percent = quantise(shares.bandwidth)
    blocks = resource_blocks(scenario.bandwidth_hz)
    realised = np.floor(blocks[:, None] * percent / 100 + _TIE) / blocks[:, None]
    return RadioSplit(np.array(shares.bandwidth), percent, realised, blocks)


def rounding_effect(
    scenario: Scenario, decisions: Decisions, shares: Shares, split: RadioSplit
) -> RoundingEffect:
    """Judge a plan again with the shares that schedulers realise.

    Rounding cannot break 13b or 13c, which are about computing, but it changes transmission times: devices may be
    starved or end up slower than on their own.
    """
    before, _ = evaluate(scenario, decisions, shares)
    after, violations = evaluate(scenario, decisions, Shares(split.realised, shares.radio, shares.compute))
    offloaded = ~decisions.local & decisions.valid(scenario)
    late = (
        offloaded
        & (after.completion_s > scenario.local_time_s)
        & (before.completion_s <= scenario.local_time_s)
    )
    return RoundingEffect(
        cost_s=float(before.completion_s.sum()),
        realised_cost_s=float(after.completion_s.sum()),
        violations=violations,
        starved=np.flatnonzero(offloaded & np.isinf(after.transmit_s)),
        slower_than_local=np.flatnonzero(late),
    )


def rrm_policies(
    slices: tuple[SliceId, ...],
    percent: IntArray,
    *,
    profile: Profile = "hard",
    plmn: Plmn = TEST_NETWORK,
    resource_type: str = "PRB_UL",
) -> list[Document]:
    """RRMPolicyRatio entries of one access point (one NRCellDU), one per slice.

    Args:
        slices: the N slices.
        percent: (N,) whole percents.
        profile: ``hard``: dedicated = min = max, never lent. ``guaranteed``: 0 / percent / 100, a floor that is
            lent while idle, so that the plan's rate is what a slice gets at least.
        plmn: the mobile network of the slices.
        resource_type: of TS 28.541.

    Raises:
        InvalidOptionError: an unknown profile, or percents that are not valid for a cell.
    """
    _read.choice(profile, "profile", PROFILES)
    whole = _read.indices(percent, "percent", (len(slices),), below=101)
    if whole.sum() > 100:
        raise InvalidOptionError(
            "percent", "must sum to at most 100 per access point", value=int(whole.sum())
        )
    return [
        {
            "resourceType": resource_type,
            "rRMPolicyMemberList": [
                {"plmnId": {"mcc": plmn.mcc, "mnc": plmn.mnc}, "snssai": snssai(slice_id)}
            ],
            "rRMPolicyDedicatedRatio": q if profile == "hard" else 0,
            "rRMPolicyMinRatio": q,
            "rRMPolicyMaxRatio": q if profile == "hard" else 100,
        }
        for slice_id, q in zip(slices, whole.tolist(), strict=True)
    ]


def snssai(slice_id: SliceId) -> Document:
    """The identity of a slice as 3GPP writes it in JSON: SST as a number, SD as six lower-case hex digits."""
    return {"sst": slice_id.sst, **({} if slice_id.sd is None else {"sd": slice_id.sd.lower()})}
