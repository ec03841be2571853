"""Limits kept as they should be: compared again and again, mended where they differ, and counted.

Others have their hands on the same kernel: an operator's ``tc``, a network manager that replaces a queue, a container
runtime that resets a group. What they change is back within one period, and shows in the counts.
"""

from __future__ import annotations

import logging
import threading
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from slicewright.enforcement.linux.limits import Limit
from slicewright.enforcement.linux.reconcile import Enforcer, enforce
from slicewright.errors import SlicewrightError

_log = logging.getLogger(__name__)


class Kept(NamedTuple):
    """One place and what it should hold; the name is for counts and the log."""

    name: str
    place: Enforcer
    limits: list[Limit]


@dataclass
class Keeper:
    """Keeps places as they should be.

    Attributes:
        wanted: all places with their limits, asked for anew in every round; when it fails, those of the round before.
        rounds: how often everything was compared.
        repairs: changes that were made, by place and action (create, increase, decrease, remove).
        failures: comparisons that failed, by place; ``wanted`` counts those of the question what should be.
        open: differences that were still there after the last round, by place.
        last_error: of the last failure.

    A failure is logged when it begins and when its words change, not in every round that it lasts, and so is its end.
    """

    wanted: Callable[[], Iterable[Kept]]
    rounds: int = 0
    repairs: Counter[tuple[str, str]] = field(default_factory=Counter)
    failures: Counter[str] = field(default_factory=Counter)
    open: dict[str, int] = field(default_factory=dict)
    last_error: str = ""
    _known: tuple[Kept, ...] = ()
    _said: dict[str, str] = field(default_factory=dict)

    def round(self) -> int:
        """Compare and mend everything once; how many changes were made. One place that fails stops no other."""
        try:
            self._known = tuple(self.wanted())
        except (SlicewrightError, OSError) as error:
            self._failed("wanted", error)
        else:
            self._went_well("wanted")
        made = sum(map(self._mend, self._known))
        self.rounds += 1
        return made

    def run(
        self, stop: threading.Event, *, every_s: float, after: Callable[[int], None] = lambda made: None
    ) -> None:
        """A round every so often, until told to stop.

        Args:
            stop: ends it.
            every_s: s between the end of a round and the next.
            after: told after every round how many changes it made.
        """
        while not stop.is_set():
            after(self.round())
            stop.wait(every_s)

    def metrics(self) -> str:
        """The counts as Prometheus reads them, for the text-file collector of its node exporter."""
        lines = [
            "# TYPE slicewright_enforce_rounds_total counter",
            f"slicewright_enforce_rounds_total {self.rounds}",
        ]
        lines.append("# TYPE slicewright_enforce_repairs_total counter")
        lines += [
            f'slicewright_enforce_repairs_total{{place="{_label(place)}",action="{action}"}} {count}'
            for (place, action), count in sorted(self.repairs.items())
        ]
        lines.append("# TYPE slicewright_enforce_failures_total counter")
        lines += [
            f'slicewright_enforce_failures_total{{place="{_label(place)}"}} {count}'
            for place, count in sorted(self.failures.items())
        ]
        lines.append("# TYPE slicewright_enforce_open gauge")
        lines += [
            f'slicewright_enforce_open{{place="{_label(place)}"}} {count}'
            for place, count in sorted(self.open.items())
        ]
        return "\n".join(lines) + "\n"

    def _mend(self, kept: Kept) -> int:
        try:
            report = enforce(kept.place, kept.limits)
        except (SlicewrightError, OSError) as error:
            self._failed(kept.name, error)
            return 0
        self._went_well(kept.name)
        self.open[kept.name] = len(report.drift)
        for step in report.done:
            self.repairs[kept.name, step.action] += 1
            _log.warning("%s: %s %s", kept.name, step.action, step.limit.key)
        return len(report.done)

    def _failed(self, name: str, error: Exception) -> None:
        self.failures[name] += 1
        self.last_error = f"{name}: {error}"
        if self._said.get(name) != self.last_error:
            self._said[name] = self.last_error
            _log.error("%s", self.last_error)

    def _went_well(self, name: str) -> None:
        if self._said.pop(name, None) is not None:
            _log.warning("%s: works again", name)


def _label(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
