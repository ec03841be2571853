"""The os-ken application: OpenFlow 1.3 messages in, :class:`Service` calls out, and back.

os-ken finds the application class by looking at this module's classes; needs the extra ``sdn``.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Any, TypeVar, cast

from os_ken.base.app_manager import OSKenApp
from os_ken.controller import ofp_event
from os_ken.controller.handler import CONFIG_DISPATCHER, DEAD_DISPATCHER, MAIN_DISPATCHER, set_ev_cls
from os_ken.lib.packet import arp, ethernet, packet
from os_ken.ofproto import ofproto_v1_3

from slicewright.enforcement.sdn.rules import (
    COOKIE_MASK,
    COOKIE_TAG,
    QUESTIONS,
    Changes,
    Flow,
    Meter,
    Rules,
    difference,
)
from slicewright.enforcement.sdn.service import Service, Told, Wanted

_ETH_ARP = 0x0806
_LOST = "the switch is away"


_Handler = TypeVar("_Handler", bound=Callable[..., None])


def _on(event: type, states: object) -> Callable[[_Handler], _Handler]:
    """os-ken's decorator, which is untyped, with a type."""
    return cast(Callable[[_Handler], _Handler], set_ev_cls(event, states))


class Reply:
    """One batch of messages to a switch, ended by a barrier: done, refused or lost."""

    def __init__(self, xids: frozenset[int], barrier: int) -> None:
        self.xids, self.barrier = xids, barrier
        self.refusal: str | None = None
        self._over = threading.Event()

    def finish(self, refusal: str | None = None) -> None:
        """The switch has answered, or never will."""
        self.refusal = self.refusal or refusal
        self._over.set()

    def wait(self, timeout_s: float) -> str | None:
        """None when the switch has done everything, else what went wrong."""
        return self.refusal if self._over.wait(timeout_s) else f"no answer within {timeout_s:g} s"


class _Inquiry:
    """What a switch has, as far as it has said so."""

    def __init__(self, flows_xid: int, meters_xid: int, wanted: Wanted, told: Told) -> None:
        self.flows_xid, self.wanted, self.told = flows_xid, wanted, told
        self.open = {flows_xid, meters_xid}
        self.flows: list[Any] = []
        self.meters: list[Any] = []


def read_meter(said: Any) -> Meter:
    """A meter as a switch describes it; one that is not of our making has a rate that no meter of ours has."""
    if len(said.bands) != 1 or said.flags != ofproto_v1_3.OFPMF_KBPS | ofproto_v1_3.OFPMF_BURST:
        return Meter(said.meter_id, 0, 0)
    return Meter(said.meter_id, said.bands[0].rate, said.bands[0].burst_size)


def read_flow(said: Any) -> Flow:
    """A flow as a switch describes it; one that does more or less than ours do goes to a port that is none."""
    port, meter = 0, None
    for instruction in said.instructions:
        if instruction.type == ofproto_v1_3.OFPIT_METER:
            meter = instruction.meter_id
        elif instruction.type == ofproto_v1_3.OFPIT_APPLY_ACTIONS and len(instruction.actions) == 1:
            port = getattr(instruction.actions[0], "port", 0)
    return Flow(said.cookie, tuple(said.match.items()), port, meter, said.priority)


class SwitchChannel:
    """A connected switch, as the service sees it."""

    def __init__(self, datapath: Any) -> None:
        self.datapath = datapath
        self._open: list[Reply] = []
        self._inquiry: _Inquiry | None = None
        self._lock = threading.Lock()

    def synchronise(self, wanted: Wanted, told: Told) -> None:
        """Ask for all flows with our tag and all meters; when both are known, change what differs from what is wanted.

        What is right already stays in place and forwards on. A question that is never answered is asked again with the
        next call.
        """
        dp, of, make = self.datapath, self.datapath.ofproto, self.datapath.ofproto_parser
        flows = make.OFPFlowStatsRequest(
            dp, 0, of.OFPTT_ALL, of.OFPP_ANY, of.OFPG_ANY, COOKIE_TAG, COOKIE_MASK, make.OFPMatch()
        )
        meters = make.OFPMeterConfigStatsRequest(dp, 0, of.OFPM_ALL)
        with self._lock:
            self._inquiry = _Inquiry(dp.set_xid(flows), dp.set_xid(meters), wanted, told)
        for message in (flows, meters):
            dp.send_msg(message)

    def counted(self, xid: int, body: Sequence[Any], *, more: bool) -> None:
        """A part of what the switch has; with the last part of both answers, what differs is changed."""
        with self._lock:
            inquiry = self._inquiry
            if inquiry is None or xid not in inquiry.open:
                return
            (inquiry.flows if xid == inquiry.flows_xid else inquiry.meters).extend(body)
            if not more:
                inquiry.open.discard(xid)
            if inquiry.open:
                return
            self._inquiry = None
        found = Rules(tuple(map(read_meter, inquiry.meters)), tuple(map(read_flow, inquiry.flows)))
        with (
            inquiry.wanted() as rules
        ):  # nothing else is told meanwhile: what is wanted stays so until it is sent
            changes = difference(found, Rules(rules.meters, (QUESTIONS, *rules.flows)))
            reply = self._send(self._changes(changes)) if changes.count else None
        inquiry.told(changes, reply)

    def install(self, rules: Rules) -> Reply:
        """Know these rules too: meters first, because flows refer to them."""
        return self._send(self._additions(rules))

    def remove(self, rules: Rules) -> Reply:
        """Forget these rules: flows first."""
        dp, of, make = self.datapath, self.datapath.ofproto, self.datapath.ofproto_parser
        cookies = dict.fromkeys(flow.cookie for flow in rules.flows)
        return self._send(
            [
                *map(self._forget, cookies),
                *(make.OFPMeterMod(dp, command=of.OFPMC_DELETE, meter_id=m.meter_id) for m in rules.meters),
            ]
        )

    def answered(self, barrier: int) -> None:
        """A barrier reply has come: everything before it is done."""
        for reply in self._take(lambda reply: reply.barrier == barrier):
            reply.finish()

    def refused(self, xid: int, what: str) -> None:
        """An error message has come; the barrier reply is still to follow."""
        with self._lock:
            for reply in self._open:
                if xid in reply.xids:
                    reply.refusal = what

    def lost(self) -> None:
        """Nothing will be answered any more."""
        for reply in self._take(lambda reply: True):
            reply.finish(_LOST)

    def tell_address(self, message: Any, addresses: dict[str, str]) -> None:
        """Answer a host that asks who has an address."""
        make, frame = self.datapath.ofproto_parser, packet.Packet(message.data)
        asked, sender = frame.get_protocol(arp.arp), frame.get_protocol(ethernet.ethernet)
        if asked is None or asked.opcode != arp.ARP_REQUEST or asked.dst_ip not in addresses:
            return
        mac, reply = addresses[asked.dst_ip], packet.Packet()
        reply.add_protocol(ethernet.ethernet(dst=sender.src, src=mac, ethertype=_ETH_ARP))
        reply.add_protocol(
            arp.arp(
                opcode=arp.ARP_REPLY,
                src_mac=mac,
                src_ip=asked.dst_ip,
                dst_mac=asked.src_mac,
                dst_ip=asked.src_ip,
            )
        )
        reply.serialize()
        of = self.datapath.ofproto
        self.datapath.send_msg(
            make.OFPPacketOut(
                self.datapath, buffer_id=of.OFP_NO_BUFFER, in_port=of.OFPP_CONTROLLER,
                actions=[make.OFPActionOutput(message.match["in_port"])], data=reply.data,
            )
        )  # fmt: skip

    def _take(self, wanted: Any) -> list[Reply]:
        with self._lock:
            found = [reply for reply in self._open if wanted(reply)]
            self._open = [reply for reply in self._open if not wanted(reply)]
        return found

    def _additions(self, rules: Rules) -> list[Any]:
        return [*map(self._meter, rules.meters), *map(self._flow, rules.flows)]

    def _changes(self, changes: Changes) -> list[Any]:
        """In an order in which no flow is ever without its meter."""
        dp, of, make = self.datapath, self.datapath.ofproto, self.datapath.ofproto_parser
        return [
            *map(self._remove_flow, changes.remove_flows),
            *(
                make.OFPMeterMod(dp, command=of.OFPMC_DELETE, meter_id=m.meter_id)
                for m in changes.remove_meters
            ),
            *(self._meter(meter, of.OFPMC_MODIFY) for meter in changes.change_meters),
            *self._additions(Rules(changes.add_meters, changes.add_flows)),
        ]

    def _remove_flow(self, flow: Flow) -> Any:
        of, make = self.datapath.ofproto, self.datapath.ofproto_parser
        return make.OFPFlowMod(
            self.datapath, cookie=flow.cookie, cookie_mask=2**64 - 1, table_id=of.OFPTT_ALL,
            command=of.OFPFC_DELETE_STRICT, priority=flow.priority, out_port=of.OFPP_ANY, out_group=of.OFPG_ANY,
            match=make.OFPMatch(**dict(flow.match)), instructions=[],
        )  # fmt: skip

    def _meter(self, meter: Meter, command: int | None = None) -> Any:
        of, make = self.datapath.ofproto, self.datapath.ofproto_parser
        band = make.OFPMeterBandDrop(rate=meter.rate_kbps, burst_size=meter.burst_kbit)
        flags, add = of.OFPMF_KBPS | of.OFPMF_BURST, of.OFPMC_ADD
        return make.OFPMeterMod(
            self.datapath,
            command=add if command is None else command,
            flags=flags,
            meter_id=meter.meter_id,
            bands=[band],
        )

    def _flow(self, flow: Flow) -> Any:
        of, make = self.datapath.ofproto, self.datapath.ofproto_parser
        output = [make.OFPActionOutput(flow.out_port, of.OFPCML_NO_BUFFER)]
        metered = [] if flow.meter_id is None else [make.OFPInstructionMeter(flow.meter_id)]
        return make.OFPFlowMod(
            self.datapath, cookie=flow.cookie, priority=flow.priority, match=make.OFPMatch(**dict(flow.match)),
            instructions=[*metered, make.OFPInstructionActions(of.OFPIT_APPLY_ACTIONS, output)],
        )  # fmt: skip

    def _forget(self, cookie: int) -> Any:
        of, make = self.datapath.ofproto, self.datapath.ofproto_parser
        return make.OFPFlowMod(
            self.datapath, cookie=cookie, cookie_mask=2**64 - 1, table_id=of.OFPTT_ALL, command=of.OFPFC_DELETE,
            out_port=of.OFPP_ANY, out_group=of.OFPG_ANY, match=make.OFPMatch(), instructions=[],
        )  # fmt: skip

    def _send(self, messages: Sequence[Any]) -> Reply:
        barrier = self.datapath.ofproto_parser.OFPBarrierRequest(self.datapath)
        with self._lock:
            xids = frozenset(self.datapath.set_xid(message) for message in messages)
            reply = Reply(xids, self.datapath.set_xid(barrier))
            self._open.append(reply)
        for message in (*messages, barrier):
            self.datapath.send_msg(message)
        if self.datapath.state == DEAD_DISPATCHER:
            self.lost()
        return reply


class PlacementApp(OSKenApp):  # type: ignore[misc]  # os-ken is untyped
    """Tells the service about switches, and switches what the service wants."""

    OFP_VERSIONS = (ofproto_v1_3.OFP_VERSION,)

    def __init__(self, *, service: Service) -> None:
        super().__init__()
        self._service = service
        self._channels: dict[Any, SwitchChannel] = {}

    @_on(ofp_event.EventOFPStateChange, [MAIN_DISPATCHER, DEAD_DISPATCHER])
    def state_changed(self, event: Any) -> None:
        """A switch has come or gone."""
        datapath = event.datapath
        if event.state == MAIN_DISPATCHER:
            channel = self._channels[datapath] = SwitchChannel(datapath)
            self._service.connected(datapath.id, channel)
        elif gone := self._channels.pop(datapath, None):
            gone.lost()
            self._service.disconnected(datapath.id, gone)

    @_on(ofp_event.EventOFPBarrierReply, MAIN_DISPATCHER)
    def barrier_replied(self, event: Any) -> None:
        """A switch has done everything up to a barrier."""
        if channel := self._channels.get(event.msg.datapath):
            channel.answered(event.msg.xid)

    @_on(ofp_event.EventOFPFlowStatsReply, MAIN_DISPATCHER)
    def flows_counted(self, event: Any) -> None:
        """A switch says which flows it has."""
        self._counted(event.msg)

    @_on(ofp_event.EventOFPMeterConfigStatsReply, MAIN_DISPATCHER)
    def meters_counted(self, event: Any) -> None:
        """A switch says which meters it has."""
        self._counted(event.msg)

    def _counted(self, message: Any) -> None:
        if channel := self._channels.get(message.datapath):
            more = bool(message.flags & ofproto_v1_3.OFPMPF_REPLY_MORE)
            channel.counted(message.xid, message.body, more=more)

    @_on(ofp_event.EventOFPErrorMsg, [CONFIG_DISPATCHER, MAIN_DISPATCHER])
    def error_reported(self, event: Any) -> None:
        """A switch has refused a message."""
        message = event.msg
        self.logger.warning("switch refused a message: type %s, code %s", message.type, message.code)
        if channel := self._channels.get(message.datapath):
            channel.refused(message.xid, f"OpenFlow error type {message.type}, code {message.code}")

    @_on(ofp_event.EventOFPPacketIn, MAIN_DISPATCHER)
    def packet_came(self, event: Any) -> None:
        """A host asks for an address."""
        if channel := self._channels.get(event.msg.datapath):
            channel.tell_address(event.msg, dict(self._service.fabric.addresses))
