"""The same figures of two checkouts, side by side: ``python scripts/compare_trees.py BEFORE AFTER [--rounds N]``.

Each round asks both, the one right after the other, in a process of its own each; what is printed are medians over
rounds, of processor time: what others do on the machine counts for neither. Only what both have always offered is
called. Costs and bounds must agree wherever no behaviour has changed: of runs that end by rounds they do to the last
digit.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
from pathlib import Path

ROUNDS = 5
PROGRAM = """
import json, statistics, time
import slicewright as sw
from slicewright.slicing import lower_bound, optimal_shares

scenarios = [sw.preset("paper-slicing", devices=n, seed=1_000_000 + n) for n in (5, 10, 20, 30, 50)]
tasks = [sw.placement_preset("paper-placement", tasks=n, seed=7) for n in (10, 40)]
plans = [sw.plan(s, rounds=50, seed=1) for s in scenarios]
work = {
    "closed forms of shares": lambda: [optimal_shares(s, p.decisions) for s, p in zip(scenarios, plans)],
    "search, 50 rounds": lambda: [sw.plan(s, rounds=50, seed=1).cost_s for s in scenarios],
    "greedy": lambda: [sw.plan(s, method="greedy").cost_s for s in scenarios],
    "relaxation of the bound": lambda: [
        lower_bound(s, start=p.decisions, rounds=30) for s, p in zip(scenarios, plans)
    ],
    "placement, greedy-nearest": lambda: [sw.place(t, method="greedy-nearest").objective_bit_hops for t in tasks],
    "judge": lambda: [sw.check(s, p) for s, p in zip(scenarios, plans)],
}
out = {}
for name, call in work.items():
    value, took = call(), []
    for _ in range(9):
        began = time.process_time()
        call()
        took.append(time.process_time() - began)
    numbers = all(isinstance(v, float) for v in value)
    out[name] = [1e3 * statistics.median(took), sum(value) if numbers else None]
print(json.dumps(out))
"""
"""Prints {name: [ms of the processor, sum of costs or bounds]}; the first call of each may compile and is not timed."""


def main() -> int:
    """Measure both and print one line a figure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("before", type=Path, help="a checkout")
    parser.add_argument("after", type=Path, help="another")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="how often both are asked")
    options = parser.parse_args()
    trees = (options.before, options.after)
    found = [tuple(_figures(tree) for tree in trees) for _ in range(options.rounds)]
    print(
        f"{options.rounds} rounds, load {os.getloadavg()[0]:.1f}; ms of the processor: medians, the ratio of pairs"
    )
    print(f"{'':26s} {'before ms':>10s} {'after ms':>10s} {'ratio':>6s}  sum of costs or bounds")
    for name in found[0][0]:
        pairs = [(before[name][0], after[name][0]) for before, after in found]
        earlier, later = (statistics.median(pair[k] for pair in pairs) for k in (0, 1))
        ratio = statistics.median(b / a for a, b in pairs)
        values = [side[name][1] for side in found[0]]
        said = (
            "" if values[0] is None else "the same" if values[0] == values[1] else f"{values[0]} {values[1]}"
        )
        print(f"{name:26s} {earlier:10.3f} {later:10.3f} {ratio:6.2f}  {said}")
    return 0


def _figures(tree: Path) -> dict[str, tuple[float, float | None]]:
    one = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS"), "1")
    environment = {**os.environ, **one, "PYTHONPATH": str(tree.resolve() / "src")}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        env=environment,
        cwd=tree,
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    figures: dict[str, tuple[float, float | None]] = json.loads(done.stdout.splitlines()[-1])
    return figures


if __name__ == "__main__":
    raise SystemExit(main())
