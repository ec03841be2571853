"""What a user may name instead of spelling it out: a file, or a preset by name, in a call or in a document."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import NamedTuple

from slicewright.errors import InvalidInputError, InvalidScenarioError, UnknownNameError
from slicewright.files.documents import read_document
from slicewright.files.fields import FieldReader
from slicewright.types import Document


class PresetCall(NamedTuple):
    """A preset as a document asks for it: ``{preset: ..., seed: ..., **parameters}``."""

    name: str
    seed: int
    parameters: Document


def read_source(
    source: str | Path | Mapping[str, object], *, presets: Collection[str], error: type[InvalidInputError]
) -> Mapping[str, object]:
    """The document that a user means.

    Args:
        source: a document, which is returned as it is; the name of a preset; or the path of a YAML or JSON file.
        presets: names of the presets.
        error: raised about a file that cannot be parsed.

    Raises:
        FileNotFoundError: no such file.
        UnknownNameError: a bare word, or one behind the name of a family of presets (``regime/...``), that names
            neither a file nor a preset; suggests the nearest preset.
        InvalidInputError: of the given type: the file is not a document.
    """
    if isinstance(source, Mapping):
        return source
    if isinstance(source, str) and source in presets:
        return {"preset": source}
    file = Path(source)
    if isinstance(source, str) and not file.suffix and not file.exists():
        families = {name.partition("/")[0] for name in presets if "/" in name}
        if file.name == source or source.partition("/")[0] in families:
            raise UnknownNameError("file or preset", source, presets)
    if file.is_dir():
        advice = "import its tables first: slicewright scenario import FOLDER -o scenario.yaml"
        raise error(
            str(source), "is a folder, not a file", fix=advice if error is InvalidScenarioError else ""
        )
    try:
        return read_document(file, error)
    except error as refused:
        if file.suffix.lower() in (".json", ".yaml", ".yml") or error is not InvalidScenarioError:
            raise
        advice = "import files of other tools first: slicewright scenario import FILE -o scenario.yaml"
        raise error(str(source), refused.rule, fix=advice) from None


def preset_call(document: Document, error: type[InvalidInputError]) -> PresetCall:
    """What a document with the key ``preset`` asks for; every key but the schema's is a parameter.

    Raises:
        InvalidInputError: of the given type: the seed is no whole number of at least 0.
    """
    read = FieldReader(error)
    seed = read.whole(document.get("seed", 0), "seed")
    parameters = {key: value for key, value in document.items() if key not in ("schema", "preset", "seed")}
    if "name" in parameters:
        raise error("name", "is no parameter of a preset", value=parameters["name"], fix="leave it out")
    return PresetCall(read.text(document["preset"], "preset"), seed, parameters)
