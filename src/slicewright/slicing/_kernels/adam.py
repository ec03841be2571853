"""Steps whose length follows what slopes were before (Kingma and Ba, ICLR 2015), upwards."""

from __future__ import annotations

import numpy as np

from slicewright.compiled import inlined

FIRST_MOMENT, SECOND_MOMENT = 0.8, 0.95


@inlined
def adam(values, slopes, first, second, at, step, done, relative):
    """One step up of ``values[at]``, by at most about ``step`` (of its size if ``relative``)."""
    first[at] = FIRST_MOMENT * first[at] + (1.0 - FIRST_MOMENT) * slopes[at]
    second[at] = SECOND_MOMENT * second[at] + (1.0 - SECOND_MOMENT) * slopes[at] * slopes[at]
    if second[at] <= 0.0:
        return
    up = first[at] / (1.0 - FIRST_MOMENT**done)
    size = np.sqrt(second[at] / (1.0 - SECOND_MOMENT**done))
    move = step * up / size
    values[at] = values[at] * np.exp(move) if relative else min(1.0, max(0.0, values[at] + move))
