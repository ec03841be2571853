"""What sub-commands parse in the same way, and that every command of the overview is there."""

from __future__ import annotations

import pytest
import typer

from slicewright.cli.main import COMMANDS
from slicewright.cli.options import choice, duration_s, listed, require_extra
from slicewright.errors import InvalidOptionError, MissingExtraError
from slicewright.files.pictures import picture_file


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_is_a_module_with_its_function_or_a_group(name: str) -> None:
    module = COMMANDS[name].module(name)
    group = getattr(module, "app", None)
    assert isinstance(group, typer.Typer) or callable(getattr(module, name))


@pytest.mark.parametrize(
    ("text", "seconds"), [("5ms", 5e-3), ("0.1s", 0.1), ("200us", 2e-4), ("2min", 120), ("3", 3)]
)
def test_durations(text: str, seconds: float) -> None:
    assert duration_s(text) == pytest.approx(seconds)


def test_words() -> None:
    assert listed(" a, b,,c ") == ["a", "b", "c"]
    assert listed(None) == []
    assert choice("fixed", ("exponential", "fixed"), "--work") == "fixed"
    with pytest.raises(InvalidOptionError, match="--work is 'half' but must be one of exponential, fixed"):
        choice("half", ("exponential", "fixed"), "--work")


def test_a_missing_extra_is_named_before_any_work() -> None:
    require_extra("nothing", "none", "json")
    with pytest.raises(
        MissingExtraError, match=r"flying needs the extra 'wings': pip install 'slicewright\[wings\]'"
    ):
        require_extra("flying", "wings", "json", "slicewright_wings")


def test_a_picture_has_a_format() -> None:
    assert picture_file("a/b.PNG").name == "b.PNG"
    with pytest.raises(
        InvalidOptionError, match=r"--picture is 'b.gif' but must end in one of \.png, \.pdf, \.svg"
    ):
        picture_file("a/b.gif", field="--picture")
