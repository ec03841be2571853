"""Run inside a network namespace with only the loopback: label on two Ray nodes and kill one of them half way.

Usage: ``python ray_driver.py STORE COUNT METHOD``; prints a JSON account on the last line.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from slicewright.labels import Job, Progress, Recipe, build_labels

PORT = 6390
"""Nobody else is in the namespace."""
ADDRESS = f"127.0.0.1:{PORT}"
START_LIMIT_S = 120
AT_WORK = b"ray::label_chunk"
"""What Ray calls a worker's process while it labels; one that waits has another name."""
LOOK_S = 0.005


def start_node(*options: str, log: Path) -> subprocess.Popen[bytes]:
    """A Ray node that lives as long as its process."""
    ray = Path(sys.executable).with_name("ray")
    command = [
        str(ray),
        "start",
        "--node-ip-address=127.0.0.1",
        "--num-cpus=1",
        "--disable-usage-stats",
        "--block",
    ]
    return subprocess.Popen([*command, *options], stdout=log.open("wb"), stderr=subprocess.STDOUT)


def descendants(pid: int) -> Iterator[int]:
    """Processes started by a process, its children's included."""
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in task.read_text().split():
            yield from descendants(int(child))
            yield int(child)


def kill_node(node: subprocess.Popen[bytes]) -> None:
    """As if the machine lost power: everything on the node at once, without a word."""
    for pid in [node.pid, *descendants(node.pid)]:
        os.kill(pid, signal.SIGKILL)
    node.wait()


def at_work(node: subprocess.Popen[bytes]) -> bool:
    """Whether a worker of the node is labelling at this moment."""
    names = []
    for pid in descendants(node.pid):
        with suppress(OSError):  # ended meanwhile
            names.append(Path(f"/proc/{pid}/cmdline").read_bytes())
    return any(AT_WORK in name for name in names)


def kill_at_work(node: subprocess.Popen[bytes]) -> None:
    """Wait until the node has something to lose, then kill it: labels take much longer than a look."""
    while not at_work(node):
        time.sleep(LOOK_S)
    kill_node(node)


def wait_for_processors(count: int, *nodes: subprocess.Popen[bytes]) -> None:
    """Until the cluster has so many; its nodes must stay alive meanwhile."""
    import ray

    give_up = time.monotonic() + START_LIMIT_S
    while True:
        try:
            if not ray.is_initialized():
                ray.init(address=ADDRESS, log_to_driver=False)
            if ray.cluster_resources().get("CPU", 0) >= count:
                return
        except ConnectionError:
            pass  # the head is not up yet
        if time.monotonic() > give_up or any(node.poll() is not None for node in nodes):
            raise SystemExit("the Ray cluster did not come up; see the logs beside the store")
        time.sleep(0.5)


def main(store: Path, count: int, method: str) -> None:
    """Two nodes, one dies when half of the labels are there."""
    scratch = store.parent
    head = start_node(
        "--head",
        f"--port={PORT}",
        "--include-dashboard=false",
        f"--temp-dir={scratch}/r",
        log=scratch / "head.log",
    )
    wait_for_processors(1, head)
    second = start_node(f"--address={ADDRESS}", log=scratch / "second.log")
    wait_for_processors(2, head, second)
    killed_at: list[int] = []

    def on_progress(progress: Progress) -> None:
        if progress.done >= count // 2 and not killed_at:
            killed_at.append(progress.done)
            threading.Thread(target=kill_at_work, args=[second], daemon=True).start()

    job = Job(Recipe(devices=(5, 15)), method=method)
    manifest = build_labels(store, job, count=count, executor="ray", address=ADDRESS, on_progress=on_progress)
    print(
        json.dumps({"killed_at": killed_at, "complete": manifest.complete, "incidents": manifest.incidents})
    )
    kill_node(head)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3])
