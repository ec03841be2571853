"""Scenarios: sound ones are immutable values, unsound ones are refused in one sentence."""

from typing import Any

import numba
import numpy as np
import pytest
from scipy import sparse

import slicewright as sw
from slicewright.network import Scenario, SliceId
from slicewright.slicing.compact import compact


@pytest.fixture
def good() -> Scenario:
    return sw.preset("paper-slicing", devices=4, seed=1)


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("task_bits", [1e6, -1, 1e6, 1e6], r"devices.task_bits\[1\] is -1 but must be positive"),
        ("task_bits", [], "there must be at least one device"),
        ("local_cycles", [1, 2, 3], r"devices.local_cycles: must have shape 4 \(devices\), not 3"),
        (
            "arrival_rate_hz",
            [0.1, np.nan, 0.1, 0.1],
            r"devices.arrival_rate_hz\[1\] is nan but must be a finite",
        ),
        ("local_capacity_hz", [0, 1, 1, 1], r"devices.local_capacity_hz\[0\] is 0 but must be positive"),
        ("rate_bps", np.full((4, 3), -1.0), r"rate_bps\[0\]\[0\] is -1 but must not be negative"),
        ("rate_bps", np.ones((4, 2)), "must have shape 4 x 3"),
        ("rate_bps", np.full((4, 3), np.inf), "finite"),
        ("node_capacity_hz", np.zeros((0, 3)), "at least one node"),
        ("node_capacity_hz", np.full((9, 3), -5.0), r"nodes.capacity_hz\[0\]\[0\] is -5"),
        ("bandwidth_hz", [], "at least one access point"),
        ("slice_cycles", [[1, 2, 3]] * 3, "devices.slice_cycles: must have shape 4 x 3"),
        ("slice_cycles", [[1, 2], [1, 2, 3], [1, 2, 3], [1, 2, 3]], "rows must have equal lengths"),
        ("queueing", "mm1", "queueing is 'mm1' but must be one of node, device"),
        ("node_kinds", ("coin",) * 8 + ("cloud",), r"nodes.kinds\[8\] is 'cloud'"),
        ("access_points", ("a", "b", "a"), r"access_points.names\[2\] is 'a' but appears twice"),
        ("slices", (SliceId("x"),), "slices is 1 but must have 3 entries"),
    ],
)
def test_unsound_scenarios_are_refused_with_field_index_and_rule(
    good: Scenario, field: str, value: Any, message: str
) -> None:
    with pytest.raises(sw.InvalidScenarioError, match=message) as caught:
        good.with_(**{field: value})
    assert "\n" not in str(caught.value)
    assert caught.value.field
    assert caught.value.rule


def test_arrays_are_read_only(good: Scenario) -> None:
    with pytest.raises(ValueError, match="read-only"):
        good.task_bits[0] = 1.0


@pytest.mark.parametrize(
    "laid_out", [np.asfortranarray, lambda x: np.repeat(x, 2, axis=0)[::2], sparse.csc_array]
)
def test_kernels_see_the_same_types_however_arrays_are_laid_out(good: Scenario, laid_out: Any) -> None:
    """Other ones would be compiled for anew, which takes a first plan a minute."""
    fields: tuple[str, ...] = ("slice_cycles", "rate_bps", "node_capacity_hz")
    if laid_out is sparse.csc_array:
        fields = ("rate_bps",)
    odd = good.with_(**{field: laid_out(getattr(good, field)) for field in fields})
    assert numba.typeof(compact(odd).problem) == numba.typeof(compact(good).problem)


def test_counts_and_local_times(good: Scenario) -> None:
    assert (good.n_devices, good.n_access_points, good.n_nodes, good.n_slices) == (4, 3, 9, 3)
    assert np.allclose(good.local_time_s, good.local_cycles / good.local_capacity_hz)


def test_candidate_links_are_the_same_from_dense_and_sparse_rates(good: Scenario) -> None:
    rates = np.array(good.rate_bps)
    rates[0, 1] = rates[2, :] = 0.0
    dense, compressed = good.with_(rate_bps=rates), good.with_(rate_bps=sparse.csr_array(rates))
    for one, other in zip(dense.links, compressed.links, strict=True):
        assert np.array_equal(one, other)
    assert dense.links.start.tolist() == [0, 2, 5, 5, 8]
    plans = [sw.plan(s, rounds=30) for s in (dense, compressed)]
    assert plans[0].decisions == plans[1].decisions
    assert plans[0].decisions.local[2]


def test_scenarios_survive_pickling_to_worker_processes(good: Scenario) -> None:
    import pickle

    again = pickle.loads(pickle.dumps(good))
    assert isinstance(again, Scenario)
    assert np.array_equal(again.rate_bps, good.rate_bps)


def test_errors_survive_pickling_to_worker_processes(good: Scenario) -> None:
    import pickle

    with pytest.raises(sw.InvalidScenarioError) as caught:
        good.with_(task_bits=[0, 1, 1, 1])
    again = pickle.loads(pickle.dumps(caught.value))
    assert (str(again), again.index) == (str(caught.value), (0,))
