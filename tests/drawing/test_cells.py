"""Cells of a density map: nobody is lost, discs and their wedges are as large as what they count."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from slicewright.drawing.cells import Cells, busiest, cell_radius, count_in_cells, wedges


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 400), st.floats(0.5, 50.0))
def test_every_device_is_in_the_cell_whose_centre_is_nearest(seed: int, devices: int, size: float) -> None:
    rng = np.random.default_rng(seed)
    position, slice_ = rng.normal(0, 40, (devices, 2)), rng.integers(-1, 4, devices)
    cells = count_in_cells(position, slice_, slices=4, size=size)
    assert cells.devices.sum() == devices
    np.testing.assert_array_equal(cells.devices.sum(axis=0), np.bincount(slice_ % 5, minlength=5))
    apart = np.linalg.norm(position[:, None] - cells.centre[None], axis=2)
    assert (apart.min(axis=1) <= size / np.sqrt(3) + 1e-9).all(), "within the hexagon's corners"
    if len(cells.centre) > 1:
        gaps = np.linalg.norm(cells.centre[:, None] - cells.centre[None], axis=2)
        np.fill_diagonal(gaps, np.inf)
        assert gaps.min() >= size * (1 - 1e-9), "cells are a width apart, so that discs do not overlap"


def test_wedges_are_as_large_as_their_part_and_together_a_disc() -> None:
    cells = Cells(np.array([[3.0, 4.0], [9.0, 4.0]]), np.array([[2, 1, 1], [0, 5, 0]]))
    radius = cell_radius(cells.devices.sum(axis=1), 6.0)
    assert radius.max() == 3.0, "the fullest touches its neighbours"
    assert np.isclose(radius[0] ** 2 / radius[1] ** 2, 4 / 5), "areas are as the counts"
    areas = [[area(part) for part in wedges(cells, n, radius, corners=720)] for n in range(3)]
    whole = np.pi * radius[0] ** 2
    np.testing.assert_allclose(
        [areas[0][0], areas[1][0], areas[2][0]], np.array([2, 1, 1]) / 4 * whole, rtol=1e-3
    )
    assert len(areas[1]) == 2 and len(areas[0]) == len(areas[2]) == 1


def area(polygon: np.ndarray) -> float:
    x, y = polygon.T
    return float(abs(x @ np.roll(y, 1) - y @ np.roll(x, 1)) / 2)


def test_the_busiest_come_first_and_equal_ones_in_order() -> None:
    assert busiest(np.array([1.0, 5.0, 5.0, 0.0, 7.0]), 3).tolist() == [4, 1, 2]
