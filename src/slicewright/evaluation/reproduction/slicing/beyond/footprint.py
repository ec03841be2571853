"""Slicing: memory, file size and latency of every model as a small node would run it: one thread, no torch."""

from __future__ import annotations

import json
import subprocess
import sys

from slicewright.evaluation.reproduction.engine.item import Item, Verdict
from slicewright.evaluation.reproduction.engine.measured import Measured, curve, panel, protocol, table
from slicewright.evaluation.reproduction.engine.published_numbers import NAMES
from slicewright.evaluation.reproduction.engine.statistics import Estimate
from slicewright.evaluation.reproduction.engine.workshop import Workshop

MODELS = ("deepsets-s", "deepsets", "set-transformer-2", "set-transformer-4", "bipartite")
SEARCH = "best-response"
DEVICES = (10, 30, 50)
REPEATS = 30
_SCRIPT = """
import json, resource, statistics, sys, time
from importlib import resources
name, repeats, devices = sys.argv[1], int(sys.argv[2]), json.loads(sys.argv[3])
from slicewright.network.presets import preset
from slicewright.models.slicing.session import load_model
from slicewright.policies.slicing import plan

def most_mb():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024

scenarios = {i: preset("paper-slicing", devices=i, seed=9) for i in devices}
before = most_mb()
began = time.process_time()
if name == "search":
    answer = lambda scenario: plan(scenario, method="best-response", rounds=1)
else:
    model = load_model(name)
    answer = model.run
answer(scenarios[devices[0]])
ready_s = time.process_time() - began
latency = {}
for i, scenario in scenarios.items():
    answer(scenario)
    taken = []
    for _ in range(repeats):
        t = time.process_time()
        answer(scenario)
        taken.append(time.process_time() - t)
    latency[i] = statistics.median(taken)
size = 0
if name != "search":
    folder = resources.files("slicewright.models") / "weights"
    size = sum(len((folder / f"{name}{end}").read_bytes()) for end in (".onnx", ".json"))
print(json.dumps({
    "before_mb": before, "most_mb": most_mb(), "ready_s": ready_s, "latency_s": latency, "file_kb": size / 1024,
}))
"""


def measured_alone(name: str) -> Measured:
    """Memory, start and latency of a shipped model, or of ``search``, in a process of its own.

    Args:
        name: of a model.

    Returns:
        ``before_mb`` and ``most_mb``: largest resident memory before the model is loaded and after all answers;
        ``ready_s`` of one processor until the first answer; ``latency_s`` by number of devices; ``file_kb``.
    """
    command = [sys.executable, "-c", _SCRIPT, name, str(REPEATS), json.dumps(DEVICES)]
    ran = subprocess.run(command, capture_output=True, text=True, check=True, timeout=600)
    document: Measured = json.loads(ran.stdout.splitlines()[-1])
    return document


def _measure(shop: Workshop) -> Measured:
    facts = {}
    for name in (*MODELS, "search"):
        shop.report(name)
        facts[name] = measured_alone(name)
    rows = [_row(name, found) for name, found in facts.items()]
    columns = [
        "model", "file, KB", "memory, MB", "of it by the model, MB", "ready after, s",
        *(f"answer at {i} devices, ms" for i in DEVICES),
    ]  # fmt: skip
    curves = [
        curve(
            _name(name), SEARCH if name == "search" else name, DEVICES,
            [Estimate(1e3 * found["latency_s"][str(i)], 0.0, REPEATS) for i in DEVICES],
        )
        for name, found in facts.items()
    ]  # fmt: skip
    notes = [
        "Each in a process of its own, as shipped: ONNX, one thread, no torch. Memory is the largest resident set; the "
        "difference is what loading and asking the model adds. Times are of one processor, medians of "
        f"{REPEATS} answers; search is one run of best response with compiled kernels.",
    ]
    return {
        "panels": [panel("one thread", "devices", "processor time per answer in ms", curves, log=True)],
        "table": table(columns, rows), "facts": facts, "protocol": protocol(answers=REPEATS), "notes": notes,
    }  # fmt: skip


def _name(name: str) -> str:
    return {**NAMES, "bipartite": "ours (bipartite)", "search": "best response, no model"}[name]


def _row(name: str, found: Measured) -> list[str | float | None]:
    added = found["most_mb"] - found["before_mb"]
    return [
        _name(name),
        f"{found['file_kb']:.0f}" if found["file_kb"] else None,
        f"{found['most_mb']:.0f}",
        f"{added:.0f}",
        f"{found['ready_s']:.2f}",
        *(f"{1e3 * found['latency_s'][str(i)]:.3f}" for i in DEVICES),
    ]


def _judge(data: Measured) -> Verdict:
    facts = data["facts"]
    sizes = [facts[m]["file_kb"] for m in MODELS]
    added = [facts[m]["most_mb"] - facts[m]["before_mb"] for m in MODELS]
    slowest = max(MODELS, key=lambda m: facts[m]["latency_s"]["50"])
    search = facts["search"]["latency_s"]["50"]
    quicker = sum(facts[m]["latency_s"]["50"] > search for m in MODELS)
    return Verdict(
        "finding",
        f"models of {min(sizes):.0f} to {max(sizes):.0f} KB add {min(added):.0f} to {max(added):.0f} MB to a "
        f"process; an answer "
        f"for 50 devices takes {1e3 * min(facts[m]['latency_s']['50'] for m in MODELS):.2g} to "
        f"{1e3 * facts[slowest]['latency_s']['50']:.2g} ms of one processor",
        f"{quicker} of {len(MODELS)} models take longer than one run of best "
        f"response "
        f"({1e3 * search:.2g} ms), which needs no model.",
    )


ITEMS = (
    Item(
        "footprint",
        "Beyond: memory, file size and latency of every model",
        "Open: processing and memory capabilities of COIN nodes must be carefully analyzed.",
        _measure,
        _judge,
        lambda s: 40.0,
        least="quick",
    ),
)
