"""Commands that pages, the README and unit files show exist, with the names that their options have today."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from slicewright.cli.main import COMMANDS, command
from tests.shared import ROOT

PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").rglob("*.md"), *(ROOT / "docs").rglob("*.service")])
OF_ALL = {"--help"}
OF_THE_PROGRAMME = {"--help", "--version", "--verbose", "-v", "--install-completion", "--show-completion"}
ENDS = {"|", ">", ">>", "2>", "&", "&&", "||", ";", "2>&1", "<"}
_SHOWN = re.compile(r"(?:^|[\s`/(])slicewright ((?:[a-z-]|--)[^`\n]*)")


def shown_commands(text: str) -> Iterator[list[str]]:
    """Words after ``slicewright`` of every command line in a text, in blocks and between backticks."""
    joined = re.sub(r"\\\n\s*", "", text)
    for match in _SHOWN.finditer(joined):
        try:
            words = shlex.split(match[1], comments=True)
        except ValueError:  # a quotation mark of the sentence around it
            words = match[1].split()
        end = next((k for k, word in enumerate(words) if word in ENDS), len(words))
        if words and words[0].strip(".,;:") in {*COMMANDS, *OF_THE_PROGRAMME}:
            yield [word.strip(".,;:") for word in words[:end]]


def unknown_options(words: list[str]) -> list[str]:
    """Options of a command line that its command does not have, or has under another name."""
    if words[0].startswith("-"):
        return [words[0]] if words[0] not in OF_THE_PROGRAMME else []
    found: Any = command(words[0])
    rest = words[1:]
    while getattr(found, "commands", None) and rest:
        inner = found.commands.get(rest[0])
        if inner is None and found.name == "import" and not rest[0].startswith("-"):
            inner = found.commands["auto"]
        if inner is None:
            break
        found, rest = inner, rest[1:] if inner.name != "auto" else rest
    known = {
        name for option in found.params if not getattr(option, "hidden", False) for name in _names(option)
    }
    options = [word.partition("=")[0] for word in rest if re.match(r"--?[a-z]", word)]
    return [option for option in options if option not in known | OF_ALL]


def _names(option: Any) -> list[str]:
    return [*option.opts, *option.secondary_opts]


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.name)
def test_commands_that_are_shown_have_the_options_that_are_shown(page: Path) -> None:
    wrong = [
        (" ".join(words), options)
        for words in shown_commands(page.read_text(encoding="utf-8"))
        if (options := unknown_options(words))
    ]
    assert not wrong


def test_an_option_that_is_not_there_is_found() -> None:
    text = "run `slicewright plan x --devices 3`, or\n```bash\nslicewright scenario import a.gml --colums arrow\n```"
    assert [unknown_options(words) for words in shown_commands(text)] == [["--devices"], ["--colums"]]
    assert sum(1 for page in PAGES for _ in shown_commands(page.read_text(encoding="utf-8"))) > 100
