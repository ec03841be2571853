"""Linux as an enforcer: nested HTB classes for radio shares, nested CPU groups for compute shares."""

from slicewright.enforcement.linux.cgroups import CpuGroups, cpu_controller
from slicewright.enforcement.linux.desired import (
    cpu_limits,
    cpu_speeds_hz,
    rate_limits,
    uplink_rates_bps,
)
from slicewright.enforcement.linux.features import missing_features, require_features
from slicewright.enforcement.linux.followed_plan import (
    ControlPlaneSource,
    FileSource,
    FollowedPlan,
    from_files,
)
from slicewright.enforcement.linux.htb import Htb
from slicewright.enforcement.linux.keep import Keeper, Kept
from slicewright.enforcement.linux.limits import Drift, Limit, Step, drift, steps
from slicewright.enforcement.linux.machine import Compute, Machine
from slicewright.enforcement.linux.reconcile import Enforcer, Report, enforce, inspect, remove

__all__ = [
    "Compute",
    "ControlPlaneSource",
    "CpuGroups",
    "Drift",
    "Enforcer",
    "FileSource",
    "FollowedPlan",
    "Htb",
    "Keeper",
    "Kept",
    "Limit",
    "Machine",
    "Report",
    "Step",
    "cpu_controller",
    "cpu_limits",
    "cpu_speeds_hz",
    "drift",
    "enforce",
    "from_files",
    "inspect",
    "missing_features",
    "rate_limits",
    "remove",
    "require_features",
    "steps",
    "uplink_rates_bps",
]
