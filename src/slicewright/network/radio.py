"""Radio models: uplink rate of a device that has an access point to itself (model page 1.1).

A model is a function of distances, powers and bandwidths; :func:`register_radio_model` adds one, and packages
may offer theirs through the entry-point group ``slicewright.radio_models``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.metadata import entry_points
from typing import Any, Protocol, cast

import numpy as np
from scipy import sparse

from slicewright.errors import InvalidScenarioError, UnknownNameError, nearest
from slicewright.files.fields import FieldReader
from slicewright.types import FloatArray

ENTRY_POINT_GROUP = "slicewright.radio_models"
THERMAL_NOISE_DBM_HZ = -174.0
_read = FieldReader(InvalidScenarioError)


class RadioModel(Protocol):
    """Uplink rates from geometry."""

    def __call__(
        self,
        distance_m: FloatArray,
        tx_power_w: FloatArray,
        bandwidth_hz: FloatArray,
        /,
        *args: Any,
        **parameters: Any,
    ) -> FloatArray:
        """Rates.

        Args:
            distance_m: (I, A) m.
            tx_power_w: (I,) W.
            bandwidth_hz: (A,) Hz.
            *args: nothing; a model's parameters are keyword-only.
            **parameters: the model's own numbers, by name.

        Returns:
            (I, A) bit/s, 0 where an access point is out of reach.
        """
        ...


def path_loss_rate(
    distance_m: FloatArray,
    tx_power_w: FloatArray,
    bandwidth_hz: FloatArray,
    *,
    exponent: float = 4.0,
    noise_dbm_hz: float = THERMAL_NOISE_DBM_HZ,
    min_distance_m: float = 1.0,
    reach_m: float = float("inf"),
) -> FloatArray:
    """Shannon rate with power-law path loss: R = B log2(1 + P d^-e / (N0 B)) (model page 1.1).

    DeepSets-S prints a rate that grows with distance and leaves the bandwidth out of the noise; this is the
    physical reading, with the "4" of its Table II as the exponent.

    Args:
        distance_m: (I, A) m; anything nearer than ``min_distance_m`` counts as that.
        tx_power_w: (I,) W.
        bandwidth_hz: (A,) Hz.
        exponent: path-loss exponent.
        noise_dbm_hz: noise density in dBm/Hz.
        min_distance_m: distance floor in m.
        reach_m: access points farther than this are out of reach (rate 0).

    Returns:
        (I, A) bit/s.

    Raises:
        InvalidScenarioError: an exponent or a least distance below zero: rates would grow with the distance.
    """
    for name, value in (("exponent", exponent), ("min_distance_m", min_distance_m)):
        if value < 0:
            raise InvalidScenarioError(f"radio.{name}", "must not be negative", value=value)
    noise_w = 10.0 ** ((noise_dbm_hz - 30.0) / 10.0) * bandwidth_hz
    received_w = tx_power_w[:, None] * np.maximum(distance_m, min_distance_m) ** -exponent
    rate = bandwidth_hz * np.log2(1.0 + received_w / noise_w)
    return np.where(distance_m <= reach_m, rate, 0.0)


_models: dict[str, RadioModel] = {"path-loss": path_loss_rate}


def register_radio_model(name: str, model: RadioModel) -> None:
    """Make ``model`` available under ``name`` in scenario files and presets."""
    _models[name] = model


def radio_model(name: str) -> RadioModel:
    """The radio model of that name, built in, registered or offered by an installed package.

    Raises:
        UnknownNameError: nobody registered it.
    """
    if name not in _models:
        for point in entry_points(group=ENTRY_POINT_GROUP):
            if point.name == name:
                _models[name] = cast(RadioModel, point.load())
    if name not in _models:
        raise UnknownNameError("radio model", name, radio_models())
    return _models[name]


def radio_models() -> list[str]:
    """Names of all radio models that can be used here."""
    return sorted({*_models, *(point.name for point in entry_points(group=ENTRY_POINT_GROUP))})


@np.errstate(over="ignore")  # as far as can be told is too far for any rate
def distances_m(device_m: FloatArray, access_point_m: FloatArray) -> FloatArray:
    """(I, A) m. Plane distances between devices (I, 2) and access points (A, 2)."""
    return np.asarray(
        np.linalg.norm(device_m[:, None, :] - access_point_m[None, :, :], axis=2), dtype=np.float64
    )


@dataclass(frozen=True)
class Radio:
    """A radio model and its parameters: how a scenario's rates follow from positions, powers and bandwidths.

    Attributes:
        model: name of a radio model.
        parameters: the model's own, by name. ``reach_m`` works with every model: access points farther than
            that are no candidates, and only the candidates' rates are computed and stored.
    """

    model: str = "path-loss"
    parameters: Mapping[str, float] = field(default_factory=dict)

    def rates(
        self,
        device_m: FloatArray,
        access_point_m: FloatArray,
        tx_power_w: FloatArray,
        bandwidth_hz: FloatArray,
    ) -> FloatArray | sparse.csr_array:
        """Rates of every device on every access point, or on those in reach.

        Args:
            device_m: (I, 2) m.
            access_point_m: (A, 2) m.
            tx_power_w: (I,) W.
            bandwidth_hz: (A,) Hz.

        Returns:
            (I, A) bit/s; dense, or with a finite ``reach_m`` as compressed rows.

        Raises:
            InvalidScenarioError: no such model, no such parameter, or one that is not a number.
        """
        try:
            model = radio_model(self.model)
        except UnknownNameError as error:
            raise InvalidScenarioError("radio.model", str(error)) from None
        numbers = {key: _number(key, value) for key, value in self.parameters.items()}
        reach_m = numbers.pop("reach_m", np.inf)
        known = getattr(model, "__kwdefaults__", None)
        for key in numbers:
            if known is not None and key not in known:
                raise InvalidScenarioError(
                    f"radio.{key}", f"is not a parameter of this radio model{nearest(key, known)}"
                )
        try:
            if np.isinf(reach_m):
                return model(distances_m(device_m, access_point_m), tx_power_w, bandwidth_hz, **numbers)
            return _rates_in_reach(
                model, device_m, access_point_m, tx_power_w, bandwidth_hz, reach_m, numbers
            )
        except OverflowError:
            raise InvalidScenarioError("radio", "has numbers that give no finite rates") from None


def _number(key: str, value: object) -> float:
    number = _read.number(value, f"radio.{key}", signed=True, finite=key != "reach_m")
    if key == "reach_m" and number <= 0:
        raise InvalidScenarioError(f"radio.{key}", "must be positive", value=value)
    return number


def _rates_in_reach(
    model: RadioModel,
    device_m: FloatArray,
    access_point_m: FloatArray,
    tx_power_w: FloatArray,
    bandwidth_hz: FloatArray,
    reach_m: float,
    parameters: Mapping[str, float],
) -> sparse.csr_array:
    """One access point at a time: memory grows with the links, not with devices times access points."""
    from scipy.spatial import KDTree

    near = KDTree(device_m).query_ball_point(access_point_m, reach_m, return_sorted=True)
    columns = []
    for a, members in enumerate(near):
        i = np.asarray(members, dtype=np.int64)
        distance = distances_m(device_m[i], access_point_m[a : a + 1])
        columns.append(model(distance, tx_power_w[i], bandwidth_hz[a : a + 1], **parameters)[:, 0])
    lengths = [len(members) for members in near]
    column = np.repeat(np.arange(len(near)), lengths)
    row = np.concatenate([np.asarray(members, dtype=np.int64) for members in near])
    shape = (len(device_m), len(access_point_m))
    return sparse.csr_array(sparse.coo_array((np.concatenate(columns), (row, column)), shape=shape))
