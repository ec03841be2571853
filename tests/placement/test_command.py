"""``slicewright place`` end to end, and its picture."""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import pytest

from slicewright.cli.main import run
from slicewright.errors import InvalidOptionError
from slicewright.evaluation.placement_picture import MAX_BOXES, draw_placement, layout
from slicewright.evaluation.placement_traffic import traffic
from slicewright.placement import Placement, check_placement, load_tasks, place, placement_preset, save_tasks
from slicewright.placement.plan_file import placement_choice
from tests.placement.problems import by_distances

Command: TypeAlias = Callable[..., tuple[int, str, str]]


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """Run the command; returns its exit code, standard output and standard error."""

    def call(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["slicewright", "place", *arguments])
        with pytest.raises(SystemExit) as ended:
            run()
        out, err = capsys.readouterr()
        return int(ended.value.code or 0), out, err

    return call


def test_place_shows_and_writes(command: Command, tmp_path: Path) -> None:
    file = save_tasks(
        placement_preset(tasks=12, seed=4, deadline_s=(0.003, 0.1), mec_capacity_hz=4e9),
        tmp_path / "tasks.yaml",
    )
    code, out, err = command(
        str(file), "--budget", "10ms", "--compare", "mec-only,random",
        "--json", str(tmp_path / "p.json"), "--map", str(tmp_path / "p.png"),
    )  # fmt: skip
    assert code == 0
    assert all(word in out for word in ("rejected", "upper0", "mec-only", "random", "Gbit hops"))
    assert "p.json" in err and "p.png" in err
    placement = Placement.from_dict(json.loads((tmp_path / "p.json").read_text()))
    assert check_placement(load_tasks(file), placement).feasible
    assert (tmp_path / "p.png").read_bytes().startswith(b"\x89PNG")


def test_place_speaks_json_on_standard_output(command: Command) -> None:
    code, out, _ = command("paper-placement", "--method", "greedy-nearest", "--json", "-")
    assert code == 0
    assert json.loads(out)["schema"] == "slicewright/placement/v1"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("nowhere.yaml",), "there is no file nowhere.yaml"),
        (("paper-placemen",), "there is no file or preset 'paper-placemen'; did you mean 'paper-placement'?"),
        (("paper-placement", "--method", "magic"), "no placement method"),
        (("paper-placement", "--budget", "soon"), "--budget"),
        (("paper-placement", "--map", "picture"), "must end in"),
        (("paper-placement", "--map", "picture.txt"), "must end in"),
    ],
)
def test_bad_input_ends_with_two_and_one_sentence(
    command: Command, arguments: tuple[str, ...], said: str
) -> None:
    code, _, err = command(*arguments)
    assert code == 2
    assert said in err


def test_traffic_is_what_the_cost_counts() -> None:
    tasks = placement_preset(tasks=20, seed=2)
    placement = place(tasks, "greedy-nearest")
    flows = traffic(tasks, placement_choice(tasks, placement))
    lengths = {link[:2]: link.length for link in tasks.topology.links}
    carried = sum(bits * lengths[hop] for part in (flows.partial, flows.full) for hop, bits in part.items())
    assert carried == pytest.approx(placement.cost_bit_hops)


@pytest.mark.parametrize("ending", ["svg", "pdf"])
def test_pictures_of_networks_known_only_by_distances(tmp_path: Path, ending: str) -> None:
    tasks = load_tasks(by_distances(placement_preset(tasks=9, seed=3, mecs=2)))
    file = draw_placement(tasks, place(tasks, "greedy-nearest"), tmp_path / f"map.{ending}")
    assert file.stat().st_size > 5000


def test_a_layer_of_many_has_boxes_for_the_busiest_and_one_for_the_others(tmp_path: Path) -> None:
    tasks = placement_preset(tasks=80, seed=1, access_points=40, lower_coins=30, upper_coins=13)
    topology = tasks.topology
    names = [*topology.access_points, *topology.nodes]
    boxes = layout(topology, {name: float(k) for k, name in enumerate(names)})
    levels = Counter(y for _, y in boxes.places.values())
    assert sorted(levels.values()) == [1, MAX_BOXES, MAX_BOXES, MAX_BOXES]
    assert sorted(name for box in boxes.members.values() for name in box) == sorted(names)
    rest = {boxes.caption(box) for box, inside in boxes.members.items() if len(inside) > 1}
    assert rest == {"29 others", "19 others", "2 others"}
    assert len(boxes.members["ap39"]) == 1, "the busiest has a box of its own"
    file = draw_placement(tasks, place(tasks, "greedy-nearest"), tmp_path / "map.png")
    assert file.stat().st_size < 1_000_000


def test_pictures_have_a_format(tmp_path: Path) -> None:
    tasks = placement_preset(tasks=2)
    with pytest.raises(InvalidOptionError, match="must end in"):
        draw_placement(tasks, place(tasks, "random"), tmp_path / "map.gif")


def test_check_judges_a_placement_and_its_claims(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    tasks = placement_preset(tasks=8, seed=1)
    file, made = save_tasks(tasks, tmp_path / "tasks.yaml"), place(tasks, "auto", budget_s=0.05)

    def check(**changed: object) -> tuple[int, str]:
        path = tmp_path / "placement.json"
        path.write_text(json.dumps(made.to_dict() | changed))
        monkeypatch.setattr(sys, "argv", ["slicewright", "check", str(file), str(path)])
        with pytest.raises(SystemExit) as ended:
            run()
        return int(ended.value.code or 0), capsys.readouterr().out

    code, said = check()
    assert code == 0
    assert "all of 9a to 9e hold" in said
    code, said = check(cost_bit_hops=0.5 * made.cost_bit_hops)
    assert code == 1
    assert "cost_bit_hops claims" in said
    assert "lower_bound_bit_hops claims" in check(lower_bound_bit_hops=2 * made.objective_bit_hops)[1]
    rows = made.to_dict()["placements"]
    assert isinstance(rows, list)
    crowded = [{**row, "nodes": [0, 1], "reason": None} for row in rows]
    code, said = check(placements=crowded)
    assert code == 1
