"""Cities as they are drawn: no part of the map is served by fewer sites than the others."""

from __future__ import annotations

import numpy as np
import pytest

from slicewright.network.city import City, draw_sites


@pytest.mark.parametrize("access_points", [1, 2, 7, 100, 1_000])
def test_rows_of_sites_hold_the_same_number_or_one_more(access_points: int) -> None:
    city = City(devices=10, access_points=access_points)
    sites = draw_sites(city, np.random.default_rng(0))
    for places in (sites.access_point_m, sites.node_m):
        rows = max(1, round(np.sqrt(len(places))))
        in_row = np.bincount((places[:, 1] / city.side_m * rows).astype(int), minlength=rows)
        assert in_row.size == rows
        assert in_row.max() - in_row.min() <= 1
