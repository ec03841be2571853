"""JSON of which nothing is lost: a key that comes twice, a number no float can hold, half a character: refused."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\]:,]', re.DOTALL)
_HALF_CHARACTER = re.compile(r"\\u[dD][89a-fA-F]")
_LONG_NUMBER = re.compile(r"-?[0-9]{4300,}")
_TRAILING_COMMA = re.compile(r'"(?:[^"\\]|\\.)*"|(,)(?=\s*[}\]])', re.DOTALL)


class BrokenTextError(ValueError):
    """What is wrong with a text, in words that follow the name of its file."""


MOST_MEMORY_GB = 4.0
"""Documents that would take more memory than this are refused before they are taken apart."""
_BYTES = {",": 32, "[": 72, "{": 240}
"""What Python takes for each value that such a sign begins: a number, a list, a mapping."""


class DuplicateKey(NamedTuple):
    """A key that stands twice in one mapping, and the lines of both."""

    key: str
    first_line: int
    second_line: int


class _TwiceError(ValueError):
    """One mapping has a key twice."""


def parse_json(text: str) -> object:
    """The value of a JSON text.

    Raises:
        BrokenTextError: says what and in which line.
    """
    check_memory(text, _BYTES)
    try:
        value: object = json.loads(text, object_pairs_hook=_mapping)
    except _TwiceError:
        twice = next(duplicate_keys(text))
        raise BrokenTextError(
            f"has the key {twice.key!r} twice, in lines {twice.first_line} and {twice.second_line}; keep one"
        ) from None
    except json.JSONDecodeError as broken:
        raise BrokenTextError(f"is not valid JSON at line {broken.lineno}: {broken.msg}") from None
    except RecursionError:
        raise BrokenTextError("is nested too deeply to be read") from None
    except ValueError:  # Python refuses to convert numbers of more than 4,300 digits
        number = _LONG_NUMBER.search(text)
        line = 1 if number is None else text.count("\n", 0, number.start()) + 1
        raise BrokenTextError(f"holds a number of more than 4,300 digits in line {line}") from None
    _check_characters(text, value)
    return value


def check_memory(text: str, bytes_of: Mapping[str, int]) -> None:
    """Refuse a text of which the values, counted by signs that begin one, would take too much memory.

    Raises:
        BrokenTextError: they would.
    """
    if len(text) * max(bytes_of.values()) <= MOST_MEMORY_GB * 1e9:
        return
    wanted = sum(text.count(sign) * size for sign, size in bytes_of.items()) / 1e9
    if wanted > MOST_MEMORY_GB:
        raise BrokenTextError(
            f"holds so many values that they would take about {wanted:.0f} GB of memory, more than the "
            f"{MOST_MEMORY_GB:g} GB allowed; split it"
        )


def without_trailing_commas(text: str) -> tuple[str, list[int]]:
    """The text without commas before a closing bracket, as people leave them, and the lines they were in."""
    lines: list[int] = []

    def keep(match: re.Match[str]) -> str:
        if match.group(1) is None:
            return match.group(0)
        lines.append(text.count("\n", 0, match.start()) + 1)
        return ""

    return _TRAILING_COMMA.sub(keep, text), lines


def duplicate_keys(text: str) -> Iterator[DuplicateKey]:
    """Keys of valid JSON that stand twice in one mapping, in the order of the second."""
    mappings: list[dict[str, int] | None] = []
    last, line, position = "", 1, 0
    for token in _TOKEN.finditer(text):
        line += text.count("\n", position, token.start())
        position, word = token.start(), token.group()
        if word in "{[":
            mappings.append({} if word == "{" else None)
        elif word in "}]":
            mappings.pop()
        elif word == ":" and mappings and (keys := mappings[-1]) is not None:
            key = str(json.loads(last))
            if key in keys:
                yield DuplicateKey(key, keys[key], line)
            keys[key] = line
        last = word


def _mapping(pairs: list[tuple[str, object]]) -> dict[str, object]:
    mapping = dict(pairs)
    if len(mapping) < len(pairs):
        raise _TwiceError
    return mapping


def _check_characters(text: str, value: object) -> None:
    """Escapes may spell half of a character of two; such text can neither be shown nor written."""
    half = _HALF_CHARACTER.search(text)
    if half is None:
        return
    try:
        json.dumps(value, ensure_ascii=False).encode("utf-8")
    except UnicodeEncodeError:
        line = text.count("\n", 0, half.start()) + 1
        raise BrokenTextError(
            f"holds half of a character (\\ud800 to \\udfff) in line {line} or below"
        ) from None
