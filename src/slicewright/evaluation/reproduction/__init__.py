"""Both publications again, item by item: published value, ours, and whether the claim holds.

One file per family of tables and figures; :mod:`study` runs them, :mod:`report` tells what came out.
"""

from slicewright.evaluation.reproduction.engine.item import Item, Outcome, Verdict
from slicewright.evaluation.reproduction.engine.scale import SCALES, Scale
from slicewright.evaluation.reproduction.study import items_of, reproduce

__all__ = ["SCALES", "Item", "Outcome", "Scale", "Verdict", "items_of", "reproduce"]
