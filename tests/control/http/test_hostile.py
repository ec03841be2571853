"""Clients that mean harm, and clumsy ones: a short version of ``make fuzz``."""

from __future__ import annotations

import itertools
import random

import httpx

from slicewright.network.scenario import Scenario
from tests.control.support.hostile import READS, corpus, fault
from tests.control.support.serving import serving
from tests.waiting import PATIENCE_S


def test_odd_requests_are_refused_and_nothing_dies(small: Scenario) -> None:
    with serving(small) as address, httpx.Client(base_url=address, timeout=PATIENCE_S) as client:
        network = client.get("/v1/network").json()
        calls = list(corpus(network))
        chosen = random.Random(0).sample(calls, 500)
        faults = {call: said for call in chosen if (said := fault(call.ask(client)))}
        assert not faults, list(
            itertools.islice(((c.method, c.path, (c.body or b"")[:200], f) for c, f in faults.items()), 5)
        )
        for path in READS:
            if not path.startswith("/v1/events"):
                assert client.get(path).status_code in (200, 404, 409), path
