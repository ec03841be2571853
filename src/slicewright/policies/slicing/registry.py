"""Methods by name: ours, those registered at run time, and those that installed packages offer."""

from __future__ import annotations

from importlib.metadata import entry_points
from typing import cast

from slicewright.errors import InvalidOptionError, UnknownNameError
from slicewright.policies.slicing.corrected import CORRECTED
from slicewright.policies.slicing.exact import EXACT
from slicewright.policies.slicing.learned import LEARNED
from slicewright.policies.slicing.methods import CLASSICAL
from slicewright.policies.slicing.policy import Policy
from slicewright.policies.slicing.solver import REFERENCE

ENTRY_POINT_GROUP = "slicewright.policies"
"""An entry point of this group names a Policy object, or a function without arguments that returns one."""

_OURS: tuple[Policy, ...] = (*CLASSICAL, CORRECTED, *LEARNED, EXACT, *REFERENCE)
_registered: dict[str, Policy] = {policy.name: policy for policy in _OURS}


def register_policy(policy: Policy, *, replace: bool = False) -> None:
    """Make a policy available under its name in this process.

    Raises:
        InvalidOptionError: the name is taken and ``replace`` is not set.
    """
    if policy.name in policies() and not replace:
        raise InvalidOptionError(
            "name", "is taken by another method", value=policy.name, fix="pass replace=True"
        )
    _registered[policy.name] = policy


def policy(name: str) -> Policy:
    """The policy of that name.

    Raises:
        UnknownNameError: nobody offers it; suggests the nearest name.
    """
    if name not in _registered:
        for point in entry_points(group=ENTRY_POINT_GROUP):
            if point.name == name:
                offered = point.load()
                _registered[name] = cast(Policy, offered if hasattr(offered, "decide") else offered())
    if name not in _registered:
        raise UnknownNameError("method", name, policies())
    return _registered[name]


def policies() -> list[str]:
    """Names of all methods that can be used here, ours first."""
    offered = [point.name for point in entry_points(group=ENTRY_POINT_GROUP)]
    return list(dict.fromkeys([*_registered, *sorted(offered)]))
