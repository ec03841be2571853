"""What tasks ask of their ways, by one compiled pass and by plain numpy: the same to the last bit."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from slicewright.placement import PLACEMENT_REGIMES, placement_preset
from slicewright.placement.problem.options import _limits, _speeds, _ways


@settings(max_examples=25, deadline=None)
@given(name=st.sampled_from(sorted(PLACEMENT_REGIMES)), seed=st.integers(0, 10_000))
def test_options_are_what_numpy_makes_of_them(name: str, seed: int) -> None:
    tasks = placement_preset(
        f"regime/{name}", tasks=8, seed=seed, lower_coins=3, upper_coins=2, access_points=3
    )
    found, topology = tasks.options, tasks.topology
    network = slice(0, found.in_network)
    nodes, full = found.nodes[network], found.full[network]
    lengths, pace = _ways(topology, nodes)
    rate = _speeds(topology, nodes, tasks.split)[None] / tasks.cycles[:, None, None]
    sent = tasks.size_bits[:, None, None] * pace[tasks.access_point] + tasks.uplink_s[:, None, None]
    sent = np.where((nodes >= 0)[None], sent, 0.0)
    idle = (sent + 1.0 / rate)[:, ~full].max(axis=2).min(axis=1)
    longest = np.where(full[None], np.minimum(tasks.deadline_s, idle)[:, None], tasks.deadline_s[:, None])
    assert (found.cost[:, network] == tasks.size_bits[:, None] * lengths[tasks.access_point]).all()
    assert (found.rate[:, network] == rate).all()
    assert (found.sent_s[:, network] == sent).all()
    assert (found.idle_partial_s == idle).all()
    assert (found.limit[:, network] == _limits(rate, longest[:, :, None] - sent)).all()
