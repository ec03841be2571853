"""Work that every process of a simulated world does over again on the same records is done once: it is pure.

A record's hash covers all before it, so the state after it is the same for whoever reads it. The leader's own state,
which no record is read for, is never taken from here, and at the end of a schedule all is read from the start anew.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

from slicewright.control.journal.records import Position, Record
from slicewright.control.state.network import Network

_after = Position.after
_from_document = Network.from_document
_networks: dict[str, Network] = {}


def read_anew(records: Iterable[Record]) -> Position:
    """From the start, every hash and every event, whatever has been worked out before."""
    from slicewright.control.state.state import OrchestratorState

    return _after(Position(OrchestratorState()), records)


@contextmanager
def worked_out_once() -> Iterator[None]:
    """Within it each record is verified and folded once, and each network is made once."""
    known: dict[str, tuple[Record, Position]] = {}

    def after(self: Position, records: Iterable[Record]) -> Position:
        here = self
        for record in records:
            same, there = known.get(record.hash, (None, here))
            if same is not record or record.previous != here.hash:
                there = _after(here, (record,))
                known[record.hash] = (record, there)
            here = there
        return here

    with patch.object(Position, "after", after), patch.object(Network, "from_document", _network):
        yield


def _network(document: Mapping[str, Any]) -> Network:
    text = json.dumps(document)
    if text not in _networks:
        _networks[text] = _from_document(document)
    return _networks[text]
