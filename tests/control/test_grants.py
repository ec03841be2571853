"""Grants under every order of messages: nothing is handed out twice, and no plan in force breaks a constraint."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from slicewright.control.decision.decide import decide
from slicewright.control.decision.recording import decided
from slicewright.control.orchestrator import status_events
from slicewright.control.slice_manager.state import ManagerState, fault, receive, status_of
from slicewright.control.state.events import DevicesAdmitted, DevicesRemoved, Event
from slicewright.control.state.fold import fold, sends
from slicewright.control.state.grants import Grant, GrantAccount, Seat, is_safe, next_grants, release
from slicewright.control.state.options import ControlOptions
from slicewright.control.state.state import OrchestratorState
from tests.control.support import crowded, judge_world, moved, state_with

SEAT = Seat("ap0", "coin0", 1e7, 1e7, 1e7, 10.0, 0.1)


def grant(name: str, omega: float, *, seats: Mapping[str, Seat] | None = None, others: float = 0.0) -> Grant:
    return Grant(
        name,
        bandwidth={"ap0": omega},
        seats=seats or {},
        others_hz={"coin0": others},
        capacity_hz={"coin0": 1e9},
    )


def account(name: str, omega: float, target: float) -> GrantAccount:
    return GrantAccount(grant(name, omega), grant(name, target))


def test_a_growing_slice_waits_until_the_other_has_shrunk() -> None:
    accounts = {"x": account("x", 0.6, 0.9), "y": account("y", 0.4, 0.1)}
    assert [(g.slice, stage) for g, stage in next_grants(accounts)] == [("y", "target")]
    accounts["y"] = replace(accounts["y"], sent=grant("y", 0.1))
    assert next_grants(accounts) == [], "y may still hold 0.4"
    accounts["y"] = GrantAccount(grant("y", 0.1), grant("y", 0.1))
    assert [(g.slice, stage) for g, stage in next_grants(accounts)] == [("x", "target")]


def test_a_device_changes_slices_by_way_of_local() -> None:
    here, gone = grant("x", 0.5, seats={"d": SEAT}), grant("x", 0.5)
    there = grant("y", 0.5, seats={"d": SEAT})
    accounts = {"x": GrantAccount(here, gone), "y": GrantAccount(grant("y", 0.5), there)}
    assert [g.slice for g, _ in next_grants(accounts)] == ["x"]
    assert not is_safe(there, accounts)


def test_arrivals_never_exceed_what_another_slice_counts_on() -> None:
    counting = grant("x", 0.5, seats={"d": SEAT}, others=0.05)
    accounts = {"x": GrantAccount(counting, counting), "y": GrantAccount(grant("y", 0.5), grant("y", 0.5))}
    assert not is_safe(grant("y", 0.5, seats={"e": SEAT}, others=1.0), accounts)
    assert is_safe(grant("y", 0.5, seats={"e": replace(SEAT, arrival_hz=0.04)}, others=1.0), accounts)


def test_a_release_keeps_only_what_both_have() -> None:
    old = grant("x", 0.7, seats={"a": SEAT, "b": SEAT, "c": SEAT}, others=0.3)
    new = grant("x", 0.5, seats={"a": SEAT, "b": replace(SEAT, node="coin1"), "d": SEAT}, others=0.1)
    kept = release(old, new)
    assert set(kept.seats) == {"a"}
    assert kept.bandwidth == {"ap0": 0.5}
    assert kept.others_hz == {"coin0": 0.3}


def test_a_manager_refuses_what_cannot_be_applied_and_keeps_the_last_good_one() -> None:
    good = replace(grant("x", 0.5, seats={"d": SEAT}), revision=1)
    manager = receive(ManagerState.fresh("x"), good)
    assert manager.allocation.radio == {"d": 1.0}
    for bad in (
        replace(good, revision=2, slice="y"),
        replace(good, revision=2, bandwidth={"ap0": 1.2}),
        replace(good, revision=2, capacity_hz={}),
        replace(good, revision=2, others_hz={}),
        replace(good, revision=2, seats={"d": replace(SEAT, cycles=-1.0)}),
    ):
        assert fault("x", bad)
        refusing = receive(manager, bad)
        assert (refusing.refused, refusing.grant) == (2, good)
        assert refusing.reason
        status = status_of(refusing, "m")
        assert (status.applied, status.refused) == (1, 2)


def test_stale_and_repeated_grants_change_nothing() -> None:
    newer = replace(grant("x", 0.5, seats={"d": SEAT}), revision=5)
    manager = receive(ManagerState.fresh("x"), newer)
    for revision in (5, 4, 0):
        assert receive(manager, replace(newer, revision=revision, bandwidth={"ap0": 0.9})) is manager


class World:
    """An orchestrator and managers joined by a network that delays, loses and repeats messages."""

    def __init__(self, seed: int) -> None:
        self.rng = np.random.default_rng(seed)
        scenario = crowded(devices=10, seed=seed)
        self.state, self.devices = state_with(scenario)
        self.managers = {name: ManagerState.fresh(name) for name in self.state.accounts}
        self.down: list[Grant] = []
        self.up: list[tuple[str, int]] = []
        self.statuses = {name: status_of(m, "m") for name, m in self.managers.items()}

    def happen(self, event: Event) -> None:
        self.state = fold(self.state, event)

    def step(self, action: int, away: frozenset[str]) -> None:
        pick = self.devices[int(self.rng.integers(len(self.devices)))]
        if action == 0:
            self.happen(DevicesAdmitted((moved(pick, self.rng),)))
        elif action == 1 and pick.id in self.state.devices:
            self.happen(DevicesRemoved((pick.id,)))
        elif action == 2:
            self.decide(away)
        elif action == 3:
            for sent in sends(self.state, away):
                self.happen(sent)
                outstanding = self.state.accounts[sent.slice].sent
                assert outstanding is not None
                self.down.append(outstanding)
        elif action == 4 and self.down:
            self.deliver(self.down[int(self.rng.integers(len(self.down)))])
        elif action == 5:
            for name, manager in self.managers.items():
                if self.rng.random() < 0.5:
                    self.statuses[name] = status_of(manager, "m")
            for event in status_events.grants_answered(self.state, self.statuses):
                self.happen(event)

    def deliver(self, message: Grant) -> None:
        name = message.slice
        self.managers[name] = receive(self.managers[name], message)

    def decide(self, away: frozenset[str]) -> None:
        moving = {name for name, b in self.state.accounts.items() if b.sent is not None}
        pinned = away | moving
        situation = self.state.situation(pinned)
        keep = 0.05 if self.rng.random() < 0.5 else 0.0
        settlement = decide(
            situation,
            "greedy",
            rounds=1,
            seed=0,
            epoch=self.state.epoch + 1,
            previous=self.state.places,
            keep_ratio=keep,
        )
        assert settlement is not None, "the judge rejects what was planned"
        self.happen(
            decided(
                situation, settlement, (), epoch=self.state.epoch + 1, options=ControlOptions(), pinned=pinned,
                previous=self.state.places, duration_s=0.0,
            )
        )  # fmt: skip

    def judge(self) -> None:
        assert self.state.network is not None
        grants = {name: m.grant for name, m in self.managers.items()}
        allocations = {name: m.allocation for name, m in self.managers.items()}
        judge_world(self.state.network, self.state.devices, grants, allocations)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    seed=st.integers(0, 10_000),
    actions=st.lists(
        st.tuples(st.integers(0, 5), st.frozensets(st.sampled_from(["s0", "s1", "s2"]), max_size=2)),
        min_size=20,
        max_size=60,
    ),
)
def test_whatever_the_network_does_the_world_obeys_every_constraint(
    seed: int, actions: list[tuple[int, frozenset[str]]]
) -> None:
    world = World(seed)
    world.decide(frozenset())
    for action, away in actions:
        world.step(action, away)
        world.judge()


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_everything_arrives_at_its_target_once_messages_flow(seed: int) -> None:
    world = World(seed)
    for _ in range(3):
        world.step(0, frozenset())
        world.decide(frozenset())
        for _ in range(6):
            world.step(3, frozenset())
            for message in world.down:
                world.deliver(message)
            world.statuses = {name: status_of(m, "m") for name, m in world.managers.items()}
            for event in status_events.grants_answered(world.state, world.statuses):
                world.happen(event)
            world.judge()
        assert world.state.settled
    assert isinstance(world.state, OrchestratorState)
