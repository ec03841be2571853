"""Which managers that share by a learned model have to be told of a new network or new requests (SP1): pure."""

from __future__ import annotations

from collections.abc import Mapping

from slicewright.control.messages.details import details_of
from slicewright.control.messages.sharing import CLOSED_FORM_NAME
from slicewright.control.messages.status import Status
from slicewright.control.orchestrator.turn.instructions import Basis, Inform
from slicewright.control.state.state import OrchestratorState


def details_to_send(
    state: OrchestratorState, statuses: Mapping[str, Status], told: Mapping[str, Basis]
) -> list[Inform]:
    """Details for every slice whose manager asks a model and was told of something else last.

    Args:
        state: network and requests.
        statuses: newest of each manager.
        told: slice to what its manager was told of.
    """
    if state.network is None:
        return []
    now = Basis(state.network, state.devices)
    asking = [
        name
        for name in state.network.slice_names
        if name in statuses and statuses[name].rule != CLOSED_FORM_NAME and told.get(name) != now
    ]
    if not asking:
        return []
    plannable = state.situation().plannable
    return [Inform(name, details_of(state.network, plannable, name), now) for name in asking]
