"""Text files as programs save them: byte order marks, UTF-16, old code pages; sizes that memory can hold."""

from __future__ import annotations

import codecs
import os
from pathlib import Path
from typing import NamedTuple

from slicewright.errors import InvalidInputError, InvalidOptionError
from slicewright.files.binary import what_it_is, what_to_do

MEGABYTE = 2**20
LARGEST_ENVIRONMENT = "SLICEWRIGHT_LARGEST_FILE_MB"
"""Raises (or lowers) the size up to which any file is read, in units of 2**20 bytes."""
_MARKS = (  # the longer marks first: that of UTF-32 begins with that of UTF-16
    (codecs.BOM_UTF32_LE, "utf-32-le", "UTF-32"),
    (codecs.BOM_UTF32_BE, "utf-32-be", "UTF-32"),
    (codecs.BOM_UTF8, "utf-8", "UTF-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le", "UTF-16"),
    (codecs.BOM_UTF16_BE, "utf-16-be", "UTF-16"),
)
_SAVE_AS = "save it as UTF-8"


class Text(NamedTuple):
    """What a file holds, and the encoding it was read in; ``guessed`` where the file does not tell."""

    content: str
    encoding: str
    guessed: bool = False


def read_bytes(
    path: str | Path, error: type[InvalidInputError], *, most_mb: int, advice: str = "split it"
) -> bytes:
    """All bytes of a file that is not too large.

    Args:
        path: the file.
        error: raised about a larger one.
        most_mb: the largest that is read, in units of 2**20 bytes, unless the environment says otherwise.
        advice: what to do about a larger one.

    Raises:
        FileNotFoundError: no such file.
        InvalidInputError: of the given type: the file is larger; names the line where the limit is reached.
    """
    most_mb = _most_mb(most_mb)
    with Path(path).open("rb") as stream:
        data = stream.read(most_mb * MEGABYTE + 1)
        if len(data) <= most_mb * MEGABYTE:
            return data
        size = os.fstat(stream.fileno()).st_size
    shown = f"has {size / MEGABYTE:,.0f} MB, and" if size > len(data) else "is too large:"
    raise error(
        str(path),
        f"{shown} at most {most_mb} MB are read (reached in line {data.count(10) + 1})",
        fix=f"{advice}, or set {LARGEST_ENVIRONMENT}",
    )


def read_text(
    path: str | Path,
    error: type[InvalidInputError],
    *,
    most_mb: int,
    advice: str = "split it",
    guess: bool = False,
) -> Text:
    """The text of a file.

    Args:
        path: the file.
        error: raised about a file that is too large or no text.
        most_mb, advice: see :func:`read_bytes`.
        guess: take what is not UTF-8 for Windows-1252, of which Latin-1 is a part, as spreadsheets save it.

    Raises:
        FileNotFoundError: no such file.
        InvalidInputError: of the given type; names the line and the byte.
    """
    return decode(read_bytes(path, error, most_mb=most_mb, advice=advice), str(path), error, guess=guess)


def decode(data: bytes, name: str, error: type[InvalidInputError], *, guess: bool = False) -> Text:
    """Bytes as text, see :func:`read_text`; ``name`` is for the message."""
    for mark, codec, called in _MARKS:
        if data.startswith(mark):
            return Text(_decoded(data[len(mark) :], codec, called, name, error), called)
    called = what_it_is(data)
    if called and (b"\0" in data or called not in ("a program", "sound", "sound or video")):
        raise error(name, f"is {called}, not a text file in UTF-8", fix=what_to_do(called))
    unmarked = _unmarked_utf16(data)
    if unmarked is not None:
        return Text(_decoded(data, unmarked, "UTF-16", name, error), "UTF-16")
    if b"\0" in data:
        line = data.count(b"\n", 0, data.index(b"\0")) + 1
        raise error(name, f"must be a text file, but line {line} holds a zero byte", fix=_SAVE_AS)
    try:
        return Text(data.decode("utf-8"), "UTF-8")
    except UnicodeDecodeError as broken:
        if not guess:
            raise error(name, _not_text(data, broken.start, "UTF-8"), fix=_SAVE_AS) from None
    try:
        return Text(data.decode("cp1252"), "Windows-1252", guessed=True)
    except UnicodeDecodeError:
        return Text(data.decode("latin-1"), "Latin-1", guessed=True)


def encoding_of(head: bytes, name: str, error: type[InvalidInputError]) -> str:
    """The encoding of a file that is read piece by piece, by its first bytes; its mark is left out by that name.

    Raises:
        InvalidInputError: of the given type: it is no text.
    """
    marked = {"UTF-8": "utf-8-sig", "UTF-16": "utf-16", "UTF-32": "utf-32"}
    for mark, _, called in _MARKS:
        if head.startswith(mark):
            return marked[called]
    unmarked = _unmarked_utf16(head[: len(head) // 2 * 2])
    if unmarked is None:
        decode(head.decode("utf-8", "ignore").encode(), name, error)  # what is no text at all is refused
    return unmarked or "utf-8"


def _decoded(data: bytes, codec: str, called: str, name: str, error: type[InvalidInputError]) -> str:
    try:
        return data.decode(codec)
    except UnicodeDecodeError as broken:
        before = data[: broken.start].decode(codec, errors="replace")
        rule = f"is not valid {called} at line {before.count(chr(10)) + 1}"
        raise error(name, rule, fix=_SAVE_AS) from None


def _not_text(data: bytes, position: int, called: str) -> str:
    line = data.count(b"\n", 0, position) + 1
    return f"must be a text file in {called}, but line {line} holds the byte 0x{data[position]:02x}"


def _unmarked_utf16(data: bytes) -> str | None:
    """UTF-16 without a mark shows by every second byte of its beginning being zero."""
    head = data[:64]
    if len(head) < 4 or len(data) % 2:
        return None
    if not any(head[::2]) and all(head[1::2]):
        return "utf-16-be"
    if not any(head[1::2]) and all(head[::2]):
        return "utf-16-le"
    return None


def _most_mb(usual: int) -> int:
    text = os.environ.get(LARGEST_ENVIRONMENT, "").strip()
    if not text:
        return usual
    if not text.isdecimal() or not 0 < int(text[:9]) < 10**6:
        raise InvalidOptionError(LARGEST_ENVIRONMENT, "must be a whole number of megabytes", value=text)
    return int(text)
