"""Tasks through a standing bed: starts workers and senders, waits, and reads what they measured."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from slicewright.enforcement.linux.cgroups import CpuGroups
from slicewright.enforcement.linux.desired import cpu_speeds_hz, uplink_rates_bps
from slicewright.enforcement.testbed.bed import Bed
from slicewright.enforcement.testbed.layout import node_address
from slicewright.enforcement.testbed.worker import HEADER
from slicewright.enforcement.testbed.workload import Timeline, Work, Workload, draw_workload, replay
from slicewright.errors import EnforcementError

HEAD_START_S = 0.3
GRACE_S = 10.0
"""How much longer than the model says tasks may take before they count as lost."""
_POLL_S = 0.1


@dataclass(frozen=True, eq=False)
class DeviceRun:
    """The tasks of one device as drawn, as the model has them, and as they went.

    Attributes:
        device: index.
        workload: what was drawn.
        expected: the model, replayed on what was drawn.
        measured: what happened; tasks that never finished are missing here and in ``expected``.
        lost: how many never finished.
    """

    device: int
    workload: Workload
    expected: Timeline
    measured: Timeline
    lost: int


def send_tasks(
    bed: Bed,
    *,
    duration_s: float,
    seed: int = 0,
    work: Work = "exponential",
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> list[DeviceRun]:
    """Send Poisson tasks through the bed and measure each of them.

    Args:
        bed: a standing bed.
        duration_s: s of the scenario during which tasks arrive; the run ends when all are done.
        seed: of arrivals and work; the tasks of a device do not depend on the other devices.
        work: ``exponential`` or ``fixed``.
        progress: called with the number of tasks done and of all tasks.

    Raises:
        EnforcementError: a process of the bed could not start.
    """
    layout, plan = bed.layout, bed.layout.plan
    rates, speeds = uplink_rates_bps(plan), cpu_speeds_hz(plan)
    loads, expected = {}, {}
    for i in layout.devices.tolist():
        loads[i] = draw_workload(
            float(plan.scenario.arrival_rate_hz[i]), duration_s, seed=(seed, i), work=work
        )
        expected[i] = replay(
            loads[i],
            transmit_s=float(plan.scenario.task_bits[i] / rates[i]),
            service_s=float(plan.scenario.slice_cycles[i, plan.decisions.slice[i]] / speeds[i]),
        )
    with _Processes() as processes:
        start = _start(bed, loads, processes)
        last = max((line.finished_s.max(initial=0.0) for line in expected.values()), default=0.0)
        _await(bed, loads, start + float(last) * bed.scale.slow + GRACE_S, progress)
    return [_read(bed, i, loads[i], expected[i], start) for i in loads]


def task_bytes(bed: Bed, device: int) -> int:
    """Payload of one task of a device on this bed, header included."""
    bits = float(bed.layout.plan.scenario.task_bits[device]) * bed.scale.bits
    return max(HEADER.size + 1, round(bits / 8))


@dataclass
class _Processes:
    """Processes that end with the block, whatever happens in it."""

    running: list[subprocess.Popen[str]] = field(default_factory=list)

    def __enter__(self) -> _Processes:
        return self

    def __exit__(self, *_: object) -> None:
        for process in self.running:
            process.kill()
        for process in self.running:
            process.wait()
            for pipe in (process.stdin, process.stdout, process.stderr):
                if pipe:
                    with contextlib.suppress(BrokenPipeError):
                        pipe.close()

    def start(self, netns: str, module: str, *arguments: str) -> subprocess.Popen[str]:
        """Run a module of this package inside a namespace."""
        process = subprocess.Popen(
            ["ip", "netns", "exec", netns, sys.executable, "-m", f"{__package__}.{module}", *arguments],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        self.running.append(process)
        return process


def _start(bed: Bed, loads: dict[int, Workload], processes: _Processes) -> float:
    """All processes up, connected and under their quotas; returns the common start on the monotonic clock."""
    layout, plan = bed.layout, bed.layout.plan
    groups: CpuGroups = bed.groups
    workers = {}
    for i in loads:
        _results(bed, i).unlink(missing_ok=True)
        j = int(plan.decisions.node[i])
        workers[i] = processes.start(layout.node(j), "worker", node_address(j), str(_results(bed, i)))
    senders = {i: processes.start(layout.device(i), "sender") for i in loads}
    for i, load in loads.items():
        port, executor = _line(workers[i], layout.node(int(plan.decisions.node[i]))).split()
        groups.attach(layout.group(i), int(executor))
        slow = bed.scale.slow
        mean_s = float(plan.scenario.slice_cycles[i, plan.decisions.slice[i]]) * bed.scale.cpus_per_hz * slow
        size = task_bytes(bed, i) - HEADER.size
        tasks = [
            [a * slow, size, w * mean_s]
            for a, w in zip(load.arrival_s.tolist(), load.work.tolist(), strict=True)
        ]
        address = [node_address(int(plan.decisions.node[i])), int(port)]
        _say(senders[i], json.dumps({"address": address, "tasks": tasks}))
    for i in loads:
        _line(senders[i], layout.device(i))
    start = time.monotonic() + HEAD_START_S
    for i in loads:
        _say(senders[i], repr(start))
    return start


def _say(process: subprocess.Popen[str], line: str) -> None:
    if process.stdin is not None:
        process.stdin.write(f"{line}\n")
        process.stdin.flush()


def _line(process: subprocess.Popen[str], where: str) -> str:
    line = process.stdout.readline() if process.stdout else ""
    if not line:
        said = process.stderr.read().strip().splitlines() if process.stderr else []
        raise EnforcementError(
            f"a process in {where} did not start: {said[-1] if said else 'it said nothing'}"
        )
    return line


def _await(
    bed: Bed, loads: dict[int, Workload], deadline: float, progress: Callable[[int, int], None]
) -> None:
    total, done = sum(load.arrival_s.size for load in loads.values()), -1
    while done < total and time.monotonic() < deadline:
        if done >= 0:
            time.sleep(_POLL_S)
        done = sum(1 for i in loads for _ in _finished(_results(bed, i)))
        progress(done, total)


def _results(bed: Bed, device: int) -> Path:
    return bed.folder / f"device{device}.txt"


def _finished(path: Path) -> Iterator[list[str]]:
    """Complete lines of a results file that may still be written to."""
    if path.is_file():
        for line in path.read_text(encoding="ascii").splitlines(keepends=True):
            if line.endswith("\n"):
                yield line.split()


def _read(bed: Bed, device: int, load: Workload, expected: Timeline, start: float) -> DeviceRun:
    rows = np.array(list(_finished(_results(bed, device))), dtype=np.float64).reshape(-1, 4)
    task = rows[:, 0].astype(np.int64)
    measured = Timeline(load.arrival_s[task], *((rows[:, k] - start) / bed.scale.slow for k in (1, 3)))
    model = Timeline(expected.arrival_s[task], expected.received_s[task], expected.finished_s[task])
    return DeviceRun(device, load, model, measured, load.arrival_s.size - task.size)
