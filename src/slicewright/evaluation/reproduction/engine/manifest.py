"""The manifest of a report: where its last measurements come from, versions, seed."""

from __future__ import annotations

import platform

from slicewright.evaluation.reproduction.engine.origin import origin, versions
from slicewright.evaluation.reproduction.engine.workshop import Workshop
from slicewright.types import Document


def manifest(study: str, shop: Workshop) -> Document:
    """The manifest of a report; every item's data file names its own origin."""
    return {
        "study": study,
        "scale": shop.scale.name,
        "seed": shop.seed,
        **origin(shop.command, jobs=shop.jobs),
        "python": platform.python_version(),
        "versions": versions(),
    }
