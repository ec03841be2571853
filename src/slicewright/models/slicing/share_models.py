"""SP1 of a published model on its own, as a slice manager runs it: rows of one slice in, shares of its devices out.

The graphs of the published models answer all three subproblems. Their output ``share`` is SP1 and depends on the
input ``slices`` alone, slice by slice, so a manager asks for that output only and fills its own slice in.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from slicewright.models.cards import PUBLISHED
from slicewright.models.session import ModelUnavailableError
from slicewright.models.slicing.features import Float32Array, row_widths
from slicewright.models.slicing.session import LoadedModel, load_model
from slicewright.types import FloatArray

SHARE_MODELS = ("deepsets-s", "deepsets", "set-transformer-2", "set-transformer-4")
"""Published models by name; those that are not shipped may lie in ``$SLICEWRIGHT_MODELS``."""
_OUTPUT = "share"


def share_model(name: str) -> LoadedModel:
    """A model that answers SP1; loaded once per process.

    Raises:
        ModelUnavailableError: there is no such model here, or it has no SP1.
    """
    model = load_model(name)
    if model.card.kind != PUBLISHED or _OUTPUT not in {x.name for x in model.session.get_outputs()}:
        raise ModelUnavailableError(f"{name} does not answer SP1")
    return model


def check_share_size(model: LoadedModel, sizes: Mapping[str, int]) -> None:
    """Whether the model was made and trained for a network and a number of devices.

    Args:
        model: see :func:`share_model`.
        sizes: ``access_points``, ``nodes``, ``slices`` and ``devices``.

    Raises:
        ModelUnavailableError: it was not; names what differs.
    """
    made = model.card.settings["sizes"]
    for name, have in sizes.items():
        low, high = model.card.trained_for.get(name, (have, have))
        low, high = (made[name], made[name]) if name in made else (low, high)
        if not low <= have <= high:
            known = str(low) if low == high else f"{low} to {high}"
            raise ModelUnavailableError(
                f"{model.card.name} knows networks of {known} {name.replace('_', ' ')}, this one has {have}"
            )


def expected_share_s(model: LoadedModel, devices: int) -> float:
    """About how long SP1 takes at most, s: all three subproblems are what was timed."""
    squared = bool(model.card.settings["design"]["heads"])
    return model.fixed_s + model.per_cell_s * (devices * devices if squared else devices)


def model_shares(model: LoadedModel, rows: Float32Array) -> FloatArray:
    """Answer SP1 for one slice.

    Args:
        model: see :func:`share_model`.
        rows: (I, F') of ``models.slicing.features.manager_rows``.

    Returns:
        (I, A + J) shares of access points and nodes; every column sums to at most 1 (13e).

    Raises:
        ModelUnavailableError: onnxruntime fails, or the answer is not finite.
    """
    sizes = model.card.settings["sizes"]
    slices, count = sizes["slices"], len(rows)
    width, _ = row_widths(sizes["access_points"], sizes["nodes"], slices)
    feed = {
        "network": np.zeros((1, count, width), np.float32),  # the orchestrator's view: SP1 does not read it
        "slices": np.broadcast_to(rows, (1, slices, *rows.shape)),
        "mask": np.ones((1, count), np.float32),
    }
    (answer,) = model.answers(feed, outputs=[_OUTPUT], options=_only_sp1())
    shares: FloatArray = np.asarray(answer[0, 0], dtype=np.float64)
    return shares


def _only_sp1() -> Any:
    """Run options that leave out what the asked output does not need: SP2 and SP3."""
    import onnxruntime

    options = onnxruntime.RunOptions()
    options.only_execute_path_to_fetches = True
    return options
