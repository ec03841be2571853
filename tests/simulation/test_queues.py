"""Queues: against a plain list of events, against formulas, and what may never be lost."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import slicewright as sw
from slicewright.errors import InvalidOptionError
from slicewright.simulation import Arrivals, Disciplines, Distribution, FinishedTasks, TaskQueues
from slicewright.simulation._kernels.state import (
    ABSENT,
    ARRIVED,
    DONE,
    LOCAL,
    SENT_FROM,
    SERVED_FROM,
    TRANSMITTED,
    Grants,
)
from slicewright.simulation.tasks.demand import packed_demand
from slicewright.simulation.tasks.queues import SERVERS, Servers
from tests.simulation.event_list import replay

WORK = [Distribution("exponential"), Distribution("fixed"), Distribution("lognormal", 2.0),
        Distribution("sampled", samples=np.array([1.0, 2.0, 9.0]))]  # fmt: skip
ARRIVALS = [
    Arrivals(),
    Arrivals("periodic"),
    Arrivals("bursts", burst_factor=4.0, burst_part=0.2, burst_s=5.0),
]


def queues(
    *, devices: int = 6, disciplines: Disciplines | None = None, arrivals: Arrivals | None = None,
    work: Distribution | None = None, size: Distribution | None = None, seed: int = 0, load: float = 0.6,
    local: int = 0,
) -> TaskQueues:  # fmt: skip
    """Devices with uplinks and servers at a load; with one queue for three devices unless each has its own."""
    scenario = sw.preset("paper-slicing", devices=devices, seed=0)
    demand = packed_demand(
        scenario,
        arrivals=arrivals or Arrivals(),
        size=size or Distribution("fixed"),
        work=work or Distribution(),
    )
    demand = demand._replace(arrival_hz=np.full(devices, 1.0))
    rules = disciplines or Disciplines()
    sharing = 1 if rules.servers == "share" else 3
    server = np.arange(devices) // sharing
    server[:local] = LOCAL
    speed = sharing / load * np.linspace(0.9, 1.3, devices)
    grants = Grants(np.full(devices, 1 / load), server, speed, np.full(devices, 0.7), np.arange(devices))
    return TaskQueues(demand, grants, rules, n_servers=devices, seed=seed)


def in_order(tasks: FinishedTasks) -> FinishedTasks:
    order = np.lexsort((tasks.arrived_s, tasks.device))
    return FinishedTasks(tasks.device[order], tasks.place[order], tasks.times[order])


@settings(max_examples=40, deadline=None)
@given(
    servers=st.sampled_from(SERVERS), uplink=st.booleans(), local_queue=st.booleans(),
    work=st.sampled_from(WORK), arrivals=st.sampled_from(ARRIVALS), seed=st.integers(0, 99),
)  # fmt: skip
def test_every_task_is_done_when_a_plain_event_list_says(
    servers: Servers, uplink: bool, local_queue: bool, work: Distribution, arrivals: Arrivals, seed: int
) -> None:
    disciplines = Disciplines(servers, uplink, local_queue)
    made = queues(disciplines=disciplines, work=work, size=work, arrivals=arrivals, seed=seed, local=2)
    tasks = made.advance(60.0)
    last = made.n_arrived
    made.demand = made.demand._replace(arrival_hz=made.demand.arrival_hz * 1e-9)  # nobody comes any more
    made._queues.device[:, 0] = np.inf
    tasks = FinishedTasks.joined([tasks, made.advance(100_000.0)])
    assert len(tasks) == last and made.n_inside == 0
    np.testing.assert_allclose(replay(tasks, made.grants, disciplines), tasks.done_s, rtol=1e-9)


@settings(max_examples=25, deadline=None)
@given(
    cuts=st.lists(st.floats(0.001, 50.0), max_size=20), events=st.lists(st.integers(0, 9999), max_size=10),
    servers=st.sampled_from(SERVERS), uplink=st.booleans(), seed=st.integers(0, 99),
)  # fmt: skip
def test_cutting_saving_and_resuming_changes_no_bit(
    cuts: list[float], events: list[int], servers: Servers, uplink: bool, seed: int
) -> None:
    """At any instant, also at those at which a task arrives, begins or ends."""
    disciplines = Disciplines(servers, uplink)
    whole = in_order(queues(disciplines=disciplines, seed=seed, local=1).advance(50.0))
    instants = np.unique(whole.times[:, [ARRIVED, SENT_FROM, TRANSMITTED, SERVED_FROM, DONE]])
    at_events = instants[np.array(events, dtype=np.int64) % instants.size].tolist()
    running, parts = queues(disciplines=disciplines, seed=seed, local=1), []
    for until in [*sorted(cuts + at_events), 50.0]:
        parts.append(running.advance(until))
        state = running.state()
        running = queues(disciplines=disciplines, seed=seed + 1, local=1)
        running.restore(state)
    pieces = in_order(FinishedTasks.joined(parts))
    np.testing.assert_array_equal(whole.times, pieces.times)
    np.testing.assert_array_equal(whole.place, pieces.place)


@settings(max_examples=40, deadline=None)
@given(data=st.data(), servers=st.sampled_from(SERVERS), uplink=st.booleans())
def test_no_task_is_lost_whatever_changes(data: st.DataObject, servers: Servers, uplink: bool) -> None:
    """Devices change rates, servers, go local, leave and come back: each task is done, lost or inside, once."""
    made = queues(disciplines=Disciplines(servers, uplink), load=0.9)
    parts = []
    for k in range(data.draw(st.integers(1, 12))):
        parts.append(made.advance(4.0 * (k + 1)))
        draw = np.random.default_rng(data.draw(st.integers(0, 999)))
        own = np.arange(6) if servers == "share" else draw.integers(0, 2, 6)
        server = np.where(draw.random(6) < 0.2, LOCAL, np.where(draw.random(6) < 0.2, ABSENT, own))
        grants = Grants(draw.uniform(0, 2, 6), server, draw.uniform(0, 5, 6), np.full(6, 0.7), np.arange(6))
        pause = draw.uniform(-1, 1, 6).clip(0)
        parts.append(made.regrant(grants, uplink_pause_s=pause, service_pause_s=pause))
        tasks = FinishedTasks.joined(parts)
        assert len(tasks) + made.n_inside == made.n_arrived
        free, t = 0, int(made._queues.free[0])
        while t >= 0:
            free, t = free + 1, int(made._queues.task_links[t, 1])
        assert made.n_inside == made._queues.task.shape[0] - free
    tasks = FinishedTasks.joined(parts)
    pairs = set(zip(tasks.device.tolist(), tasks.arrived_s.tolist(), strict=True))
    assert len(pairs) == len(tasks)
    done = tasks.times[~tasks.lost]
    assert (np.diff(done[:, [0, 3, 4, 5, 6]], axis=1) >= -1e-12).all()
    assert np.isnan(tasks.done_s[tasks.lost]).all()


def test_a_change_of_rate_counts_from_its_instant() -> None:
    """Half a task at rate 1, the other half at rate 2, and a pause in between."""
    made = queues(
        devices=1, arrivals=Arrivals("traced", trace=(np.array([1.0]),)), work=Distribution("fixed")
    )
    slow = made.grants._replace(uplink_hz=np.ones(1), service_hz=np.full(1, 1e9))
    made.regrant(slow)
    made.advance(1.5)
    made.regrant(slow._replace(uplink_hz=np.full(1, 2.0)), uplink_pause_s=np.full(1, 0.1))
    np.testing.assert_allclose(made.advance(9.0).done_s, [1.5 + 0.1 + 0.25])


@pytest.mark.parametrize("servers", SERVERS)
def test_littles_law(servers: Servers) -> None:
    """Mean number inside = rate * mean time, counted here by when tasks come and go."""
    made = queues(disciplines=Disciplines(servers), devices=60, load=0.7)
    tasks, counted = [], []
    for k in range(1, 1201):
        tasks.append(made.advance(2.0 * k))
        if k > 100:
            counted.append(made.n_inside)
    joined = FinishedTasks.joined(tasks)
    late = joined.arrived_s > 200.0
    rate = late.sum() / 2200.0
    expected = rate * (joined.done_s - joined.arrived_s)[late].mean()
    spread = np.array(counted).reshape(22, -1).mean(axis=1).std(ddof=1) / np.sqrt(22)
    assert abs(np.mean(counted) - expected) < 4 * spread + 0.01 * expected


@pytest.mark.parametrize("load", [0.3, 0.8])
def test_a_share_of_its_own_is_an_mm1_queue(load: float) -> None:
    made = queues(devices=400, disciplines=Disciplines("share", uplink_queue=False), load=load)
    made.regrant(made.grants._replace(uplink_hz=np.full(400, 1e6), service_hz=np.full(400, 1 / load)))
    tasks = made.advance(1500.0)
    kept = tasks.arrived_s > 200.0
    sums = np.bincount(tasks.device[kept], weights=(tasks.done_s - tasks.arrived_s)[kept])
    means = sums / np.bincount(tasks.device[kept])
    assert abs(means.mean() - 1 / (1 / load - 1.0)) < 4 * means.std(ddof=1) / 20


def test_streams_depend_on_the_seed_and_nothing_else() -> None:
    first, again, other = (queues(seed=seed).advance(30.0) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first.times, again.times)
    assert len(first) != len(other) or not np.array_equal(first.times, other.times)


@pytest.mark.parametrize("kind", range(len(ARRIVALS)))
def test_arrivals_have_the_devices_rate(kind: int) -> None:
    made = queues(devices=400, arrivals=ARRIVALS[kind], load=0.1)
    made.advance(500.0)
    assert abs(made.n_arrived / 200_000 - 1) < 0.03


@pytest.mark.parametrize("text", ["exponentail", "lognormal:x", "fixed:2", "lognormal:-1", "sampled"])
def test_a_distribution_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(InvalidOptionError):
        Distribution.parse(text)


@pytest.mark.parametrize("text", ["posson", "bursts:9", "periodic:2", "traced"])
def test_arrivals_that_are_none_are_refused(text: str) -> None:
    with pytest.raises(InvalidOptionError):
        Arrivals.parse(text)
