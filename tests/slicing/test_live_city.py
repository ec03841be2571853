"""Live cities: whatever happens, the plan is feasible, costs what the judge says, and lies above its bound."""

from __future__ import annotations

import numpy as np
import pytest

import slicewright as sw
from slicewright.errors import InvalidOptionError, InvalidPlanError, InvalidScenarioError
from slicewright.network import NodeLists, Scenario, preset
from slicewright.slicing.city.device import Device
from slicewright.slicing.city.live import LiveCity
from slicewright.slicing.city.pack import pack
from slicewright.slicing.city.search import construct
from slicewright.slicing.decisions import Decisions
from slicewright.slicing.judge import evaluate
from tests import brute_force

QUEUEING = ("node", "device")


def _event(live: LiveCity, others: Scenario, rng: np.random.Generator) -> None:
    here = np.flatnonzero(live.present)
    device = Device.of(others, int(rng.integers(others.n_devices)), factor=float(rng.uniform(0.5, 1.5)))
    kind = rng.integers(6)
    if kind == 0 and here.size < live.present.size:
        live.join(device)
    elif kind == 1 and here.size > 1:
        live.leave(int(rng.choice(here)))
    elif kind == 2:
        node, slices = int(rng.integers(others.n_nodes)), others.n_slices
        live.set_capacity(node, np.zeros(slices) if rng.random() < 0.5 else others.node_capacity_hz[node])
    else:
        live.change(int(rng.choice(here)), device)


@pytest.mark.parametrize("queueing", QUEUEING)
@pytest.mark.parametrize("regime", ["paper", "balanced", "realistic"])
def test_plan_cost_and_bound_follow_events(regime: str, queueing: str) -> None:
    city = sw.preset(f"city/{regime}", devices=120, seed=1, queueing=queueing)
    others = sw.preset(f"city/{regime}", devices=120, seed=1, queueing=queueing, hotspot_part=0.4)
    live, rng = LiveCity(city), np.random.default_rng(0)
    for k in range(60):
        _event(live, others, rng)
        if k % 10 == 9:
            snapshot = live.snapshot()
            times, violations = evaluate(snapshot, live.decisions(), live.shares())
            assert violations.feasible, violations.explain()
            assert live.cost_s == pytest.approx(times.completion_s.sum(), rel=1e-9)
            problem = pack(snapshot)
            anew = sw.plan(snapshot).cost_s
            assert live.bound_s <= min(anew, live.cost_s) * (1 + 1e-9)
            assert problem.local_time.size == live.present.sum()
            assert construct(problem).link.size == live.present.sum()


@pytest.mark.parametrize("queueing", QUEUEING)
@pytest.mark.parametrize("seed", range(4))
def test_the_bound_never_exceeds_the_optimum_of_the_moment(queueing: str, seed: int) -> None:
    load = {} if seed % 2 else {"cycles_per_bit": (20.0, 60.0)}
    family = {"access_points": 2, "coins": 1, "slices": 2, "queueing": queueing, **load}

    def listed(devices: int, number: int) -> Scenario:
        whole = preset("paper-slicing", devices=devices, seed=number, **family)
        return whole.with_(node_lists=NodeLists(np.arange(devices + 1) * 2, np.tile([0, 1], devices)))

    live, rng = LiveCity(listed(3, seed)), np.random.default_rng(seed)
    for k in range(12):
        _event(live, listed(3, 100 + k), rng)
        while live.present.sum() > 3:
            live.leave(int(np.flatnonzero(live.present)[0]))
        best = brute_force.optimum(live.snapshot())
        assert live.bound_s <= best * (1 + 1e-9)
        assert best <= live.cost_s * (1 + 1e-9)


def test_events_find_better_prices_in_idle_time_and_the_price_of_moving_keeps_others_where_they_are() -> None:
    city = sw.preset("city/paper", devices=200)
    live, still = LiveCity(city), LiveCity(city, moving_price_s=1e9)
    rng = np.random.default_rng(3)
    for _ in range(40):
        state = rng.bit_generator.state
        _event(live, city, rng)
        rng.bit_generator.state = state
        _event(still, city, rng)
    assert still.moved == 0
    before = live.bound_s
    live.improve_bound(budget_s=0.2)
    assert before <= live.bound_s <= live.cost_s


def test_what_no_scenario_would_hold_is_refused() -> None:
    city = sw.preset("city/paper", devices=30)
    live, device = LiveCity(city), Device.of(city, 0)
    cost = live.cost_s
    for changes in (
        {"task_bits": -1.0},
        {"rate_bps": device.rate_bps * np.nan},
        {"nodes": np.array([3, 2])},
        {"nodes": np.array([10_000])},
        {"slice_cycles": device.slice_cycles[:1]},
    ):
        with pytest.raises(InvalidScenarioError):
            live.join(Device(**{**vars(device), **changes}))
    with pytest.raises(InvalidScenarioError, match="no such device"):
        live.leave(35)
    with pytest.raises(InvalidScenarioError, match="at least 0"):
        live.set_capacity(0, np.array([-1.0]))
    with pytest.raises(InvalidOptionError):
        LiveCity(city, moving_price_s=-1.0)
    assert live.cost_s == cost


@pytest.mark.parametrize("queueing", QUEUEING)
def test_new_rates_keep_places_and_the_bound_holds(queueing: str) -> None:
    """All devices at once, access points changed by a handover among them; then everybody looks."""
    city = sw.preset("city/realistic", devices=80, seed=2, queueing=queueing)
    others = sw.preset("city/realistic", devices=80, seed=2, queueing=queueing, hotspot_part=0.4)
    live, slots = LiveCity(city), np.arange(80)
    for scenario in (others, city):
        before = live.places(slots)
        live.renew_rates(slots, scenario.links, scenario.task_bits, before.access_point)
        kept, now = live.places(slots), live.snapshot()
        stayed = kept.node >= 0
        assert (kept.node[stayed] == before.node[stayed]).all()
        assert (kept.access_point[stayed] == before.access_point[stayed]).all()
        held = live.cost_s
        live.reconsider()
        times, violations = evaluate(now, live.decisions(), live.shares())
        assert violations.feasible, violations.explain()
        assert live.cost_s == pytest.approx(times.completion_s.sum(), rel=1e-9)
        assert live.cost_s <= held * (1 + 1e-12)
        assert live.bound_s <= min(sw.plan(now).cost_s, live.cost_s) * (1 + 1e-9)
    assert live.reconsider(price_s=1e9) == 0


def test_a_stored_city_goes_on_bit_for_bit() -> None:
    city = sw.preset("city/realistic", devices=60, seed=3)
    others = sw.preset("city/realistic", devices=60, seed=3, hotspot_part=0.4)
    first, rng = LiveCity(city), np.random.default_rng(1)
    for _ in range(10):
        _event(first, others, rng)
    second = LiveCity.restored(city, first.state())
    for live in (first, second):
        again = np.random.default_rng(2)
        for _ in range(20):
            _event(live, others, again)
        live.reconsider()
    assert first.cost_s == second.cost_s and first.bound_s == second.bound_s
    assert np.array_equal(first.decisions().node, second.decisions().node)


def _places(live: LiveCity) -> dict[int, tuple[int, int, int]]:
    here = np.flatnonzero(live.present)
    d = live.places(here)
    found = zip(d.access_point.tolist(), d.node.tolist(), d.slice.tolist(), strict=True)
    return dict(zip(here.tolist(), found, strict=True))


@pytest.mark.parametrize("queueing", QUEUEING)
def test_everybody_whose_place_changes_is_named_and_one_device_has_the_shares_of_all(queueing: str) -> None:
    city = sw.preset("city/balanced", devices=150, seed=2, queueing=queueing)
    others = sw.preset("city/balanced", devices=150, seed=2, queueing=queueing, hotspot_part=0.4)
    live, rng, named = LiveCity(city, moving_price_s=0.0), np.random.default_rng(1), 0
    for _ in range(60):
        before, slot = _places(live), int(rng.choice(np.flatnonzero(live.present)))
        if rng.random() < 0.3:
            live.leave(slot)
        elif rng.random() < 0.2:
            live.set_capacity(int(rng.integers(city.n_nodes)), np.zeros(city.n_slices))
        else:
            live.change(slot, Device.of(others, int(rng.integers(others.n_devices))))
        after = _places(live)
        changed = {i for i in before.keys() & after.keys() if before[i] != after[i]}
        assert changed <= {slot, *live.moved_others}
        named += len(live.moved_others)
    assert named > 0
    here, shares, places = np.flatnonzero(live.present), live.shares(), live.decisions()
    times, _ = evaluate(live.snapshot(), places, shares)
    for k in range(0, here.size, 3):
        omega, radio, compute, transmission_s, execution_s = live.shares_at(int(here[k]))
        a, n = places.access_point[k], places.slice[k]
        assert omega == pytest.approx(shares.bandwidth[a, n] if a >= 0 else 0.0)
        assert (radio, compute) == pytest.approx((shares.radio[k], shares.compute[k]))
        assert transmission_s + execution_s == pytest.approx(times.completion_s[k])


def test_a_better_plan_in_idle_time_moves_only_what_is_worth_it_and_a_twin_hands_it_over() -> None:
    city = sw.preset("city/realistic", devices=150, seed=4)
    others = sw.preset("city/realistic", devices=150, seed=4, hotspot_part=0.4)
    live, rng = LiveCity(city), np.random.default_rng(5)
    for _ in range(150):
        _event(live, others, rng)
    twin, slots = live.twin(), np.flatnonzero(live.present)
    assert live.twin().improve_plan(budget_s=5.0, price_s=1e9) == 0
    before, places, price_s = live.cost_s, live.places(slots), 0.02 * float(city.local_time_s.mean())
    moved = twin.improve_plan(budget_s=5.0, price_s=price_s)
    assert moved == len(twin.moved_others) > 0
    assert before - twin.cost_s > price_s * moved * (1 - 1e-9)
    assert live.cost_s == before and np.array_equal(live.places(slots).node, places.node)
    assert live.take(twin)
    now = live.places(slots)
    changed = (
        (now.node != places.node) | (now.access_point != places.access_point) | (now.slice != places.slice)
    )
    assert set(slots[changed]) == set(live.moved_others)
    assert live.cost_s == pytest.approx(twin.cost_s, rel=1e-12)
    times, violations = evaluate(live.snapshot(), live.decisions(), live.shares())
    assert violations.feasible and live.cost_s == pytest.approx(times.completion_s.sum(), rel=1e-9)
    assert 0 < live.bound_s <= live.cost_s
    late = live.twin()
    live.leave(int(slots[0]))
    assert not live.take(late)


def test_events_that_are_told_with_their_places_lead_to_the_same_city() -> None:
    city = sw.preset("city/balanced", devices=60, seed=6)
    decided, told = LiveCity(city), LiveCity(city)
    device = Device.of(city, 3, factor=1.3)
    for live, decide in ((decided, True), (told, False)):
        live.change(7, device, decide=decide)
        live.leave(9, decide=decide)
        assert live.join(device, decide=decide) == 9
        live.set_capacity(2, 0.5 * city.node_capacity_hz[2], decide=decide)
    everybody = np.flatnonzero(decided.present)
    told.place(everybody, decided.places(everybody))
    assert told.cost_s == pytest.approx(decided.cost_s, rel=1e-12)
    for name in ("access_point", "node", "slice"):
        assert np.array_equal(getattr(told.decisions(), name), getattr(decided.decisions(), name))
    somebody = np.flatnonzero(decided.places(everybody).node >= 0)[:1]
    nowhere = Decisions.trusted(np.array([0]), np.array([city.n_nodes]), np.array([0]))
    with pytest.raises(InvalidPlanError, match="places that devices list"):
        told.place(somebody, nowhere)


def test_many_come_to_one_place_and_its_list_grows() -> None:
    """Everybody moves to where device 0 is: few resources are listed by all, by far more than they had room for."""
    city = sw.preset("city/paper", devices=200, seed=7)
    live = LiveCity(city)
    for slot in range(200):
        live.change(slot, Device.of(city, 0, factor=1.0 + 0.001 * slot))
    for slot in range(0, 200, 3):
        live.leave(slot)
    listings, p = live._by_node, live._problem
    for j in range(city.n_nodes):
        first, count = listings.first[j], listings.count[j]
        entries = set(listings.pool[first : first + count].tolist())
        assert entries == {
            pair
            for i in np.flatnonzero(live.present)
            for pair in range(p.node_start[i], p.node_end[i])
            if p.node[pair] == j
        }
    times, violations = evaluate(live.snapshot(), live.decisions(), live.shares())
    assert violations.feasible and live.cost_s == pytest.approx(times.completion_s.sum(), rel=1e-9)
