"""Details of requests on their way to managers."""

from __future__ import annotations

from dataclasses import replace

import pytest

from slicewright.control.messages.details import DETAILS
from tests.control.support.learned_shares import AS_TRAINED, details_for


def test_details_survive_their_way_and_refuse_to_be_crooked() -> None:
    details = details_for(AS_TRAINED, "s1")
    assert DETAILS.validate_json(DETAILS.dump_json(details)) == details
    with pytest.raises(ValueError, match="cycles has 1 entries, not 24"):
        replace(details, cycles=(1.0,))
