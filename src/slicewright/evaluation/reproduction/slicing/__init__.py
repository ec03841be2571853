"""The publication on DeepSets-S, item by item."""
