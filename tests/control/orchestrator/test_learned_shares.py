"""Managers with a learned model in one loop with their orchestrator."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from slicewright.control.journal.memory import MemoryJournal
from slicewright.control.journal.records import GENESIS, chained
from slicewright.control.messages.keys import measurement_key
from slicewright.control.messages.measurement import MEASUREMENT, Measurement
from slicewright.control.orchestrator.loop import Orchestrator
from slicewright.control.sharing.rules import share_rule
from slicewright.control.slice_manager.task import SliceManager
from slicewright.control.state.clock import LoopClock, end
from slicewright.control.state.device import devices_of
from slicewright.control.state.events import DevicesAdmitted, DevicesRemoved, NetworkSet, SharesReported
from slicewright.control.state.network import Network
from slicewright.control.state.options import ControlOptions
from slicewright.control.transport.memory import MemoryTransport
from slicewright.control.views.documents import slice_documents
from slicewright.control.views.drift import drift_gauges
from slicewright.control.views.picture import Picture
from slicewright.control.views.replay import replay_log
from tests.control.support.learned_shares import AS_TRAINED
from tests.control.support.simulated_time import simulate


def test_managers_with_a_model_are_told_what_it_needs_and_the_log_says_what_they_did() -> None:
    options = ControlOptions(rounds=5, shares="deepsets-s", share_limit_s=5.0)
    devices = devices_of(AS_TRAINED)

    async def story() -> None:
        clock = LoopClock()
        transport, journal = MemoryTransport(clock), MemoryJournal()
        sro = Orchestrator(journal, transport, clock=clock, instance="a", options=options, threads=False)
        managers = {
            name: SliceManager(
                name, transport, clock=clock, instance=name, options=options,
                rule=share_rule(options.shares, limit_s=5.0) if name != "s2" else share_rule("closed-form"),
            )
            for name in ("s0", "s1", "s2")
        }  # fmt: skip
        tasks = [asyncio.create_task(sro.run())]
        tasks += [asyncio.create_task(manager.run()) for manager in managers.values()]
        while not sro.leading:
            await asyncio.sleep(0.1)
        document = Network.of(AS_TRAINED).document
        await sro.submit(lambda s: (NetworkSet(document), DevicesAdmitted(devices)), wait=True)
        await asyncio.sleep(6)
        assert set(sro.state.shares_reported) == {"s0", "s1"}
        for name in ("s0", "s1"):
            assert managers[name].state.sharing.path == "deepsets-s"
            assert sro.state.shares_reported[name].radio == managers[name].state.allocation.radio
            assert sro.state.shares_reported[name].revision == sro.state.accounts[name].held.revision
        for gauge in drift_gauges(Picture(sro.state, "desired"), Picture(sro.state), sro.statuses):
            if "drift" in gauge.name:
                assert [s.value for s in gauge.samples] == [0.0] * 9, (
                    "a model's shares on record are no drift"
                )
        picture = Picture(sro.state)
        assert picture.plan is not None
        assert picture.plan.violations.feasible, picture.plan.violations.explain()
        assert picture.plan.cost_s > (Picture(sro.state, "desired").plan or picture.plan).cost_s
        shown = {s["name"]: s["manager"]["shares"] for s in slice_documents(picture, sro.statuses, {})}
        assert shown["s0"]["path"] == "deepsets-s"
        assert shown["s2"] == {"path": "closed-form", "reason": "", "cost_ratio": 1.0}
        # A measurement and a departure: shares follow, and so does the log once the grants do.
        device = next(iter(managers["s0"].state.allocation.radio))
        bits = managers["s0"].state.grant.seats[device].task_bits
        newer = Measurement(device, 1, task_bits=bits / 2)
        await transport.put(measurement_key(device), MEASUREMENT.dump_json(newer))
        await sro.submit(lambda s: (DevicesRemoved((devices[0].id,)),), wait=True)
        await asyncio.sleep(8)
        assert sro.state.settled
        for name in ("s0", "s1"):
            assert sro.state.shares_reported[name].radio == managers[name].state.allocation.radio
        await end(tasks)
        assert replay_log(journal.records).differences == ()
        events = [record.event for record in journal.records]
        k = max(k for k, e in enumerate(events) if isinstance(e, SharesReported) and len(e.compute) > 1)
        kept = events[k]
        assert isinstance(kept, SharesReported)
        forged = replace(kept, compute=dict.fromkeys(kept.compute, 0.9))
        report = replay_log(chained(GENESIS, 0, 1.5, [*events[:k], forged, *events[k + 1 :]]))
        assert "shares" in [d.what for d in report.differences]

    simulate(story)
