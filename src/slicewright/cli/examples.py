"""What ``--help`` of a command shows as examples; a test parses every one of them."""

from __future__ import annotations

EXAMPLES: dict[str, tuple[str, ...]] = {
    "demo": ("slicewright demo --output story",),
    "plan": (
        "slicewright plan paper-slicing --map plan.png",
        "slicewright plan mine.yaml --budget 100ms --json plan.json",
        "slicewright plan regime/compute --method exact --budget 10s",
    ),
    "compare": ("slicewright compare mine.yaml --methods auto,best-response,prap --budget 2ms",),
    "check": ("slicewright check mine.yaml", "slicewright check mine.yaml plan.json"),
    "scenario": (
        "slicewright scenario new --preset dense-urban --devices 60 --seed 3 -o mine.yaml",
        "slicewright scenario import graph campus.graphml -o campus.yaml",
        "slicewright scenario show mine.yaml",
    ),
    "place": (
        "slicewright place paper-placement --map placement.png",
        "slicewright place tasks.yaml --budget 1s --compare greedy-nearest,mec-only",
    ),
    "labels": ("slicewright labels build night --count 1000", "slicewright labels stats night"),
    "export": ("slicewright export mine.yaml plan.json --to k8s --output manifests",),
    "testbed": ("slicewright testbed run --duration 20s --picture bed.png",),
    "enforce": (
        "slicewright enforce mine.yaml plan.json --uplink ap0=eth1 --addresses addresses.yaml --host",
        "slicewright enforce --url http://127.0.0.1:8000 --node node0 --cpus 8 --metrics enforce.prom",
    ),
    "sdn": ("slicewright sdn serve paper-placement",),
    "train": ("slicewright train slicing --model bipartite --labels night --output models",),
    "reproduce": ("slicewright reproduce slicing --scale smoke --output report",),
    "serve": (
        "slicewright serve paper-slicing --store journal.db",
        "slicewright serve paper-slicing --simulate",
        "slicewright serve --role sro --nats tls://nats.example:4222",
    ),
    "simulate": (
        "slicewright simulate mine.yaml --horizon 10min",
        "slicewright simulate mine.yaml --mobility waypoint --replan 10s --time-lapse film.html",
    ),
    "queues": ("slicewright queues --picture queues.png",),
    "journal": ("slicewright journal backup journal.db backup.db",),
    "doctor": ("slicewright doctor",),
    "replay": ("slicewright replay journal.db",),
}
"""Command lines by the name of their command; every command has at least one."""


def examples_of(name: str) -> str:
    """The examples of a command as the last lines of its help."""
    lines = EXAMPLES[name]
    title = "Examples" if len(lines) > 1 else "Example"
    return "\n\n".join([f"{title}:", *(f"`{line}`" for line in lines)])
