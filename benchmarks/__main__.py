"""``python -m benchmarks [NAME...] [--scale quick|full]``: the project's figures, measured side by side.

Times on shared machines are noisy; ratios within one run hold. Every section says which target it speaks to.
"""

from __future__ import annotations

import argparse
import importlib
import os
import pkgutil
import platform
import time

import benchmarks

# Solvers and kernels on one core each, so that ratios compare like with like. Must be set before numpy loads.
for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"):
    os.environ.setdefault(variable, "1")


def sections() -> list[str]:
    """Benchmark modules of this folder."""
    return sorted(m.name for m in pkgutil.iter_modules(benchmarks.__path__) if not m.name.startswith("_"))


def run() -> None:
    """Run the named sections, or all."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "names", nargs="*", metavar="NAME", help=f"one of {', '.join(sections())}; all by default"
    )
    parser.add_argument(
        "--scale",
        choices=("smoke", "quick", "full"),
        default="quick",
        help="full uses the published sizes; smoke only shows that a benchmark still runs, where that takes seconds",
    )
    options = parser.parse_args()
    for name in options.names:
        if name not in sections():
            parser.error(f"there is no benchmark {name!r}; known: {', '.join(sections())}")
    print(f"python {platform.python_version()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
    for name in options.names or sections():
        began = time.perf_counter()
        print(f"\n=== {name} ===", flush=True)
        module = importlib.import_module(f"benchmarks.{name}")
        if options.scale != "smoke":
            module.main(options.scale)
        elif hasattr(module, "smoke"):
            module.smoke()
        else:
            print("has nothing that takes seconds")
        print(f"({time.perf_counter() - began:.0f} s)", flush=True)


if __name__ == "__main__":
    run()
