"""Compile the kernels into a folder: for this Python, and for the level of processors that wheels bring kernels for.

Run by an installation from source (``hatch_build.py``) and by ``make wheel``. Everything comes from the code of this
checkout; what a cache of an earlier run has is not compiled again.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
from pathlib import Path

SOURCE = Path(__file__).parents[1] / "src"
sys.path.insert(0, str(SOURCE))

PLANS = """
import slicewright as sw
methods = ["auto", "exact", "best-response", "greedy", "erap", "prap", "mec-only", "random", "bipartite-raw"]
for queueing in ("device", "node"):
    scenario = {"schema": "slicewright/scenario/v1", "preset": "paper-slicing", "devices": 3, "queueing": queueing}
    for method in methods:
        sw.plan(scenario, method=method, rounds=1).to_dict()
"""
CITIES = """
from slicewright.slicing.city.certificate import load_kernels
load_kernels()
"""
PLACEMENTS = """
import slicewright as sw
from slicewright.placement.problem.presets import placement_preset
for method in ("auto", "queue-network", "greedy-nearest"):
    sw.place(placement_preset("paper-placement", tasks=8), method=method, budget_s=0.05).to_dict()
"""


def compile_kernels(folder: Path, cache: Path) -> None:
    """Compile for the level that is shipped.

    Args:
        folder: what this Python loads from here is put there, beside what other ones left; what it loaded from there
            before the sources changed goes.
        cache: where compiled code is kept from one run to the next, by Python.

    Raises:
        SystemExit: a program failed, after what it said.
    """
    from slicewright.kernel_cache import READY_FEATURES, READY_PROCESSOR, cache_name

    own = cache / str(sys.implementation.cache_tag)
    _run(
        SLICEWRIGHT_CACHE=str(own),
        NUMBA_CPU_NAME=READY_PROCESSOR,
        NUMBA_CPU_FEATURES=READY_FEATURES,
    )
    for made in sorted((own / "slicewright").iterdir()):
        if made.name == cache_name(made.name.rpartition("-")[0]):
            ignored = shutil.ignore_patterns("announced", "*.tmp")
            shutil.copytree(made, folder / made.name, ignore=ignored, dirs_exist_ok=True)
        else:
            shutil.rmtree(made)
            shutil.rmtree(folder / made.name, ignore_errors=True)


def missing_features() -> list[str]:
    """What this processor lacks of the level that is shipped."""
    from llvmlite import binding

    from slicewright.kernel_cache import READY_FEATURES

    features = binding.get_host_cpu_features()
    return [name for name in READY_FEATURES.replace("+", "").split(",") if not features.get(name, False)]


def _run(**settings: str) -> None:
    """Planning, cities and placement side by side: the first takes as long as both others together."""
    path = os.pathsep.join(filter(None, [str(SOURCE), os.environ.get("PYTHONPATH")]))
    environment = {**os.environ, "PYTHONPATH": path, **settings}
    running = [
        subprocess.Popen([sys.executable, "-c", code], env=environment)
        for code in (PLANS, CITIES, PLACEMENTS)
    ]
    try:
        codes = [process.wait() for process in running]
    finally:
        for process in running:
            process.kill()
    if any(codes):
        raise SystemExit("the kernels did not compile")


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="where they are put")
    here = "where the processor is below that level: for this one, in the user's own cache"
    parser.add_argument("--or-here", action="store_true", help=here)
    parser.add_argument("--cache", type=Path, required=True, help="where compiled code is kept between runs")
    asked = parser.parse_args()
    missing = missing_features()
    if not missing:
        compile_kernels(asked.folder, asked.cache)
    elif asked.or_here:
        _run()
    else:
        raise SystemExit(f"this processor has no {', '.join(missing)}")


if __name__ == "__main__":
    main()
