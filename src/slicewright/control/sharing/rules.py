"""How a slice manager shares (SP1): by the closed form, or on the advice of the slice's learned model."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from slicewright.control.messages.details import Details
from slicewright.control.messages.sharing import CLOSED_FORM_NAME
from slicewright.control.state.errors import ControlError
from slicewright.control.state.grants import Seat
from slicewright.errors import UnknownNameError
from slicewright.models.slicing.features import Float32Array, manager_rows
from slicewright.models.slicing.session import ModelUnavailableError
from slicewright.models.slicing.share_models import (
    SHARE_MODELS,
    check_share_size,
    expected_share_s,
    model_shares,
    share_model,
)
from slicewright.types import FloatArray

SHARE_RULES = (CLOSED_FORM_NAME, *SHARE_MODELS)
DEFAULT_LIMIT_S = 0.02


class NoAdviceError(ControlError):
    """A rule cannot answer; the message is the reason that is reported while the closed form answers instead."""


@dataclass(frozen=True)
class Advice:
    """What a model says of the seats of a slice, unchecked; only ratios between devices of one resource count.

    Attributes:
        radio: device to its weight on its access point. compute: device to its weight on its node.
    """

    radio: Mapping[str, float]
    compute: Mapping[str, float]


class ShareRule(Protocol):
    """A way to solve SP1."""

    @property
    def name(self) -> str:
        """As it is called on the command line."""
        ...

    def advise(self, seats: Mapping[str, Seat], details: Details | None) -> Advice | None:
        """What to do with the seats of a slice; None for the closed form.

        Raises:
            NoAdviceError: no answer, and why.
        """
        ...


@dataclass(frozen=True)
class ClosedForm:
    """The optimum (model page 1.3)."""

    name: str = CLOSED_FORM_NAME

    def advise(self, seats: Mapping[str, Seat], details: Details | None) -> Advice | None:
        """Nothing to add."""
        return None


CLOSED_FORM = ClosedForm()


@dataclass(frozen=True)
class LearnedShares:
    """The SP1 part of a published model.

    The model is shown all requests, as in its training, and answers a share of every resource for each of them; what
    it says is kept for the granted devices on the resources that they really use.

    Attributes:
        name: of the model.
        limit_s: s. An answer that takes longer is not used.
        timer: a clock that never goes back, s.
    """

    name: str
    limit_s: float = DEFAULT_LIMIT_S
    timer: Callable[[], float] = field(default=time.perf_counter, compare=False)

    def prepare(self) -> str:
        """Load the model, so that this costs no decision; what speaks against it, or nothing."""
        try:
            share_model(self.name)
        except ModelUnavailableError as error:
            return str(error)
        return ""

    def advise(self, seats: Mapping[str, Seat], details: Details | None) -> Advice | None:
        """What the model says.

        Raises:
            NoAdviceError: it is missing, of another size, too slow, fails, or has not been told of a device.
        """
        if not seats:
            return Advice({}, {})
        if details is None:
            raise NoAdviceError("the details of the requests have not come yet")
        columns = _columns(seats, details)
        try:
            shares = self._ask(seats, details)
        except ModelUnavailableError as error:
            raise NoAdviceError(str(error)) from None
        width = len(details.access_points)
        radio = {d: float(shares[row, point]) for d, (row, point, _) in columns.items()}
        compute = {d: float(shares[row, width + node]) for d, (row, _, node) in columns.items()}
        return Advice(radio, compute)

    def _ask(self, seats: Mapping[str, Seat], details: Details) -> FloatArray:
        model = share_model(self.name)
        sizes = {
            "access_points": len(details.access_points),
            "nodes": len(details.nodes),
            "slices": details.slices,
            "devices": len(details.devices),
        }
        check_share_size(model, sizes)
        self._in_time(expected_share_s(model, len(details.devices)), "would take about")
        began = self.timer()
        shares = model_shares(model, _rows(seats, details))
        self._in_time(self.timer() - began, "took")
        return shares

    def _in_time(self, duration_s: float, verb: str) -> None:
        if duration_s > self.limit_s:
            raise NoAdviceError(
                f"{self.name} {verb} {1e3 * duration_s:.2g} ms of the {1e3 * self.limit_s:.2g} ms it has"
            )


def share_rule(
    name: str, *, limit_s: float = DEFAULT_LIMIT_S, timer: Callable[[], float] = time.perf_counter
) -> ShareRule:
    """A rule by name; whether its model is there shows when it is asked.

    Raises:
        UnknownNameError: there is none of that name.
    """
    if name not in SHARE_RULES:
        raise UnknownNameError("share rule", name, SHARE_RULES)
    return CLOSED_FORM if name == CLOSED_FORM_NAME else LearnedShares(name, limit_s, timer)


def _columns(seats: Mapping[str, Seat], details: Details) -> dict[str, tuple[int, int, int]]:
    """Device to its row, its access point's and its node's index."""
    point, node = details.access_point, details.node
    out: dict[str, tuple[int, int, int]] = {}
    for device, seat in seats.items():
        if device not in details.row or seat.access_point not in point or seat.node not in node:
            raise NoAdviceError(f"the details of device {device!r} or of its place have not come yet")
        out[device] = details.row[device], point[seat.access_point], node[seat.node]
    return out


def _rows(seats: Mapping[str, Seat], details: Details) -> Float32Array:
    """(I, F') the model's rows, with what is known of the seated devices at its newest."""
    bits, local, arrival = (
        np.array(x) for x in (details.task_bits, details.local_time_s, details.arrival_hz)
    )
    cycles, rate = np.array(details.cycles), np.array(details.rate_bps)
    for device, seat in seats.items():
        i = details.row[device]
        bits[i], local[i], arrival[i], cycles[i] = (
            seat.task_bits, seat.local_time_s, seat.arrival_hz, seat.cycles,
        )  # fmt: skip
        rate[i, details.access_point[seat.access_point]] = seat.rate_bps
    return manager_rows(
        task_bits=bits,
        local_time_s=local,
        arrival_rate_hz=arrival,
        local_capacity_hz=np.array(details.local_capacity_hz),
        transmission_s=np.divide(bits[:, None], rate, out=np.zeros(rate.shape), where=rate > 0),
        cycles=cycles,
        capacity_hz=np.array(details.capacity_hz),
    )
