"""Maps: what they show agrees with the plan, nothing written covers anything else written, files repeat bit for bit."""

from __future__ import annotations

import base64
import itertools
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from matplotlib.collections import PolyCollection
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.text import Text

from slicewright.drawing.cells import BUSIEST, MOST_DOTS, busiest
from slicewright.drawing.palette import LOCAL_COLOUR, SLICE_COLOURS, slice_colour
from slicewright.errors import InvalidOptionError
from slicewright.evaluation.maps import draw_plan, draw_scenario
from slicewright.evaluation.maps.panels import rank
from slicewright.evaluation.maps.plan_page import plan_page, plan_view
from slicewright.evaluation.maps.positions import positions_of
from slicewright.evaluation.maps.scenario_page import scenario_page
from slicewright.network import Scenario, load_scenario, preset
from slicewright.network.importers import import_eua
from slicewright.network.scenario import Sites
from slicewright.policies.slicing import plan
from slicewright.slicing import Decisions, Plan, Shares
from slicewright.slicing.loads import loads_of
from slicewright.slicing.open_gap import explain_gap
from tests.evaluation.crowds import crowd
from tests.instances import REFERENCE, scenarios
from tests.shared import MELBOURNE

MAGIC = {".png": b"\x89PNG", ".pdf": b"%PDF", ".svg": b"<?xml", ".html": b"<!doctype html>"}


def planned(name: str = "paper-slicing", **parameters: Any) -> Plan:
    return plan(preset(name, **parameters), rounds=3)


def all_local(scenario: Scenario) -> Plan:
    nothing = np.zeros(scenario.n_devices)
    shares = Shares(np.zeros((scenario.n_access_points, scenario.n_slices)), nothing, nothing)
    return Plan(scenario, Decisions.all_local(scenario.n_devices), shares)


def without_positions(scenario: Scenario) -> Scenario:
    return scenario.with_(sites=Sites(), radio=None)


@pytest.mark.parametrize("ending", [".png", ".pdf", ".svg", ".html"])
def test_every_format_is_written_and_repeats_bit_for_bit(tmp_path: Path, ending: str) -> None:
    made = planned(devices=6, seed=1)
    first = draw_plan(made, tmp_path / f"a{ending}").read_bytes()
    assert MAGIC[ending] in first[:60]
    assert draw_plan(made, tmp_path / f"b{ending}").read_bytes() == first
    assert draw_scenario(made.scenario, tmp_path / f"s{ending}").read_bytes()[:60].count(MAGIC[ending]) == 1


def test_another_ending_is_refused(tmp_path: Path) -> None:
    with pytest.raises(
        InvalidOptionError, match=r"'map\.gif' but must end in one of \.png, \.pdf, \.svg, \.html"
    ):
        draw_plan(planned(devices=2), tmp_path / "map.gif")


def test_html_needs_no_network_and_knows_every_device(tmp_path: Path) -> None:
    made = planned(devices=6, seed=1)
    page = draw_plan(made, tmp_path / "m.html").read_text()
    assert "default-src 'none'" in page
    assert "http" not in page.replace("http-equiv", "").replace("http://www.w3.org/2000/svg", "")
    data = data_of(page)
    for name, own in (("slice", "slice"), ("point", "access_point"), ("node", "node")):
        np.testing.assert_array_equal(column_of(data["devices"][name]), getattr(made.decisions, own))
    x = data["devices"]["x"]
    places = x["low"] + x["span"] * column_of(x) / 65535
    assert made.scenario.sites.device_m is not None
    np.testing.assert_allclose(places, made.scenario.sites.device_m[:, 0], atol=x["span"] / 60000)
    executes = next(f for f in data["devices"]["fields"] if f["name"] == "executes")
    off = ~made.decisions.local
    np.testing.assert_allclose(column_of(executes["values"])[off], made.times.execute_s[off], rtol=1e-6)
    assert np.isnan(column_of(executes["values"])[~off]).all()


@pytest.mark.parametrize("devices, limit", [(40, 90_000), (10_000, 700_000), (100_000, 5_000_000)])
def test_pages_stay_small(tmp_path: Path, devices: int, limit: int) -> None:
    page = draw_plan(crowd(devices), tmp_path / "m.html")
    assert page.stat().st_size < limit


def test_html_says_why_a_gap_is_open(tmp_path: Path) -> None:
    wide = plan(preset("regime/balanced", devices=40, seed=2), rounds=5)
    sentence = explain_gap(wide)
    assert sentence is not None
    assert data_of(draw_plan(wide, tmp_path / "m.html").read_text())["note"] == sentence
    sure = planned(devices=6, seed=1)
    assert data_of(draw_plan(sure, tmp_path / "n.html").read_text())["note"] is None


def test_no_name_leaves_the_data_of_a_page(tmp_path: Path) -> None:
    scenario = preset("paper-slicing", devices=3).with_(access_points=(HOSTILE, "ap1", "ap2"))
    page = draw_scenario(scenario, tmp_path / "m.html").read_text()
    assert "<script>alert" not in page and page.count("</script>") == 2
    assert data_of(page)["network"]["points"]["names"][0] == HOSTILE


HOSTILE = "</script><script>alert(1)</script><b id=evil>&amp;\u2028"


def data_of(page: str) -> Any:
    return json.loads(page.split('id="data">')[1].split("</script>")[0])


def column_of(column: Any) -> Any:
    return np.frombuffer(base64.b64decode(column["data"]), dtype=f"<{column['type']}").astype(np.float64)


@settings(max_examples=30, deadline=None)
@given(scenarios())
def test_loads_add_up_to_the_plan(scenario: Scenario) -> None:
    made = plan(scenario, rounds=1)
    loads = loads_of(made)
    offloaded = int((~made.decisions.local).sum())
    assert loads.ap_users.sum() == loads.node_users.sum() == loads.offloaded.size == offloaded
    assert loads.radio_s + loads.compute_s + loads.local_s == pytest.approx(made.cost_s)
    assert (loads.utilisation < 1).all(), "a stable plan leaves some capacity"
    assert ((loads.utilisation > 0) == (loads.node_users > 0)).all()


def test_utilisation_is_one_where_the_queue_turns_unstable() -> None:
    # One device alone with alpha = 2, L = 3 on F = 6: its service rate with a share of 1 equals its arrivals.
    scenario = preset("paper-slicing", devices=1, slices=1).with_(
        arrival_rate_hz=[2.0], slice_cycles=[[3.0]], node_capacity_hz=np.full((9, 1), 6.0 * (1 + 1e-12))
    )
    shares = Shares(np.array([[1.0], [0.0], [0.0]]), np.ones(1), np.ones(1))
    one = np.zeros(1, dtype=np.int64)
    assert loads_of(Plan(scenario, Decisions(one, one, one), shares)).utilisation[0, 0] == pytest.approx(1.0)


def broken() -> Plan:
    made = planned(devices=5, seed=1)
    return made.with_(shares=Shares(made.shares.bandwidth * 2, made.shares.radio, made.shares.compute))


def planned_on_long_names() -> Plan:
    scenario = preset("paper-slicing", devices=20, seed=3, access_points=8)
    return plan(
        scenario.with_(
            access_points=tuple(f"Llanfairpwllgwyngyll {a}" for a in range(8)),
            nodes=tuple(f"node in the basement of building {j}" for j in range(9)),
        ),
        rounds=1,
    )


CASES = {
    "thirty devices": lambda: planned(devices=30, seed=7),
    "dense": lambda: planned("dense-urban", seed=1),
    "one device": lambda: planned(devices=1),
    "more slices than colours": lambda: planned(devices=25, seed=4, slices=9, access_points=5),
    "long names": lambda: planned(devices=9, slices=[f"a slice with a long name {n}" for n in range(14)]),
    "long names of nodes": planned_on_long_names,
    "infeasible": broken,
    "nobody offloads": lambda: all_local(preset("paper-slicing", devices=4)),
    "nobody can offload": lambda: planned(devices=15, seed=2, reach_m=5),
    "a dot is too much": lambda: all_local(preset("paper-slicing", devices=3000, access_points=60)),
    "no positions": lambda: plan(without_positions(preset("dense-urban", seed=2)), rounds=1),
}


@pytest.mark.parametrize("name", CASES)
def test_no_text_covers_another(name: str) -> None:
    made = CASES[name]()
    assert_texts_apart(plan_page(made))
    assert_texts_apart(scenario_page(made.scenario))


@pytest.mark.skipif(
    not MELBOURNE.is_dir(), reason="the shared Melbourne CSV files are not beside this checkout"
)
def test_no_text_covers_another_in_melbourne() -> None:
    assert_texts_apart(plan_page(plan(import_eua(MELBOURNE), rounds=1)))


@pytest.mark.skipif(
    not REFERENCE.is_dir(), reason="the shared reference instances are not beside this checkout"
)
def test_a_reference_instance_without_positions_is_drawn_in_columns() -> None:
    scenario = load_scenario(REFERENCE / "i15-18.json")
    made = plan(scenario, rounds=1)
    positions = positions_of(scenario, made.decisions.access_point, made.decisions.node)
    assert positions.schematic
    assert_texts_apart(plan_page(made))


def assert_texts_apart(figure: Figure) -> None:
    """No two texts share more than the rim of their boxes, and all are on the page."""
    page = np.array(figure.bbox.extents)
    texts = [(text, np.array(text.get_window_extent().extents)) for text in drawn_texts(figure)]
    assert len(texts) > 10
    for text, box in texts:
        assert (box[:2] >= page[:2]).all() and (box[2:] <= page[2:]).all(), (
            f"{text.get_text()!r} leaves the page"
        )
    for (one, a), (other, b) in itertools.combinations(texts, 2):
        shared = np.minimum(a[2:], b[2:]) - np.maximum(a[:2], b[:2])
        assert not (shared > 1.0).all(), f"{one.get_text()!r} covers {other.get_text()!r}"


def drawn_texts(figure: Figure) -> list[Text]:
    """Texts that reach the page: labels of ticks beyond the limits exist as objects but are never drawn."""
    drawn = {}
    draw = Text.draw

    def note(text: Any, *args: Any, **kwargs: Any) -> Any:
        drawn[id(text)] = text
        return draw(text, *args, **kwargs)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Text, "draw", note)
        figure.draw_without_rendering()
    return [text for text in drawn.values() if text.get_visible() and text.get_text().strip()]


def test_columns_keep_devices_with_their_access_point() -> None:
    scenario = without_positions(preset("paper-slicing", devices=12, access_points=3))
    access_point = np.array([0, 1, 2] * 4)
    device = positions_of(scenario, access_point, np.full(12, -1)).device
    order = access_point[np.argsort(-device[:, 1])]
    assert (np.diff(order) != 0).sum() == 2, "three runs, one per access point"
    assert len(np.unique(device[:, 1])) == 12


def test_of_many_access_points_the_ten_busiest_have_bars_and_the_others_one() -> None:
    weight = np.arange(40.0)
    ranking = rank([f"p{k}" for k in range(40)], weight)
    assert ranking.lying and ranking.others == 30
    assert list(ranking.names) == [f"p{k}" for k in range(39, 29, -1)]
    rows = ranking.rows(np.column_stack([weight, 2 * weight]))
    assert rows.shape == (11, 2)
    np.testing.assert_allclose(rows[-1], [14.5, 29.0])
    few = rank(["a", "b"], weight[:2])
    assert not few.lying and few.rows(weight[:2, None]).tolist() == [[0.0], [1.0]]


def test_devices_too_many_for_dots_are_counted_in_discs_of_their_slices() -> None:
    made = planned("dense-urban", devices=MOST_DOTS + 100, seed=1)
    figure = plan_page(made)
    discs = [c for c in figure.axes[0].collections if isinstance(c, PolyCollection)]
    faces = {face_of(c) for c in discs if len(c.get_paths())}
    assert faces <= {*SLICE_COLOURS, LOCAL_COLOUR} and SLICE_COLOURS[0] in faces
    assert_texts_apart(figure)


def test_of_places_that_would_cover_a_map_the_busiest_are_marked_and_the_keys_say_so() -> None:
    made = crowd(600, access_points=260, nodes=230)
    view, loads = plan_view(made)
    users = loads.ap_users.sum(axis=1)
    assert view.shown_access_points.tolist() == busiest(users).tolist()
    kinds = [view.node_kinds[j] for j in view.shown_nodes]
    assert kinds.count("coin") == BUSIEST and kinds.count("mec") == 2
    figure = plan_page(made)
    assert_texts_apart(figure)
    said = {text.get_text() for text in drawn_texts(figure)}
    assert "access point, the 10 busiest of 260" in said
    assert "MEC server; the 12 busiest of 230 nodes" in said


def test_a_slice_has_one_colour_in_map_and_bars() -> None:
    made = planned(devices=30, seed=7)
    figure = plan_page(made)
    bars = {to_hex(bar.get_facecolor()).upper() for bar in figure.axes[1].patches}
    dots = {face_of(c) for c in figure.axes[0].collections if len(c.get_facecolor())}
    used = {slice_colour(n) for n in range(3)}
    assert bars == used and used <= dots


def face_of(marks: Any) -> str:
    """Colour of a collection, as the palette writes it."""
    return to_hex(marks.get_facecolor()[0]).upper()
