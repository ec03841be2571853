"""What the server itself is busy with, as metrics."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from slicewright.control.http.guards.auth import Access, TokenFile
from slicewright.control.http.guards.connections import ConnectionLimits
from slicewright.control.http.guards.work import Bench, Streams


def server_gauges(
    bench: Bench, streams: Mapping[str, Streams], connections: ConnectionLimits | None, access: Access
) -> Iterator[Metric]:
    """Work, streams and connections that are open, and what was refused."""
    yield GaugeMetricFamily(
        "slicewright_http_work", "Answers that are worked on or wait for it.", value=float(bench.busy)
    )
    kinds = GaugeMetricFamily("slicewright_http_streams", "Streams that are open.", labels=["kind"])
    for kind, counted in streams.items():
        kinds.add_metric([kind], float(counted.open))
    yield kinds
    if connections is not None:
        yield GaugeMetricFamily(
            "slicewright_http_connections",
            "Connections that are open.",
            value=float(connections.open.total()),
        )
        refused = CounterMetricFamily(
            "slicewright_http_connections_ended", "Connections that broke a limit.", labels=["limit"]
        )
        for limit, count in connections.refused.items():
            refused.add_metric([limit], float(count))
        yield refused
    if isinstance(access.tokens, TokenFile):
        yield CounterMetricFamily(
            "slicewright_tokens_refused",
            "Changes of the file of tokens that could not be read.",
            value=float(access.tokens.refused),
        )
