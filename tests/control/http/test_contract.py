"""The API against its own OpenAPI document: generated requests, valid and not."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from slicewright.control.http.app import create_app
from slicewright.control.journal.memory import MemoryJournal
from slicewright.control.plane.control_plane import ControlPlane
from slicewright.control.state.clock import SystemClock
from slicewright.control.transport.memory import MemoryTransport
from tests.control.support.scenes import scenario_of
from tests.control.support.serving import serving
from tests.waiting import PATIENCE_S

schemathesis = pytest.importorskip("schemathesis")


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """A server on a free port."""
    with serving(scenario_of(6, 0)) as address:
        yield address


# A document cannot say which slices and devices exist: valid requests that name others are refused, rightly.
valid_but_impossible = schemathesis.checks.positive_data_acceptance


def operations() -> list[Any]:
    """The operations of the API's own document; the event stream, which does not end, is left out."""
    clock = SystemClock()
    plane = ControlPlane(
        MemoryJournal(), MemoryTransport(clock, lease_s=math.inf), clock=clock, instance="contract"
    )
    schema = schemathesis.openapi.from_dict(create_app(plane).openapi()).exclude(path="/v1/events")
    return [found.ok() for found in schema.get_all_operations()]


@pytest.mark.parametrize("operation", operations(), ids=lambda op: op.label)
def test_every_answer_is_as_documented(operation: Any, url: str) -> None:
    @settings(
        max_examples=15,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        derandomize=True,
        database=None,
    )
    @given(case=operation.as_strategy())
    def check(case: Any) -> None:
        case.call_and_validate(base_url=url, timeout=PATIENCE_S, excluded_checks=[valid_but_impossible])

    check()
