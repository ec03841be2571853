"""Environments: what the checkers of their libraries ask, that they repeat, and that all three mean the same."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

import slicewright as sw
from slicewright.errors import InvalidOptionError
from slicewright.simulation import Air, Disciplines, Settings, Walk
from slicewright.slicing.shares import optimal_shares
from tests.shared import ROOT

pytest.importorskip("gymnasium")
pytest.importorskip("pettingzoo")

from gymnasium.utils.env_checker import check_env
from pettingzoo.test import parallel_api_test

from slicewright.simulation.environments import (
    OffloadingEnv,
    OffloadingVectorEnv,
    Reward,
    SliceManagersEnv,
)
from slicewright.simulation.environments.epochs import choice_of, decisions_of


@pytest.fixture(scope="module")
def scenario() -> sw.Scenario:
    return sw.preset("paper-slicing", devices=6, seed=3)


def environment(scenario: sw.Scenario, **options: Any) -> OffloadingEnv:
    return OffloadingEnv(scenario, epoch_s=5.0, horizon_s=20.0, **options)


def test_the_checker_of_gymnasium_finds_nothing(scenario: sw.Scenario) -> None:
    check_env(
        environment(scenario, settings=Settings(air=Air(shadowing_db=6.0, fading=True))),
        skip_render_check=True,
    )


def test_the_checker_of_pettingzoo_finds_nothing(scenario: sw.Scenario) -> None:
    parallel_api_test(SliceManagersEnv(scenario, epoch_s=5.0, horizon_s=20.0), num_cycles=6)


def test_choices_and_decisions_are_the_same(scenario: sw.Scenario) -> None:
    plan = sw.plan(scenario, rounds=50)
    choice = choice_of(scenario, plan.decisions)
    assert decisions_of(scenario, choice) == plan.decisions
    assert (choice == 0).tolist() == plan.decisions.local.tolist()


def test_terms_are_named_and_sum_to_the_reward(scenario: sw.Scenario) -> None:
    env = environment(scenario, reward=Reward(waiting=2.0, late=0.5, moved=0.25))
    env.reset(seed=1)
    action = choice_of(scenario, sw.plan(scenario, rounds=50).decisions)
    _, reward, terminated, truncated, info = env.step(action)
    assert set(info["reward_terms"]) == {"waiting", "late", "lost", "moved"}
    assert reward == pytest.approx(sum(info["reward_terms"].values()))
    assert info["reward_terms"]["moved"] == -0.25 * (action > 0).sum()
    assert not terminated and not truncated
    assert info["outcome"].refused == 0


def test_the_plan_that_a_planner_makes_is_better_than_chance(scenario: sw.Scenario) -> None:
    planned = choice_of(scenario, sw.plan(scenario, rounds=50).decisions)
    returns = []
    for of_planner in (True, False):
        env = environment(scenario)
        env.reset(seed=5)
        env.action_space.seed(0)
        total, over = 0.0, False
        while not over:
            action = planned if of_planner else env.action_space.sample()
            _, reward, _, over, _ = env.step(action)
            total += float(reward)
        returns.append(total)
    assert returns[0] > returns[1]


def test_copies_repeat_bit_for_bit_and_begin_anew_together(scenario: sw.Scenario) -> None:
    def run() -> list[Any]:
        env = OffloadingVectorEnv(scenario, copies=5, epoch_s=5.0, horizon_s=10.0)
        observation, _ = env.reset(seed=4)
        env.action_space.seed(2)
        seen: list[Any] = [observation]
        for k in range(4):
            observation, reward, terminated, truncated, _ = env.step(env.action_space.sample())
            assert env.observation_space.contains(observation)
            assert truncated.all() == (k in (1, 4)) and not terminated.any()
            seen += [observation, reward]
        assert (seen[5]["place"] == 0).all()  # the step after the end is the reset
        return seen

    for one, other in zip(run(), run(), strict=True):
        if isinstance(one, dict):
            assert all(np.array_equal(one[name], other[name]) for name in one)
        else:
            np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("queueing", ["node", "device"])
def test_copies_have_the_shares_of_the_closed_forms_where_13b_does_not_bind(
    scenario: sw.Scenario, queueing: str
) -> None:
    problem = scenario.with_(queueing=queueing, local_capacity_hz=scenario.local_capacity_hz / 1e3)
    decisions = sw.plan(problem, rounds=50).decisions
    assert not decisions.local.any()
    shares = optimal_shares(problem, decisions)
    assert shares is not None
    a, j, n = decisions.access_point, decisions.node, decisions.slice
    i = np.arange(problem.n_devices)
    env = OffloadingVectorEnv(problem, copies=3, epoch_s=1.0, horizon_s=1.0)
    env.reset(seed=0)
    env.step(np.tile(choice_of(problem, decisions), (3, 1)))
    uplink = shares.bandwidth[a, n] * shares.radio * problem.rate_bps[i, a] / problem.task_bits
    service = shares.compute * problem.node_capacity_hz[j, n] / problem.slice_cycles[i, n]
    np.testing.assert_allclose(env._old.uplink_hz.reshape(3, -1), np.tile(uplink, (3, 1)), rtol=1e-9)
    np.testing.assert_allclose(env._old.service_hz.reshape(3, -1), np.tile(service, (3, 1)), rtol=1e-9)


def test_copies_wait_as_the_single_environment_does(scenario: sw.Scenario) -> None:
    """The same plan, everybody slow: means over many copies and many seeds lie within their intervals."""
    plan = choice_of(scenario, sw.plan(scenario, rounds=50).decisions)
    walk = Walk(speed_mps=(0.001, 0.001))
    many = OffloadingVectorEnv(scenario, copies=200, epoch_s=20.0, horizon_s=40.0, walk=walk)
    many.reset(seed=1)
    many.step(np.tile(plan, (200, 1)))
    waiting = -many.step(np.tile(plan, (200, 1)))[4]["reward_terms"]["waiting"]
    single = []
    for seed in range(30):
        env = OffloadingEnv(
            scenario, epoch_s=20.0, horizon_s=40.0, walk=walk, settings=Settings(handover_db=100.0)
        )
        env.reset(seed=seed)
        env.step(plan)
        single.append(env.step(plan)[4]["outcome"].waiting)
    spread = np.hypot(waiting.std() / np.sqrt(200), np.std(single) / np.sqrt(30))
    assert abs(waiting.mean() - np.mean(single)) < 4.0 * spread


def test_managers_see_their_own_devices_and_may_have_their_own_reward(scenario: sw.Scenario) -> None:
    env = SliceManagersEnv(
        scenario, epoch_s=5.0, horizon_s=10.0, common=False, reward=Reward(moved=1.0),
        settings=Settings(handover_db=100.0),
    )  # fmt: skip
    observations, _ = env.reset(seed=0)
    assert env.agents == env.possible_agents and len(env.agents) == 3
    assert all(seen["rate_bps"].shape == (2, scenario.n_access_points) for seen in observations.values())
    first, second = env.agents[:2]
    actions = {first: np.ones(2, dtype=np.int64), second: np.zeros(2, dtype=np.int64)}
    observations, _, _, truncated, infos = env.step(actions)
    assert infos[first]["reward_terms"]["moved"] == -2.0 and infos[second]["reward_terms"]["moved"] == 0.0
    assert observations[first]["place"].tolist() == [1, 1]
    assert observations[first]["bandwidth_share"].max() == pytest.approx(1.0)
    assert observations[second]["bandwidth_share"].max() == 0.0
    assert not any(truncated.values())
    observations, *_ = env.step({})
    assert observations[first]["place"].tolist() == [1, 1]
    assert env.agents == []


def test_what_does_not_fit_is_refused(scenario: sw.Scenario) -> None:
    for options in (
        {"epoch_s": 1.5},
        {"copies": 0},
        {"settings": Settings(disciplines=Disciplines("node"))},
        {"epoch_s": 500.0},
    ):
        with pytest.raises(InvalidOptionError):
            OffloadingVectorEnv(scenario, **options)
    with pytest.raises(InvalidOptionError, match="reset"):
        environment(scenario).step(np.zeros(6, dtype=np.int64))
    with pytest.raises(InvalidOptionError, match="subscribed"):
        SliceManagersEnv(scenario, subscribed=np.full(6, 7))
    with pytest.raises(InvalidOptionError, match="late"):
        Reward(late=-1.0)


def test_the_examples_of_the_page_run_as_printed(capsys: pytest.CaptureFixture[str]) -> None:
    page = (ROOT / "docs" / "environments.md").read_text(encoding="utf-8")
    names: dict[str, Any] = {}
    for block in re.findall(r"```python run\n(.*?)```", page, re.DOTALL):
        exec(compile(block, "environments.md", "exec"), names)
    assert "best response" in capsys.readouterr().out
