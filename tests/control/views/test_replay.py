"""Logs folded and decided again: no difference, unless somebody has changed them."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np

from slicewright.control.decision.recording import decided
from slicewright.control.journal.records import GENESIS, Position, chained, to_line
from slicewright.control.journal.sqlite.logs import read_log
from slicewright.control.state.device import Device, devices_of
from slicewright.control.state.events import (
    Decided,
    DecisionChanged,
    DevicesAdmitted,
    DevicesRemoved,
    Event,
    MethodChanged,
    NetworkSet,
    Sent,
)
from slicewright.control.state.events.differences import recorded
from slicewright.control.state.fold import fold, sends
from slicewright.control.state.grants import Grant
from slicewright.control.state.network import Network
from slicewright.control.state.state import OrchestratorState, dump, load
from slicewright.control.views.replay import replay_log
from tests.control.support.decisions import DECISION_OPTIONS, decide_now
from tests.control.support.scenes import DATA, moved, scenario_of


def history() -> tuple[list[Event], OrchestratorState]:
    """A day in the life: requests, decisions, moves, a refusal, another method."""
    rng = np.random.default_rng(1)
    state = OrchestratorState()
    events: list[Event] = []

    def happen(event: Event) -> None:
        nonlocal state
        events.append(event)
        state = fold(state, event)

    scenario = scenario_of(14, 6)
    devices: tuple[Device, ...] = devices_of(scenario)
    happen(NetworkSet(Network.of(scenario).document))
    happen(DevicesAdmitted(devices, key="k", request_digest="d"))
    for round_ in range(6):
        pinned = frozenset({"s2"}) if round_ == 3 else frozenset()
        _, settlement = decide_now(state, pinned, state.methods.active)
        situation = state.situation(pinned)
        decision = decided(
            situation, settlement, (), epoch=state.epoch + 1, options=DECISION_OPTIONS, pinned=pinned,
            previous=state.places, duration_s=float(rng.random()),
        )  # fmt: skip
        happen(recorded(state.last, decision))
        sent: Sent
        for sent in sends(state, pinned):
            happen(sent)
        happen(DevicesAdmitted((moved(devices[round_], rng),)))
        if round_ == 2:
            happen(MethodChanged("switch", "best-response"))
        if round_ == 4:
            happen(DevicesRemoved((devices[0].id,)))
    return events, state


def test_the_state_survives_a_checkpoint() -> None:
    _, state = history()
    again = load(json.loads(json.dumps(dump(state))))
    assert dump(again) == dump(state)
    assert isinstance(again.accounts["s0"].held, Grant)
    assert again.situation().digest == state.situation().digest


def test_replay_finds_no_difference_and_finds_every_alteration(tmp_path: Path) -> None:
    events, _ = history()
    records = chained(GENESIS, 0, 1.5, events)
    lines = [to_line(record) for record in records]
    log = tmp_path / "log.jsonl"
    log.write_text("\n".join(lines))
    report = replay_log(read_log(log))
    assert report.differences == ()
    assert (report.decisions, report.recomputed) == (6, 6)
    altered = list(lines)
    where = next(k for k, line in enumerate(lines) if '"decided"' in line)
    altered[where] = altered[where].replace('"seed":0', '"seed":1', 1)
    log.write_text("\n".join(altered))
    assert [d.what for d in replay_log(read_log(log)).differences] == ["chain"]
    log.write_text("\n".join(lines[:where] + lines[where + 1 :]))
    assert "chain" in [d.what for d in replay_log(read_log(log)).differences]
    # Somebody rewrites a decision and the chain after it: the hashes fit, the answer does not.
    for kind in (Decided, DecisionChanged):
        k, made = next((k, e) for k, e in enumerate(events) if isinstance(e, kind))
        forged = replace(made, cost_s=1.0)
        report = replay_log(chained(GENESIS, 0, 1.5, [*events[:k], forged, *events[k + 1 :]]))
        assert [d.what for d in report.differences] == ["cost_s"]


def test_logs_of_whole_decisions_replay() -> None:
    """Written before decisions were recorded as differences; what follows may be differences."""
    records = list(read_log(DATA / "log-whole-decisions.jsonl"))
    report = replay_log(records)
    assert report.differences == ()
    assert (report.records, report.recomputed) == (34, 5)
    half = next(k for k, record in enumerate(records) if record.event.kind == "checkpoint")
    assert replay_log(records[half:]).differences == ()
    here = Position(OrchestratorState()).after(records)
    situation = here.state.situation()
    _, settlement = decide_now(here.state)
    now = decided(
        situation, settlement, (), epoch=here.state.epoch + 1, options=DECISION_OPTIONS, pinned=(),
        previous=here.state.places, duration_s=0.01,
    )  # fmt: skip
    more = chained(here.hash, here.sequence, 1.5, (recorded(here.state.last, now),))
    assert more[0].event.kind == "decision-changed"
    assert replay_log([*records, *more]).differences == ()
