"""Reproducing the publications at a scale that says nothing but runs everything."""

from __future__ import annotations

import csv
import itertools
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from slicewright.errors import InvalidOptionError, UnknownNameError
from slicewright.evaluation.reproduction.engine.item import Item, Verdict, holds
from slicewright.evaluation.reproduction.engine.manifest import manifest
from slicewright.evaluation.reproduction.engine.measured import (
    counts_of,
    curve,
    panel,
    protocol,
    published_line,
)
from slicewright.evaluation.reproduction.engine.published_numbers import PLACEMENT, SP1, SP2, SP3
from slicewright.evaluation.reproduction.engine.scale import SCALES, scale_of
from slicewright.evaluation.reproduction.engine.statistics import estimate
from slicewright.evaluation.reproduction.engine.workshop import Workshop
from slicewright.evaluation.reproduction.report.figures import draw
from slicewright.evaluation.reproduction.slicing.methods import proven, proven_optimum
from slicewright.evaluation.reproduction.slicing.nested_scenarios import nested_scenario
from slicewright.evaluation.reproduction.study import (
    chosen_items,
    expected_core_s,
    items_of,
    record_of,
    reproduce,
    verdict,
)
from tests.conformance.label_executors import ON_RAY


@pytest.fixture(scope="module")
def slicing(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A report of the items that need no solver, at tiny scale."""
    output = tmp_path_factory.mktemp("slicing")
    shop = Workshop(SCALES["tiny"], output, jobs=1, command="slicewright reproduce slicing")
    names = ("table4", "fig4", "fig9", "slices-and-radio", "violations")
    reproduce("slicing", shop, only=names)
    return output


@pytest.fixture(scope="module")
def placement(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Likewise of placement."""
    output = tmp_path_factory.mktemp("placement")
    shop = Workshop(SCALES["tiny"], output, jobs=1, command="slicewright reproduce placement")
    reproduce("placement", shop, only=("label-leak", "fig6", "fig7", "fig8"))
    return output


def test_report_has_every_item_and_loads_nothing(slicing: Path, placement: Path) -> None:
    for folder, names in (
        (slicing, ("table3", "table4", "fig4", "fig8", "fig9", "violations")),
        (placement, ("table3", "label-leak", "fig5", "fig6", "fig7", "fig8")),
    ):
        page = (folder / "report.html").read_text(encoding="utf-8")
        text = (folder / "report.md").read_text(encoding="utf-8")
        for name in names:
            assert f'id="{name}"' in page
        assert not re.search(r'(src|href)="(?!data:|#)', page)
        assert "<script" not in page
        assert text.count("**Published.**") == page.count("<dt>Published</dt>") >= len(names)
        assert "nan" not in re.sub(r"data:image[^\"]*", "", page).lower().split()


def test_tables_print_published_beside_ours(slicing: Path) -> None:
    with (slicing / "data" / "table4.csv").open(encoding="utf-8") as file:
        rows = {row[0]: row[1:] for row in csv.reader(file)}
    assert rows["DeepSets-S, published"][:2] == ["0.7486", "0.8824"]
    assert {
        "ours (bipartite, decoded in 32 orders)",
        "best response, one run",
        "DeepSets-S, oracle inputs (leak)",
    } <= set(rows)


def test_shares_of_figure_9_are_those_of_figure_8(slicing: Path) -> None:
    eight, nine = (json.loads((slicing / "data" / f"{n}.json").read_text())["data"] for n in ("fig8", "fig9"))
    assert nine["panels"] == eight["facts"]["mec_panels"]


def test_slices_do_not_change_the_radio_cost(slicing: Path) -> None:
    facts = json.loads((slicing / "data" / "slices-and-radio.json").read_text())["data"]["facts"]
    assert facts["largest"] < 1e-9
    assert facts["total"] > 0


def test_finished_items_are_skipped(slicing: Path) -> None:
    before = {f.name: f.stat().st_mtime_ns for f in (slicing / "data").glob("*.json")}
    seen: dict[str, bool] = {}
    shop = Workshop(SCALES["tiny"], slicing, jobs=1)
    reproduce("slicing", shop, only=("fig4",), on_item=lambda item, stored: seen.update({item.name: stored}))
    assert seen == {"table3": True, "fig4": True}
    assert {f.name: f.stat().st_mtime_ns for f in (slicing / "data").glob("*.json")} == before


def test_data_of_another_scale_or_seed_are_not_reused(slicing: Path) -> None:
    item = next(i for i in items_of("slicing") if i.name == "fig4")
    assert Workshop(SCALES["tiny"], slicing).stored(item.name, item.revision) is not None
    assert Workshop(SCALES["smoke"], slicing).stored(item.name, item.revision) is None
    assert Workshop(SCALES["tiny"], slicing, seed=1).stored(item.name, item.revision) is None


def test_what_nobody_asked_for_stays_in_the_report_at_the_scale_that_it_was_measured_at(
    slicing: Path, tmp_path: Path
) -> None:
    shutil.copytree(slicing / "data", tmp_path / "data")
    reproduce("slicing", Workshop(SCALES["smoke"], tmp_path, jobs=1), only=("slack",))
    text = (tmp_path / "report.md").read_text(encoding="utf-8")
    assert "## Figure 4" in text and "scale tiny" in text and "scale smoke" in text


def test_data_of_a_larger_scale_serve_and_say_where_they_come_from(tmp_path: Path) -> None:
    made = Workshop(
        SCALES["middle"], tmp_path, command="slicewright reproduce slicing --scale middle", jobs=1
    )
    made.store("fig6", 1, {"panels": []}, 2.0)
    found = Workshop(SCALES["smoke"], tmp_path).record("fig6", 1)
    assert found is not None
    assert (found.scale, found.origin["command"]) == ("middle", made.command)
    assert {"commit", "date", "host"} <= set(found.origin)
    assert Workshop(SCALES["full"], tmp_path).record("fig6", 1) is None
    assert Workshop(SCALES["smoke"], tmp_path).record("fig6", 2) is None


def test_what_is_made_of_other_data_carries_their_scale(tmp_path: Path) -> None:
    nine = next(item for item in items_of("slicing") if item.name == "fig9")
    eight = next(item for item in items_of("slicing") if item.name == "fig8")
    shop = Workshop(SCALES["tiny"], tmp_path, jobs=1)
    Workshop(SCALES["full"], tmp_path, jobs=1).store("fig8", eight.revision, {}, 1.0)
    shop.store("fig9", nine.revision, {}, 1.0)
    assert record_of(nine, shop) is None
    shop.store("fig9", nine.revision, {}, 1.0, scale="full")
    assert record_of(nine, shop) is not None


def test_expected_times_follow_what_was_measured(tmp_path: Path) -> None:
    item = next(item for item in items_of("slicing") if item.name == "fig6")
    small, large = (Workshop(SCALES[name], tmp_path, jobs=1) for name in ("tiny", "full"))
    assert expected_core_s(item, large) == item.work(large.scale)
    small.spent.start()
    small.spent.elsewhere = 2 * item.work(small.scale)
    small.store("fig6", 1, {}, 1.0)
    assert expected_core_s(item, large) == pytest.approx(2 * item.work(large.scale), rel=0.5)


def test_protocol_is_counted_from_the_data() -> None:
    panels = [panel("x", "x", "y", [curve("OS", "os", [1, 2], [estimate([1.0, 2.0]), estimate([1.0])])])]
    assert counts_of({"panels": panels}) == {"values per point": "1 to 2"}
    assert counts_of({"panels": panels, "protocol": protocol(runs=7)}) == {"runs": 7}
    assert counts_of({}) == {}


def test_trainings_run_on_ray_as_in_processes(tmp_path: Path) -> None:
    """In a process of its own, because Ray starts daemons and warns about the interpreter it finds."""
    script = (
        "import math, sys; from pathlib import Path\n"
        "from slicewright.evaluation.reproduction.engine.scale import scale_of\n"
        "from slicewright.evaluation.reproduction.engine.workshop import Workshop\n"
        "shop = Workshop(scale_of('tiny'), Path(sys.argv[1]), jobs=2, executor='ray', address='local')\n"
        "print(shop.separately(math.hypot, [(3, 4), (5, 12), (8, 15)]))\n"
    )
    command = [sys.executable, "-c", script, str(tmp_path)]
    alone = {**os.environ, **ON_RAY}
    ran = subprocess.run(command, capture_output=True, text=True, timeout=240, check=True, env=alone)
    assert ran.stdout.splitlines()[-1] == "[5.0, 13.0, 17.0]"


def test_unknown_executors_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidOptionError, match="--executor"):
        Workshop(SCALES["tiny"], tmp_path, executor="slurm")


def test_asking_for_data_that_are_not_there_says_which(tmp_path: Path) -> None:
    with pytest.raises(InvalidOptionError, match="table3"):
        Workshop(SCALES["tiny"], tmp_path).data_of("table3")


@pytest.mark.parametrize("study", ["slicing", "placement"])
def test_items_cover_the_publication(study: str) -> None:
    names = [item.name for item in items_of(study)]
    wanted = ("table3", "table4", "fig4", "fig5", "fig6", "fig7", "fig8", "fig9")
    assert set(wanted if study == "slicing" else ("table3", "fig4", "fig5", "fig6", "fig7", "fig8")) <= set(
        names
    )
    assert len(set(names)) == len(names)
    for item in items_of(study):
        assert all(names.index(used) < names.index(item.name) for used in item.uses)
        assert 0 < item.work(SCALES["smoke"]) <= item.work(SCALES["full"])


def test_chosen_items_bring_what_they_use() -> None:
    assert [item.name for item in chosen_items("slicing", ["fig9"])] == ["fig8", "fig9"]


def test_unknown_names_are_refused() -> None:
    with pytest.raises(UnknownNameError, match="fig9"):
        chosen_items("slicing", ["fig99"])
    with pytest.raises(UnknownNameError, match="smoke"):
        scale_of("smok")
    with pytest.raises(UnknownNameError, match="slicing"):
        items_of("slicin")


def test_small_trainings_cannot_refute() -> None:
    item = Item(
        "x", "x", "x", lambda shop: {}, lambda data: Verdict("no", "", ""), lambda s: 1.0, trained=True
    )
    assert verdict(item, {}, "smoke").holds == "open"
    assert verdict(item, {}, "full").holds == "no"


def test_holds_counts_conditions() -> None:
    assert [holds(c) for c in ([True, True], [True, False], [False])] == ["yes", "partly", "no"]


def test_intervals_are_students() -> None:
    got = estimate([1.0, 2.0, 3.0, float("nan")])
    assert (got.mean, got.count) == (2.0, 3)
    assert got.half == pytest.approx(2.919986 / np.sqrt(3), rel=1e-6)
    assert estimate([4.0]).half == 0.0
    assert estimate([]).count == 0


def test_nested_scenarios_differ_only_in_what_is_varied() -> None:
    few, many = (nested_scenario(6, 1, {"coins": n}) for n in (4, 12))
    assert (few.n_nodes, many.n_nodes) == (5, 13)
    assert (few.rate_bps == many.rate_bps).all()
    assert (few.node_capacity_hz[:4] == many.node_capacity_hz[:4]).all()
    assert few.node_kinds[-1] == many.node_kinds[-1] == "mec"
    assert nested_scenario(6, 1, {"slices": 2}).n_slices == 2
    assert nested_scenario(6, 1, {"access_points": 5}).n_access_points == 5


def test_more_coins_never_cost_more() -> None:
    costs = [proven_optimum(nested_scenario(8, 3, {"coins": n})) for n in (4, 8, 12)]
    assert all(proven(answer) for answer in costs)
    assert all(b.cost_s <= a.cost_s * (1 + 2e-4) for a, b in itertools.pairwise(costs))


def test_figures_repeat_byte_for_byte() -> None:
    panels = [
        panel(
            "title", "devices", "cost in s", [curve("OS", "os", [1, 2], [estimate([1.0, 2.0]), estimate([])])]
        )
    ]
    assert draw(panels) == draw(panels)
    assert draw(panels).startswith(b"\x89PNG")


def test_figures_show_limits_published_values_and_names() -> None:
    points = [estimate([0.5, 0.6]), estimate([0.8, 0.9])]
    plain = curve("GNN", "gnn", [0, 1], points)
    stopped = curve("GNN", "gnn", [0, 1], points, bounds=[False, True])
    assert "bounds" not in curve("GNN", "gnn", [0, 1], points, bounds=[False, False])
    pictures = {
        draw([panel("t", "graph", "accuracy", [plain])]),
        draw([panel("t", "graph", "accuracy", [stopped])]),
        draw([panel("t", "graph", "accuracy", [plain], published=[published_line("0.92", 0.92)])]),
        draw([panel("t", "graph", "accuracy", [plain], ticks=("none", "ingress"))]),
    }
    assert len(pictures) == 4


def test_manifest_tells_no_names_and_no_paths(tmp_path: Path) -> None:
    import getpass
    import platform

    text = json.dumps(
        manifest("slicing", Workshop(SCALES["tiny"], tmp_path, command="slicewright reproduce slicing"))
    )
    assert str(Path.home()) not in text
    assert str(tmp_path) not in text
    assert platform.node() not in text
    assert getpass.getuser() not in text.replace("processor", "")


def test_published_values_are_complete() -> None:
    assert set(SP1) == set(SP2) == set(SP3)
    assert SP1["deepsets-s"] == (0.3924, 0.7676, 0.9526, 0.9912, 0.9057)
    assert PLACEMENT["gnn"][0] == PLACEMENT["gnn"][2]
