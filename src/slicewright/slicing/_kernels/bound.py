"""A proven lower bound on the system cost: a convex relaxation solved device by device, certified by its dual.

Relaxation (model page 1.4, strengthened). Decisions become shares in [0, 1], 13b only excludes what a device could
not use even alone, and a queue counts only a device's own arrivals: right for variant "device", too little for
"node". Access points and groups are then resources of one kind, of cost Q^2 / (F - D) with Q = sum root z and
D = sum load z: an access point has root sqrt(T), load 0 and F = 1; a group has root sqrt(L), load alpha L and its
capacity. Since every device on a resource costs at least what it would cost there alone, the resource also costs
at least sum alone z, and so at least any mixture of the two. The mixture with weight theta on the congested part
is convex in z and counts what congestion forgets: a device split over many empty nodes is not free.

Dual. With a price rho (at its best Q / (F - D)), a whole device on a resource is charged

    (1 - theta) alone + theta rho (2 root + rho load),

and for ANY theta in [0, 1] and rho >= 0 no plan is cheaper than

    sum_i min(tau_i, cheapest access point + cheapest group) - sum over resources of theta rho^2 F.

So the bound holds however far the iterations got; they only find good prices.
"""

from __future__ import annotations

import numpy as np

from slicewright.compiled import inlined, kernel, now_ns, outlined
from slicewright.slicing._kernels.problem import LOCAL

# Rows of the array of resources: access points first, then groups.
ROOTS, LOAD, ALONE, SIZE, MIX, PRICE = range(6)
RESOURCE_ROWS = 6

CLOSE = 1e-5  # stop when the bound is this near (relative) to the value of the relaxation
NEAR = 0.01  # the same where the relaxation is of little use
CHECK_EVERY = 10  # device rounds between two evaluations of the bound
PATIENCE = 3  # stop when so many evaluations in a row brought less than that
WIDE, FRESH_STARTS = (
    2e-3,
    2,
)  # unless more than this is open still: then theta moves as in the beginning, so many times
POLE = 0.98  # the relaxed queue load of a group stays below this part of its capacity
SOME = 1e-12  # shares below this count as none
LEAST_MIX = 0.02  # keeps a resource from losing its congestion for good
MIX_STEP, MIX_DECAY = 0.2, 0.05  # how fast theta follows the larger of the two costs


@inlined
def charge(r, e, root, load, alone):
    """What a whole device is charged on a resource at its present congestion."""
    rho = r[ROOTS, e] / (r[SIZE, e] - r[LOAD, e])
    return (1.0 - r[MIX, e]) * alone + r[MIX, e] * rho * (2.0 * root + rho * load)


@inlined
def curvature(r, e, root, load):
    """Second derivative of a resource's cost in the share of one device."""
    left = r[SIZE, e] - r[LOAD, e]
    slope = root + r[ROOTS, e] / left * load
    return 2.0 * r[MIX, e] * slope * slope / left


@inlined
def shift(r, e, mass, root, load, alone):
    """Put ``mass`` of a device on a resource, or take it away if negative."""
    r[ROOTS, e] += mass * root
    r[LOAD, e] += mass * load
    r[ALONE, e] += mass * alone


@inlined
def room(r, e, load):
    """How much of a device still fits on a resource before its queue comes near the pole."""
    return max(0.0, POLE * r[SIZE, e] - r[LOAD, e]) / load if load > 0.0 else np.inf


@inlined
def step_length(saving, bend, most):
    """Newton step along a direction that saves ``saving`` per unit at first, at most ``most``."""
    return min(most, saving / bend) if bend > 0.0 else most


@inlined
def extremes_of_links(problem, r, x, i):
    """Cheapest link of a device and the dearest one it uses: (link, charge, link, charge)."""
    best, least, worst, most = LOCAL, np.inf, LOCAL, -np.inf
    for link in range(problem.start[i], problem.start[i + 1]):
        t = problem.link_root[link]
        asked = charge(r, problem.access_point[link], t, 0.0, t * t)
        if asked < least:
            best, least = link, asked
        if x[link] > SOME and asked > most:
            worst, most = link, asked
    return best, least, worst, most


@inlined
def extremes_of_groups(problem, r, z, alone, i):
    """Cheapest group of a device and the dearest one it uses: (group, charge, group, charge)."""
    best, least, worst, most = LOCAL, np.inf, LOCAL, -np.inf
    for g in range(problem.capacity.size):
        if alone[i, g] < np.inf:
            n = g // problem.n_nodes
            work = problem.work[i, n]
            e = problem.n_access_points + g
            asked = charge(r, e, problem.work_root[i, n], problem.arrival[i] * work, alone[i, g])
            if asked < least:
                best, least = g, asked
            if z[i, g] > SOME and asked > most:
                worst, most = g, asked
    return best, least, worst, most


@inlined
def shift_link(problem, r, x, link, mass):
    t = problem.link_root[link]
    x[link] += mass
    shift(r, problem.access_point[link], mass, t, 0.0, t * t)


@inlined
def shift_group(problem, r, z, alone, i, g, mass):
    n = g // problem.n_nodes
    work = problem.work[i, n]
    z[i, g] += mass
    shift(
        r, problem.n_access_points + g, mass, problem.work_root[i, n], problem.arrival[i] * work, alone[i, g]
    )


@inlined
def bend_of_link(problem, r, link):
    return curvature(r, problem.access_point[link], problem.link_root[link], 0.0)


@inlined
def bend_of_group(problem, r, i, g):
    n = g // problem.n_nodes
    return curvature(
        r, problem.n_access_points + g, problem.work_root[i, n], problem.arrival[i] * problem.work[i, n]
    )


@inlined
def room_in_group(problem, r, i, g):
    return room(r, problem.n_access_points + g, problem.arrival[i] * problem.work[i, g // problem.n_nodes])


@outlined
def relax_device(problem, r, x, z, home, alone, i):
    """Three pairwise steps of device i: between links, between groups, between local and offloaded."""
    tau = problem.local_time[i]
    link, link_least, dear_link, link_most = extremes_of_links(problem, r, x, i)
    group, group_least, dear_group, group_most = extremes_of_groups(problem, r, z, alone, i)
    if link == LOCAL or group == LOCAL:
        return
    if dear_link != LOCAL and link_most > link_least:
        bend = bend_of_link(problem, r, dear_link) + bend_of_link(problem, r, link)
        mass = step_length(link_most - link_least, bend, x[dear_link])
        shift_link(problem, r, x, dear_link, -mass)
        shift_link(problem, r, x, link, mass)
    if dear_group != LOCAL and group_most > group_least:
        bend = bend_of_group(problem, r, i, dear_group) + bend_of_group(problem, r, i, group)
        mass = step_length(
            group_most - group_least, bend, min(z[i, dear_group], room_in_group(problem, r, i, group))
        )
        shift_group(problem, r, z, alone, i, dear_group, -mass)
        shift_group(problem, r, z, alone, i, group, mass)
    link, link_least, dear_link, link_most = extremes_of_links(problem, r, x, i)
    group, group_least, dear_group, group_most = extremes_of_groups(problem, r, z, alone, i)
    if home[i] > SOME and link_least + group_least < tau:
        bend = bend_of_link(problem, r, link) + bend_of_group(problem, r, i, group)
        mass = step_length(
            tau - link_least - group_least, bend, min(home[i], room_in_group(problem, r, i, group))
        )
    elif dear_link != LOCAL and dear_group != LOCAL and link_most + group_most > tau:
        link, group = dear_link, dear_group
        bend = bend_of_link(problem, r, link) + bend_of_group(problem, r, i, group)
        mass = -step_length(link_most + group_most - tau, bend, min(x[link], z[i, group]))
    else:
        return
    home[i] -= mass
    shift_link(problem, r, x, link, mass)
    shift_group(problem, r, z, alone, i, group, mass)


@outlined
def follow_mix(r, rate):
    """Move every theta towards the larger of the two costs it mixes: the bound takes their maximum."""
    for e in range(r.shape[1]):
        crowded = r[ROOTS, e] * r[ROOTS, e] / (r[SIZE, e] - r[LOAD, e])
        both = crowded + r[ALONE, e]
        if both > 0.0:
            r[MIX, e] = min(1.0, max(LEAST_MIX, r[MIX, e] + rate * (crowded - r[ALONE, e]) / both))


@outlined
def dual_value(problem, r, alone):
    """The bound at the prices and mixtures in ``r``. Valid whatever they are."""
    n_aps = problem.n_access_points
    value = 0.0
    for e in range(r.shape[1]):
        value -= r[MIX, e] * r[PRICE, e] * r[PRICE, e] * r[SIZE, e]
    for i in range(problem.local_time.size):
        radio, compute = np.inf, np.inf
        for link in range(problem.start[i], problem.start[i + 1]):
            a, t = problem.access_point[link], problem.link_root[link]
            radio = min(radio, (1.0 - r[MIX, a]) * t * t + r[MIX, a] * r[PRICE, a] * 2.0 * t)
        for n in range(problem.work.shape[1]):
            root, load = problem.work_root[i, n], problem.arrival[i] * problem.work[i, n]
            for j in range(problem.n_nodes):
                g = n * problem.n_nodes + j
                theta, rho = r[MIX, n_aps + g], r[PRICE, n_aps + g]
                compute = min(compute, (1.0 - theta) * alone[i, g] + theta * rho * (2.0 * root + rho * load))
        value += min(problem.local_time[i], radio + compute)
    return value


@outlined
def relaxed_value(problem, r, home):
    """Cost of the present shares in the relaxation, each resource at the larger of its two costs."""
    value = 0.0
    for e in range(r.shape[1]):
        value += max(r[ROOTS, e] * r[ROOTS, e] / (r[SIZE, e] - r[LOAD, e]), r[ALONE, e])
    for i in range(home.size):
        value += home[i] * problem.local_time[i]
    return value


@kernel
def times_alone(problem):
    """(I, N * J) s. Execution time of a device that has a group to itself; infinity where it breaks 13b or 13c."""
    alone = np.empty((problem.local_time.size, problem.capacity.size))
    for i in range(alone.shape[0]):
        for g in range(alone.shape[1]):
            work = problem.work[i, g // problem.n_nodes]
            left = problem.capacity[g] - problem.arrival[i] * work
            time = work / left if left > 0.0 else np.inf
            alone[i, g] = time if time <= problem.local_time[i] else np.inf
    return alone


@kernel
def relax(problem, alone, link, group, useful, rounds, deadline):
    """Solve the relaxation from a plan: (bound, value of the relaxation, resources at the best prices).

    At most ``rounds`` over the devices, at most to the deadline (ns). A good plan saves rounds but cannot change what
    is proven. Roughly where the relaxation's value turns out to be below ``useful``, s. Steps of theta shorten with
    the rounds; where that stops them half way, they are long once more.
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
    best, best_r, stalled = 0.0, r.copy(), 0
    since, starts = 0, 0
    for done in range(rounds):
        if done % CHECK_EVERY == 0:
            for e in range(r.shape[1]):
                r[PRICE, e] = r[ROOTS, e] / (r[SIZE, e] - r[LOAD, e])
            value = dual_value(problem, r, alone)
            stalled = 0 if value > best * (1.0 + CLOSE) else stalled + 1
            if value > best:
                best = value
                best_r[:] = r
            above = relaxed_value(problem, r, home)
            if above - best < (CLOSE if above >= useful else NEAR) * best or now_ns() > deadline:
                break
            if stalled > PATIENCE:
                if starts == FRESH_STARTS or above - best < WIDE * best:
                    break
                since, starts, stalled = done, starts + 1, 0
        for i in range(n_devices):
            relax_device(problem, r, x, z, home, alone, i)
            if (i & 255) == 255 and now_ns() > deadline:
                break
        follow_mix(r, MIX_STEP / (1.0 + MIX_DECAY * (done - since)))
    return best, relaxed_value(problem, r, home), best_r


@kernel
def prices_of(problem, alone, r):
    """((I,) price of radio, (I,) price of compute): a device's cheapest charge, together at most its local time."""
    n_devices, n_aps = problem.local_time.size, problem.n_access_points
    radio, compute = np.zeros(n_devices), np.zeros(n_devices)
    for i in range(n_devices):
        tau, least = problem.local_time[i], np.inf
        for k in range(problem.start[i], problem.start[i + 1]):
            a, t = problem.access_point[k], problem.link_root[k]
            least = min(least, (1.0 - r[MIX, a]) * t * t + r[MIX, a] * r[PRICE, a] * 2.0 * t)
        radio[i] = min(least, tau)
        least = np.inf
        for g in range(problem.capacity.size):
            n = g // problem.n_nodes
            root, load = problem.work_root[i, n], problem.arrival[i] * problem.work[i, n]
            theta, rho = r[MIX, n_aps + g], r[PRICE, n_aps + g]
            least = min(least, (1.0 - theta) * alone[i, g] + theta * rho * (2.0 * root + rho * load))
        compute[i] = min(least, tau)
        radio[i] = min(radio[i], tau - compute[i])
    return radio, compute
