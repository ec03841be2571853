"""Plans from columns: the best plan that is made of sets generated so far, as an integer programme.

Where nodes are full, search moves one or two devices at a time between groups that have no room; sets that the pricing
problems found good, put together anew, are plans that such moves do not reach.
"""

from __future__ import annotations

import time

import numpy as np

from slicewright.slicing._kernels.problem import Problem
from slicewright.slicing.decisions import LOCAL
from slicewright.slicing.exact._kernels.master import N_COLUMNS, Master
from slicewright.slicing.exact._kernels.pricing import Choices
from slicewright.slicing.search import UNLIMITED
from slicewright.types import IntArray

MOST_NODES = 2000
"""Of the integer programme's own tree."""
LONGEST_S = 10.0
BUDGET_PART = 0.2
"""Part of the time left that it may take."""
CLOSE = 1e-5
CHOSEN = 0.5


def combine_columns(
    problem: Problem, choices: Choices, master: Master, deadline: int
) -> tuple[IntArray, IntArray] | None:
    """(link, group) of the best plan of whole columns, or nothing if none was found in time (deadline in ns)."""
    from scipy.optimize import Bounds, LinearConstraint, milp
    from scipy.sparse import csc_matrix

    count, rows = int(master.count[N_COLUMNS]), master.basic.size
    n_cover = 2 * problem.local_time.size
    first = master.first[: count + 1]
    entries = np.ones(int(first[-1]))
    table = csc_matrix((entries, master.row[: entries.size], first), shape=(rows, count))
    least, most = np.full(rows, -np.inf), np.ones(rows)
    least[:n_cover], most[:n_cover] = 1.0, np.inf
    options: dict[str, float] = {"node_limit": MOST_NODES, "mip_rel_gap": CLOSE}
    if deadline != UNLIMITED:  # without a budget the answer must not depend on the clock
        seconds_left = (deadline - time.perf_counter_ns()) * 1e-9
        options["time_limit"] = min(LONGEST_S, max(0.0, BUDGET_PART * seconds_left))
    found = milp(
        master.cost[:count],
        constraints=LinearConstraint(table, least, most),
        integrality=np.ones(count),
        bounds=Bounds(0.0, 1.0),
        options=options,
    )
    if found.x is None:
        return None
    return _decided(problem, choices, master, np.flatnonzero(found.x > CHOSEN))


def _decided(
    problem: Problem, choices: Choices, master: Master, columns: IntArray
) -> tuple[IntArray, IntArray]:
    """What devices do in a plan of whole columns; who is served twice takes the last."""
    n_devices, n_aps = problem.local_time.size, problem.n_access_points
    link, group = np.full(n_devices, LOCAL), np.full(n_devices, LOCAL)
    home = np.zeros(n_devices, dtype=np.bool_)
    for c in columns:
        e = int(master.resource[c])
        members = slice(master.first[c], master.first[c + 1] - (1 if e >= 0 else 0))
        rows, options = master.row[members].astype(np.int64), master.option[members].astype(np.int64)
        if e < 0:
            home[rows[0]] = True
        elif e < n_aps:
            link[rows] = choices.links[e, rows]
        else:
            group[rows - n_devices] = options * problem.n_nodes + e - n_aps
    stays = home | (link == LOCAL) | (group == LOCAL)
    return np.where(stays, LOCAL, link), np.where(stays, LOCAL, group)
