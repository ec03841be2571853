"""What becomes of grants between the orchestrator and the managers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field

from slicewright.control.state.grants import Grant, Stage
from slicewright.control.state.reasons import Reason


@dataclass(frozen=True)
class Sent:
    """A grant is about to be published: the target itself, or first the release."""

    slice: str
    revision: int
    stage: Stage
    kind: Literal["sent"] = "sent"


@dataclass(frozen=True)
class Acknowledged:
    """A manager applies this revision."""

    slice: str
    revision: int
    kind: Literal["acknowledged"] = "acknowledged"


@dataclass(frozen=True)
class Refused:
    """A manager does not apply this revision and keeps its last good one."""

    slice: str
    revision: int
    reason: str
    kind: Literal["refused"] = "refused"


@dataclass(frozen=True)
class SharesReported:
    """How a manager that shares by a learned model shared a grant (SP1); those of the closed form need no record.

    Attributes:
        slice, revision: the grant.
        rule: the model that was to be asked. path: whose answer is used. reason: why not the model's everywhere.
        cost_ratio: sum of the slice's times over that of the closed form.
        radio, compute: device to share.
        local: device to the reason why its seat is not used and it computes locally; ``home`` in the journal.
    """

    slice: str
    revision: int
    rule: str
    path: str
    reason: str
    cost_ratio: float
    radio: Mapping[str, float]
    compute: Mapping[str, float]
    local: Annotated[Mapping[str, Reason], Field(alias="home")]
    kind: Literal["shared"] = "shared"


@dataclass(frozen=True)
class Adopted:
    """A manager holds a grant that the journal knows nothing of: the records behind it are lost.

    It counts as held from here on, and what its seats tell of devices that were lost with the records counts, too.

    Attributes:
        grant: as the manager holds it.
        returned: devices that are known again from their seats, whole or with newer details.
        record: the newest record that the manager was told of; everything up to it once existed.
    """

    grant: Grant
    returned: tuple[str, ...] = ()
    record: int = 0
    kind: Literal["adopted"] = "adopted"
