"""Slicing: memory, file size and latency of every model as a small node would run it: one thread, no torch."""

from __future__ import annotations

from slicewright.evaluation.reproduction.engine.item import Item, Verdict
from slicewright.evaluation.reproduction.engine.measured import Measured, curve, panel, protocol, table
from slicewright.evaluation.reproduction.engine.published_numbers import NAMES
from slicewright.evaluation.reproduction.engine.statistics import Estimate
from slicewright.evaluation.reproduction.engine.workshop import Workshop
from slicewright.evaluation.reproduction.slicing.beyond.small_node import (
    DEVICES,
    REPEATS,
    SEARCH,
    measured_alone,
)

MODELS = ("deepsets-s", "deepsets", "set-transformer-2", "set-transformer-4", "bipartite")


def _measure(shop: Workshop) -> Measured:
    facts: Measured = {}
    for name in (*MODELS, SEARCH):
        shop.report(name)
        facts[name] = measured_alone(name)
        shop.spent.elsewhere += facts[name]["core_s"]
    rows = [_row(name, found) for name, found in facts.items()]
    columns = [
        "model", "file, KB", "memory at most, MB", "added by the model, MB", "ready after, s",
        *(f"answer at {i} devices, ms" for i in DEVICES),
    ]  # fmt: skip
    curves = [
        curve(
            _name(name), "best-response" if name == SEARCH else name, DEVICES,
            [Estimate(1e3 * found["latency_s"][str(i)], 0.0, REPEATS) for i in DEVICES],
        )
        for name, found in facts.items()
    ]  # fmt: skip
    notes = [
        "Each in a process of its own, as shipped: ONNX, one thread, no torch. Memory is the largest resident set; the "
        "next column is what loading and asking the model adds. Times are of one processor, medians of "
        f"{REPEATS} answers; search is one run of best response with compiled kernels.",
    ]
    return {
        "panels": [panel("one thread", "devices", "processor time per answer in ms", curves, log=True)],
        "table": table(columns, rows), "facts": facts, "protocol": protocol(answers=REPEATS), "notes": notes,
    }  # fmt: skip


def _name(name: str) -> str:
    return {**NAMES, "bipartite": "ours (bipartite)", SEARCH: "best response, no model"}[name]


def _row(name: str, found: Measured) -> list[str | float | None]:
    return [
        _name(name),
        f"{found['file_kb']:.0f}" if found["file_kb"] else None,
        f"{found['most_mb']:.0f}",
        f"{_added(found):.0f}",
        f"{found['ready_s']:.2f}",
        *(f"{1e3 * found['latency_s'][str(i)]:.3f}" for i in DEVICES),
    ]


def _added(found: Measured) -> float:
    """MB that loading and asking adds to a process."""
    return float(found["after_mb"] - found["before_mb"])


def _judge(data: Measured) -> Verdict:
    facts = data["facts"]
    sizes = [facts[m]["file_kb"] for m in MODELS]
    added = [_added(facts[m]) for m in MODELS]
    slowest = max(MODELS, key=lambda m: facts[m]["latency_s"]["50"])
    search = facts[SEARCH]["latency_s"]["50"]
    quicker = sum(facts[m]["latency_s"]["50"] > search for m in MODELS)
    return Verdict(
        "finding",
        f"models of {min(sizes):.0f} to {max(sizes):.0f} KB add {min(added):.0f} to {max(added):.0f} MB to a "
        f"process; an answer "
        f"for 50 devices takes {1e3 * min(facts[m]['latency_s']['50'] for m in MODELS):.2g} to "
        f"{1e3 * facts[slowest]['latency_s']['50']:.2g} ms of one processor",
        f"{quicker} of {len(MODELS)} models take longer than one run of best response, which answers in "
        f"{1e3 * search:.2g} ms and adds {_added(facts[SEARCH]):.0f} MB: its compiled kernels ask for more memory than "
        "onnxruntime with a model does."
        if _added(facts[SEARCH]) > max(added)
        else f"{quicker} of {len(MODELS)} models take longer than one run of best response, which answers in "
        f"{1e3 * search:.2g} ms and adds {_added(facts[SEARCH]):.0f} MB.",
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
