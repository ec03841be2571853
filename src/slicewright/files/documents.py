"""YAML and JSON documents on disk: read with clear errors, written atomically."""

from __future__ import annotations

import json
import math
import os
import re
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from slicewright.errors import InvalidInputError
from slicewright.files.strict_json import BrokenTextError, parse_json
from slicewright.files.strict_yaml import parse_yaml
from slicewright.files.text import read_text
from slicewright.types import Document

_YAML_ENDINGS = (".yaml", ".yml")
_NUMBER_OF_YAML_1_2 = re.compile(
    r"[-+]?(?:[0-9][0-9_]*\.?[0-9_]*|\.[0-9_]+)(?:[eE][-+]?[0-9]+)?|0[xobXOB][0-9a-fA-F_]+|[yYnN]"
)
"""What PyYAML writes without quotes although readers of YAML 1.2, or of 1.1 to the letter, take it for no text."""
MOST_JSON_MB, MOST_YAML_MB = 256, 64
"""Largest files that are read, in units of 2**20 bytes: YAML takes some thirty times its size in memory."""


def read_document(path: str | Path, error: type[InvalidInputError]) -> Document:
    """Parse a YAML or JSON file whose top level is a mapping.

    Raises:
        FileNotFoundError: no such file.
        InvalidInputError: of the given type, when the text cannot be parsed; names the line.
    """
    file = Path(path)
    is_json = file.suffix.lower() == ".json"
    most_mb, advice = (
        (MOST_JSON_MB, "split it") if is_json else (MOST_YAML_MB, "save it as .json, which may have more")
    )
    text = read_text(file, error, most_mb=most_mb, advice=advice).content
    document = parse_document(text, str(path), error, is_json=is_json)
    if not isinstance(document, dict):
        raise error(str(path), "must hold a mapping of names to values at its top level")
    return document


@contextmanager
def told_of_file(source: str | Path | Mapping[str, object]) -> Iterator[None]:
    """Errors about what a file holds begin with its name; those about a document of no file stay as they are.

    Args:
        source: the file, or a document.
    """
    try:
        yield
    except InvalidInputError as error:
        name = "" if isinstance(source, Mapping) else str(source)
        if not name or error.file or error.field == name:
            raise
        raise error.in_file(name) from error


def parse_document(text: str, name: str, error: type[InvalidInputError], *, is_json: bool) -> object:
    """The value of a JSON or YAML text; ``name`` is for the message.

    Raises:
        InvalidInputError: of the given type, when the text cannot be parsed; names the line.
    """
    try:
        return parse_json(text) if is_json else parse_yaml(text)
    except BrokenTextError as broken:
        raise error(name, str(broken)) from None


def write_document(document: Mapping[str, object], path: str | Path) -> Path:
    """Write a document atomically; YAML if the ending says so, else JSON."""
    file = Path(path)
    if file.suffix.lower() not in _YAML_ENDINGS:
        return write_atomically(file, json.dumps(document, indent=1, allow_nan=False) + "\n")
    return write_atomically(file, yaml_text(document, flow=None, width=110))


def yaml_text(document: Mapping[str, object], *, flow: bool | None = False, width: int = 80) -> str:
    """A document as YAML that readers of 1.1 and of 1.2 take for the same: ``1e5`` and ``y`` as text are quoted.

    Args:
        document: what to write.
        flow: ``None`` writes lists of numbers in one line, ``False`` one below the other.
        width: of a line, in characters.
    """
    import yaml

    text: str = yaml.dump(
        document, Dumper=_dumper(), sort_keys=False, default_flow_style=flow, width=width, allow_unicode=True
    )
    return text


@cache
def _dumper() -> Any:
    import yaml

    class Dumper(getattr(yaml, "CSafeDumper", yaml.SafeDumper)):  # type: ignore[misc]  # its base is known at run time
        """PyYAML's, which quotes what 1.1 takes for something else than text."""

    def quoted(dumper: Any, text: str) -> Any:
        style = "'" if _NUMBER_OF_YAML_1_2.fullmatch(text) else None
        return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)

    Dumper.add_representer(str, quoted)
    Dumper.ignore_aliases = lambda self, data: True
    return Dumper


def plain(values: Mapping[str, object]) -> Document:
    """A copy that JSON can hold: tuples become lists, and what JSON does not know becomes text."""
    copied: Document = json.loads(json.dumps(dict(values), default=str))
    return copied


def finite(value: float) -> float | None:
    """A number that JSON can hold: None where it is infinite or not a number."""
    return float(value) if math.isfinite(value) else None


def write_atomically(path: str | Path, content: str | bytes) -> Path:
    """Replace a file in one step: readers see the old content or the new, never half of it.

    What is there and is no file, such as a device or a pipe, is written to: replacing it would remove it.
    """
    file = Path(path)
    data = content.encode("utf-8") if isinstance(content, str) else content
    if file.exists() and not file.is_file():
        with file.open("wb", buffering=0) as target:
            target.write(data)
        return file
    temporary = begin_beside(file)
    try:
        with temporary.open("wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        put_in_place(temporary, file)
    except BaseException as broken:
        temporary.unlink(missing_ok=True)
        # A full disk names no file, or the temporary one.
        if isinstance(broken, OSError) and broken.errno is not None:
            raise OSError(broken.errno, broken.strerror, str(file)) from broken
        raise
    return file


def begin_beside(file: Path) -> Path:
    """An empty file of a hidden name in the folder of ``file``, for :func:`put_in_place`; makes the folder.

    Raises:
        OSError: names the folder that cannot be made, or ``file`` where nobody may write in its folder.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    try:
        handle, name = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name[:100]}.")
    except OSError as broken:
        raise OSError(broken.errno, broken.strerror, str(file)) from broken
    os.close(handle)
    return Path(name)


def put_in_place(temporary: Path, file: Path) -> None:
    """Replace ``file`` by a finished one, which whoever may make files here may read."""
    mask = os.umask(0)
    os.umask(mask)
    temporary.chmod(0o666 & ~mask)
    temporary.replace(file)
