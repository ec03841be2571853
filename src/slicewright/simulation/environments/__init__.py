"""Environments for learning by trial: one network, thousands of copies at once, slice managers as agents."""

from __future__ import annotations

from slicewright.errors import MissingExtraError

try:
    import gymnasium  # noqa: F401
    import pettingzoo  # noqa: F401
except ImportError:
    raise MissingExtraError("environments for learning", "gym") from None

from slicewright.simulation.environments.copies import OffloadingVectorEnv
from slicewright.simulation.environments.epochs import EpochOutcome, Reward
from slicewright.simulation.environments.offloading import OffloadingEnv
from slicewright.simulation.environments.slice_managers import SliceManagersEnv

__all__ = ["EpochOutcome", "OffloadingEnv", "OffloadingVectorEnv", "Reward", "SliceManagersEnv"]
