"""Sends managers that share by a learned model what it needs to know (SP1)."""

from __future__ import annotations

import logging
from collections.abc import Mapping

from slicewright.control.messages.details import DETAILS, details_of
from slicewright.control.messages.keys import DETAILS_KEYS, slice_key
from slicewright.control.messages.sharing import CLOSED_FORM_NAME
from slicewright.control.messages.status import Status
from slicewright.control.state.state import OrchestratorState
from slicewright.control.transport.base import Transport, TransportError

logger = logging.getLogger(__name__)


class Informer:
    """Remembers what was sent, so that nothing is sent twice.

    Args:
        transport: where the managers watch.
    """

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self._told: dict[str, tuple[object, object]] = {}

    async def inform(self, state: OrchestratorState, statuses: Mapping[str, Status]) -> None:
        """Put the details of every slice whose manager asks a model, if network or requests have changed."""
        if state.network is None:
            return
        now = (state.network, state.devices)
        for name in state.network.slice_names:
            status, before = statuses.get(name), self._told.get(name, (None, None))
            if status is None or status.rule == CLOSED_FORM_NAME:
                continue
            if before[0] is now[0] and before[1] is now[1]:
                continue
            details = details_of(state.network, state.situation().plannable, name)
            try:
                await self._transport.put(slice_key(DETAILS_KEYS, name), DETAILS.dump_json(details))
            except TransportError as error:
                logger.warning("the details of slice %s wait: %s", name, error)
                return
            self._told[name] = now
