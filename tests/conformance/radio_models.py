"""What every radio model promises: rates that geometry and power explain, one link at a time."""

from __future__ import annotations

import numpy as np

from slicewright.network import Radio
from slicewright.network.radio import RadioModel, distances_m


def check_radio_model(model: RadioModel, *, name: str) -> None:
    """Fail with the first promise that the model breaks.

    Args:
        model: the function.
        name: under which scenario files find it.
    """
    rng = np.random.default_rng(3)
    device_m, point_m = rng.uniform(0, 1000, (20, 2)), rng.uniform(0, 1000, (4, 2))
    power_w, bandwidth_hz = rng.uniform(0.05, 0.2, 20), rng.uniform(1e6, 2e7, 4)
    distance_m = distances_m(device_m, point_m)
    given = [x.copy() for x in (distance_m, power_w, bandwidth_hz)]
    rate = model(distance_m, power_w, bandwidth_hz)
    assert rate.shape == (20, 4), "(I, A)"
    assert rate.dtype == np.float64
    assert np.isfinite(rate).all() and (rate >= 0).all()
    for before, after in zip(given, (distance_m, power_w, bandwidth_hz), strict=True):
        np.testing.assert_array_equal(before, after, err_msg="inputs stay as they are")
    np.testing.assert_array_equal(model(distance_m, power_w, bandwidth_hz), rate, err_msg="it repeats itself")
    assert (model(2 * distance_m, power_w, bandwidth_hz) <= rate).all(), "farther is never faster"
    assert (model(distance_m, 2 * power_w, bandwidth_hz) >= rate).all(), "more power is never slower"
    for i in range(0, 20, 7):
        alone = model(distance_m[i : i + 1], power_w[i : i + 1], bandwidth_hz)
        np.testing.assert_allclose(alone[0], rate[i], rtol=1e-12, err_msg="devices do not know each other")
    for a in range(4):
        alone = model(distance_m[:, a : a + 1], power_w, bandwidth_hz[a : a + 1])
        np.testing.assert_allclose(alone[:, 0], rate[:, a], rtol=1e-12, err_msg="nor do access points")
    assert model(np.zeros((0, 4)), np.zeros(0), bandwidth_hz).shape == (0, 4), "nobody is somebody too"
    at_once = model(np.zeros((1, 4)), np.ones(1), bandwidth_hz)
    assert np.isfinite(at_once).all(), "a device may stand under its access point"
    _check_reach(name, device_m, point_m, power_w, bandwidth_hz)


def _check_reach(name: str, *given: np.ndarray) -> None:
    """``reach_m`` works with every model: the same rates within it, no links beyond."""
    everywhere = np.asarray(Radio(name).rates(*given))
    near = Radio(name, {"reach_m": 400.0}).rates(*given)
    within = distances_m(given[0], given[1]) <= 400.0
    assert not isinstance(near, np.ndarray), "candidates are stored, not the whole matrix"
    np.testing.assert_allclose(near.toarray(), np.where(within, everywhere, 0.0), rtol=1e-12)
