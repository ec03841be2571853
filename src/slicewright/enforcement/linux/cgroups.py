"""CPU groups: nested quotas through cgroup v1 or v2, whichever holds the CPU controller of this machine.

A quota is CPU time per period. After a pause a group may use its whole quota at once, so work is done up to
``period - quota`` earlier than at a steady speed: short periods are truer. The kernel's least quota is 1 ms, so
the period is 1 ms over the share, within bounds.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple

from slicewright.enforcement.linux.limits import Limit, Step
from slicewright.enforcement.linux.names import check_group
from slicewright.errors import EnforcementError, InvalidOptionError, MissingFeatureError

SECOND_US = 1_000_000
LEAST_QUOTA_US = 1_000
LEAST_PERIOD_US, LONGEST_PERIOD_US = 5_000, SECOND_US
UNLIMITED = 10**9
"""Amount reported for a group without a quota."""
_WEIGHT_FILE = {1: "cpu.shares", 2: "cpu.weight"}
_WEIGHT = {1: 262_144, 2: 10_000}
_PATIENCE_S = 2.0


class Controller(NamedTuple):
    """Where the CPU controller is mounted, and which interface it speaks."""

    version: Literal[1, 2]
    mount: Path


class Quota(NamedTuple):
    """CPU time per period, both in microseconds."""

    quota_us: int
    period_us: int

    @property
    def early_s(self) -> float:
        """By how much work may be done before its time, s."""
        return max(0, self.period_us - self.quota_us) / SECOND_US


def cpu_controller(mounts: Path = Path("/proc/mounts")) -> Controller | None:
    """The CPU controller of this machine: v2 if it has one there, else v1, else None."""
    try:
        rows = [line.split() for line in mounts.read_text().splitlines()]
    except OSError:
        return None
    for _, where, kind, *_ in rows:
        controllers = Path(where) / "cgroup.controllers"
        if kind == "cgroup2" and controllers.is_file() and "cpu" in controllers.read_text().split():
            return Controller(2, Path(where))
    for _, where, kind, options, *_ in rows:
        if kind == "cgroup" and "cpu" in options.split(","):
            return Controller(1, Path(where))
    return None


def quota_of(amount: int) -> Quota:
    """The finest quota that gives so many microseconds per second.

    Raises:
        InvalidOptionError: less than the kernel can express, 1 ms per second.
    """
    if amount < LEAST_QUOTA_US:
        raise InvalidOptionError(
            "CPU share", f"must be at least {LEAST_QUOTA_US} us per second, the kernel's least", value=amount
        )
    period = -(-LEAST_QUOTA_US * SECOND_US // amount)
    period = min(max(period, LEAST_PERIOD_US), LONGEST_PERIOD_US)
    return Quota(max(LEAST_QUOTA_US, amount * period // SECOND_US), period)


def parse_max(text: str) -> int:
    """Amount of a ``cpu.max`` line (v2): ``MAX PERIOD``, where MAX may be the word max."""
    quota, period = text.split()
    return UNLIMITED if quota == "max" else round(int(quota) * SECOND_US / int(period))


@dataclass(frozen=True)
class CpuGroups:
    """The groups below one group of our own. Keys are paths below it, ``slice`` or ``slice/device``.

    Attributes:
        name: of the top group, made in the controller's root.
        controller: which interface to speak.

    Raises:
        InvalidOptionError: the name is none that a group can have.
    """

    name: str
    controller: Controller
    tolerance: float = 2e-3  # a quota is a whole number of at least 1,000 microseconds

    def __post_init__(self) -> None:
        check_group(self.name, "CPU group")

    @classmethod
    def here(cls, name: str) -> CpuGroups:
        """Groups in this machine's CPU controller.

        Raises:
            MissingFeatureError: it has none.
        """
        controller = cpu_controller()
        if controller is None:
            raise MissingFeatureError("CPU shares", ["a CPU controller in cgroup v1 or v2"])
        return cls(name, controller)

    @property
    def top(self) -> Path:
        """Folder of the top group."""
        return self.controller.mount / self.name

    def read(self) -> dict[str, Limit]:
        """The groups that exist, parents before children."""
        found = {}
        for folder in sorted(path for path in self.top.rglob("*") if path.is_dir()):
            key = str(folder.relative_to(self.top))
            amount = self._amount(folder)
            found[key] = Limit(key, _parent(key), amount, amount)
        return found

    def apply(self, changes: Sequence[Step]) -> None:
        """Do the steps in their order.

        Raises:
            InvalidOptionError: a key is no path of group names.
            EnforcementError: the kernel refused one; carries its words.
        """
        for _, limit in changes:
            check_group(limit.key, "limit key")
        if changes and not self.top.is_dir():
            self._open(self.controller.mount)
            self._make(self.top)
            # A quota is only a ceiling. The weight makes it a floor: without it all groups together would count
            # as much as one ordinary process, and be starved by any other work on the machine.
            _write(self.top / _WEIGHT_FILE[self.controller.version], str(_WEIGHT[self.controller.version]))
        for action, limit in changes:
            folder = self.top / limit.key
            if action == "remove":
                self._drop(folder)
                continue
            if action == "create":
                self._open(folder.parent)
                self._make(folder)
            self._set(folder, quota_of(limit.amount))

    def attach(self, key: str, process: int) -> None:
        """Put a process, with all its threads, under the limit of a group."""
        _write(self.top / check_group(key, "CPU group") / "cgroup.procs", str(process))

    def remove(self) -> None:
        """Remove every group, moving what still runs in them to the root. Does nothing if there are none."""
        if self.top.is_dir():
            inner = sorted((p for p in self.top.rglob("*") if p.is_dir()), key=lambda p: -len(p.parts))
            for folder in (*inner, self.top):
                self._drop(folder)

    def _amount(self, folder: Path) -> int:
        if self.controller.version == 2:
            return parse_max((folder / "cpu.max").read_text())
        quota = int((folder / "cpu.cfs_quota_us").read_text())
        period = int((folder / "cpu.cfs_period_us").read_text())
        return UNLIMITED if quota < 0 else round(quota * SECOND_US / period)

    def _set(self, folder: Path, new: Quota) -> None:
        if self.controller.version == 2:
            _write(folder / "cpu.max", f"{new.quota_us} {new.period_us}")
            return
        # Two files: in this order the share on the way is below both the old and the new one, so no parent objects.
        files = [("cpu.cfs_period_us", new.period_us), ("cpu.cfs_quota_us", new.quota_us)]
        old_period = int((folder / "cpu.cfs_period_us").read_text())
        for name, value in files if new.period_us >= old_period else reversed(files):
            _write(folder / name, str(value))

    def _open(self, folder: Path) -> None:
        """In v2 a group's children have a CPU controller only if the group says so."""
        if self.controller.version == 2:
            _write(folder / "cgroup.subtree_control", "+cpu")

    @staticmethod
    def _make(folder: Path) -> None:
        try:
            folder.mkdir(exist_ok=True)
        except OSError as refusal:
            raise EnforcementError(f"cannot make the CPU group {folder}: {refusal.strerror}") from None

    def _drop(self, folder: Path) -> None:
        deadline = time.monotonic() + _PATIENCE_S
        while folder.is_dir():
            for process in (folder / "cgroup.procs").read_text().split():
                _move(self.controller.mount / "cgroup.procs", process)
            try:
                folder.rmdir()
            except OSError as refusal:
                if time.monotonic() > deadline:
                    raise EnforcementError(
                        f"cannot remove the CPU group {folder}: {refusal.strerror}"
                    ) from None
                time.sleep(0.02)


def _parent(key: str) -> str | None:
    above = key.rpartition("/")[0]
    return above or None


def _move(where: Path, process: str) -> None:
    try:
        where.write_text(process)
    except ProcessLookupError:
        return  # it ended in the meantime


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text)
    except OSError as refusal:
        raise EnforcementError(f"the kernel refused {text!r} in {path}: {refusal.strerror}") from None
