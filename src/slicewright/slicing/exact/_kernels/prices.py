"""Good prices to begin with: those of the convex relaxation (``slicing/_kernels/bound.py``)."""

from __future__ import annotations

import numpy as np

from slicewright.compiled import kernel, now_ns
from slicewright.slicing._kernels.bound import (
    CHECK_EVERY,
    CLOSE,
    MIX,
    MIX_DECAY,
    MIX_STEP,
    PRICE,
    RESOURCE_ROWS,
    SIZE,
    D,
    Q,
    dual_value,
    follow_mix,
    relax_device,
    relaxed_value,
    room_in_group,
    shift_group,
    shift_link,
)
from slicewright.slicing._kernels.problem import LOCAL


@kernel
def relaxed_prices(problem, alone, link, group, rounds, deadline):
    """(bound, (I,) price of radio, (I,) price of compute) of the convex relaxation, started from a plan.

    A device's price is its cheapest charge; both together never exceed its local time.
    """
    n_devices, n_aps, n_groups = problem.local_time.size, problem.n_access_points, problem.capacity.size
    x, z, home = np.zeros(problem.link_root.size), np.zeros((n_devices, n_groups)), np.ones(n_devices)
    r = np.zeros((RESOURCE_ROWS, n_aps + n_groups))
    for e in range(n_aps + n_groups):
        r[SIZE, e] = 1.0 if e < n_aps else problem.capacity[e - n_aps]
        r[MIX, e] = 0.5
    for i in range(n_devices):
        if link[i] != LOCAL and alone[i, group[i]] < np.inf and room_in_group(problem, r, i, group[i]) >= 1.0:
            home[i] = 0.0
            shift_link(problem, r, x, link[i], 1.0)
            shift_group(problem, r, z, alone, i, group[i], 1.0)
    best, best_r = 0.0, r.copy()
    for done in range(rounds):
        if done % CHECK_EVERY == 0:
            for e in range(r.shape[1]):
                r[PRICE, e] = r[Q, e] / (r[SIZE, e] - r[D, e])
            bound = dual_value(problem, r, alone)
            if bound > best:
                best = bound
                best_r[:] = r
            if relaxed_value(problem, r, home) - best < CLOSE * best or now_ns() > deadline:
                break
        for i in range(n_devices):
            relax_device(problem, r, x, z, home, alone, i)
        follow_mix(r, MIX_STEP / (1.0 + MIX_DECAY * done))
    radio, compute = np.zeros(n_devices), np.zeros(n_devices)
    for i in range(n_devices):
        tau, least = problem.local_time[i], np.inf
        for k in range(problem.start[i], problem.start[i + 1]):
            a, t = problem.access_point[k], problem.link_root[k]
            least = min(least, (1.0 - best_r[MIX, a]) * t * t + best_r[MIX, a] * best_r[PRICE, a] * 2.0 * t)
        radio[i] = min(least, tau)
        least = np.inf
        for g in range(n_groups):
            n = g // problem.n_nodes
            root, load = problem.work_root[i, n], problem.arrival[i] * problem.work[i, n]
            theta, rho = best_r[MIX, n_aps + g], best_r[PRICE, n_aps + g]
            least = min(least, (1.0 - theta) * alone[i, g] + theta * rho * (2.0 * root + rho * load))
        compute[i] = min(least, tau)
        radio[i] = min(radio[i], tau - compute[i])
    return best, radio, compute
