"""Where in-network nodes go when a data set knows only access points: co-located with some of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, NamedTuple, TypeVar

import numpy as np

from slicewright.errors import InvalidScenarioError
from slicewright.types import FloatArray, IntArray

PLACEMENTS = ("spread", "busiest", "random")


class Hosts(NamedTuple):
    """Sites that host in-network nodes: kinds (``coin`` or ``mec``) and indices of sites, COIN nodes first."""

    kinds: tuple[str, ...]
    sites: tuple[int, ...]


_Parameters = TypeVar("_Parameters")


def at_most_a_site_each(chosen: _Parameters, given: Mapping[str, object], sites: int) -> _Parameters:
    """Importer's parameters with no more COIN and MEC nodes than sites, where nobody asked for more."""
    named: Any = chosen
    fewer = {what: min(getattr(named, what), sites) for what in ("coins", "mecs") if what not in given}
    changed: _Parameters = replace(named, **fewer)
    return changed


def place_nodes(
    site_m: FloatArray,
    user_m: FloatArray,
    *,
    coins: int,
    mecs: int,
    coin_placement: str,
    rng: np.random.Generator,
) -> Hosts:
    """COIN nodes by the named rule, one per site; MEC servers in the middle.

    One MEC server goes to the site nearest the middle of all sites; several divide the sites into as many stripes
    across their longest extent, and each goes to the site nearest the middle of its stripe.

    Args:
        site_m: (A, 2) m.
        user_m: (I, 2) m.
        coins, mecs: how many.
        coin_placement: ``spread`` (each next node at the site farthest from those chosen), ``busiest`` (sites that
            are the nearest to most users) or ``random``.
        rng: for ``random``.

    Raises:
        InvalidScenarioError: no node at all, or more of a kind than sites.
    """
    for name, count in (("coins", coins), ("mecs", mecs)):
        if count > len(site_m):
            raise InvalidScenarioError(
                name, f"must be at most the number of sites, {len(site_m)}", value=count
            )
    if coins + mecs == 0:
        raise InvalidScenarioError("coins", "there must be at least one COIN node or MEC server")
    if coin_placement == "random":
        chosen = np.sort(rng.choice(len(site_m), size=coins, replace=False))
    elif coin_placement == "busiest":
        chosen = np.argsort(-_users_nearest_to(site_m, user_m), kind="stable")[:coins]
    else:
        chosen = _spread(site_m, _central(site_m, np.arange(len(site_m))), coins)
    kinds = ("coin",) * coins + ("mec",) * mecs
    return Hosts(kinds, (*map(int, chosen), *(_central(site_m, stripe) for stripe in _stripes(site_m, mecs))))


def _central(site_m: FloatArray, members: IntArray) -> int:
    """The member nearest the middle of all members."""
    own = site_m[members]
    return int(members[np.argmin(np.linalg.norm(own - own.mean(axis=0), axis=1))])


def _stripes(site_m: FloatArray, count: int) -> list[IntArray]:
    """All sites, divided evenly across the axis along which they extend farthest."""
    if count == 0:
        return []
    centred = site_m - site_m.mean(axis=0)
    longest = np.linalg.svd(centred, full_matrices=False)[2][0]
    return np.array_split(np.argsort(centred @ longest, kind="stable"), count)


def _users_nearest_to(site_m: FloatArray, user_m: FloatArray) -> IntArray:
    from scipy.spatial import KDTree

    return np.bincount(KDTree(site_m).query(user_m)[1], minlength=len(site_m)).astype(np.int64)


def _spread(site_m: FloatArray, first: int, count: int) -> IntArray:
    """Farthest-first traversal (Gonzalez 1985): no site is farther from a chosen one than twice the least possible."""
    chosen = np.empty(count, dtype=np.int64)
    distance = np.full(len(site_m), np.inf)
    site = first
    for k in range(count):
        chosen[k] = site
        distance = np.minimum(distance, np.linalg.norm(site_m - site_m[site], axis=1))
        distance[chosen[: k + 1]] = -1.0  # two sites may share a position: never choose one twice
        site = int(np.argmax(distance))
    return chosen
