"""A wheel brings compiled kernels if ``SLICEWRIGHT_READY_KERNELS`` names a folder of them, as ``make wheel`` does."""

from __future__ import annotations

import os
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class ReadyKernels(BuildHookInterface):  # type: ignore[type-arg, misc, unused-ignore]
    """Adds the folder; an editable installation compiles its own."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        folder = os.environ.get("SLICEWRIGHT_READY_KERNELS")
        if folder and version != "editable":
            build_data["force_include"][folder] = "slicewright/ready_kernels"
