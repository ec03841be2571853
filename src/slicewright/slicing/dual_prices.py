"""Dual prices: what devices offer for being served, from which bounds follow whatever they are."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from slicewright.errors import InvalidOptionError
from slicewright.types import FloatArray


@dataclass(frozen=True, eq=False)
class DualPrices:
    """What every device offers an access point and a node for serving it, s (Lagrange multipliers).

    Any numbers make a valid bound, and good ones a tight one: those of an earlier certificate, of the plan before, or
    of a network that learned them.

    Attributes:
        radio_s: (I,) to access points.
        compute_s: (I,) to nodes.
    """

    radio_s: FloatArray
    compute_s: FloatArray

    def checked(self, n_devices: int) -> DualPrices:
        """Copies with one finite number of at least 0 for each device.

        Raises:
            InvalidOptionError: a shape is wrong, or a price is not a number.
        """
        arrays = []
        for name, given in (("radio_s", self.radio_s), ("compute_s", self.compute_s)):
            array = np.array(given, dtype=np.float64)
            if array.shape != (n_devices,):
                rule = f"must have one entry for each of {n_devices} devices"
                raise InvalidOptionError(f"prices.{name}", rule, value=array.shape)
            if not np.isfinite(array).all():
                worst = int(np.flatnonzero(~np.isfinite(array))[0])
                raise InvalidOptionError(
                    f"prices.{name}[{worst}]", "must be a finite number", value=array[worst]
                )
            arrays.append(np.maximum(array, 0.0))
        return DualPrices(*arrays)
