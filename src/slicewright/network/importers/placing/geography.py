"""Degrees on the globe to metres on a plane, and mistakes that show on the globe."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from slicewright.types import FloatArray

_WGS84_SEMI_MAJOR_M = 6378137.0
_WGS84_ECCENTRICITY_SQUARED = 0.00669437999014
_EARTH_RADIUS_M = 6371008.8
FAR_M = 100e3
"""A device that is farther than this from every site is probably somewhere else."""


DENSE_M = 20.0
"""Few networks are this small in metres; a city is a part of a degree wide, a country some."""


class Origin(NamedTuple):
    """Where the plane touches the globe: latitude and longitude in degrees (WGS 84) of the point (0, 0) m."""

    latitude: float
    longitude: float


def middle(degrees: FloatArray) -> Origin:
    """The middle of positions (k, 2); their longitudes are averaged the short way round, across 180 degrees too."""
    turned = np.radians(degrees[:, 1])
    mean = np.degrees(np.arctan2(np.sin(turned).mean(), np.cos(turned).mean()))
    near = degrees[0, 1] + (degrees[:, 1] - degrees[0, 1] + 180.0) % 360.0 - 180.0
    if np.ptp(near) < 180.0:  # exact where the sum of unit vectors would round
        mean = (near.mean() + 180.0) % 360.0 - 180.0
    return Origin(float(degrees[:, 0].mean()), float(mean))


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


def like_degrees(xy_m: FloatArray) -> str:
    """A sentence if coordinates (k, 2) that were taken for metres may be degrees: all are within a few metres."""
    wide, high = np.ptp(xy_m, axis=0)
    on_globe = (np.abs(xy_m) <= (180.0, 180.0)).all() and (np.abs(xy_m) <= 90.0).any(axis=1).all()
    if not on_globe or not 0.0 < max(wide, high) < DENSE_M or (xy_m == np.round(xy_m)).all():
        return ""
    return f"all positions are within {max(wide, high):.2g} m: if x and y are longitude and latitude, call them so"


def within(bound: float, degrees: float) -> bool:
    """Whether a latitude or longitude is one."""
    return abs(degrees) <= bound


def nearest_m(degrees: FloatArray, sites: FloatArray) -> FloatArray:
    """(k,) m. Distance along the globe from each position (k, 2) to the nearest of the sites (A, 2)."""
    from scipy.spatial import KDTree

    chord = np.asarray(KDTree(_on_sphere(sites)).query(_on_sphere(degrees))[0], dtype=np.float64)
    return _EARTH_RADIUS_M * 2.0 * np.arcsin(np.minimum(chord / 2.0, 1.0))


def next_m(sites: FloatArray) -> FloatArray:
    """(A,) m. Distance along the globe from each of the sites (A, 2) to the nearest other one."""
    from scipy.spatial import KDTree

    places = _on_sphere(sites)
    chord = np.asarray(KDTree(places).query(places, k=2)[0], dtype=np.float64)[:, 1]
    return _EARTH_RADIUS_M * 2.0 * np.arcsin(np.minimum(chord / 2.0, 1.0))


def exchanged(sites: FloatArray, users: FloatArray) -> tuple[str, ...]:
    """Whose latitudes and longitudes may be exchanged (``sites``, ``users``); nobody's if it does not look like it.

    It looks like it where users are far from every site and would be near if one side's columns were the other way.
    As a rule that holds for either side, and positions alone do not tell which one it is.
    """
    now = float(np.median(nearest_m(users, sites)))
    whose = []
    for side, a, b in (("sites", sites[:, ::-1], users), ("users", sites, users[:, ::-1])):
        if now >= FAR_M and (np.abs(a[:, 0]) <= 90).all() and (np.abs(b[:, 0]) <= 90).all():
            other = float(np.median(nearest_m(b, a)))
            if other < FAR_M and other < now / 20:
                whose.append(side)
    return tuple(whose)


def _on_sphere(degrees: FloatArray) -> FloatArray:
    latitude, longitude = np.radians(degrees[:, 0]), np.radians(degrees[:, 1])
    flat = np.cos(latitude)
    return np.column_stack([flat * np.cos(longitude), flat * np.sin(longitude), np.sin(latitude)])
