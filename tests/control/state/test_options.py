"""Settings that depend on what is decided."""

from __future__ import annotations

from slicewright.control.state.options import ControlOptions


def test_many_devices_are_searched_in_fewer_rounds() -> None:
    options = ControlOptions(rounds=100)
    assert options.for_devices(50) is options
    assert options.for_devices(500).rounds == 10
    assert options.for_devices(20_000).rounds == 1
    assert ControlOptions(rounds=0).for_devices(500).rounds == 0
