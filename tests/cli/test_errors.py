"""What users read who have mistyped something: one sentence that names the option, the value and the rule."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

import slicewright as sw
from slicewright.cli.main import run
from slicewright.cli.options import in_words_of
from slicewright.errors import InvalidOptionError
from tests.cli.conftest import Slicewright

NONSENSE = [
    ("export paper-slicing --to rrm -o out --core-hz -5", "--core-hz is -5 but must be positive"),
    (
        "export paper-slicing --to rrm -o out --first-cell x",
        "--first-cell is 'x' but must be nine hex digits",
    ),
    (
        "export paper-slicing --to rrm -o out --plmn -5",
        "--plmn is '-5' but must be MCC-MNC, for example 001-01",
    ),
    ("labels build out --executor boats", "--executor is 'boats' but must be one of processes, ray"),
    (
        "labels build out --timeout soon",
        "--timeout is 'soon' but must be a duration such as 5ms, 0.1s or 200us",
    ),
    ("labels build out --solver exactly", "there is no method of labelling 'exactly'"),
    ("scenario new -o a.yaml --columns x", "--columns is 'x' but must be one of parquet, arrow"),
    ("scenario show paper-slicing --map a.gif", "--map is 'a.gif' but must end in one of .png, .pdf"),
    ("simulate paper-slicing --arrivals x", "--arrivals is 'x' but must be poisson, periodic, bursts or"),
    ("simulate paper-slicing --work x", "--work is 'x' but must be fixed, exponential, lognormal or"),
    ("simulate paper-slicing --price x", "--price is 'x' but must be a duration"),
    ("journal backup . copy.db", "STORE is '.' but is a folder; name the journal's file"),
    (
        "plan",
        "SCENARIO is missing (Scenario file (YAML or JSON), or the name of a preset); for example slice",
    ),
    (
        "scenario new",
        "--output is missing (Scenario file to write: .yaml, .yml or .json); for example slicewright",
    ),
    ("plan paper-slicing --size ten", "--size is 'ten' but must be a whole number of at least 1"),
    ("scenario new -n 0 -o a.yaml", "--size is '0' but must be a whole number of at least 1"),
    ("labels build out --devices=none", "--size is 'none' but must be a number or a range such as 5-50"),
    ("labels build out --size 12-5", "--size is '12-5' but must be from 1 on, with the smaller number first"),
    ("queues --precision 5", "--precision is '5' but must be a number from 0.0001 to 0.2"),
    ("plan paper-slicing --budget", "--budget needs a value"),
    ("compare --list=3", "--list takes no value"),
    ("plan paper-slicing --budgt 5ms", "slicewright plan has no option '--budgt'; did you mean --budget?"),
    ("doctor --colour", "slicewright doctor has no option '--colour'; see slicewright doctor --help"),
    ("plan a b", "slicewright plan takes SCENARIO and options, but not 'b'; see slicewright plan --help"),
    ("doctor now", "slicewright doctor takes options only, but not 'now'; see slicewright doctor --help"),
    ("labels bild", "there is no command 'labels bild'; did you mean 'labels build'?"),
    ("--verbose plan", "SCENARIO is missing"),
    ("compare paper-slicing --methods ,", "--methods is ',' but must be names separated by commas"),
    ("scenario new -n 5 --set devices=6 -o a.yaml", "--size is 5 but cannot stand beside --set devices"),
    ("simulate paper-slicing --horizon 0s", "--horizon is '0s' but must be longer than no time at all"),
    ("simulate paper-slicing --events e.txt", "--events is 'e.txt' but must end in .parquet"),
    ("simulate paper-slicing --warm-up 1h", "--warm-up is '1h' but must end before --horizon"),
    ("simulate paper-slicing --speed 1-2", "--speed is '1-2' but is for devices that walk"),
    (
        "simulate paper-slicing -m waypoint --speed 5-2",
        "--speed is (5.0, 2.0) but must be two positive speeds in ascending order",
    ),
    (
        "serve paper-slicing --nats http://x",
        "--nats is 'http://x' but must be nats://HOST:PORT or tls://HOST:PORT",
    ),
    ("serve paper-slicing --store .", "--store is '.' but is a folder; name a file in it"),
    ("serve paper-slicing --nats-ca ca.pem", "--nats-ca is 'ca.pem' but is for a NATS server; add --nats"),
    ("enforce mine.yaml plan.json", "--uplink or --node: one must be given"),
    ("enforce --node a", "SCENARIO and PLAN, or --url: one of the two must be given"),
    ("scenario import tables nowhere -o a.yaml", "there is no folder nowhere"),
]


@pytest.mark.parametrize(("words", "sentence"), NONSENSE, ids=lambda text: text[:40])
def test_mistakes_are_told_in_the_words_of_the_command(
    words: str,
    sentence: str,
    tmp_path: object,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(str(tmp_path))
    monkeypatch.setattr(sys, "argv", ["slicewright", *words.split()])
    with pytest.raises(SystemExit) as ended:
        run()
    told = capsys.readouterr()
    assert ended.value.code == 2
    assert told.err.startswith(f"slicewright: {sentence}") and told.err.count("\n") == 1
    assert not told.out


def test_a_file_in_the_wrong_place_is_named_with_what_it_is(slicewright: Slicewright, tmp_path: Path) -> None:
    """Which of the files of a command is meant, and what is wrong with it, in one sentence."""
    sw.save_scenario(sw.preset("paper-slicing", devices=3), tmp_path / "mine.yaml")
    sw.save_scenario(sw.preset("paper-slicing", devices=2), tmp_path / "two.yaml")
    sw.save_plan(sw.plan("paper-slicing", method="local"), tmp_path / "plan.json")
    text = (tmp_path / "mine.yaml").read_text(encoding="utf-8")
    (tmp_path / "odd.yaml").write_text(text.replace("task_bits", "task_bit"), encoding="utf-8")
    (tmp_path / "note.txt").touch()
    for words, sentence in {
        "plan plan.json": "plan.json: schema is 'slicewright/plan/v1' but must be slicewright/scenario/v1; "
        "this is a plan file, and a scenario file is asked for",
        "place mine.yaml": "mine.yaml: schema is 'slicewright/scenario/v1' but must be slicewright/tasks/v1; ",
        "check two.yaml plan.json": "plan.json: decisions: must be a list of 2 decisions, one per device, and has 30",
        "plan odd.yaml": "odd.yaml: devices.task_bit: is not a known field; did you mean 'task_bits'?",
        "plan mine.yaml --size 5": "--size is 5 but is for presets, and mine.yaml is a file",
        "scenario import tables note.txt -o a.yaml": "note.txt: is a file, not a folder; tables are imported by",
        "scenario new -o .": ". is a folder, not a file; name a file in it",
        "scenario new -o note.txt/a.yaml": "note.txt is there already, and is no folder; name another one",
    }.items():
        told = slicewright(*words.split(), cwd=tmp_path)
        assert (told.returncode, told.stderr.count("\n")) == (2, 1), told
        assert told.stderr.startswith(f"slicewright: {sentence}"), told.stderr


@pytest.mark.parametrize("group", ["", "labels", "scenario import", "sdn fabric"])
def test_a_group_without_a_command_answers_with_its_help(
    group: str, slicewright: Slicewright, tmp_path: Path
) -> None:
    told = slicewright(*group.split(), cwd=tmp_path)
    assert told.returncode == 2 and "Usage: slicewright" in told.stdout + told.stderr


def test_fields_that_nobody_typed_keep_their_names() -> None:
    error = InvalidOptionError("budget_s", "must be positive", value=0.0)
    assert str(in_words_of(["plan", "--budget=0s"], error)) == "--budget is 0 but must be positive"
    assert in_words_of(["plan", "mine.yaml"], error) is error
    inside = InvalidOptionError("loads", "must be positive", index=(2,), value=-1.0)
    assert in_words_of(["queues", "--loads", "1,2,-1"], inside) is inside
