"""Grants under every order of messages: no plan in force breaks a constraint."""

from __future__ import annotations

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from slicewright.control.decision.decide import decide
from slicewright.control.decision.recording import decided
from slicewright.control.orchestrator.turn import status_events
from slicewright.control.slice_manager.state import ManagerState, receive, status_of
from slicewright.control.state.events import DevicesAdmitted, DevicesRemoved, Event
from slicewright.control.state.fold import fold, sends
from slicewright.control.state.grants import Grant
from slicewright.control.state.options import ControlOptions
from slicewright.control.state.state import OrchestratorState
from tests.control.support.scenes import crowded, judge_world, moved, state_with


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
