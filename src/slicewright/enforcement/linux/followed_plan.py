"""Where the plan that is carried out comes from: files, or a control plane, asked again and again."""

from __future__ import annotations

import http.client
import json
import stat
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from slicewright.errors import EnforcementError, InvalidOptionError
from slicewright.network import PRESETS, load_scenario
from slicewright.network.device_columns import ENDINGS
from slicewright.slicing.plan import Plan
from slicewright.slicing.plan_file import load_plan

PATIENCE_S = 10.0
"""A control plane that takes longer is asked again in the next round."""
MOST_BYTES = 1 << 28
_TRIES = 5
COARSEST_CLOCK_NS = 2_500_000_000
"""What was written this long ago was not written again since without another time: FAT counts in steps of 2 s."""


class FollowedPlan(NamedTuple):
    """A plan whose devices have names.

    Attributes:
        plan: None where there are no devices.
        devices: their ids, by index.
    """

    plan: Plan | None
    devices: tuple[str, ...]


def from_files(scenario: str | Path, plan: Path) -> FollowedPlan:
    """A plan file and its scenario; devices are called ``device-0``, ``device-1``, ... as by the control plane.

    Raises:
        InvalidInputError: a file breaks a rule.
    """
    problem = load_scenario(scenario)
    return FollowedPlan(load_plan(problem, plan), tuple(f"device-{i}" for i in range(problem.n_devices)))


class Stamp(NamedTuple):
    """By what a file that was changed, or replaced by another one, is known without being read.

    Attributes:
        device, inode: which file it is. size: bytes. written_ns, changed_ns: of its content, and of anything about it,
            which nobody can set back.
    """

    device: int
    inode: int
    size: int
    written_ns: int
    changed_ns: int

    @classmethod
    def of(cls, file: Path) -> Stamp | None:
        """Of a file as it is now; None of what is none, such as a pipe, which is different every time."""
        found = file.stat()
        if not stat.S_ISREG(found.st_mode):
            return None
        return cls(found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)

    def is_old(self, now_ns: int) -> bool:
        """Whether a change from now on would show: file systems write times down in steps of up to 2 s."""
        return now_ns - max(self.written_ns, self.changed_ns) > COARSEST_CLOCK_NS


@dataclass
class FileSource:
    """A plan file and its scenario; neither is read again that has not changed.

    Attributes:
        scenario: file or name of a preset. plan: file.
    """

    scenario: str | Path
    plan: Path
    _last: tuple[tuple[Stamp | None, ...], FollowedPlan] | None = field(default=None, init=False, repr=False)

    def read(self) -> FollowedPlan:
        """The plan as the files have it now; the very same object while they are the same.

        Raises:
            InvalidInputError: a file breaks a rule.
            OSError: a file cannot be read.
        """
        now_ns = time.time_ns()
        stamps = self._stamps()
        if self._last is not None and self._last[0] == stamps:
            return self._last[1]
        found = from_files(self.scenario, self.plan)
        settled = all(stamp is not None and stamp.is_old(now_ns) for stamp in stamps)
        self._last = (stamps, found) if settled else None
        return found

    def _stamps(self) -> tuple[Stamp | None, ...]:
        """Of all that is read. Columns lie beside their scenario; which of those are its own, only reading tells."""
        if self.scenario in PRESETS:
            return (Stamp.of(self.plan),)
        scenario = Path(self.scenario)
        stamps = [Stamp.of(self.plan), Stamp.of(scenario)]
        try:
            stamps += [Stamp.of(file) for file in sorted(scenario.parent.iterdir()) if file.suffix in ENDINGS]
        except OSError:  # a folder that may not be listed, or a neighbour that has just gone
            stamps.append(None)
        return tuple(stamps)


@dataclass
class ControlPlaneSource:
    """What a control plane has granted; nothing is read again that has not changed.

    Attributes:
        url: of its API.
        token: with the right to read; None where it asks for none.

    Raises:
        InvalidOptionError: the URL is none of HTTP.
    """

    url: str
    token: str | None = None
    _last: tuple[str, FollowedPlan] | None = field(default=None, init=False, repr=False)

    def __post_init__(self) -> None:
        parts = urlsplit(self.url)
        if parts.scheme not in ("http", "https") or not parts.netloc:
            raise InvalidOptionError("url", "must be http:// or https://", value=self.url)

    def read(self) -> FollowedPlan:
        """The plan that slices hold now, all of it at one moment.

        Raises:
            EnforcementError: it does not answer, or not as a control plane does.
        """
        for _ in range(_TRIES):
            before, plan = self._get("/v1/plan", known=self._last[0] if self._last else "")
            if plan is None and self._last is not None:
                return self._last[1]
            if not plan or not plan.get("decisions"):
                self._last = None
                return FollowedPlan(None, ())
            _, scenario = self._get("/v1/scenario")
            _, listed = self._get("/v1/devices")
            after, _ = self._get("/v1/plan", known=before)
            if before == after and scenario is not None and listed is not None:
                found = FollowedPlan(load_plan(load_scenario(scenario), plan), _ids(listed))
                self._last = (before, found) if before else None
                return found
        raise EnforcementError(f"{self.url} changes its plan faster than it can be read")

    def _get(self, path: str, *, known: str = "") -> tuple[str, Mapping[str, Any] | None]:
        """(ETag, document); no document where it is still the one whose ETag is known."""
        headers = {} if self.token is None else {"Authorization": f"Bearer {self.token}"}
        if known:
            headers["If-None-Match"] = known
        request = urllib.request.Request(self.url.rstrip("/") + path, headers=headers)
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE_S) as answer:
                document = json.loads(answer.read(MOST_BYTES))
                etag = answer.headers.get("ETag", "")
        except urllib.error.HTTPError as error:
            with error:
                if known and error.code == HTTPStatus.NOT_MODIFIED:
                    return known, None
                raise EnforcementError(f"{self.url}{path} answers {error.code} {error.reason}") from None
        except (OSError, ValueError, http.client.HTTPException) as error:
            reason = getattr(error, "reason", error)
            raise EnforcementError(f"{self.url}{path} cannot be read: {reason}") from None
        if not isinstance(document, dict):
            raise EnforcementError(f"{self.url}{path} is no control plane")
        return etag, document


def _ids(listed: Mapping[str, Any]) -> tuple[str, ...]:
    """Devices in the order of the plan; others have no place in it."""
    found = [(device["index"], device["id"]) for device in listed.get("devices", ())]
    return tuple(name for _, name in sorted(pair for pair in found if pair[0] is not None))
