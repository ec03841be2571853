"""What exporters rely on: rounded shares that keep the rules of the standard."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from slicewright.network.scenario import SliceId
from slicewright.slicing.rrm import PROFILES, Profile, quantise, rrm_policies
from slicewright.types import FloatArray

SLICES = tuple(SliceId(name, sst) for sst, name in enumerate("abcd", start=1))
weights = arrays(np.float64, (3, 4), elements=st.floats(0, 1, allow_subnormal=False))


@settings(max_examples=60, deadline=None)
@given(weights, st.sampled_from(PROFILES))
def test_every_cell_keeps_the_rules_of_the_standard(weight: FloatArray, profile: Profile) -> None:
    total = weight.sum(axis=1, keepdims=True)
    share = np.divide(weight, total, out=np.zeros_like(weight), where=total > 0)
    for row in quantise(share):
        entries = rrm_policies(SLICES, row, profile=profile)
        dedicated, least, most = (
            [entry[f"rRMPolicy{name}Ratio"] for entry in entries] for name in ("Dedicated", "Min", "Max")
        )
        assert all(d <= low <= high <= 100 for d, low, high in zip(dedicated, least, most, strict=True))
        assert sum(dedicated) <= 100
        assert sum(least) in (0, 100)


def test_largest_remainders_win_and_ties_go_to_the_earlier_slice() -> None:
    assert quantise(np.array([[1 / 3, 1 / 3, 1 / 3]])).tolist() == [[34, 33, 33]]
    assert quantise(np.array([[0.29, 0.57, 0.14]])).tolist() == [[29, 57, 14]]
