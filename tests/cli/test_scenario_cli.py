"""``slicewright scenario`` as users call it, in a process of its own where exit codes matter."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import networkx as nx
import numpy as np
import pytest
from typer.testing import CliRunner

from slicewright.cli.commands.planning.check import check
from slicewright.cli.commands.planning.scenario import app, parse_settings
from slicewright.errors import InvalidOptionError, InvalidScenarioError, InvalidTasksError
from slicewright.network import load_scenario, preset
from slicewright.network.importers import import_graph
from slicewright.placement import load_tasks
from tests.shared import MELBOURNE

runner = CliRunner()


def run(*arguments: object) -> str:
    result = runner.invoke(app, [str(a) for a in arguments], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


def test_new_writes_what_the_preset_draws(tmp_path: Path) -> None:
    file = tmp_path / "s.yaml"
    said = run(
        "new", "--preset", "paper-slicing", "--size", 30, "--seed", 7, "-o", file, "--set", "slices=a,b"
    )
    assert "30 devices, 3 access points, 9 nodes, 2 slices" in said
    expected = preset("paper-slicing", devices=30, seed=7, slices=["a", "b"])
    scenario = load_scenario(file)
    np.testing.assert_array_equal(scenario.rate_bps, expected.rate_bps)
    np.testing.assert_array_equal(scenario.slice_cycles, expected.slice_cycles)


def test_show_counts_ranges_and_loads(tmp_path: Path) -> None:
    file = tmp_path / "s.json"
    run("new", "--size", 5, "-o", file, "--set", "reach_m=60", "--set", "task_bits=8e6")
    said = run("show", file, "--map", tmp_path / "s.png")
    for part in (
        "5 devices",
        "8 COIN nodes",
        "1 MEC server",
        "8 Mbit",
        "18 MHz",
        "reach none and stay local",
        "if nobody offloads",
    ):
        assert part in said
    assert (tmp_path / "s.png").read_bytes().startswith(b"\x89PNG")


def test_show_takes_a_preset_by_name() -> None:
    assert "100 devices, 12 access points" in run("show", "dense-urban")


def test_import_graph(tmp_path: Path) -> None:
    nx.write_graphml(nx.star_graph(5), tmp_path / "g.graphml")
    assert "9 devices, 4 access points, 2 nodes" in run(
        "import",
        "graph",
        tmp_path / "g.graphml",
        "-o",
        tmp_path / "g.yaml",
        "--set",
        "devices=9",
        "--set",
        "coins=1",
    )
    assert load_scenario(tmp_path / "g.yaml").origin["file"] == "g.graphml"


def test_import_topohub(tmp_path: Path) -> None:
    pytest.importorskip("topohub")
    run("import", "topohub", "sndlib/polska", "-o", tmp_path / "p.yaml", "--seed", 3)
    assert load_scenario(tmp_path / "p.yaml").origin["topology"] == "sndlib/polska"


@pytest.mark.skipif(
    not MELBOURNE.is_dir(),
    reason="the shared Melbourne CSV files are not beside this checkout",
)
def test_import_eua(tmp_path: Path) -> None:
    said = run("import", "eua", MELBOURNE, "-o", tmp_path / "m.yaml", "--set", "users=40")
    assert "40 devices, 125 access points, 42 nodes" in said


def test_settings_are_numbers_words_or_lists() -> None:
    assert parse_settings(["a=1", "b = 2,3", "c=[x, y]"]) == {"a": "1", "b": ["2", "3"], "c": ["x", "y"]}
    for wrong in (["a"], ["=1"], ["a="], ["a=1", "a=2"]):
        with pytest.raises(InvalidOptionError, match="--set"):
            parse_settings(wrong)


@pytest.mark.parametrize("setting", ["seed=3", "name=x", "path=x"])
def test_what_has_an_option_of_its_own_is_no_setting(setting: str, tmp_path: Path) -> None:
    takes: Callable[..., object] = preset if setting.startswith("name") else import_graph
    with pytest.raises(InvalidOptionError, match=f"--set.* does not set {setting.partition('=')[0]}"):
        parse_settings([setting], takes)
    document = {"schema": "slicewright/scenario/v1", "preset": "paper-slicing", "name": "x"}
    with pytest.raises(InvalidScenarioError, match="name is 'x' but is no parameter of a preset"):
        load_scenario(document)
    with pytest.raises(InvalidTasksError, match="name is 'x' but is no parameter of a preset"):
        load_tasks({**document, "schema": "slicewright/tasks/v1", "preset": "paper-placement"})


def test_a_folder_is_no_scenario(tmp_path: Path) -> None:
    with pytest.raises(InvalidScenarioError, match="is a folder, not a file; import its tables first"):
        load_scenario(tmp_path)
    with pytest.raises(InvalidOptionError, match="slicewright check SCENARIO FOLDER"):
        check(str(tmp_path), None, json_output=False)


def test_mistakes_are_one_sentence_and_exit_code_2(tmp_path: Path) -> None:
    command = [
        sys.executable,
        "-m",
        "slicewright",
        "scenario",
        "new",
        "-o",
        str(tmp_path / "s.yaml"),
        "-s",
        "device=3",
    ]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 2
    assert (
        result.stderr
        == "slicewright: device: is not a parameter of preset 'paper-slicing'; did you mean 'devices'?\n"
    )
    assert not (tmp_path / "s.yaml").exists()
