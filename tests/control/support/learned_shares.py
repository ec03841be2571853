"""Managers that share by a shipped model."""

from __future__ import annotations

from dataclasses import replace

from slicewright.control.decision.decide import decide
from slicewright.control.decision.settlement import Settlement
from slicewright.control.messages.details import Details, details_of
from slicewright.control.sharing.rules import LearnedShares
from slicewright.control.slice_manager.state import ManagerState, inform, receive
from slicewright.control.state.device import devices_of
from slicewright.control.state.network import Network
from slicewright.network.scenario import Scenario
from tests.control.support.scenes import judge_world, scenario_of, state_with

LEARNED = LearnedShares("deepsets-s", limit_s=5.0)


AS_TRAINED = scenario_of(24, 3, coins=8)


def decision(scenario: Scenario) -> Settlement:
    settlement = decide(state_with(scenario)[0].situation(), "auto", rounds=20, seed=0)
    assert settlement is not None
    return settlement


def details_for(scenario: Scenario, name: str) -> Details:
    return details_of(Network.of(scenario), devices_of(scenario), name)


def managed(scenario: Scenario, rule: LearnedShares = LEARNED) -> dict[str, ManagerState]:
    out = {}
    for name, grant in decision(scenario).targets.items():
        manager = inform(ManagerState.fresh(name, rule=rule), details_for(scenario, name))
        out[name] = receive(manager, replace(grant, revision=1))
    return out


def judged(scenario: Scenario, managers: dict[str, ManagerState]) -> None:
    devices = {d.id: d for d in devices_of(scenario)}
    grants = {name: m.grant for name, m in managers.items()}
    judge_world(Network.of(scenario), devices, grants, {n: m.allocation for n, m in managers.items()})
