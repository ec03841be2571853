"""A city cut into domains: access points that share devices stay together, nodes follow the devices that list them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from slicewright.slicing.city._kernels.problem import Problem
from slicewright.types import FloatArray, IntArray

ROUNDS = 300
"""Of the power iteration for a cut; the cut need not be the best."""


@dataclass(frozen=True, eq=False)
class Partition:
    """Which domain everything belongs to, 0 to count - 1.

    Attributes:
        count: of domains.
        access_point, node, device: (A,), (J,), (I,) domains.
    """

    count: int
    access_point: IntArray
    node: IntArray
    device: IntArray


def cut_city(problem: Problem, count: int) -> Partition:
    """Spectral bisection of the access points, again and again, with about the same number of devices in each domain.

    A device belongs to the domain of its fastest access point, a node to that of most of the devices that list it.

    Args:
        problem: the city.
        count: of domains wanted; at most as many as access points.
    """
    from scipy import sparse

    devices, access_points = problem.local_time.size, problem.n_access_points
    lengths = problem.link_end - problem.link_start
    owner = np.repeat(np.arange(devices), lengths)
    marks = sparse.csr_array(
        (np.ones(owner.size), (owner, problem.access_point)), shape=(devices, access_points)
    )
    shared = sparse.csr_array(marks.T @ marks)
    fastest = _fastest(problem, owner)
    weight = np.bincount(fastest[fastest >= 0], minlength=access_points).astype(np.float64) + 1e-3
    of_point = np.zeros(access_points, dtype=np.int64)
    _bisect(shared, weight, np.arange(access_points), min(count, max(1, access_points)), 0, of_point)
    count = int(of_point.max(initial=0)) + 1
    of_device = np.where(fastest >= 0, of_point[np.maximum(fastest, 0)] if access_points else 0, 0)
    listers = np.repeat(np.arange(devices), problem.node_end - problem.node_start)
    nodes = problem.capacity.shape[0]
    votes = np.bincount(problem.node * count + of_device[listers], minlength=nodes * count)
    return Partition(count, of_point, votes.reshape(nodes, count).argmax(axis=1), of_device)


def _fastest(problem: Problem, owner: IntArray) -> IntArray:
    """(I,) The access point that a device reaches fastest; -1 where it reaches none."""
    order = np.lexsort((problem.link_root, owner))
    fastest = np.full(problem.local_time.size, -1)
    first = np.flatnonzero(np.diff(owner[order], prepend=-1))
    fastest[owner[order][first]] = problem.access_point[order[first]]
    return fastest


def _bisect(
    shared: Any, weight: FloatArray, members: IntArray, count: int, number: int, domain: IntArray
) -> None:
    """Number the domains of ``members`` from ``number`` on."""
    if count <= 1 or members.size <= 1:
        domain[members] = number
        return
    left = count // 2
    order = members[np.argsort(_fiedler(shared, members), kind="stable")]
    grown = np.cumsum(weight[order])
    at = int(np.searchsorted(grown, grown[-1] * left / count))
    at = min(max(at, left), members.size - (count - left)) if members.size >= count else members.size // 2
    _bisect(shared, weight, order[:at], left, number, domain)
    _bisect(shared, weight, order[at:], count - left, number + left, domain)


def _fiedler(shared: Any, members: IntArray) -> FloatArray:
    """(members,) About the second eigenvector of the normalised Laplacian: near members have near values."""
    from scipy import sparse

    graph = sparse.csr_array(shared)[members][:, members]
    root = np.sqrt(np.maximum(np.asarray(graph.sum(axis=1)).ravel(), 1e-9))
    walk = sparse.diags_array(1 / root) @ graph @ sparse.diags_array(1 / root)
    still = root / np.linalg.norm(root)
    vector = np.random.default_rng(0).normal(size=members.size)
    for _ in range(ROUNDS):
        vector -= still * (still @ vector)
        vector = 0.5 * (vector + walk @ vector)
        vector /= max(float(np.linalg.norm(vector)), 1e-300)
    return np.asarray(vector / root)
