"""One name for one thing on the command line, one thing for one name, and what was called otherwise is still taken."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import pytest

from slicewright.cli.main import COMMANDS, command
from slicewright.cli.old_names import OLD_NAMES

TWO_MEANINGS = {
    "--json": "a file where a command makes something, alone where it only judges: --json was there before the file",
    "--output": "one file or a folder of files",
}
"""Names whose options differ in kind, and why that stays."""

TWO_LETTERS = {
    "-m": {"--method", "--methods", "--mobility", "--model"},
    "-p": {"--method", "--port", "--preset"},
    "-t": {"--to", "--horizon"},
}
"""Letters that meant several things before anybody counted; they stay, since scripts contain them."""

RETIRED = {"--out", "--solver", "--policy", "--jobs", "--plot", "--resync", "--time-limit"}
"""Names that nothing has any more."""


def walk(found: Any, path: str) -> Iterator[tuple[str, Any]]:
    """A command and all of its own that are shown."""
    yield path, found
    for name, inner in getattr(found, "commands", {}).items():
        if not inner.hidden:
            yield from walk(inner, f"{path} {name}")


EVERY = [pair for name in COMMANDS for pair in walk(command(name), name)]
OPTIONS = [
    (path, option)
    for path, found in EVERY
    for option in found.params
    if option.param_type_name == "option" and option.name != "help" and not option.hidden
]


def long_name(option: Any) -> str:
    names: list[str] = option.opts
    return next(name for name in names if name.startswith("--"))


def kind(option: Any) -> tuple[bool, bool, str | None]:
    """A flag or not, once or often, and what it takes."""
    return bool(option.is_flag), bool(option.multiple), option.metavar


def test_a_name_takes_the_same_everywhere() -> None:
    kinds: dict[str, dict[Any, str]] = defaultdict(dict)
    for path, option in OPTIONS:
        kinds[long_name(option)][kind(option)] = path
    differ = {name: found for name, found in kinds.items() if len(found) > 1 and name not in TWO_MEANINGS}
    assert not differ


def test_what_is_said_of_an_option_is_said_of_one_name() -> None:
    names: dict[str, set[str]] = defaultdict(set)
    for _, option in OPTIONS:
        told = (option.help or "").partition(":")[0].partition(";")[0].partition(",")[0].strip(" .").lower()
        names[told].add(long_name(option))
    assert not {told: found for told, found in names.items() if len(found) > 1}


def test_a_letter_stands_for_one_name() -> None:
    letters: dict[str, set[str]] = defaultdict(set)
    for _, option in OPTIONS:
        for name in option.opts:
            if not name.startswith("--"):
                letters[name].add(long_name(option))
    assert {letter: names for letter, names in letters.items() if len(names) > 1} == TWO_LETTERS


def test_retired_names_are_nowhere_and_every_option_says_what_it_is() -> None:
    for path, option in OPTIONS:
        assert RETIRED.isdisjoint(option.opts), path
        assert option.help, (path, option.opts)


def test_old_names_are_of_commands_that_are_there() -> None:
    shown = {path: {long_name(option) for of, option in OPTIONS if of == path} for path, _ in EVERY}
    for path, known in OLD_NAMES.items():
        for old, new in known.items():
            assert f"--{new}" in shown[path] and f"--{old}" not in shown[path], (path, old)


@pytest.mark.parametrize(
    ("path", "old", "new"),
    [(path, old, new) for path, known in OLD_NAMES.items() for old, new in known.items()],
)
def test_old_names_are_still_taken(path: str, old: str, new: str) -> None:
    found = dict(EVERY)[path]
    option = next(option for of, option in OPTIONS if of == path and long_name(option) == f"--{new}")
    value = [] if option.is_flag else ["1"]

    def given(words: list[str]) -> Any:
        return found.make_context(path, words, resilient_parsing=True).params[option.name]

    asked = given([f"--{new}", *value])
    assert given([f"--{old}", *value]) == asked != given([])
    assert option.is_flag or given([f"--{old}=1"]) == asked


def test_plan_tells_who_takes_devices_for_size(capfd: pytest.CaptureFixture[str]) -> None:
    words = ["paper-slicing", "--size", "2", "--devices", "1", "--rounds", "1"]
    command("plan").main(words, standalone_mode=False)
    told = capfd.readouterr()
    assert "--devices is called --show" in told.err
    assert "The 1 slowest" in told.out
