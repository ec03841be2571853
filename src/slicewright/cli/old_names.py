"""Options that are called otherwise today: what they were called is still taken, and no longer shown.

One thing has one name on the command line. Where two had grown, one was kept and the other one is listed here, since
scripts of users contain it.
"""

from __future__ import annotations

from typing import Any

OLD_NAMES: dict[str, dict[str, str]] = {
    "enforce": {"rounds": "times", "host": "host-interfaces"},
    "export": {"out": "output"},
    "labels build": {"devices": "size", "solver": "method", "time-limit": "budget"},
    "labels stats": {"plot": "picture"},
    "reproduce": {"jobs": "workers"},
    "scenario new": {"devices": "size"},
    "sdn serve": {"resync": "every"},
    "simulate": {"policy": "method"},
    "testbed keep": {"rounds": "times"},
    "train slicing": {"out": "output"},
    "train placement": {"out": "output"},
}
"""Old name to new name, without dashes, by the command that it is an option of. ``plan --devices`` is not among them:
it is an option of its own, which tells people who meant another one so."""


def taking_old_names(command: str) -> dict[str, Any]:
    """Settings of a command with which it takes the old names of its options, too.

    Args:
        command: words after ``slicewright``, such as ``labels build``; a command without old names may be given.
    """
    known = OLD_NAMES.get(command)
    return {} if known is None else {"token_normalize_func": lambda name: known.get(name, name)}
