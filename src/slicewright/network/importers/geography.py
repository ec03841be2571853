"""Degrees on the globe to metres on a plane."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from slicewright.types import FloatArray

_WGS84_SEMI_MAJOR_M = 6378137.0
_WGS84_ECCENTRICITY_SQUARED = 0.00669437999014


class Origin(NamedTuple):
    """Where the plane touches the globe: latitude and longitude in degrees (WGS 84) of the point (0, 0) m."""

    latitude: float
    longitude: float


def to_plane_m(degrees: FloatArray, origin: Origin) -> FloatArray:
    """East and north of the origin, along the ellipsoid's own radii of curvature there.

    Distances are right to about one in ten thousand within 10 km of the origin at latitudes below 60 degrees.

    Args:
        degrees: (k, 2) latitude and longitude in degrees.
        origin: where (0, 0) m is.

    Returns:
        (k, 2) m east and north.
    """
    latitude = np.radians(origin.latitude)
    curvature = 1.0 - _WGS84_ECCENTRICITY_SQUARED * np.sin(latitude) ** 2
    across = _WGS84_SEMI_MAJOR_M / np.sqrt(curvature)
    along = _WGS84_SEMI_MAJOR_M * (1.0 - _WGS84_ECCENTRICITY_SQUARED) / curvature**1.5
    turned = np.radians(degrees - np.array([origin.latitude, origin.longitude]))
    east = (turned[:, 1] + np.pi) % (2 * np.pi) - np.pi  # the short way round, across the date line too
    return np.column_stack([across * np.cos(latitude) * east, along * turned[:, 0]])
