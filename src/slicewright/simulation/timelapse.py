"""A run as a film in one HTML file that works offline: devices, links and loads over time."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from slicewright.drawing.web import column, page
from slicewright.errors import InvalidOptionError
from slicewright.files.documents import write_atomically
from slicewright.simulation.movement.mobility import area
from slicewright.simulation.simulation import Simulation
from slicewright.simulation.tasks.queues import FinishedTasks
from slicewright.types import Document, FloatArray

MOST_FRAMES, LEAST_FRAMES = 600, 12
MOST_BYTES = 16_000_000
"""Of frames together: a crowd of 100,000 gets fewer of them."""
_BYTES_EACH = 11
"""Of a device in a frame, at most."""
_STEPS = 65535
"""Positions are whole parts of the area's longer side."""


class Timelapse:
    """Records a run while it goes on, and writes the page."""

    def __init__(self, run: Simulation, *, until_s: float) -> None:
        """Nothing recorded yet.

        Raises:
            InvalidOptionError: the scenario has no positions.
        """
        sites = run.scenario.sites
        if sites.device_m is None or sites.access_point_m is None:
            raise InvalidOptionError(
                "time-lapse", "needs positions of devices and access points in the scenario"
            )
        ticks = max(1, int(np.ceil(until_s / run.settings.tick_s)))
        affordable = MOST_BYTES // (_BYTES_EACH * run.scenario.n_devices)
        frames = min(MOST_FRAMES, max(LEAST_FRAMES, affordable))
        self._every = max(1, int(np.ceil(ticks / frames)))
        self._low, high = area(run.scenario)
        self._side = float((high - self._low).max())
        self._high = high
        self._run, self._ticks = run, 0
        self._frames: list[dict[str, np.ndarray]] = []
        self._times: list[float] = []
        self._done, self._sum_s = 0, 0.0
        self._completion_s: list[float] = []
        self._throughput_hz: list[float] = []
        self._record(run)

    def count(self, part: FinishedTasks) -> None:
        """Tasks that finished since the last call."""
        time = (part.done_s - part.arrived_s)[~part.lost]
        self._done += time.size
        self._sum_s += float(time.sum())

    def tick(self, run: Simulation) -> None:
        """After every tick of the run."""
        self._ticks += 1
        if self._ticks % self._every == 0:
            self._record(run)

    def write(self, path: str | Path) -> Path:
        """Write the page.

        Raises:
            InvalidOptionError: the file does not end in .html.
        """
        made = page(
            title="slicewright: a network over time",
            body="film.html",
            styles=("page.css", "network.css", "film.css"),
            module="film.js",
            data=self._document(),
        )
        return write_atomically(timelapse_file(path), made)

    def _record(self, run: Simulation) -> None:
        position = np.asarray(run.position_m)
        inside = run.queues.inside()
        decisions = run.decisions
        self._frames.append(
            {
                "place": self._steps(position),
                "access_point": np.where(run.present, decisions.access_point, -2).astype(np.int16),
                "node": decisions.node.astype(np.int16),
                "slice": decisions.slice.astype(np.int8),
                "uplink": np.minimum(inside[:, 0], 255).astype(np.uint8),
                "work": np.minimum(inside[:, 1] + inside[:, 2], 255).astype(np.uint8),
            }
        )
        elapsed = run.now_s - self._times[-1] if self._times else 0.0
        self._times.append(run.now_s)
        self._completion_s.append(self._sum_s / self._done if self._done else float("nan"))
        self._throughput_hz.append(self._done / elapsed if elapsed > 0.0 else float("nan"))
        self._done, self._sum_s = 0, 0.0

    def _steps(self, position_m: FloatArray) -> np.ndarray:
        part = (position_m - self._low) / self._side
        return np.round(part.clip(0.0, 1.0) * _STEPS).astype(np.uint16)

    def _document(self) -> Document:
        scenario, run = self._run.scenario, self._run
        sites = scenario.sites
        node = None if sites.node_m is None else self._steps(sites.node_m).tolist()
        kinds = {"place": "u2", "uplink": "u1", "work": "u1"}
        columns = {
            name: column(np.stack([frame[name] for frame in self._frames]), kinds.get(name, "index"))
            for name in self._frames[0]
        }
        return {
            "devices": scenario.n_devices,
            "frames": len(self._frames),
            "side_m": self._side,
            "aspect": float((self._high - self._low)[1] / (self._high - self._low)[0]),
            "time_s": self._times,
            "completion_s": _numbers(self._completion_s),
            "throughput_hz": _numbers(self._throughput_hz),
            "access_points": {
                "names": scenario.access_points,
                "place": self._steps(np.asarray(sites.access_point_m)).tolist(),
            },
            "nodes": {"names": scenario.nodes, "kinds": scenario.node_kinds, "place": node},
            "slices": [s.name for s in scenario.slices],
            "plans": [step.now_s for step in run.steps],
            "planned_s": run.plan.cost_s / scenario.n_devices if np.isfinite(run.plan.cost_s) else None,
            "columns": columns,
        }


def timelapse_file(path: str | Path, *, field: str = "time-lapse") -> Path:
    """The file of a time-lapse; commands ask before they simulate.

    Raises:
        InvalidOptionError: it does not end in .html; names ``field``.
    """
    file = Path(path)
    if file.suffix.lower() != ".html":
        raise InvalidOptionError(field, "must end in .html", value=file.name)
    return file


def _numbers(values: list[float]) -> list[float | None]:
    return [round(value, 4) if np.isfinite(value) else None for value in values]
