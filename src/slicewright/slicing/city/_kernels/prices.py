"""Prices of a plan: what its congestion asks of every device. Any prices make a valid bound; these make a good one."""

from __future__ import annotations

import numpy as np

from slicewright.compiled import kernel
from slicewright.slicing._kernels.problem import LOCAL
from slicewright.slicing.city._kernels.problem import join_group, leave_group, update_costs
from slicewright.slicing.city._kernels.response import cheapest_group


@kernel
def marginal_prices(problem, state, least_price):
    """((A,) sqrt(s) rho of access points, (I,) s price of compute) of a plan: marginal congestion.

    A device's price is the cheapest growth of a listed node, at most what its local time leaves beside the cheapest
    access point; at least ``least_price`` of that, since prices change by factors.
    """
    rho = state.radio.copy()
    widest = np.max(problem.link_root) if problem.link_root.size else 0.0
    for a in range(rho.size):
        rho[a] = max(rho[a], least_price * widest)
    price = np.empty(problem.local_time.size)
    for i in range(price.size):
        tau, way = problem.local_time[i], np.inf
        for link in range(problem.link_start[i], problem.link_end[i]):
            way = min(way, 2.0 * rho[problem.access_point[link]] * problem.link_root[link])
        most = tau - way
        node, slice_ = state.node[i], state.slice[i]
        if node != LOCAL:
            leave_group(problem, state, i)
            update_costs(problem, state, node)
        growth = cheapest_group(problem, state, i, tau)[0]
        if node != LOCAL:
            join_group(problem, state, i, node, slice_)
            update_costs(problem, state, node)
        price[i] = max(min(most, growth), least_price * tau)
    return rho, price
