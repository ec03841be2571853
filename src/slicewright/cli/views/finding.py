"""One thing that ``slicewright doctor`` looked at."""

from __future__ import annotations

from typing import NamedTuple


class Finding(NamedTuple):
    """One thing that was looked at.

    Attributes:
        group: under which heading it stands.
        what: its name.
        works: True, False, or None where it is missing and only needed for some commands.
        told: what was found.
        fix: what to do about it; empty if nothing.
    """

    group: str
    what: str
    works: bool | None
    told: str
    fix: str = ""
