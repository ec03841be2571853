"""What ``--help`` of a command shows as examples; a test parses every one of them."""

from __future__ import annotations

EXAMPLES: dict[str, tuple[str, ...]] = {
    "demo": ("slicewright demo --output story",),
    "plan": (
        "slicewright plan paper-slicing --map plan.png",
        "slicewright plan mine.yaml --budget 100ms --json plan.json",
        "slicewright plan regime/compute --size 20 --method exact --budget 10s",
    ),
    "compare": (
        "slicewright compare --list",
        "slicewright compare mine.yaml --methods auto,best-response,prap --budget 2ms",
    ),
    "check": ("slicewright check mine.yaml", "slicewright check mine.yaml plan.json"),
    "scenario new": (
        "slicewright scenario new --preset dense-urban --size 60 --seed 3 -o mine.yaml",
        "slicewright scenario new --size 20 --set task_bits=8e6,8e7 --set slices=video,sensors -o mine.yaml",
        "slicewright scenario new --preset city/paper --size 100000 --columns parquet -o city.yaml",
    ),
    "scenario show": ("slicewright scenario show mine.yaml --map mine.html",),
    "scenario import": (
        "slicewright scenario import --list",
        "slicewright scenario import campus.graphml -o campus.yaml",
    ),
    "scenario import tables": ("slicewright scenario import tables measured/ -o measured.yaml",),
    "scenario import trace": (
        "slicewright scenario import trace tasks.csv --set time=ts --set time_unit_s=1e-3 -o day.yaml",
    ),
    "scenario import eua": (
        "slicewright scenario import eua melbourne/ -o melbourne.yaml",
        "slicewright scenario import eua melbourne/ --set devices=100000 --columns parquet -o city.yaml",
    ),
    "scenario import graph": (
        "slicewright scenario import graph campus.graphml --set roles=degree --set coins=4 -o campus.yaml",
    ),
    "scenario import topohub": (
        "slicewright scenario import topohub sndlib/polska --set devices=20 -o polska.yaml",
    ),
    "place": (
        "slicewright place paper-placement --map placement.png",
        "slicewright place tasks.yaml --budget 1s --compare greedy-nearest,mec-only",
    ),
    "labels build": (
        "slicewright labels build night --count 1000",
        "slicewright labels build night --count 100000 --size 5-50 --method exact --budget 10s",
        "slicewright labels build night --executor ray --address auto",
    ),
    "labels validate": ("slicewright labels validate night --regenerate",),
    "labels stats": ("slicewright labels stats night --picture night.png",),
    "export": ("slicewright export mine.yaml plan.json --to k8s --output manifests",),
    "testbed up": ("slicewright testbed up mine.yaml --name hall",),
    "testbed run": (
        "slicewright testbed run --duration 20s --picture bed.png",
        "slicewright testbed run --name hall --work fixed --json hall.json",
    ),
    "testbed status": ("slicewright testbed status --name hall --repair",),
    "testbed keep": ("slicewright testbed keep --name hall --every 5s --metrics hall.prom",),
    "testbed down": ("slicewright testbed down --name hall", "slicewright testbed down --all"),
    "enforce": (
        "slicewright enforce mine.yaml plan.json --uplink ap0=eth1 --addresses addresses.yaml --host-interfaces",
        "slicewright enforce --url http://127.0.0.1:8080 --node mec0 --cpus 8 --metrics enforce.prom",
    ),
    "sdn serve": (
        "slicewright sdn serve paper-placement",
        "slicewright sdn serve tasks.yaml --openflow 10.0.0.1:6653 --store tasks.db --every 10s",
    ),
    "sdn fabric up": ("slicewright sdn fabric up paper-placement",),
    "sdn fabric down": ("slicewright sdn fabric down",),
    "sdn fabric show": ("slicewright sdn fabric show tasks.yaml",),
    "train slicing": ("slicewright train slicing --model bipartite --labels night --output models",),
    "train placement": ("slicewright train placement --model queue-network --scale smoke --output models",),
    "reproduce": (
        "slicewright reproduce slicing --list",
        "slicewright reproduce slicing --scale smoke --output report",
        "slicewright reproduce placement --scale full --only table3,fig7",
    ),
    "serve": (
        "slicewright serve paper-slicing --store journal.db",
        "slicewright serve paper-slicing --simulate",
        "slicewright serve --role slice-manager --slice video --nats tls://nats.example:4222",
    ),
    "simulate": (
        "slicewright simulate mine.yaml --horizon 10min",
        "slicewright simulate mine.yaml --mobility waypoint --replan 10s --time-lapse film.html",
        "slicewright simulate paper-slicing --servers node --work lognormal:2",
    ),
    "queues": ("slicewright queues --picture queues.png",),
    "journal backup": ("slicewright journal backup journal.db backup.db",),
    "journal restore": ("slicewright journal restore backup.db journal.db",),
    "doctor": ("slicewright doctor",),
    "replay": ("slicewright replay journal.db",),
}
"""Command lines by the words of their command; every command that does something has at least one."""


def examples_of(command: str) -> str:
    """The examples of a command as the last lines of its help; of a group its own, and one of each of its commands.

    Args:
        command: its words after ``slicewright``, such as ``labels build``.
    """
    lines = list(EXAMPLES.get(command, ()))
    lines += [told[0] for name, told in EXAMPLES.items() if name.startswith(f"{command} ")]
    title = "Examples" if len(lines) > 1 else "Example"
    return "\n\n".join([f"{title}:", *(f"`{line}`" for line in lines)])
