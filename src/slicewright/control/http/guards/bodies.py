"""Bodies of requests, read as strictly as JSON can be: what two readers might understand differently is refused.

Python's reader lets through what later code cannot bear: keys that appear twice, halves of surrogate pairs, which no
UTF-8 can carry, whole numbers of any length, infinities, and nesting as deep as its stack.
"""

from __future__ import annotations

import json
import math
from collections import Counter
from typing import Any, NoReturn

from starlette.types import Message, Receive

from slicewright.control.http.problems import Problem

MOST_DIGITS = 40
MOST_DEPTH = 32
_ORDER_MARK = "\ufeff"
MOST_CHARACTERS = 4096
"""No name, reason or other text of the API is nearly as long."""


def given_again(message: Message, receive: Receive) -> Receive:
    """A message that was taken from an application's input, then whatever else comes."""
    given = False

    async def first() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return message

    return first


def check_json(body: bytes) -> None:
    """Refuse a body that is not strict JSON.

    Raises:
        Problem: 422 that says what is wrong with it.
    """
    try:
        document = _READER.decode(_text_of(body))
    except UnicodeDecodeError as error:
        _refuse(f"the body is not UTF-8: {error.reason} at byte {error.start}")
    except json.JSONDecodeError as error:
        _refuse(f"the body is not JSON: {error.msg} at line {error.lineno}, column {error.colno}")
    except RecursionError:
        _refuse(f"the body is nested more than {MOST_DEPTH} deep")
    if not _is_plain(body):
        _check(document)


def _is_plain(body: bytes) -> bool:
    """Whether nothing of what is read can be too long, too deep, or no text: so are nearly all, and short."""
    brackets = body.count(b"{") + body.count(b"[")
    return len(body) <= MOST_CHARACTERS and brackets <= MOST_DEPTH and b"\\u" not in body


def _text_of(body: bytes) -> str:
    text = body.decode("utf-8")
    if text.startswith(_ORDER_MARK):
        raise json.JSONDecodeError("Unexpected UTF-8 BOM (decode using utf-8-sig)", text, 0)
    return text


def _check(document: Any) -> None:
    level, depth = [document], 0
    while level:
        if depth > MOST_DEPTH:
            _refuse(f"the body is nested more than {MOST_DEPTH} deep")
        below: list[Any] = []
        for item in level:
            if isinstance(item, dict):
                for key in item:
                    _text(key)
                below.extend(item.values())
            elif isinstance(item, list):
                below.extend(item)
            elif isinstance(item, str):
                _text(item)
        level, depth = below, depth + 1


def _text(text: str) -> None:
    if len(text) > MOST_CHARACTERS:
        _refuse(f"a text of {len(text)} characters; at most {MOST_CHARACTERS} are read")
    if not text.isascii() and any("\ud800" <= c <= "\udfff" for c in text):
        _refuse("a text has half a surrogate pair, which UTF-8 cannot carry")
    if "\x00" in text:
        _refuse("a text has a NUL character")


def _distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) < len(pairs):
        twice = next(key for key, count in Counter(key for key, _ in pairs).items() if count > 1)
        _refuse(f"the key {_short(twice)} appears twice in one object")
    return made


def _whole(digits: str) -> int:
    if len(digits) > MOST_DIGITS:
        _refuse(f"a number of {len(digits)} digits; at most {MOST_DIGITS} are read")
    return int(digits)


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        _refuse(f"the number {_short(text)} is not finite")
    return value


def _no_constant(name: str) -> NoReturn:
    _refuse(f"{name} is not JSON")


def _short(text: str) -> str:
    return ascii(text if len(text) <= 60 else text[:59] + "~")


def _refuse(detail: str) -> NoReturn:
    raise Problem(422, "invalid-json", detail)


_READER = json.JSONDecoder(
    object_pairs_hook=_distinct, parse_int=_whole, parse_float=_finite, parse_constant=_no_constant
)
