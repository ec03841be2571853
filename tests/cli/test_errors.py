"""What users read who have mistyped something: one sentence that names the option, the value and the rule."""

from __future__ import annotations

import sys

import pytest

from slicewright.cli.main import run
from slicewright.cli.options import in_words_of
from slicewright.errors import InvalidOptionError

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


def test_fields_that_nobody_typed_keep_their_names() -> None:
    error = InvalidOptionError("budget_s", "must be positive", value=0.0)
    assert str(in_words_of(["plan", "--budget=0s"], error)) == "--budget is 0 but must be positive"
    assert in_words_of(["plan", "mine.yaml"], error) is error
    inside = InvalidOptionError("loads", "must be positive", index=(2,), value=-1.0)
    assert in_words_of(["queues", "--loads", "1,2,-1"], inside) is inside
