"""Prometheus metrics: base units, ratios from 0 to 1, no device as a label."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from prometheus_client import CollectorRegistry, Counter, Histogram, disable_created_metrics, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric

from slicewright.control.state.events import Decided
from slicewright.control.views.picture import Picture

disable_created_metrics()  # type: ignore[no-untyped-call]  # prometheus_client has no types there
_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)


class Metrics:
    """Counters of decisions and requests, and gauges read when scraped.

    Args:
        gauges: called at every scrape.
    """

    def __init__(self, gauges: Callable[[], Iterator[Metric]]) -> None:
        self._registry = CollectorRegistry()
        self._decisions = Counter(
            "slicewright_decisions",
            "Decisions, by the method whose answer was used.",
            ["path"],
            registry=self._registry,
        )
        self._attempts = Counter(
            "slicewright_decision_attempts",
            "Links of the fallback chain, by method and result.",
            ["path", "result"],
            registry=self._registry,
        )
        self._duration = Histogram(
            "slicewright_decision_duration_seconds",
            "Time of a decision.",
            buckets=_BUCKETS,
            registry=self._registry,
        )
        self.requests = Counter(
            "slicewright_http_requests",
            "Answered requests.",
            ["method", "route", "status"],
            registry=self._registry,
        )
        self._registry.register(_Gauges(gauges))

    def also(self, gauges: Callable[[], Iterator[Metric]]) -> None:
        """Further gauges, called at every scrape."""
        self._registry.register(_Gauges(gauges))

    def observe(self, decision: Decided) -> None:
        """Count a decision."""
        self._decisions.labels(decision.method).inc()
        for attempt in decision.attempts:
            self._attempts.labels(attempt.method, attempt.result).inc()
        self._duration.observe(decision.duration_s)

    def text(self) -> bytes:
        """The exposition."""
        return generate_latest(self._registry)


class _Gauges:
    def __init__(self, gauges: Callable[[], Iterator[Metric]]) -> None:
        self._gauges = gauges

    def collect(self) -> Iterator[Metric]:
        return self._gauges()


def picture_gauges(picture: Picture) -> Iterator[Metric]:
    """Gauges of a plan: cost, bound, residuals, and shares requested, quantised and realised."""
    plan, split = picture.plan, picture.split
    places = GaugeMetricFamily("slicewright_devices", "Devices, by where they are served.", labels=["state"])
    offloaded = 0 if plan is None else int((~plan.decisions.local).sum())
    places.add_metric(["offloaded"], offloaded)
    places.add_metric(["local"], len(picture.state.devices) - offloaded)
    yield places
    yield GaugeMetricFamily("slicewright_epoch", "Number of the last decision.", value=picture.state.epoch)
    if plan is None or split is None:
        return
    yield GaugeMetricFamily("slicewright_system_cost_seconds", "Sum of completion times.", value=plan.cost_s)
    yield GaugeMetricFamily(
        "slicewright_lower_bound_seconds", "No plan has a smaller cost.", value=plan.lower_bound_s
    )
    residuals = GaugeMetricFamily(
        "slicewright_constraint_residual",
        "By how much a constraint is broken; 0 if it holds.",
        labels=["constraint"],
    )
    for rule, residual in plan.violations.residuals.items():
        residuals.add_metric([rule], residual)
    yield residuals
    shares = GaugeMetricFamily(
        "slicewright_bandwidth_share_ratio",
        "Inter-slice share of an access point.",
        labels=["access_point", "slice", "kind"],
    )
    for kind, array in (
        ("requested", split.requested),
        ("quantised", split.percent / 100),
        ("realised", split.realised),
    ):
        for a, point in enumerate(plan.scenario.access_points):
            for n, item in enumerate(plan.scenario.slices):
                shares.add_metric([point, item.name, kind], float(array[a, n]))
    yield shares
