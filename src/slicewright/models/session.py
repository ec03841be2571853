"""Exported models of both problems: found by name, checked against their cards, opened and run by onnxruntime."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np

from slicewright.errors import SlicewrightError
from slicewright.models.cards import Card, InvalidModelError, model_bytes, read_card

FOLDER_VARIABLE = "SLICEWRIGHT_MODELS"
"""Environment variable: a folder whose models are preferred to the shipped ones."""


class ModelUnavailableError(SlicewrightError):
    """A model cannot answer here; the message is what the user is told while the search answers instead."""


@dataclass(frozen=True, eq=False)
class OpenModel:
    """A model file that can be asked.

    Attributes:
        card: of the file.
        session: of onnxruntime, one thread.
    """

    card: Card
    session: Any

    def answers(
        self, feed: Mapping[str, np.ndarray], *, outputs: Sequence[str] | None = None, options: Any = None
    ) -> list[np.ndarray]:
        """Run the model.

        Args:
            feed: arrays by the names of the model's inputs.
            outputs: names of those wanted; all by default.
            options: run options of onnxruntime.

        Raises:
            ModelUnavailableError: onnxruntime fails, or an answer is not finite.
        """
        try:
            found = self.session.run(outputs, dict(feed), options)
        except _runtime_errors() as error:
            raise ModelUnavailableError(f"{self.card.name} failed in onnxruntime: {error}") from error
        arrays = [np.asarray(x) for x in found]
        if not all(np.isfinite(x).all() for x in arrays):
            raise ModelUnavailableError(f"{self.card.name} answered with numbers that are not finite")
        return arrays


def preferred_folder() -> str:
    """The user's own folder of models, empty without one. Read anew each time: it is part of what is cached under."""
    return os.environ.get(FOLDER_VARIABLE, "")


def open_model(name: str, preferred: str, *, shipped_in: str = ".") -> OpenModel:
    """The model of that name.

    Args:
        name: of its card, without the ending.
        preferred: folder to look in first, or nothing.
        shipped_in: folder below the package's ``models/weights``.

    Raises:
        ModelUnavailableError: the file, its card or onnxruntime is missing or damaged.
    """
    folders = [Path(preferred)] if preferred else []
    with resources.as_file(resources.files("slicewright.models") / "weights" / shipped_in) as shipped:
        for folder in (*folders, shipped):
            if (folder / f"{name}.json").exists():
                return _open(folder, name)
    raise ModelUnavailableError(f"there is no model {name!r} in {', '.join(map(str, [*folders, shipped]))}")


def _open(folder: Path, name: str) -> OpenModel:
    try:
        import onnxruntime
    except ImportError as error:
        raise ModelUnavailableError(f"onnxruntime cannot be imported: {error}") from error
    unusable: tuple[type[Exception], ...] = (InvalidModelError, *_runtime_errors())
    try:
        card = read_card(folder / f"{name}.json")
        data = model_bytes(card, folder)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 4  # what is wrong is raised, too
        session = onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
    except unusable as error:
        told = " ".join(str(error).split())
        raise ModelUnavailableError(f"model {name!r} cannot be loaded: {told}") from error
    return OpenModel(card, session)


def _runtime_errors() -> tuple[type[Exception], ...]:
    """What onnxruntime raises: exception types of its own without a common base, and Python's."""
    from onnxruntime.capi import onnxruntime_pybind11_state as state

    own = [x for x in vars(state).values() if isinstance(x, type) and issubclass(x, Exception)]
    return (*own, OSError, ValueError, TypeError, RuntimeError, MemoryError)
