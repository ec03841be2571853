"""What the control plane raises on purpose; rooms above add their own."""

from __future__ import annotations

from slicewright.errors import SlicewrightError


class ControlError(SlicewrightError):
    """The control plane cannot do what was asked."""


class NotLeadingError(ControlError):
    """Another orchestrator leads; ask that one, or again in a moment."""


class UndecidableError(ControlError):
    """With a request, no turn can be computed; it has not happened."""
