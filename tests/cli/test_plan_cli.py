"""plan, compare, check and demo as a user runs them: output, files and exit codes."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

import slicewright as sw
from tests.cli.conftest import Slicewright


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    where = tmp_path_factory.mktemp("cli")
    sw.save_scenario(sw.preset("paper-slicing", devices=8, seed=1), where / "s.yaml")
    return where


def test_plan_prints_cost_bound_and_writes_json(folder: Path, slicewright: Slicewright) -> None:
    done = slicewright("plan", "s.yaml", "--rounds", 50, "--json", "p.json", cwd=folder)
    assert done.returncode == 0
    assert "proven bound" in done.stdout
    assert "all of 13a to 13g hold" in done.stdout
    document = json.loads((folder / "p.json").read_text())
    assert document["schema"] == "slicewright/plan/v1"
    assert document["gap"] >= 0


def test_json_to_stdout_is_only_json(folder: Path, slicewright: Slicewright) -> None:
    done = slicewright("plan", "s.yaml", "--rounds", 5, "--json", "-", cwd=folder)
    assert json.loads(done.stdout)["method"] == "auto"


def test_rounds_repeat_bit_for_bit_across_processes(folder: Path, slicewright: Slicewright) -> None:
    words = ("plan", "s.yaml", "--rounds", "30", "--json", "-")
    command = [sys.executable, "-m", "slicewright", *words]
    there = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300, check=True)
    runs = there.stdout, slicewright(*words, cwd=folder).stdout
    one, other = ({k: v for k, v in json.loads(text).items() if k != "runtime_s"} for text in runs)
    assert one == other


def test_check_accepts_a_true_plan_and_names_the_rule_of_a_false_one(
    folder: Path, slicewright: Slicewright
) -> None:
    slicewright("plan", "s.yaml", "--rounds", 50, "--json", "ok.json", cwd=folder)
    assert slicewright("check", "s.yaml", "ok.json", cwd=folder).returncode == 0
    document = json.loads((folder / "ok.json").read_text())
    for entry in document["decisions"]:
        if not entry["local"]:
            entry["compute_share"] *= 1.5
    (folder / "bad.json").write_text(json.dumps(document))
    done = slicewright("check", "s.yaml", "bad.json", cwd=folder)
    assert done.returncode == 1
    assert "13e is broken by" in done.stdout
    assert "node" in done.stdout
    assert "cost_s claims" in done.stdout
    listed = json.loads(slicewright("check", "s.yaml", "bad.json", "--json", cwd=folder).stdout)
    assert listed["feasible"] is False
    assert listed["violations"]["13e"] == pytest.approx(0.5)


def test_check_of_a_scenario_alone(folder: Path, slicewright: Slicewright) -> None:
    assert "sound" in slicewright("check", "s.yaml", cwd=folder).stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["plan", "nothing.yaml"], "there is no file nothing.yaml"),
        (
            ["plan", "paper-slicin"],
            "there is no file or preset 'paper-slicin'; did you mean 'paper-slicing'?",
        ),
        (["plan", "s.yaml", "--method", "atuo"], "there is no method 'atuo'; did you mean 'auto'?"),
        (["plan", "s.yaml", "--budget", "fast"], "must be a duration such as 5ms"),
        (["plan", "broken.yaml"], "did you mean 'devices'"),
        (["compare"], "at least one is needed"),
        (["check", "s.yaml", "s.yaml"], "schema"),
    ],
)
def test_bad_input_is_one_sentence_and_exit_code_2(
    folder: Path, slicewright: Slicewright, arguments: list[str], message: str
) -> None:
    (folder / "broken.yaml").write_text("preset: paper-slicing\ndevics: 3\n")
    done = slicewright(*arguments, cwd=folder)
    assert done.returncode == 2
    assert message in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert "Traceback" not in done.stderr


def test_compare_shows_every_method_and_writes_json(folder: Path, slicewright: Slicewright) -> None:
    done = slicewright("compare", "s.yaml", "--rounds", 100, "--json", "c.json", cwd=folder)
    assert done.returncode == 0, done.stderr
    rows = {row["method"]: row for row in json.loads((folder / "c.json").read_text())["rows"]}
    assert {"auto", "best-response", "erap", "prap", "greedy", "random", "local", "mec-only"} <= set(rows)
    assert all(row["feasible"] for row in rows.values())
    assert rows["auto"]["to_best"] == pytest.approx(0, abs=1e-3)


def test_demo_tells_the_whole_story(folder: Path, slicewright: Slicewright) -> None:
    done = slicewright("demo", "--output", "demo", cwd=folder)
    assert done.returncode == 0, done.stderr
    for name in ("plan.png", "plan.json", "scenario.yaml"):
        assert (folder / "demo" / name).stat().st_size > 1000
