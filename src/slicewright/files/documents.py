"""YAML and JSON documents on disk: read with clear errors, written atomically."""

from __future__ import annotations

import json
import math
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path

from slicewright.errors import InvalidInputError
from slicewright.types import Document

_YAML_ENDINGS = (".yaml", ".yml")


def read_document(path: str | Path, error: type[InvalidInputError]) -> Document:
    """Parse a YAML or JSON file whose top level is a mapping.

    Raises:
        FileNotFoundError: no such file.
        InvalidInputError: of the given type, when the text cannot be parsed; names the line.
    """
    file = Path(path)
    try:
        text = file.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise error(str(path), "must be a text file in UTF-8") from None
    document = _parse_json(text, file, error) if file.suffix == ".json" else _parse_yaml(text, file, error)
    if not isinstance(document, dict):
        raise error(str(path), "must hold a mapping of names to values at its top level")
    return document


def write_document(document: Mapping[str, object], path: str | Path) -> Path:
    """Write a document atomically; YAML if the ending says so, else JSON."""
    file = Path(path)
    if file.suffix not in _YAML_ENDINGS:
        return write_atomically(file, json.dumps(document, indent=1, allow_nan=False) + "\n")
    import yaml

    dumper = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
    return write_atomically(
        file, yaml.dump(document, Dumper=dumper, sort_keys=False, default_flow_style=None, width=110)
    )


def plain(values: Mapping[str, object]) -> Document:
    """A copy that JSON can hold: tuples become lists, and what JSON does not know becomes text."""
    copied: Document = json.loads(json.dumps(dict(values), default=str))
    return copied


def finite(value: float) -> float | None:
    """A number that JSON can hold: None where it is infinite or not a number."""
    return float(value) if math.isfinite(value) else None


def write_atomically(path: str | Path, content: str | bytes) -> Path:
    """Replace a file in one step: readers see the old content or the new, never half of it."""
    file = Path(path)
    data = content.encode("utf-8") if isinstance(content, str) else content
    file.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.")
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        mask = os.umask(0)
        os.umask(mask)
        Path(temporary).chmod(0o666 & ~mask)
        Path(temporary).replace(file)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    return file


def _parse_json(text: str, file: Path, error: type[InvalidInputError]) -> object:
    try:
        return json.loads(text)
    except json.JSONDecodeError as broken:
        raise error(str(file), f"is not valid JSON at line {broken.lineno}: {broken.msg}") from None


def _parse_yaml(text: str, file: Path, error: type[InvalidInputError]) -> object:
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        return yaml.load(text, Loader=loader)
    except yaml.YAMLError as broken:
        mark = getattr(broken, "problem_mark", None)
        where = f" at line {mark.line + 1}" if mark else ""
        raise error(str(file), f"is not valid YAML{where}: {getattr(broken, 'problem', broken)}") from None
