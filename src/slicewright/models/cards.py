"""Model cards: what a model file is, what it was trained on, how well it does, and its hash."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from slicewright.errors import InvalidInputError
from slicewright.files.documents import read_document, write_document

SCHEMA = "slicewright/model/v1"
PUBLISHED, BIPARTITE = "published", "bipartite"


class InvalidModelError(InvalidInputError):
    """A model file or its card is damaged or does not fit."""


@dataclass(frozen=True)
class Card:
    """Everything there is to know about a model file beside it.

    Attributes:
        name: the model's name.
        kind: what inputs it takes: ``published`` (fixed network size) or ``bipartite`` (any size); for placement one of
            ``models.placement.model_kinds``.
        file: name of the ONNX file in the same folder.
        sha256: of that file.
        settings: sizes and widths that rebuild the network.
        trained_for: what it has seen: counts as ``[low, high]``; beyond it answers are guesses.
        data: where its labels came from, with seeds and counts.
        training: schedule and seed.
        figures: measured on scenarios that it was not trained on.
        versions: of the libraries that made it.
        parameters: number of weights.
    """

    name: str
    kind: str
    file: str
    sha256: str
    settings: Mapping[str, Any]
    trained_for: Mapping[str, Any]
    data: Mapping[str, Any]
    training: Mapping[str, Any]
    figures: Mapping[str, Any] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)
    parameters: int = 0

    def save(self, folder: Path) -> Path:
        """Write ``<name>.json`` into a folder."""
        return write_document({"schema": SCHEMA, **asdict(self)}, folder / f"{self.name}.json")


def read_card(path: Path) -> Card:
    """Read a card.

    Raises:
        FileNotFoundError: no such file.
        InvalidModelError: not a card of this schema, or a field is missing or unknown.
    """
    document = read_document(path, InvalidModelError)
    schema = document.pop("schema", None)
    if schema != SCHEMA:
        raise InvalidModelError("schema", f"must be {SCHEMA}", value=schema)
    known = set(Card.__dataclass_fields__)
    needed = {"name", "kind", "file", "sha256", "settings", "trained_for", "data", "training"}
    for key in sorted(needed - set(document)):
        raise InvalidModelError(
            key, "is missing from the model card", fix=f"train again, or restore {path.name}"
        )
    for key in sorted(set(document) - known):
        raise InvalidModelError(key, "is not a field of a model card")
    return Card(**document)


def model_bytes(card: Card, folder: Path) -> bytes:
    """The model file that a card describes, after checking its hash.

    Raises:
        FileNotFoundError: no such file.
        InvalidModelError: the file is not the one that the card describes.
    """
    data = (folder / card.file).read_bytes()
    digest = hashlib.sha256(data).hexdigest()
    if digest != card.sha256:
        raise InvalidModelError(
            "sha256", f"is not that of {card.file}", value=card.sha256, fix="restore the file"
        )
    return data
