"""Every radio model that can be used here."""

from __future__ import annotations

import numpy as np
import pytest

from slicewright.network import register_radio_model
from slicewright.network.radio import path_loss_rate, radio_model, radio_models
from slicewright.types import FloatArray
from tests.conformance.radio_models import check_radio_model


@pytest.mark.parametrize("name", radio_models())
def test_every_radio_model(name: str) -> None:
    check_radio_model(radio_model(name), name=name)


def test_broken_models_are_caught() -> None:
    def grows(distance_m: FloatArray, tx_power_w: FloatArray, bandwidth_hz: FloatArray) -> FloatArray:
        return distance_m * tx_power_w[:, None] * bandwidth_hz

    def shared(distance_m: FloatArray, tx_power_w: FloatArray, bandwidth_hz: FloatArray) -> FloatArray:
        return path_loss_rate(distance_m, tx_power_w, bandwidth_hz) / max(1, len(tx_power_w))

    for model, message in ((grows, "farther"), (shared, "know each other")):
        name = f"broken-{message}"
        register_radio_model(name, model)
        with pytest.raises(AssertionError, match=message):
            check_radio_model(model, name=name)


def test_parameters_change_rates_in_the_right_direction() -> None:
    distance_m, power_w, bandwidth_hz = np.full((1, 1), 100.0), np.ones(1), np.full(1, 1e6)
    plain = path_loss_rate(distance_m, power_w, bandwidth_hz)
    assert path_loss_rate(distance_m, power_w, bandwidth_hz, exponent=5.0) < plain
    assert path_loss_rate(distance_m, power_w, bandwidth_hz, noise_dbm_hz=-180.0) > plain
