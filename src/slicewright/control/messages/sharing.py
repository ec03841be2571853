"""How a slice manager came to the shares that it uses."""

from __future__ import annotations

from dataclasses import dataclass

CLOSED_FORM_NAME = "closed-form"


@dataclass(frozen=True)
class Sharing:
    """How the shares in use came about.

    Attributes:
        path: the rule whose answer is used, on at least one resource.
        reason: why the closed form answered instead, wholly or on some resources; empty if nothing was overruled.
        cost_ratio: sum of the slice's offloaded times over that of the closed form; 1 on its own path.
    """

    path: str = CLOSED_FORM_NAME
    reason: str = ""
    cost_ratio: float = 1.0
