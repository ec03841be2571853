"""Public data too large for this repository. Tests and benchmarks that use it go without where it is not at hand.

``$SLICEWRIGHT_SHARED`` names the folder; by default it is ``shared`` beside the checkout.
"""

from __future__ import annotations

import os
from pathlib import Path

ROOT = Path(__file__).parents[1]
SHARED = Path(os.environ.get("SLICEWRIGHT_SHARED") or ROOT.parent / "shared")
MELBOURNE = SHARED / "data" / "melbourne-cbd"
"""EUA data set (P. Lai et al., ICSOC 2018): 125 base-station sites and 816 users as CSV files."""
REFERENCE = SHARED / "reference"
"""Instances of both problems with proven optima."""
