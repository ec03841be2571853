"""Installation from source compiles the kernels, as packages with compiled code do; so a first plan need not.

``SLICEWRIGHT_READY_KERNELS`` says otherwise: a folder of compiled kernels to bring (``make wheel``), or ``none``. Where
they cannot be compiled, such as on processors below the level that is shipped, the installation goes on without, and
kernels compile on first use.
"""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

LATER = ("pyscipopt", "matplotlib", "typer", "rich", "joblib")
"""Dependencies of the package that nothing loads while kernels compile."""


class ReadyKernels(BuildHookInterface):  # type: ignore[type-arg, misc, unused-ignore]
    """Compiled kernels beside the sources of an editable installation, or in the wheel of any other."""

    def dependencies(self) -> list[str]:
        """What compiles them: the package's own requirements, so that the versions are those of the installation."""
        if _given() or not _may_compile():
            return []
        needed = self.metadata.core.dependencies
        return [need for need in needed if re.split(r"[^\w-]", need, maxsplit=1)[0] not in LATER]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compile, unless told not to."""
        given, beside = _given(), Path(self.root, "src", "slicewright", "ready_kernels")
        if given == "none" or (given and version == "editable"):
            return
        if version == "editable":
            self._compile(beside)
            return
        folder = Path(given or Path(self.root, "build", "installed_kernels"))
        if not given:
            shutil.rmtree(folder, ignore_errors=True)
            if not self._compile(folder):
                return
        build_data["force_include"][str(folder)] = "slicewright/ready_kernels"

    def _compile(self, folder: Path) -> bool:
        """Into a folder; whether that could be done."""
        if not _may_compile():
            return False
        self.app.display_waiting("compiling kernels: a minute or two")
        script, cache = (
            Path(self.root, "scripts", "compile_kernels.py"),
            Path(self.root, "build", "kernel_cache"),
        )
        command = [sys.executable, str(script), str(folder), "--cache", str(cache)]
        done = subprocess.run(command, stdin=subprocess.DEVNULL).returncode == 0
        if not done:
            self.app.display_warning("kernels did not compile here: they will on first use")
        return done


def _given() -> str:
    return os.environ.get("SLICEWRIGHT_READY_KERNELS", "")


def _may_compile() -> bool:
    """Whether this machine is of the family that kernels are shipped for."""
    return platform.machine().lower() in ("x86_64", "amd64")
