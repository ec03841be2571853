"""What a placed task means to every switch: meters and flows. Pure; nothing here knows a controller library."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

from slicewright.enforcement.sdn.fabric import Fabric, Hop

COOKIE_TAG = 0x5357 << 48
COOKIE_MASK = 0xFFFF << 48
"""Our flows carry this tag in their cookie, so that nobody else's are touched."""
TASK_PRIORITY = 200
ASK_PRIORITY = 1
CONTROLLER = 0xFFFF_FFFD
"""OpenFlow's name for whoever controls the switch."""
IN_PORT = 0xFFFF_FFF8
"""OpenFlow's name for "back where it came from": sending to the very port number would drop the packet."""
FIRST_PORT, LAST_PORT = 20_000, 59_999
BURST_S = 0.1
LEAST_BURST_KBIT = 25
_ETH_IP, _ETH_ARP, _TCP, _UDP = 0x0800, 0x0806, 6, 17

MatchField: TypeAlias = tuple[str, int | str]


class Meter(NamedTuple):
    """A limit on what may enter: packets above it are dropped."""

    meter_id: int
    rate_kbps: int
    burst_kbit: int


@dataclass(frozen=True)
class Flow:
    """Traffic of one part of a task on one switch."""

    cookie: int
    match: tuple[MatchField, ...]
    out_port: int
    meter_id: int | None = None
    priority: int = TASK_PRIORITY


QUESTIONS = Flow(COOKIE_TAG, (("eth_type", _ETH_ARP),), CONTROLLER, priority=ASK_PRIORITY)
"""Hosts that ask for an address are answered by the controller: every switch has this flow."""


@dataclass(frozen=True)
class Rules:
    """What one switch needs to know of one task."""

    meters: tuple[Meter, ...] = ()
    flows: tuple[Flow, ...] = ()

    def __add__(self, other: Rules) -> Rules:
        return Rules(self.meters + other.meters, self.flows + other.flows)


@dataclass(frozen=True)
class Part:
    """The way to one executor.

    Attributes:
        executor: name of its node.
        hops: from the access point to the executor.
        meter_id: of the meter where the traffic enters.
    """

    executor: str
    hops: tuple[Hop, ...]
    meter_id: int


@dataclass(frozen=True)
class Changes:
    """What brings a switch from what it has to what it should have; nothing else of it is touched.

    Attributes:
        remove_flows, remove_meters: too many. change_meters: of the right number and the wrong rate.
        add_meters, add_flows: missing; a flow that does something else with the same traffic is replaced.
    """

    remove_flows: tuple[Flow, ...] = ()
    remove_meters: tuple[Meter, ...] = ()
    change_meters: tuple[Meter, ...] = ()
    add_meters: tuple[Meter, ...] = ()
    add_flows: tuple[Flow, ...] = ()

    @property
    def count(self) -> int:
        """How many differences there are."""
        parts = (
            self.remove_flows,
            self.remove_meters,
            self.change_meters,
            self.add_meters,
            self.add_flows,
        )
        return sum(map(len, parts))


def difference(found: Rules, wanted: Rules) -> Changes:
    """What to do to a switch that has some rules so that it has others. What is right already goes on undisturbed.

    Args:
        found: flows with our tag, and all meters. wanted: what it should have.
    """
    flows = {_traffic(flow): flow for flow in wanted.flows}
    meters = {meter.meter_id: meter for meter in wanted.meters}
    had_flows = {_traffic(flow): flow for flow in found.flows}
    had_meters = {meter.meter_id: meter for meter in found.meters}
    # A switch removes the flows of a meter that it loses.
    orphans = {meter_id for meter_id in had_meters if meter_id not in meters}
    kept = {key for key, flow in had_flows.items() if flow.meter_id not in orphans}
    return Changes(
        remove_flows=tuple(flow for key, flow in had_flows.items() if key not in flows),
        remove_meters=tuple(had_meters[meter_id] for meter_id in sorted(orphans)),
        change_meters=tuple(
            meter for key, meter in meters.items() if key in had_meters and had_meters[key] != meter
        ),
        add_meters=tuple(meter for key, meter in meters.items() if key not in had_meters),
        add_flows=tuple(
            flow for key, flow in flows.items() if key not in kept or not _same(had_flows[key], flow)
        ),
    )


def _traffic(flow: Flow) -> tuple[int, tuple[MatchField, ...]]:
    """What tells flows of one table apart."""
    return flow.priority, tuple(sorted(flow.match))


def _same(flow: Flow, other: Flow) -> bool:
    return (flow.cookie, flow.out_port, flow.meter_id) == (other.cookie, other.out_port, other.meter_id)


def meter_of(rate_bps: float, meter_id: int) -> Meter:
    """A meter of this rate; its burst is a tenth of a second's worth."""
    kbps = max(1, round(rate_bps / 1000))
    return Meter(meter_id, kbps, max(LEAST_BURST_KBIT, round(kbps * BURST_S)))


def task_rules(
    fabric: Fabric, *, number: int, access_point: str, port: int, rate_bps: float, parts: Iterable[Part]
) -> dict[str, Rules]:
    """Meters and flows of a task, by switch.

    Forward flows are told apart by executor and the task's own port, backward flows by the same the other way
    round; TCP and UDP both. Every flow also matches the port it comes in by, because the way to the second executor may
    pass a switch twice.

    Args:
        fabric: addresses.
        number: of the task; part of the cookie.
        access_point: where it comes from.
        port: TCP and UDP port that marks the task's traffic.
        rate_bps: what may enter for each part.
        parts: ways to the executors.
    """
    source = fabric.hosts[access_point].ip
    rules: dict[str, Rules] = {}
    for part in parts:
        target = fabric.hosts[part.executor].ip
        for k, hop in enumerate(part.hops):
            meters = (meter_of(rate_bps, part.meter_id),) if k == 0 else ()
            out = hop.out_port if hop.out_port != hop.in_port else IN_PORT
            back = hop.in_port if hop.out_port != hop.in_port else IN_PORT
            flows = []
            for protocol, name in ((_TCP, "tcp"), (_UDP, "udp")):
                common: tuple[MatchField, ...] = (("eth_type", _ETH_IP), ("ip_proto", protocol))
                forward = (("in_port", hop.in_port), *common, ("ipv4_dst", target), (f"{name}_dst", port))
                if k == 0:
                    forward = (*forward, ("ipv4_src", source))
                backward = (
                    ("in_port", hop.out_port), *common,
                    ("ipv4_src", target), ("ipv4_dst", source), (f"{name}_src", port),
                )  # fmt: skip
                flows.append(Flow(COOKIE_TAG | number, forward, out, part.meter_id if k == 0 else None))
                flows.append(Flow(COOKIE_TAG | number, backward, back))
            rules[hop.switch] = rules.get(hop.switch, Rules()) + Rules(meters, tuple(flows))
    return rules


def rules_of(tasks: Iterable[Mapping[str, Rules]], switch: str) -> Rules:
    """All that one switch needs to know of many tasks."""
    return sum((task.get(switch, Rules()) for task in tasks), Rules())
