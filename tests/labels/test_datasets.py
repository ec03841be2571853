"""The three published data sets agree with the store, with each other, and with the rules of the model."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from slicewright.errors import InvalidOptionError
from slicewright.labels import (
    Job,
    Recipe,
    build_labels,
    read_labels,
    sp1_dataset,
    sp2_dataset,
    sp3_dataset,
    split_of,
)
from slicewright.models.slicing.features import targets


def test_targets_are_those_of_the_plans(store: Path) -> None:
    data = sp3_dataset(store)
    requests = data.sp2.sp1.requests
    for k, label in enumerate(read_labels(store)):
        assert label.scenario is not None and label.solution is not None
        i = label.scenario.n_devices
        want = targets(label.scenario, label.solution.decisions, label.solution.shares)
        np.testing.assert_allclose(data.sp2.sp1.share[k, :, :i], want.share, rtol=1e-6)
        np.testing.assert_allclose(data.sp2.bandwidth[k], want.bandwidth, rtol=1e-6)
        np.testing.assert_array_equal(data.choice[k, :i], want.choice)
        np.testing.assert_array_equal(requests.devices[k, :i, 0], label.scenario.task_bits)
        assert requests.mask[k].sum() == i
        assert requests.seed[k] == label.seed


def test_padding_is_nothing_and_nothing_is_nan(store: Path) -> None:
    data = sp3_dataset(store, max_devices=9)
    requests, empty = data.sp2.sp1.requests, ~data.sp2.sp1.requests.mask
    assert requests.mask.shape[1] == 9
    assert not requests.devices[empty].any()
    assert not data.sp2.sp1.share.transpose(0, 2, 1, 3)[empty].any()
    for part in (data.access_point, data.node, data.slice, data.offload, data.choice):
        assert (part[empty] == -1).all()
    for array in (requests.devices, requests.network, data.sp2.sp1.share, data.sp2.bandwidth):
        assert np.isfinite(array).all()


def test_columns_are_named(store: Path) -> None:
    requests = sp1_dataset(store).requests
    assert len(requests.device_columns) == requests.devices.shape[2]
    assert len(requests.network_columns) == requests.network.shape[1]
    scenario = read_labels(store)[0].scenario
    assert scenario is not None
    network = dict(zip(requests.network_columns, requests.network[0], strict=True))
    assert network["node_capacity_hz[8,2]"] == scenario.node_capacity_hz[8, 2]
    device = dict(zip(requests.device_columns, requests.devices[0, 1], strict=True))
    assert device["transmission_s[2]"] == pytest.approx(scenario.task_bits[1] / scenario.rate_bps[1, 2])
    assert device["slice_cycles[1]"] == scenario.slice_cycles[1, 1]


def test_used_resources_are_used_up_and_the_rest_is_slack(store: Path) -> None:
    sp2 = sp2_dataset(store)
    for slack in (sp2.sp1.slack, sp2.slack):
        assert np.isin(np.round(slack, 6), [0.0, 1.0]).all()


def test_a_share_is_positive_exactly_where_the_device_goes(store: Path) -> None:
    """Why upstream outputs as inputs are a leak."""
    data = sp3_dataset(store)
    assert ((data.sp2.sp1.share > 0).sum(axis=(1, 3)) == 2 * (data.offload == 1)).all()


def test_splits_are_disjoint_and_together_all(store: Path) -> None:
    parts = [sp1_dataset(store, split=name).requests for name in ("train", "validation", "test")]
    seeds = np.concatenate([part.seed for part in parts])
    assert sorted(seeds) == list(range(40))
    for part, name in zip(parts, ("train", "validation", "test"), strict=True):
        assert all(split_of(int(seed)) == name for seed in part.seed)


def test_refusals_name_the_rule(store: Path, tmp_path: Path) -> None:
    with pytest.raises(InvalidOptionError, match="must be one of train"):
        sp1_dataset(store, split="training")
    with pytest.raises(InvalidOptionError, match="must be at least"):
        sp1_dataset(store, max_devices=3)
    with pytest.raises(InvalidOptionError, match="folder with a"):
        sp1_dataset(tmp_path)
    job = Job(Recipe(devices=(2, 3), vary={"coins": (2, 3)}), method="tests.labels.methods:sound")
    build_labels(tmp_path / "mixed", job, count=6, workers=1)
    with pytest.raises(InvalidOptionError, match="networks of one size"):
        sp3_dataset(tmp_path / "mixed")
