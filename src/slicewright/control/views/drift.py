"""How far what managers say they enforce is from what they are to enforce."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from prometheus_client.core import GaugeMetricFamily, Metric

from slicewright.control.messages.status import Status
from slicewright.control.sharing.allocation import Allocation
from slicewright.control.state.grants import Grant
from slicewright.control.views.picture import Picture


def drift(target: Grant, wanted: Allocation, status: Status | None) -> dict[str, float]:
    """Largest difference between desired and reported share of one slice, by kind of resource.

    Args:
        target: what the slice is to end up with.
        wanted: intra-slice shares that follow from it.
        status: what the manager said last; None if nothing yet, and then everything desired is missing.

    Returns:
        ``bandwidth`` (omega), ``radio`` and ``compute`` (phi): 0 where all is as it should be, at most 1.
    """
    held: Mapping[str, float] = {} if status is None else status.held.bandwidth
    return {
        "bandwidth": _largest(target.bandwidth, held),
        "radio": _largest(wanted.radio, {} if status is None else status.radio),
        "compute": _largest(wanted.compute, {} if status is None else status.compute),
    }


def _largest(wanted: Mapping[str, float], found: Mapping[str, float]) -> float:
    names = {*wanted, *found}
    return max((abs(wanted.get(name, 0.0) - found.get(name, 0.0)) for name in names), default=0.0)


def drift_gauges(desired: Picture, granted: Picture, statuses: Mapping[str, Status]) -> Iterator[Metric]:
    """The drift of every slice.

    Args:
        desired: the picture of targets. granted: what is held. A slice that holds its target is to keep the shares
            that are on record for it, which may be its model's.
        statuses: the newest of every manager.
    """
    gauge = GaugeMetricFamily(
        "slicewright_enforcement_drift_ratio",
        "Largest difference between a desired share and the one that the slice's manager reports.",
        labels=["slice", "resource"],
    )
    costs = GaugeMetricFamily(
        "slicewright_share_cost_ratio",
        "Times of a slice under its manager's rule (SP1) over those of the closed form.",
        labels=["slice", "path"],
    )
    for name, target in desired.grants.items():
        status = statuses.get(name)
        at_target = desired.state.accounts[name].settled and name in granted.allocations
        wanted = (granted if at_target else desired).allocations[name]
        for resource, ratio in drift(target, wanted, status).items():
            gauge.add_metric([name, resource], ratio)
        if status is not None:
            costs.add_metric([name, status.sharing.path], status.sharing.cost_ratio)
    yield gauge
    yield costs
